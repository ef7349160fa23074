//! The cluster as one process has it: its log, its memberships, writers and readers.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_ids::{LaneId, ServiceName};

use super::broker::{Append, Seen};
use super::{Cluster, State, Weakness};
use crate::{
    AppendError, Assignment, EventLog, Hint, LaneReader, LaneWriter, LogError, Membership, NewRecord, Owner,
    OwnerHints, Resume, StoredRecord, TakeError, Taken,
};

/// The log of one process.
pub struct Process {
    cluster: Arc<Cluster>,
    name: String,
}

impl Process {
    /// The log of the process called `name`.
    pub fn new(cluster: Arc<Cluster>, name: &str) -> Self {
        Self { cluster, name: name.to_owned() }
    }
}

impl EventLog for Process {
    fn log_id(&self) -> String {
        "simulated".to_owned()
    }

    fn lanes(&self, service: &ServiceName) -> Result<u32, LogError> {
        let found = self.cluster.services.iter().find(|(known, _)| known == service);
        found.map(|(_, lanes)| *lanes).ok_or_else(|| LogError::NoSuchLane(LaneId::new(service, 0)))
    }

    fn join(&self, service: &ServiceName, _address: &str) -> Result<Arc<dyn Membership>, LogError> {
        let lanes = self.lanes(service)?;
        self.cluster.state().check_available()?;
        let number = self.cluster.change(|state| state.members.join(&self.name, service, lanes));
        Ok(Arc::new(Member { cluster: self.cluster.clone(), service: service.clone(), number }))
    }

    fn reader(&self, lane: &LaneId, resume: Resume) -> Result<Box<dyn LaneReader>, LogError> {
        let state = self.cluster.state();
        state.check_available()?;
        exists(&state, lane)?;
        let (next_seq, offset) = (resume.next_seq.max(1), resume.hint.0 as usize);
        let (cluster, lane) = (self.cluster.clone(), lane.clone());
        Ok(Box::new(Reader { cluster, lane, offset, order: Order { next_seq, last_term: 0, begun: false } }))
    }

    fn last_seq(&self, lane: &LaneId) -> Result<u64, LogError> {
        let mut state = self.cluster.state();
        state.check_available()?;
        exists(&state, lane)?;
        Ok(state.lane(lane).last_seq())
    }

    fn owners(&self) -> Arc<dyn OwnerHints> {
        Arc::new(Owners(self.cluster.clone()))
    }
}

fn exists(state: &State, lane: &LaneId) -> Result<(), LogError> {
    state.lanes.contains_key(lane).then_some(()).ok_or_else(|| LogError::NoSuchLane(lane.clone()))
}

struct Owners(Arc<Cluster>);

impl OwnerHints for Owners {
    fn owner(&self, lane: &LaneId) -> Option<Owner> {
        self.0.state().lanes.get(lane)?.owner.clone()
    }
}

struct Member {
    cluster: Arc<Cluster>,
    service: ServiceName,
    number: u64,
}

impl Membership for Member {
    fn assignment(&self, seen: u64, wait: Duration) -> Assignment {
        let waits = |state: &mut State| state.members.seen(self.number).generation <= seen;
        let waited = self.cluster.changed.wait_timeout_while(self.cluster.state(), wait, waits);
        waited.expect("nothing panics while it holds the cluster").0.members.seen(self.number)
    }

