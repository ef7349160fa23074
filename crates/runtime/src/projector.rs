//! Projectors: each takes one lane into one projection, from its checkpoint on, for as long as the service runs.
//!
//! The checkpoint moves with the rows, never before them; a repeat of a record changes nothing. A record that cannot be
//! read holds its lane until a release can read it: what follows it may rest on it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feira_event_log::{EventLog, Hint, LogError, Resume, StoredRecord};
use feira_ids::LaneId;
use feira_mutants::{Mutant, is};
use feira_projection_store::{Checkpoint, ProjectionId, Store, StoreError};

use crate::chain::Chain;
use crate::lane::panic_text;
use crate::pace::{self, Gather, Part};
use crate::service::StartError;
use crate::{Metrics, Projection, ProjectionError, jitter};

/// The most records of one write.
const BATCH_MAX: usize = 256;
/// How long a reader waits for records at a time: what a shutdown may have to wait.
const READ_WAIT: Duration = Duration::from_millis(500);
const PAUSE_SHORTEST: Duration = Duration::from_millis(20);
const PAUSE_LONGEST: Duration = Duration::from_secs(5);

/// A projection on one lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionState {
    /// Which projection.
    pub projection: ProjectionId,
    /// Which lane.
    pub lane: LaneId,
    /// The last record taken in.
    pub at: u64,
    /// Whether it has been at the end of the lane since it started.
    pub caught_up: bool,
    /// Why it does not go on, while it does not.
    pub trouble: Option<Arc<str>>,
}

/// All projectors of a service.
pub(crate) struct Projectors {
    pub metrics: Arc<Metrics>,
    seats: Vec<Arc<Seat>>,
    closing: Arc<AtomicBool>,
    parts: Mutex<Vec<Part>>,
}

/// What is seen from outside of one projector.
struct Seat {
    projection: ProjectionId,
    lane: LaneId,
    at: AtomicU64,
    caught_up: AtomicBool,
    trouble: Mutex<Option<Arc<str>>>,
}

impl Projectors {
    /// Makes the tables and starts a projector for each lane of each source.
    pub async fn start(
        projections: Vec<Arc<dyn Projection>>,
        log: Arc<dyn EventLog>,
        store: Arc<dyn Store>,
    ) -> Result<Self, StartError> {
        let mut started =
            Self { metrics: Arc::default(), seats: Vec::new(), closing: Arc::default(), parts: Mutex::default() };
        for projection in projections {
            if let Err(error) = store.ensure(&projection.tables()).await {
                started.stop().await;
                return Err(error.into());
            }
            for service in projection.sources() {
                let asked = {
                    let (log, service) = (log.clone(), service.clone());
                    pace::blocking(move || log.lanes(&service)).await
                };
                let lanes = match asked {
                    Ok(lanes) => lanes,
                    Err(error) => {
                        started.stop().await;
                        return Err(error.into());
                    }
                };
                for index in 0..lanes {
                    let lane = LaneId::new(&service, index);
                    if let Err(error) = started.seat(projection.clone(), lane, log.clone(), store.clone()) {
                        started.stop().await;
                        return Err(error.into());
                    }
                }
            }
        }
        Ok(started)
    }

    fn seat(
        &mut self,
        projection: Arc<dyn Projection>,
        lane: LaneId,
        log: Arc<dyn EventLog>,
        store: Arc<dyn Store>,
    ) -> std::io::Result<()> {
        let seat = Arc::new(Seat {
            projection: projection.id(),
            lane: lane.clone(),
            at: AtomicU64::new(0),
            caught_up: AtomicBool::new(false),
            trouble: Mutex::default(),
        });
        self.seats.push(seat.clone());
        let projector = Projector {
            name: projection.id(),
            lane_name: lane.to_string(),
            lane,
            projection,
            log,
            store,
            seat,
            metrics: self.metrics.clone(),
            closing: self.closing.clone(),
        };
        let part = pace::spawn(format!("project-{}", projector.lane), projector.run())?;
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        Ok(())
    }

    /// How far each has come.
    pub fn states(&self) -> Vec<ProjectionState> {
        let state = |seat: &Arc<Seat>| ProjectionState {
            projection: seat.projection,
            lane: seat.lane.clone(),
            at: seat.at.load(Ordering::SeqCst),
            caught_up: seat.caught_up.load(Ordering::SeqCst),
            trouble: seat.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        self.seats.iter().map(state).collect()
    }

    /// Stops them after the batch they are at.
    pub async fn stop(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        parts.iter().for_each(Part::unpark);
        if pace::join(parts).await > 0 {
            tracing::error!("a projector failed in the program");
        }
    }
}

impl Drop for Projectors {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
    }
}

/// Takes one lane into one projection.
struct Projector {
    name: ProjectionId,
    lane: LaneId,
    lane_name: String,
    projection: Arc<dyn Projection>,
    log: Arc<dyn EventLog>,
    store: Arc<dyn Store>,
    seat: Arc<Seat>,
    metrics: Arc<Metrics>,
    closing: Arc<AtomicBool>,
}

