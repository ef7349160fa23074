//! Process managers at work: each follows the lanes of its sources, asks what follows from their events, and keeps its
//! timers.
//!
//! One thread for each process and source lane. It moves on when all that follows from an event is answered; a refusal
//! is an answer. What was asked when a process ended before it noted so is asked again under the same id, and decided
//! once. Timers are rows, written with the checkpoint of the event that set them.

mod asker;
mod follower;
mod timers;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feira_event_log::{EventLog, LogError};
use feira_ids::LaneId;
use feira_projection_store::{Checkpoint, ProjectionId, Store};
use feira_rows::clock::CLOCKS;
use feira_rows::timer::TIMERS;
use tokio::time::Instant;

use crate::closing::Closing;
use crate::metrics::Counter;
use crate::pace::{self, Part as Running};
use crate::{Clock, Clocks, Commands, ProcessManager, StartError, SystemClock};
use asker::Asker;
use follower::Follower;

/// How far processes have come is kept as a projection's checkpoints are, each lane under its process's name.
const CHECKPOINTS: ProjectionId = ProjectionId { name: "processes", version: 1 };

/// How far the process called `process` has come on `lane`: what follows from every record up to there is answered.
///
/// # Errors
/// When the store does not answer.
pub async fn process_checkpoint(
    store: &dyn Store,
    process: &str,
    lane: &LaneId,
) -> Result<Checkpoint, feira_projection_store::StoreError> {
    store.checkpoint(CHECKPOINTS, &place(process, &lane.to_string())).await
}

/// Waits until the process called `process` has come to record `head` of `lane`, at most `wait`; answers whether it has.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn process_followed(
    store: &dyn Store,
    process: &str,
    lane: &LaneId,
    head: u64,
    wait: Duration,
) -> Result<bool, feira_projection_store::StoreError> {
    store.reached(CHECKPOINTS, &place(process, &lane.to_string()), head, wait).await
}

/// Under what a process's checkpoint on a lane is kept.
fn place(process: &str, lane: &str) -> String {
    format!("{process}:{lane}")
}

/// What can be set of processes. The defaults serve both homes.
#[derive(Clone)]
pub struct ProcessOptions {
    /// The clock by which timers come due.
    pub clock: Arc<dyn Clock>,
    /// How long one try of a command may take before it is told as trouble and tried again.
    pub ask_timeout: Duration,
    /// How much later than due a timer is asked, so that the clock of the machine that decides has come to it too.
    pub timer_margin: Duration,
    /// How often clocks are looked at that someone may have moved.
    pub look_every: Duration,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ask_timeout: Duration::from_secs(10),
            timer_margin: Duration::ZERO,
            look_every: Duration::from_millis(250),
        }
    }
}

/// What processes have counted.
#[derive(Debug, Default)]
pub struct ProcessMetrics {
    /// Records read and done with.
    pub followed: Counter,
    /// Commands that were answered.
    pub asked: Counter,
    /// Those of them that were refused.
    pub refused: Counter,
    /// Those of them that could not be decided as asked, and were passed over.
    pub passed_over: Counter,
    /// Timers that came due and were answered.
    pub timers: Counter,
    /// Times a process had to try again.
    pub faults: Counter,
}

/// A process on one lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessState {
    /// Which process.
    pub process: &'static str,
    /// Which lane.
    pub lane: LaneId,
    /// The last record done with.
    pub at: u64,
    /// How many records are known to follow it: what it lags behind.
    pub behind: u64,
    /// Whether it has been at the end of the lane since it started.
    pub caught_up: bool,
    /// How many timers are set.
    pub timers: u64,
    /// Why it does not go on, while it does not.
    pub trouble: Option<Arc<str>>,
}

/// Process managers that run.
pub struct Processes {
    metrics: Arc<ProcessMetrics>,
    seats: Vec<Arc<Seat>>,
    closing: Arc<Closing>,
    parts: Mutex<Vec<Running>>,
}

/// What is seen from outside of a process on a lane.
struct Seat {
    process: &'static str,
    lane: LaneId,
    at: AtomicU64,
    end: AtomicU64,
    caught_up: AtomicBool,
    timers: AtomicU64,
    /// Of the events, and of the timers.
    troubles: Mutex<[Option<Arc<str>>; 2]>,
}