    fn take(
        &self,
        lane: u32,
        resume: Resume,
        on_record: &mut dyn FnMut(StoredRecord) -> Result<(), Box<dyn Error + Send + Sync>>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Taken, TakeError> {
        let id = LaneId::new(&self.service, lane);
        if stop() {
            return Err(TakeError::Stopped);
        }
        let (epoch, records) = self.cluster.change(|state| self.fence(state, &id))?;
        if stop() {
            return Err(TakeError::Stopped);
        }
        let last_seq = records.last().map_or(0, |record| record.lane_seq);
        let shorter_is_fine = self.cluster.state().weak(Weakness::AcceptsShorterLog);
        if resume.next_seq > last_seq + 1 && !shorter_is_fine {
            let reason = format!("it ends at record {last_seq}, but {} were seen before", resume.next_seq - 1);
            return Err(LogError::Damaged { place: format!("lane {id}"), reason }.into());
        }
        let term = records.iter().map(|record| record.term).max().unwrap_or(0) + 1;
        let mut order = Order { next_seq: resume.next_seq.max(1), last_term: 0, begun: false };
        for record in records.into_iter().filter(|record| record.hint >= resume.hint) {
            if stop() {
                return Err(TakeError::Stopped);
            }
            if order.admits(&id, &record)? {
                let lane_seq = record.lane_seq;
                on_record(record).map_err(|source| TakeError::Replay { lane_seq, source })?;
            }
        }
        if stop() {
            return Err(TakeError::Stopped);
        }
        let cluster = self.cluster.clone();
        let writer = Box::new(Writer { cluster, lane: id, epoch, term, next_seq: last_seq + 1, in_doubt: false });
        Ok(Taken { writer, term, last_seq })
    }

    fn leave(&self) {
        self.cluster.change(|state| state.members.leave(self.number));
    }
}

impl Member {
    /// Proves the assignment, fences, and gives what the lane holds up to the end as it is then.
    fn fence(&self, state: &mut State, id: &LaneId) -> Result<(u64, Vec<StoredRecord>), TakeError> {
        state.check_available()?;
        let assigned = if state.weak(Weakness::TakesWithoutProof) {
            state.members.seen(self.number).lanes.contains(&id.index)
        } else {
            state.members.holds(self.number, id)
        };
        if !assigned {
            return Err(TakeError::NotAssigned);
        }
        let fence = !state.weak(Weakness::TakesWithoutFence);
        let to_last_stable = state.weak(Weakness::RecoversToLastStable);
        let lane = state.lane(id);
        let epoch = lane.init(fence);
        if !to_last_stable {
            // The end is the high watermark; what lies before it undecided is waited for.
            lane.write_markers();
        }
        Ok((epoch, lane.committed(lane.last_stable_offset()).collect()))
    }
}

struct Writer {
    cluster: Arc<Cluster>,
    lane: LaneId,
    epoch: u64,
    term: u64,
    next_seq: u64,
    /// What became of a batch is not known: this writer is to be dropped.
    in_doubt: bool,
}

impl Writer {
    /// What makes these records no batch of this writer's.
    fn flaw(&self, batch: &[NewRecord]) -> Option<String> {
        if batch.is_empty() {
            return Some("it is empty".to_owned());
        }
        for (record, lane_seq) in batch.iter().zip(self.next_seq..) {
            let meta = &record.meta;
            if (meta.lane_seq as u64, meta.term as u64, meta.lane as u32) != (lane_seq, self.term, self.lane.index) {
                return Some(format!(
                    "record {} of term {} on lane {} stands where {lane_seq} of term {} on lane {} should",
                    meta.lane_seq, meta.term, meta.lane, self.term, self.lane.index
                ));
            }
        }
        None
    }
}

impl LaneWriter for Writer {
    fn append(&mut self, batch: &[NewRecord], announce: Option<&str>) -> Result<Hint, AppendError> {
        if let Some(reason) = self.flaw(batch) {
            return Err(AppendError::Invalid { reason });
        }
        if self.in_doubt {
            return Err(AppendError::Unknown("the writer was in doubt already and has to be dropped".into()));
        }
        let announced = announce.map(|address| Owner { address: address.to_owned(), term: self.term });
        let result = self.cluster.change(|state| {
            if !state.available {
                return Err(AppendError::Unknown("the simulated log was made unavailable".into()));
            }
            let fenced = !state.weak(Weakness::TakesWithoutFence);
            let torn = state.weak(Weakness::AcceptsDuplicatedEnd);
            let append = Append { epoch: self.epoch, batch, announced };
            state.lane(&self.lane).append(append, fenced, torn).map(Hint)
        });
        match &result {
            Ok(_) => self.next_seq += batch.len() as u64,
            Err(AppendError::Unknown(_)) => self.in_doubt = true,
            Err(AppendError::Fenced | AppendError::Refused { .. } | AppendError::Invalid { .. }) => {}
        }
        result
    }

