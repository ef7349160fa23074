//! The one reader of a lane, and those it hands events to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use feira_codec::Opened;
use feira_event_log::{EventLog, Hint, LaneReader, LogError, Resume, StoredRecord};
use feira_ids::LaneId;
use feira_runtime::Chain;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::concerns::{Subject, subjects};
use super::{Cut, Place, Tails};

/// How many records are read at once.
const RECORDS_AT_ONCE: usize = 256;
/// How long a read waits for a record; also how soon a tail sees that it is to end.
const READ_WAIT: Duration = Duration::from_millis(200);
/// The pause before a lane that could not be read is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How long a lane is followed after the last one has left: whoever was cut off comes back soon.
const LINGER: Duration = Duration::from_secs(30);
/// How much of what happened last is remembered.
const RECENT_MAX: usize = 2_048;
const RECENT_BYTES_MAX: usize = 1024 * 1024;

/// An event, and whom it concerns.
pub(crate) struct Told {
    pub place: Place,
    pub event: Opened,
    pub(super) concerns: Vec<Subject>,
}

/// A lane that is followed.
pub(super) struct Tail {
    state: Mutex<State>,
    at: watch::Sender<Place>,
}

struct State {
    listeners: HashMap<Subject, Vec<Entry>>,
    count: usize,
    next_id: u64,
    /// Every event after `recent_from` and up to where the tail is.
    recent: VecDeque<Arc<Told>>,
    recent_from: u64,
    recent_bytes: usize,
    /// When the last listener left.
    idle_since: Instant,
    ended: bool,
}

struct Entry {
    id: u64,
    /// The place from which it listens: what is not after it would only fill its queue.
    from: u64,
    queue: mpsc::Sender<Arc<Told>>,
    cut: Arc<OnceLock<Cut>>,
}

/// A listener as its tail has taken it in.
pub(super) struct Registered {
    pub tail: Arc<Tail>,
    pub subject: Subject,
    pub id: u64,
    pub queue: mpsc::Receiver<Arc<Told>>,
    pub cut: Arc<OnceLock<Cut>>,
    pub at: watch::Receiver<Place>,
    /// Where the tail was: what comes after goes into the queue.
    pub joined: Place,
    /// What happened between the place asked for and where the tail was, when it is remembered.
    pub recent: Option<VecDeque<Arc<Told>>>,
}

impl Tail {
    /// Follows `lane` from `from` on, on a thread of its own.
    pub(super) fn start(
        log: Arc<dyn EventLog>,
        lane: LaneId,
        from: Place,
        tails: Weak<Tails>,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let state = State {
            listeners: HashMap::new(),
            count: 0,
            next_id: 0,
            recent: VecDeque::new(),
            recent_from: from.seq,
            recent_bytes: 0,
            idle_since: Instant::now(),
            ended: false,
        };
        let tail = Arc::new(Self { state: Mutex::new(state), at: watch::Sender::new(from) });
        let following = Following { log, lane: lane.clone(), tail: tail.clone(), tails, stop };
        let spawned = std::thread::Builder::new().name(format!("live-{lane}")).spawn(move || following.run());
        if let Err(error) = spawned {
            tracing::error!(error = %Chain(&error), lane = %lane, "no thread to follow a lane with");
            tail.end(Cut::LogLost);
        }
        tail
    }

    /// Takes a listener in.
    pub(super) fn register(self: &Arc<Self>, subject: Subject, from: Place, queue_max: usize) -> Registered {
        let (sender, queue) = mpsc::channel(queue_max);
        let cut = Arc::new(OnceLock::new());
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        let joined = *self.at.borrow();
        if state.ended {
            // The sender is dropped: the listener learns at once that nothing comes.
            let _ = cut.set(Cut::LogLost);
        } else {
            let entry = Entry { id, from: from.seq, queue: sender, cut: cut.clone() };
            state.listeners.entry(subject.clone()).or_default().push(entry);
            state.count += 1;
        }
        let remembered = from.seq >= state.recent_from;
        let recent = remembered.then(|| {
            let after = |told: &&Arc<Told>| told.place.seq > from.seq && told.concerns.contains(&subject);
            state.recent.iter().filter(after).cloned().collect()
        });
        let at = self.at.subscribe();
        Registered { tail: self.clone(), subject, id, queue, cut, at, joined, recent }
    }

    /// Lets a listener go.
    pub(super) fn leave(&self, subject: &Subject, id: u64) {
        let mut state = self.state();
        let Some(entries) = state.listeners.get_mut(subject) else { return };
        let before = entries.len();
        entries.retain(|entry| entry.id != id);
        let left = before - entries.len();
        if entries.is_empty() {
            state.listeners.remove(subject);
        }
        state.left(left);
    }

    /// How far the lane was read and handed out.
    pub(super) fn at(&self) -> Place {
        *self.at.borrow()
    }

