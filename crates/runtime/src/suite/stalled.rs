//! A log whose appends stand still while a test says so.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feira_event_log::{
    AppendError, Assignment, EventLog, Hint, LaneReader, LaneWriter, LogError, Membership, NewRecord, OwnerHints,
    Resume, StoredRecord, TakeError, Taken,
};
use feira_ids::{LaneId, ServiceName};

/// Another log, whose appends wait for [`Stalled::stall`].
pub struct Stalled {
    log: Arc<dyn EventLog>,
    /// Whoever holds it holds the appends up.
    pub stall: Arc<Mutex<()>>,
}

impl Stalled {
    /// Over `log`, which does not stand still yet.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log, stall: Arc::default() }
    }
}

impl EventLog for Stalled {
    fn log_id(&self) -> String {
        self.log.log_id()
    }

    fn lanes(&self, service: &ServiceName) -> Result<u32, LogError> {
        self.log.lanes(service)
    }

    fn join(&self, service: &ServiceName, address: &str) -> Result<Arc<dyn Membership>, LogError> {
        Ok(Arc::new(StalledMember(self.log.join(service, address)?, self.stall.clone())))
    }

    fn reader(&self, lane: &LaneId, resume: Resume) -> Result<Box<dyn LaneReader>, LogError> {
        self.log.reader(lane, resume)
    }

    fn last_seq(&self, lane: &LaneId) -> Result<u64, LogError> {
        self.log.last_seq(lane)
    }

    fn owners(&self) -> Arc<dyn OwnerHints> {
        self.log.owners()
    }
}

struct StalledMember(Arc<dyn Membership>, Arc<Mutex<()>>);

impl Membership for StalledMember {
    fn assignment(&self, seen: u64, wait: Duration) -> Assignment {
        self.0.assignment(seen, wait)
    }

    fn take(
        &self,
        lane: u32,
        resume: Resume,
        on_record: &mut dyn FnMut(StoredRecord) -> Result<(), Box<dyn Error + Send + Sync>>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Taken, TakeError> {
        let taken = self.0.take(lane, resume, on_record, stop)?;
        Ok(Taken { writer: Box::new(StalledWriter(taken.writer, self.1.clone())), ..taken })
    }

    fn leave(&self) {
        self.0.leave();
    }
}

struct StalledWriter(Box<dyn LaneWriter>, Arc<Mutex<()>>);

impl LaneWriter for StalledWriter {
    fn append(&mut self, batch: &[NewRecord], announce: Option<&str>) -> Result<Hint, AppendError> {
        let _stalled = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.append(batch, announce)
    }

    fn confirm(&mut self, address: &str) -> Result<(), AppendError> {
        let _stalled = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.confirm(address)
    }
}