    fn confirm(&mut self, _: &str) -> Result<(), AppendError> {
        if self.in_doubt {
            return Err(AppendError::Unknown("the writer was in doubt already and has to be dropped".into()));
        }
        let epoch = self.epoch;
        let result = self.cluster.change(|state| {
            if !state.available {
                return Err(AppendError::Unknown("the simulated log was made unavailable".into()));
            }
            let fenced = !state.weak(Weakness::TakesWithoutFence) && !state.lane(&self.lane).is_of(epoch);
            if fenced { Err(AppendError::Fenced) } else { Ok(()) }
        });
        self.in_doubt = matches!(result, Err(AppendError::Unknown(_)));
        result
    }
}

/// Checks that records come in order.
struct Order {
    next_seq: u64,
    last_term: u64,
    /// The first wanted record has come: from there on nothing is skipped.
    begun: bool,
}

impl Order {
    /// Whether the record is wanted: what a hint lets come too early is not.
    fn admits(&mut self, lane: &LaneId, record: &StoredRecord) -> Result<bool, LogError> {
        let early = record.lane_seq < self.next_seq && !self.begun;
        if record.term < self.last_term || (!early && record.lane_seq != self.next_seq) {
            let place = format!("lane {lane}, record {}", record.lane_seq);
            let (term, next_seq, last_term) = (record.term, self.next_seq, self.last_term);
            let reason = format!("record {next_seq} of term {last_term} or higher was to come, not one of term {term}");
            return Err(LogError::Damaged { place, reason });
        }
        self.last_term = record.term;
        if !early {
            self.begun = true;
            self.next_seq += 1;
        }
        Ok(!early)
    }
}

struct Reader {
    cluster: Arc<Cluster>,
    lane: LaneId,
    offset: usize,
    order: Order,
}

impl Reader {
    /// What can be read now.
    fn next(&mut self, state: &mut State, max: usize) -> Result<Vec<StoredRecord>, LogError> {
        state.check_available()?;
        let uncommitted = state.weak(Weakness::ReadsUncommitted);
        let lane = state.lane(&self.lane);
        let end = if uncommitted { lane.high_watermark() } else { lane.last_stable_offset() };
        if self.offset > lane.high_watermark() {
            let place = format!("lane {}", self.lane);
            return Err(LogError::Damaged { place, reason: "it is shorter than it was".to_owned() });
        }
        let mut records = Vec::new();
        while records.len() < max && self.offset < end {
            let record = match lane.entry(self.offset) {
                Seen::Committed(record) => Some(record),
                Seen::Uncommitted(record) => Some(record).filter(|_| uncommitted),
                Seen::Nothing => None,
            };
            if let Some(record) = record
                && self.order.admits(&self.lane, &record)?
            {
                records.push(record);
            }
            self.offset += 1;
        }
        Ok(records)
    }
}

impl LaneReader for Reader {
    fn read(&mut self, max: usize, wait: Duration) -> Result<Vec<StoredRecord>, LogError> {
        let cluster = self.cluster.clone();
        // A wait too long for the clock is a wait without end.
        let deadline = Instant::now().checked_add(wait);
        let mut state = cluster.state();
        loop {
            let records = self.next(&mut state, max)?;
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if !records.is_empty() || left.is_zero() {
                return Ok(records);
            }
            state = cluster.changed.wait_timeout(state, left).expect("nothing panics while it holds the cluster").0;
        }
    }
}
