//! Live updates: what happens, as it happens, from the event log itself.
//!
//! One reader follows each lane that somebody listens to and hands every event to those it concerns; it reads a lane
//! once, however many listen. Who listens from an earlier place gets what is between from the reader's memory, or from
//! the log where that does not reach back so far. A listener's queue is bounded: who falls behind is cut off and told
//! so, and goes on later from the place of the last event told. Nothing is missed and nothing told twice, because a
//! place is a lane and a sequence in it.

mod concerns;
mod counted;
mod listener;
mod tail;

pub(crate) use concerns::Subject;
pub(crate) use counted::{Counted, Places};
pub(crate) use listener::{Cut, Heard, Listener};
pub(crate) use tail::Told;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feira_event_log::{EventLog, LogError};
use feira_ids::{AggregateId, LaneId, ServiceName, TenantId, kind, lane_of};
use feira_runtime::Chain;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::tail::Tail;
use crate::error::ApiError;

/// How many read from the log at once what happened before they began to listen.
const HISTORIES_MAX: usize = 8;
/// The most records that are read again for one listener: some hundred MiB of log.
const HISTORY_RECORDS_MAX: u64 = 1_000_000;

/// A place in a lane: after the record `seq`, which lies at or behind `hint`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub seq: u64,
    pub hint: u64,
}

/// Everyone who listens in this process.
pub(crate) struct Live {
    log: Arc<dyn EventLog>,
    tails: Arc<Tails>,
    lanes: Mutex<HashMap<ServiceName, u32>>,
    histories: Arc<Semaphore>,
    queue_max: usize,
    heartbeat: Duration,
    stop: CancellationToken,
}

/// The lanes that are followed.
type Tails = Mutex<HashMap<LaneId, Arc<Tail>>>;

impl Live {
    pub(crate) fn new(log: Arc<dyn EventLog>, queue_max: usize, heartbeat: Duration, stop: CancellationToken) -> Self {
        let histories = Arc::new(Semaphore::new(HISTORIES_MAX));
        let (tails, lanes) = (Arc::default(), Mutex::default());
        Self { log, tails, lanes, histories, queue_max: queue_max.max(1), heartbeat, stop }
    }

    /// Ends with the process.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// How many lanes `service` has.
    pub(crate) async fn lanes(&self, service: &ServiceName) -> Result<u32, ApiError> {
        let known = self.lanes.lock().unwrap_or_else(PoisonError::into_inner).get(service).copied();
        if let Some(lanes) = known {
            return Ok(lanes);
        }
        let (log, asked) = (self.log.clone(), service.clone());
        let lanes = blocking(move || log.lanes(&asked)).await?;
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).insert(service.clone(), lanes);
        Ok(lanes)
    }

    /// The lane that serves an aggregate.
    pub(crate) async fn lane(&self, tenant: &TenantId, aggregate: &AggregateId) -> Result<LaneId, ApiError> {
        let kind = kind(aggregate.kind_name()).ok_or_else(|| ApiError::fault("an aggregate of no known kind"))?;
        let service = ServiceName::new(kind.service);
        let lanes = self.lanes(&service).await?;
        Ok(LaneId::new(&service, lane_of(tenant, aggregate, lanes)))
    }

    /// Listens on `lane` to what concerns `subject`, from the event after `from` on.
    pub(crate) async fn listen(&self, lane: &LaneId, subject: Subject, from: Place) -> Result<Listener, ApiError> {
        let (log, asked) = (self.log.clone(), lane.clone());
        let head = blocking(move || log.last_seq(&asked)).await?;
        // A place that the log has not come to is of another log.
        if head.checked_sub(from.seq).is_none_or(|records| records > HISTORY_RECORDS_MAX) {
            return Err(too_old());
        }
        let registered = {
            let mut tails = self.tails.lock().unwrap_or_else(PoisonError::into_inner);
            if tails.get(lane).is_some_and(|tail| tail.has_ended()) {
                tails.remove(lane);
            }
            // From the lane's end: what is before it each listener reads at its own pace, and nobody waits for another's
            // history. A hint may lie before the place.
            let end = Place { seq: head, hint: from.hint };
            let tail = tails.entry(lane.clone()).or_insert_with(|| {
                Tail::start(self.log.clone(), lane.clone(), end, Arc::downgrade(&self.tails), self.stop.clone())
            });
            // Within the lock: a tail ends only while nobody can begin to listen to it.
            tail.register(subject.clone(), from, self.queue_max)
        };
        let mut listener = Listener::new(registered, head, from, self.heartbeat, self.stop.clone());
        if let Some(missing) = listener.missing() {
            listener.read_before(self.log.clone(), lane.clone(), subject, missing, self.histories.clone());
        }
        Ok(listener)
    }
}

/// A place too far back, or of another log.
pub(crate) fn too_old() -> ApiError {
    ApiError::BadInput("the cursor reaches too far back: subscribe without one and begin with a snapshot".to_owned())
}

/// Asks the log on a thread where it may block.
async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error @ (LogError::Unavailable { .. } | LogError::Io { .. }))) => {
            tracing::warn!(error = %Chain(&error), "the log did not answer");
            Err(ApiError::Unavailable)
        }
        Ok(Err(error)) => Err(ApiError::internal("the log could not be asked", &error)),
        Err(error) => Err(ApiError::internal("asking the log failed in the program", &error)),
    }
}