    /// Whether it follows the lane no more.
    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out what was read.
    fn take(&self, told: Vec<Arc<Told>>, at: Place) {
        let mut state = self.state();
        for told in told {
            state.hand_out(&told);
            state.remember(told);
        }
        // Within the lock: who joins now gets all of these from memory and none by the queue.
        self.at.send_replace(at);
    }

    /// Lets everyone go.
    fn end(&self, why: Cut) {
        let mut state = self.state();
        state.ended = true;
        for entry in state.listeners.drain().flat_map(|(_, entries)| entries) {
            let _ = entry.cut.set(why);
        }
        state.count = 0;
    }
}

impl State {
    fn hand_out(&mut self, told: &Arc<Told>) {
        for subject in &told.concerns {
            let Some(entries) = self.listeners.get_mut(subject) else { continue };
            let before = entries.len();
            entries.retain(|entry| {
                if told.place.seq <= entry.from {
                    return true;
                }
                match entry.queue.try_send(told.clone()) {
                    Ok(()) => true,
                    Err(mpsc::error::TrySendError::Full(_)) => {
                        let _ = entry.cut.set(Cut::TooSlow);
                        false
                    }
                    Err(mpsc::error::TrySendError::Closed(_)) => false,
                }
            });
            let left = before - entries.len();
            if entries.is_empty() {
                self.listeners.remove(subject);
            }
            self.left(left);
        }
    }

    fn left(&mut self, left: usize) {
        self.count = self.count.saturating_sub(left);
        if self.count == 0 {
            self.idle_since = Instant::now();
        }
    }

    fn remember(&mut self, told: Arc<Told>) {
        self.recent_bytes += told.event.body.len();
        self.recent.push_back(told);
        while self.recent.len() > RECENT_MAX || self.recent_bytes > RECENT_BYTES_MAX {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.event.body.len();
            self.recent_from = oldest.place.seq;
        }
    }
}

/// What the thread of a tail needs.
struct Following {
    log: Arc<dyn EventLog>,
    lane: LaneId,
    tail: Arc<Tail>,
    tails: Weak<Tails>,
    stop: CancellationToken,
}

impl Following {
    fn run(self) {
        loop {
            let at = self.tail.at();
            let ended = match self.log.reader(&self.lane, Resume::after(at.seq, Hint(at.hint))) {
                Ok(mut reader) => self.follow(&mut *reader),
                Err(error) => Err(error),
            };
            let error = match ended {
                Ok(()) => return,
                Err(error) => error,
            };
            match &error {
                LogError::Damaged { .. } | LogError::NoSuchLane(_) | LogError::Locked { .. } => {
                    tracing::error!(error = %Chain(&error), lane = %self.lane, "lane {} is no longer followed", self.lane);
                    self.forget();
                    return self.tail.end(Cut::LogLost);
                }
                LogError::Unavailable { .. } | LogError::Io { .. } => {
                    tracing::warn!(error = %Chain(&error), lane = %self.lane, "lane {} is not read now", self.lane);
                    std::thread::sleep(RETRY_PAUSE);
                }
            }
        }
    }

    /// Reads until nobody listens any more, the process ends, or the log fails.
    fn follow(&self, reader: &mut dyn LaneReader) -> Result<(), LogError> {
        loop {
            if self.stop.is_cancelled() {
                self.forget();
                self.tail.end(Cut::Stopping);
                return Ok(());
            }
            if self.is_over() {
                return Ok(());
            }
            let records = reader.read(RECORDS_AT_ONCE, READ_WAIT)?;
            let Some(last) = records.last() else { continue };
            let at = Place { seq: last.lane_seq, hint: last.hint.0 };
            let told = records.into_iter().map(|record| told(&record).map(|told| told.map(Arc::new)));
            let told = told.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
            self.tail.take(told, at);
        }
    }

    /// Whether nobody has listened for a while; then nobody can begin to any more either.
    fn is_over(&self) -> bool {
        let idle = || {
            let state = self.tail.state();
            state.count == 0 && state.idle_since.elapsed() > LINGER
        };
        if !idle() {
            return false;
        }
        let Some(tails) = self.tails.upgrade() else { return true };
        let mut tails = tails.lock().unwrap_or_else(PoisonError::into_inner);
        if idle() {
            tails.remove(&self.lane);
            return true;
        }
        false
    }

    fn forget(&self) {
        if let Some(tails) = self.tails.upgrade() {
            tails.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.lane);
        }
    }
}

/// The event of a record; none where it is none.
pub(super) fn told(record: &StoredRecord) -> Result<Option<Told>, LogError> {
    let unreadable = |error: &dyn std::error::Error| LogError::Damaged {
        place: format!("record {} of a lane", record.lane_seq),
        reason: format!("its event cannot be read: {}", Chain(error)),
    };
    let event = feira_codec::open(&record.value).map_err(|error| unreadable(&error))?;
    let concerns = subjects(&event).map_err(|error| unreadable(&error))?;
    let place = Place { seq: record.lane_seq, hint: record.hint.0 };
    Ok((!concerns.is_empty()).then_some(Told { place, event, concerns }))
}
