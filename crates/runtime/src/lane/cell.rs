//! Where a lane's thread meets everyone else: the queue of commands, and what is wanted of the lane.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::states::Prepared;
use crate::{Answer, Command, pace};

/// A command that waits to be decided.
pub(crate) struct Queued {
    /// It.
    pub command: Command,
    /// Its aggregate across tenants.
    pub key: Arc<str>,
    /// The domain's command, or why there is none: then only a repeat is answered otherwise.
    pub prepared: Result<Prepared, Answer>,
    /// Who waits.
    pub reply: oneshot::Sender<Answer>,
}

/// What a lane is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is another process's.
    Away,
    /// It is being taken over.
    Taking,
    /// It decides commands.
    Serving {
        /// Under this term.
        term: u64,
    },
}

/// One lane, as others see it.
pub(crate) struct Cell {
    inner: Mutex<Inner>,
    wake: Condvar,
    /// Rises whenever what the lane does must end at once.
    stops: AtomicU64,
    queue_max: usize,
}

struct Inner {
    queue: VecDeque<Queued>,
    phase: Phase,
    /// The generation of the assignment that gave the lane to this process.
    assigned: Option<u64>,
    /// An assignment came while the lane was taken or served: between two of them it may have been another's, unheard of.
    doubted: bool,
    closing: bool,
    /// Whether the lane is at a batch, and since when it is so, or has had something to begin with.
    busy: bool,
    since: Instant,
    trouble: Option<Arc<str>>,
}

/// What a waiting lane woke up for.
pub(crate) enum Work {
    /// Commands, in the order they came.
    Commands(VecDeque<Queued>),
    /// Nothing came in time.
    Idle,
    /// Whether the lane is still this term's is to be asked of the log.
    Doubt,
    /// The lane must end its term.
    End,
}

/// What one who waits finds.
enum Seen<T> {
    /// What it waits for.
    Now(T),
    /// Nothing yet; at this time it looks again, whatever happens.
    Until(Instant),
    /// Nothing yet.
    Nothing,
}

/// Why a lane's thread goes on.
pub(crate) enum Wanted {
    /// The lane is to be taken.
    Take {
        /// The generation of the assignment.
        generation: u64,
        /// What [`Cell::stops`] said when it was.
        epoch: u64,
    },
    /// The process ends.
    Close,
}