/// Why a projector does not go on.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    #[error("the store takes no rows")]
    Store(#[from] StoreError),
    #[error("record {lane_seq} cannot be projected")]
    Record {
        lane_seq: u64,
        #[source]
        source: ProjectionError,
    },
    #[error("record {lane_seq} cannot be read")]
    Unreadable {
        lane_seq: u64,
        #[source]
        source: feira_codec::CodecError,
    },
    #[error("record {lane_seq} made the program fail: {reason}")]
    Failed { lane_seq: u64, reason: String },
    #[error(
        "the checkpoint stands at {at}, but the lane ends at {last}: the rows are of another log; forget the projection to build it again"
    )]
    AheadOfLog { at: u64, last: u64 },
}

impl Projector {
    async fn run(self) {
        let mut tries = 0;
        while !self.closed() {
            let before = self.seat.at.load(Ordering::SeqCst);
            let Err(fault) = self.follow().await else { return };
            self.metrics.projector_faults.add(1);
            if self.seat.at.load(Ordering::SeqCst) > before {
                tries = 0;
            }
            self.tell(&fault);
            tries += 1;
            pace::rest(jitter::pause(PAUSE_SHORTEST, PAUSE_LONGEST, tries)).await;
        }
    }

    /// Goes on from the checkpoint until told to stop.
    async fn follow(&self) -> Result<(), Fault> {
        let checkpoint = self.store.checkpoint(self.name, &self.lane_name).await?;
        let last = self.log.last_seq(&self.lane)?;
        if checkpoint.lane_seq > last {
            return Err(Fault::AheadOfLog { at: checkpoint.lane_seq, last });
        }
        self.seat.at.store(checkpoint.lane_seq, Ordering::SeqCst);
        let resume = Resume::after(checkpoint.lane_seq, Hint(checkpoint.hint));
        let mut reader = self.log.reader(&self.lane, resume)?;
        // Where the lane ended when we began: from there on we are up to date.
        let mut at = checkpoint.lane_seq;
        let mut gather = Gather::new(BATCH_MAX);
        while !self.closed() {
            if at >= last {
                self.seat.caught_up.store(true, Ordering::SeqCst);
            }
            gather.rest().await;
            let records = pace::read(reader.as_mut(), BATCH_MAX, READ_WAIT).await?;
            gather.took_in(records.len());
            if let Some(newest) = self.take_in(&records).await? {
                at = newest;
            }
        }
        Ok(())
    }

    /// Writes the rows of `records`, as far as they can be read, and moves the checkpoint.
    async fn take_in(&self, records: &[StoredRecord]) -> Result<Option<u64>, Fault> {
        let mut writes = Vec::new();
        let mut reached = None;
        let mut fault = None;
        for record in records {
            match self.project(record) {
                Ok(more) => {
                    writes.extend(more);
                    reached = Some(record);
                }
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        if let Some(record) = reached {
            let checkpoint = Checkpoint { lane_seq: record.lane_seq, hint: record.hint.0 };
            if is(Mutant::CheckpointFirst) {
                self.store.apply(vec![], self.name, &self.lane_name, checkpoint).await?;
            }
            self.store.apply(writes, self.name, &self.lane_name, checkpoint).await?;
            self.seat.at.store(record.lane_seq, Ordering::SeqCst);
            self.metrics.projected.add(records.len() as u64);
            self.recovered();
        }
        match fault {
            Some(fault) => Err(fault),
            None => Ok(reached.map(|record| record.lane_seq)),
        }
    }

    fn project(&self, record: &StoredRecord) -> Result<Vec<feira_projection_store::Mutation>, Fault> {
        let lane_seq = record.lane_seq;
        let opened = feira_codec::open(&record.value).map_err(|source| Fault::Unreadable { lane_seq, source })?;
        // A thread that ended here would end unseen, and its last word would stand for ever.
        catch_unwind(AssertUnwindSafe(|| self.projection.apply(&self.lane, &opened)))
            .map_err(|panic| Fault::Failed { lane_seq, reason: panic_text(&*panic) })?
            .map_err(|source| Fault::Record { lane_seq, source })
    }

    /// Tells the first of a row of like faults.
    fn tell(&self, fault: &Fault) {
        let text: Arc<str> = Chain(fault).to_string().into();
        let mut trouble = self.seat.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_ref() == Some(&text) {
            return;
        }
        match fault {
            Fault::Log(_) | Fault::Store(_) => {
                tracing::warn!(projection = %self.name, lane = %self.lane, error = %text, "projection waits and tries again");
            }
            Fault::Record { .. } | Fault::Unreadable { .. } | Fault::Failed { .. } | Fault::AheadOfLog { .. } => {
                tracing::error!(projection = %self.name, lane = %self.lane, error = %text, "projection stands still");
            }
        }
        *trouble = Some(text);
    }

    fn recovered(&self) {
        let mut trouble = self.seat.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.take().is_some() {
            tracing::info!(projection = %self.name, lane = %self.lane, "projection goes on");
        }
    }

    fn closed(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }
}