impl Processes {
    /// Starts a follower for each lane of each source of `managers`. What they ask goes to `commands`: everyone who
    /// decides should be up by then. Their checkpoints and timers are in `store`.
    ///
    /// # Errors
    /// [`StartError`] when log or store do not answer; nothing is left running then.
    ///
    /// # Panics
    /// When two of the processes have one name: a mistake of the program.
    pub async fn start(
        managers: Vec<Arc<dyn ProcessManager>>,
        commands: Arc<dyn Commands>,
        log: Arc<dyn EventLog>,
        store: Arc<dyn Store>,
        options: ProcessOptions,
    ) -> Result<Self, StartError> {
        for (place, manager) in managers.iter().enumerate() {
            let twice = managers[..place].iter().any(|other| other.name() == manager.name());
            assert!(!twice, "there are two processes called {}", manager.name());
        }
        store.ensure(&[&TIMERS, &CLOCKS]).await?;
        let clocks = Clocks::new(store.clone());
        let mut started =
            Self { metrics: Arc::default(), seats: Vec::new(), closing: Arc::default(), parts: Mutex::default() };
        for manager in managers {
            for service in manager.sources() {
                let asked = {
                    let (log, service) = (log.clone(), service.clone());
                    pace::blocking(move || log.lanes(&service)).await
                };
                let lanes = match asked {
                    Ok(lanes) => lanes,
                    Err(error) => return Err(started.give_up(error).await),
                };
                for index in 0..lanes {
                    let asker = Asker {
                        process: manager.name(),
                        commands: commands.clone(),
                        clocks: clocks.clone(),
                        metrics: started.metrics.clone(),
                    };
                    let lane = LaneId::new(&service, index);
                    if let Err(error) =
                        started.seat(manager.clone(), lane, asker, log.clone(), store.clone(), options.clone())
                    {
                        return Err(started.give_up(error).await);
                    }
                }
            }
        }
        Ok(started)
    }

    async fn give_up(self, error: impl Into<StartError>) -> StartError {
        self.shutdown().await;
        error.into()
    }

    fn seat(
        &mut self,
        manager: Arc<dyn ProcessManager>,
        lane: LaneId,
        asker: Asker,
        log: Arc<dyn EventLog>,
        store: Arc<dyn Store>,
        options: ProcessOptions,
    ) -> std::io::Result<()> {
        let seat = Arc::new(Seat {
            process: manager.name(),
            lane: lane.clone(),
            at: AtomicU64::new(0),
            end: AtomicU64::new(0),
            caught_up: AtomicBool::new(false),
            timers: AtomicU64::new(0),
            troubles: Mutex::default(),
        });
        self.seats.push(seat.clone());
        let name = format!("{}-{lane}", manager.name());
        let follower = Follower::new(manager, lane, asker, log, store, options, seat, self.closing.clone());
        let part = pace::spawn(name, follower.run())?;
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        Ok(())
    }

    /// How far each has come.
    pub fn states(&self) -> Vec<ProcessState> {
        let state = |seat: &Arc<Seat>| {
            let at = seat.at.load(Ordering::SeqCst);
            let [events, timers] = seat.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone();
            ProcessState {
                process: seat.process,
                lane: seat.lane.clone(),
                at,
                behind: seat.end.load(Ordering::SeqCst).saturating_sub(at),
                caught_up: seat.caught_up.load(Ordering::SeqCst),
                timers: seat.timers.load(Ordering::SeqCst),
                trouble: events.or(timers),
            }
        };
        self.seats.iter().map(state).collect()
    }

    /// Whether every process has been at the end of its lanes once.
    pub fn is_ready(&self) -> bool {
        self.seats.iter().all(|seat| seat.caught_up.load(Ordering::SeqCst))
    }

    /// Waits until they are ready, at most `wait`; answers whether they are.
    pub async fn wait_ready(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        while !self.is_ready() {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }

    /// What they have counted.
    pub fn metrics(&self) -> Arc<ProcessMetrics> {
        self.metrics.clone()
    }

    /// Stops them. What is being asked is left; it is asked again after the next start. To be called before the lanes
    /// are handed over that they ask.
    pub async fn shutdown(&self) {
        self.closing.say();
        let parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        parts.iter().for_each(Running::unpark);
        if pace::join(parts).await > 0 {
            tracing::error!("a process manager failed in the program");
        }
    }
}

impl Drop for Processes {
    /// Without a shutdown the threads end by themselves, soon.
    fn drop(&mut self) {
        self.closing.say();
    }
}

impl Seat {
    /// Notes why something does not go on, or that it does; says whether that is news.
    fn trouble(&self, of: Part, trouble: Option<Arc<str>>) -> bool {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = &mut troubles[of as usize];
        let news = *stands != trouble;
        *stands = trouble;
        news
    }
}

/// What of a process may be in trouble.
#[derive(Clone, Copy)]
enum Part {
    /// Following the lane.
    Events,
    /// Timers that are due.
    Timers,
}

/// Why a process does not go on.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    #[error("the store does not answer")]
    Store(#[from] feira_projection_store::StoreError),
    #[error("record {lane_seq} cannot be read")]
    Unreadable {
        lane_seq: u64,
        #[source]
        source: feira_codec::CodecError,
    },
    #[error("record {lane_seq} made the program fail: {reason}")]
    Failed { lane_seq: u64, reason: String },
    #[error("the timer {timer} that is stored cannot be read: {reason}")]
    Timer { timer: String, reason: String },
    #[error("{operation} of {aggregate} is not answered: {answer}")]
    Unanswered { operation: String, aggregate: String, answer: String },
    #[error(
        "the checkpoint stands at {at}, but the lane ends at {last}: the rows are of another log; forget the processes to begin again"
    )]
    AheadOfLog { at: u64, last: u64 },
    #[error("it is told to stop")]
    Closing,
}