impl Cell {
    pub fn new(queue_max: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                queue: VecDeque::new(),
                phase: Phase::Away,
                assigned: None,
                doubted: false,
                closing: false,
                busy: false,
                since: Instant::now(),
                trouble: None,
            }),
            wake: Condvar::new(),
            stops: AtomicU64::new(0),
            queue_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that can panic runs under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why no command is taken in now; none when one is.
    pub fn refusal(&self) -> Option<Answer> {
        self.lock().refusal(self.queue_max)
    }

    /// Queues a command, or says why not.
    pub fn push(&self, queued: Queued) -> Result<(), Answer> {
        let mut inner = self.lock();
        if let Some(refusal) = inner.refusal(self.queue_max) {
            return Err(refusal);
        }
        inner.queue.push_back(queued);
        if inner.queue.len() == 1 && !inner.busy {
            inner.since = Instant::now();
            self.wake();
        }
        Ok(())
    }

    /// The lane is this process's to serve.
    pub fn assign(&self, generation: u64) {
        let mut inner = self.lock();
        inner.assigned = Some(generation);
        inner.doubted = true;
        drop(inner);
        self.wake();
    }

    /// The lane is no longer this process's: stop at once.
    pub fn stop(&self) {
        let mut inner = self.lock();
        inner.assigned = None;
        self.stops.fetch_add(1, Ordering::SeqCst);
        self.wake();
    }

    /// The process ends: what waits is finished, nothing more is taken in.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closing = true;
        if !matches!(inner.phase, Phase::Serving { .. }) {
            self.stops.fetch_add(1, Ordering::SeqCst);
        }
        self.wake();
    }

    /// Why the lane cannot be served, as far as is known.
    pub fn trouble(&self) -> Option<Arc<str>> {
        self.lock().trouble.clone()
    }

    /// Notes why the lane cannot be served.
    pub fn set_trouble(&self, trouble: Option<Arc<str>>) {
        self.lock().trouble = trouble;
    }

    /// How often the lane was told to stop at once.
    pub fn epoch(&self) -> u64 {
        self.stops.load(Ordering::SeqCst)
    }

    /// What the lane is doing, and whether it should be served here.
    pub fn state(&self) -> (Phase, bool) {
        let inner = self.lock();
        (inner.phase, inner.assigned.is_some())
    }

    /// Says what the lane does now. Commands that wait when it stops serving are given back.
    pub fn enter(&self, phase: Phase) -> VecDeque<Queued> {
        let mut inner = self.lock();
        inner.phase = phase;
        inner.doubted &= phase != Phase::Taking;
        inner.rest();
        match phase {
            Phase::Serving { .. } => VecDeque::new(),
            Phase::Away | Phase::Taking => std::mem::take(&mut inner.queue),
        }
    }

    /// Waits until the lane is wanted, under a newer assignment than `seen` or after `patience`.
    pub async fn wait_wanted(&self, seen: Option<u64>, patience: Duration) -> Wanted {
        let until = Instant::now() + patience;
        self.wait(|inner| {
            if inner.closing {
                return Seen::Now(Wanted::Close);
            }
            match inner.assigned {
                Some(generation) if seen.is_none_or(|seen| generation > seen) || Instant::now() >= until => {
                    Seen::Now(Wanted::Take { generation, epoch: self.epoch() })
                }
                Some(_) => Seen::Until(until),
                None => Seen::Nothing,
            }
        })
        .await
    }

    /// Waits `pause`, unless the lane must stop before.
    pub async fn pause(&self, pause: Duration, epoch: u64) {
        let until = Instant::now() + pause;
        self.wait(|inner| {
            if inner.closing || self.epoch() != epoch || Instant::now() >= until {
                return Seen::Now(());
            }
            Seen::Until(until)
        })
        .await;
    }

    /// The next commands, at most `max`; waits for them, but no longer than `patience` where there is one.
    pub async fn next(&self, max: usize, patience: Option<Duration>, epoch: u64) -> Work {
        let until = patience.map(|patience| Instant::now() + patience);
        self.lock().rest();
        self.wait(|inner| {
            if self.epoch() != epoch {
                return Seen::Now(Work::End);
            }
            if std::mem::take(&mut inner.doubted) {
                inner.busy = true;
                inner.since = Instant::now();
                return Seen::Now(Work::Doubt);
            }
            if !inner.queue.is_empty() {
                let rest = inner.queue.len().min(max);
                let later = inner.queue.split_off(rest);
                let now = std::mem::replace(&mut inner.queue, later);
                inner.busy = true;
                inner.since = Instant::now();
                return Seen::Now(Work::Commands(now));
            }
            if inner.closing {
                return Seen::Now(Work::End);
            }
            match until {
                None => Seen::Nothing,
                Some(until) if Instant::now() >= until => Seen::Now(Work::Idle),
                Some(until) => Seen::Until(until),
            }
        })
        .await
    }

    /// Waits until `look` sees what it looks for.
    async fn wait<T>(&self, mut look: impl FnMut(&mut Inner) -> Seen<T>) -> T {
        if !pace::is_simulated() {
            return self.block(look);
        }
        loop {
            let until = match look(&mut self.lock()) {
                Seen::Now(found) => return found,
                Seen::Until(until) => Some(until),
                Seen::Nothing => None,
            };
            pace::changed(until).await;
        }
    }

    fn block<T>(&self, mut look: impl FnMut(&mut Inner) -> Seen<T>) -> T {
        let mut inner = self.lock();
        loop {
            inner = match look(&mut inner) {
                Seen::Now(found) => return found,
                Seen::Until(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    self.wake.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0
                }
                Seen::Nothing => self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn wake(&self) {
        self.wake.notify_all();
        pace::stir();
    }

    /// How long the lane has had commands and not moved.
    pub fn stuck_for(&self) -> Duration {
        let inner = self.lock();
        if inner.busy || !inner.queue.is_empty() { inner.since.elapsed() } else { Duration::ZERO }
    }
}

impl Inner {
    fn refusal(&self, queue_max: usize) -> Option<Answer> {
        match self.phase {
            _ if self.closing => Some(Answer::NotReady),
            Phase::Serving { .. } if self.queue.len() >= queue_max => Some(Answer::Overloaded),
            Phase::Serving { .. } => None,
            Phase::Taking => Some(Answer::NotReady),
            Phase::Away if self.assigned.is_some() => Some(Answer::NotReady),
            Phase::Away => Some(Answer::Moved { owner: None, term: 0 }),
        }
    }

    fn rest(&mut self) {
        self.busy = false;
        self.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use feira_commands::cart::Input;
    use futures::executor::block_on;

    use super::*;
    use crate::suite::command;

    fn queued() -> Queued {
        let command = command("BR.1", Input::Undo { edit: None }, "k1");
        Queued { command, key: "a".into(), prepared: Err(Answer::NotReady), reply: oneshot::channel().0 }
    }

    #[test]
    fn a_lane_is_stuck_since_its_oldest_command_not_since_it_last_worked() {
        let cell = Cell::new(10);
        cell.enter(Phase::Serving { term: 1 });
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(cell.stuck_for(), Duration::ZERO);
        let began = Instant::now();
        cell.push(queued()).unwrap();
        let stuck = cell.stuck_for();
        assert!(stuck <= began.elapsed(), "stuck for {stuck:?}");
        assert!(matches!(block_on(cell.next(10, None, cell.epoch())), Work::Commands(_)));
        let before = cell.stuck_for();
        cell.push(queued()).unwrap();
        assert!(cell.stuck_for() >= before, "a command that joins does not make the batch at hand younger");
    }

    #[test]
    fn a_lane_that_is_closed_finishes_what_waits_and_one_that_is_stopped_does_not() {
        let cell = Cell::new(10);
        cell.enter(Phase::Serving { term: 1 });
        let epoch = cell.epoch();
        cell.push(queued()).unwrap();
        cell.close();
        assert!(matches!(block_on(cell.next(10, None, epoch)), Work::Commands(commands) if commands.len() == 1));
        assert!(matches!(block_on(cell.next(10, None, epoch)), Work::End));
        let cell = Cell::new(10);
        cell.enter(Phase::Serving { term: 1 });
        cell.push(queued()).unwrap();
        cell.stop();
        assert!(matches!(block_on(cell.next(10, None, epoch)), Work::End));
    }

    #[test]
    fn a_lane_takes_commands_only_while_it_serves() {
        let cell = Cell::new(1);
        assert!(matches!(cell.push(queued()), Err(Answer::Moved { .. })));
        cell.assign(1);
        assert_eq!(cell.push(queued()), Err(Answer::NotReady));
        cell.enter(Phase::Taking);
        assert_eq!(cell.push(queued()), Err(Answer::NotReady));
        cell.enter(Phase::Serving { term: 1 });
        assert_eq!(cell.push(queued()), Ok(()));
        assert_eq!(cell.push(queued()), Err(Answer::Overloaded));
        cell.close();
        assert_eq!(cell.push(queued()), Err(Answer::NotReady));
        assert_eq!(cell.enter(Phase::Away).len(), 1, "what waits is given back");
    }
}
