//! One who listens: first what happened before, then what happens.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use feira_event_log::{EventLog, Hint, LogError, Resume};
use feira_ids::LaneId;
use feira_runtime::Chain;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::Place;
use super::concerns::Subject;
use super::tail::{Registered, Tail, Told, told};

/// How many events of what happened before wait to be told.
const HISTORY_QUEUE: usize = 64;
/// How many records are read at once.
const RECORDS_AT_ONCE: usize = 512;
/// How long reading waits for a record that must be there.
const READ_WAIT: Duration = Duration::from_secs(5);

/// Why a listener hears no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It took its events more slowly than they came.
    TooSlow,
    /// The process ends.
    Stopping,
    /// The log cannot be read.
    LogLost,
}

/// What a listener hears.
pub(crate) enum Heard {
    /// Something happened.
    Told(Arc<Told>),
    /// All that had happened when it began to listen was told; this is the place.
    CaughtUp(Place),
    /// Nothing happened for a while; this is the place.
    Idle(Place),
}

/// One who listens. Dropped, it listens no more.
pub(crate) struct Listener {
    tail: Arc<Tail>,
    subject: Subject,
    id: u64,
    queue: mpsc::Receiver<Arc<Told>>,
    cut: Arc<OnceLock<Cut>>,
    at_tail: watch::Receiver<Place>,
    recent: VecDeque<Arc<Told>>,
    before: Option<mpsc::Receiver<Result<Arc<Told>, Cut>>>,
    missing: Option<(Place, Place)>,
    joined: Place,
    head: u64,
    caught_up: bool,
    at: Place,
    heartbeat: Interval,
    stop: CancellationToken,
}

impl Listener {
    pub(super) fn new(
        registered: Registered,
        head: u64,
        from: Place,
        heartbeat: Duration,
        stop: CancellationToken,
    ) -> Self {
        let Registered { tail, subject, id, queue, cut, at, joined, recent } = registered;
        let missing = recent.is_none().then_some((from, joined));
        let mut heartbeat = tokio::time::interval_at(tokio::time::Instant::now() + heartbeat, heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            tail,
            subject,
            id,
            queue,
            cut,
            at_tail: at,
            recent: recent.unwrap_or_default(),
            before: None,
            missing,
            joined,
            head,
            caught_up: false,
            at: from,
            heartbeat,
            stop,
        }
    }

    /// What is to be read from the log before the first that comes by the queue.
    pub(super) fn missing(&self) -> Option<(Place, Place)> {
        self.missing
    }

    /// Reads from the log what happened between two places.
    pub(super) fn read_before(
        &mut self,
        log: Arc<dyn EventLog>,
        lane: LaneId,
        subject: Subject,
        (from, to): (Place, Place),
        histories: Arc<Semaphore>,
    ) {
        let (sender, before) = mpsc::channel(HISTORY_QUEUE);
        self.before = Some(before);
        tokio::spawn(async move {
            // The semaphore is never closed.
            let Ok(_permit) = histories.acquire_owned().await else { return };
            let reading = tokio::task::spawn_blocking(move || {
                if let Err(error) = read(&*log, &lane, &subject, from, to, &sender) {
                    tracing::warn!(error = %Chain(&error), lane = %lane, "what happened before could not be read");
                    // Who does not listen any more needs no reason.
                    let _ = sender.blocking_send(Err(Cut::LogLost));
                }
            });
            if reading.await.is_err() {
                tracing::error!("reading what happened before failed in the program");
            }
        });
    }

    /// What happens next, or why nothing more is told.
    pub(crate) async fn next(&mut self) -> Result<Heard, Cut> {
        if let Some(told) = self.recent.pop_front() {
            return Ok(self.tell(told));
        }
        if let Some(before) = &mut self.before {
            let next = tokio::select! {
                next = before.recv() => next,
                () = self.stop.cancelled() => return Err(Cut::Stopping),
            };
            match next {
                Some(told) => return told.map(|told| self.tell(told)),
                None => self.before = None,
            }
        }
        self.at = self.at.max(self.joined);
        if !self.caught_up {
            return self.catch_up().await;
        }
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Cut::Stopping),
                told = self.queue.recv() => match told {
                    Some(told) if self.is_new(&told) => return Ok(self.tell(told)),
                    Some(_) => {}
                    None => return Err(self.why()),
                },
                _ = self.heartbeat.tick() => return self.idle(),
            }
        }
    }

    /// Waits until the tail has come to where the lane ended when this one began to listen; an event may come before.
    async fn catch_up(&mut self) -> Result<Heard, Cut> {
        loop {
            let at = self.tail.at();
            // Looked at after the place was: when there is none, all up to the place was told.
            if let Some(told) = self.queued()? {
                return Ok(self.tell(told));
            }
            if at.seq >= self.head {
                self.at = self.at.max(at);
                self.caught_up = true;
                return Ok(Heard::CaughtUp(self.at));
            }
            tokio::select! {
                changed = self.at_tail.changed() => if changed.is_err() { return Err(self.why()) },
                // Who is let go hears of it here.
                told = self.queue.recv() => match told {
                    Some(told) if self.is_new(&told) => return Ok(self.tell(told)),
                    Some(_) => {}
                    None => return Err(self.why()),
                },
                () = self.stop.cancelled() => return Err(Cut::Stopping),
            }
        }
    }

    /// Nothing happened for a while, unless something just has.
    fn idle(&mut self) -> Result<Heard, Cut> {
        let at = self.tail.at();
        if let Some(told) = self.queued()? {
            return Ok(self.tell(told));
        }
        self.at = self.at.max(at);
        Ok(Heard::Idle(self.at))
    }

    /// The next event that waits in the queue.
    fn queued(&mut self) -> Result<Option<Arc<Told>>, Cut> {
        loop {
            match self.queue.try_recv() {
                Ok(told) if self.is_new(&told) => return Ok(Some(told)),
                Ok(_) => {}
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(self.why()),
            }
        }
    }

    /// Whether an event is one after the place where this one is: a tail may be behind those who join it.
    fn is_new(&self, told: &Told) -> bool {
        told.place.seq > self.at.seq
    }

    fn tell(&mut self, told: Arc<Told>) -> Heard {
        self.at = told.place;
        Heard::Told(told)
    }

    fn why(&self) -> Cut {
        self.cut.get().copied().unwrap_or(Cut::LogLost)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.tail.leave(&self.subject, self.id);
    }
}

/// Sends what concerns `subject` after `from` and up to `to`.
fn read(
    log: &dyn EventLog,
    lane: &LaneId,
    subject: &Subject,
    from: Place,
    to: Place,
    sender: &mpsc::Sender<Result<Arc<Told>, Cut>>,
) -> Result<(), LogError> {
    let mut reader = log.reader(lane, Resume::after(from.seq, Hint(from.hint)))?;
    let mut at = from.seq;
    while at < to.seq {
        let records = reader.read(RECORDS_AT_ONCE, READ_WAIT)?;
        if records.is_empty() {
            let what = format!("record {} of lane {lane}, which was read before", at + 1);
            return Err(LogError::Unavailable { what, source: None });
        }
        for record in records {
            at = record.lane_seq;
            if at > to.seq {
                break;
            }
            match told(&record)? {
                Some(told) if told.concerns.contains(subject) => {
                    if sender.blocking_send(Ok(Arc::new(told))).is_err() {
                        return Ok(());
                    }
                }
                Some(_) | None => {}
            }
        }
    }
    Ok(())
}
