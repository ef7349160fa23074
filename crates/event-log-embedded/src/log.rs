//! The log as the rest of the platform sees it: lanes, membership, writers, readers.

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use feira_event_log::{
    AppendError, Assignment, EventLog, Hint, LaneReader, LaneWriter, LogError, Membership, NewRecord, Owner,
    OwnerHints, Resume, StoredRecord, TakeError, Taken,
};
use feira_ids::{Hash16, LaneId, ServiceName};

use crate::disk::{Disk, Os, RESTORE, failed};
use crate::format::{BATCH_BYTES_MAX, BatchHeader, encode_batch};
use crate::reader::Reader;
use crate::recovery;
use crate::state::{Lane, Pending, Shared, State};

/// How many records a take gives to its caller between two looks at whether to stop.
const REPLAY_RECORDS: usize = 1_024;

/// How a log is laid out.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a segment's file is made, in bytes, from 4 KiB to 1 GiB; a larger batch gets a larger segment.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20 }
    }
}

/// The event log of one process, in a folder that is this process's alone.
pub struct EmbeddedLog {
    pub(crate) shared: Arc<Shared>,
}

impl EmbeddedLog {
    /// Opens the log in `folder`, or makes it there. Services that it does not know yet are added with their lanes; a
    /// known one keeps the lanes it was made with.
    ///
    /// # Errors
    /// [`LogError::Locked`] when another process, or this one, has it open; [`LogError::Damaged`] when acknowledged
    /// records are not as they were written; [`LogError::Io`] when the system refuses a file operation.
    pub fn open(folder: &Path, services: &[(ServiceName, u32)], options: Options) -> Result<Arc<Self>, LogError> {
        Self::open_on(Arc::new(Os), folder, services, options)
    }

    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        services: &[(ServiceName, u32)],
        options: Options,
    ) -> Result<Arc<Self>, LogError> {
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        let lock = lock(folder)?;
        let segment_bytes = options.segment_bytes.clamp(4 << 10, 1 << 30);
        let recovered = recovery::open(&*disk, folder, services, segment_bytes)?;
        let (mut lanes, mut states) = (Vec::new(), Vec::new());
        for (id, key, state) in recovered.lanes {
            lanes.push(Lane { id, key, wake: Condvar::new() });
            states.push(state);
        }
        let shared = Shared {
            folder: folder.to_owned(),
            id: recovered.manifest.id,
            services: recovered.manifest.services,
            lanes,
            segment_bytes,
            disk,
            state: Mutex::new(State::new(states, recovered.live)),
            turn: Condvar::new(),
            prepared: Mutex::new(None),
            _lock: lock,
        };
        Ok(Arc::new(Self { shared: Arc::new(shared) }))
    }
}

/// Takes the folder for this process. The system gives it back when the process ends, however that is.
fn lock(folder: &Path) -> Result<File, LogError> {
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

impl EventLog for EmbeddedLog {
    fn log_id(&self) -> String {
        Hash16(self.shared.id.0).to_string()
    }

    fn lanes(&self, service: &ServiceName) -> Result<u32, LogError> {
        let found = self.shared.services.iter().find(|(known, _)| known == service);
        found.map(|(_, lanes)| *lanes).ok_or_else(|| LogError::NoSuchLane(LaneId::new(service, 0)))
    }

    fn join(&self, service: &ServiceName, _address: &str) -> Result<Arc<dyn Membership>, LogError> {
        let lanes = self.lanes(service)?;
        let (left, leaving) = (AtomicBool::new(false), (Mutex::new(()), Condvar::new()));
        Ok(Arc::new(Member { log: self.shared.clone(), service: service.clone(), lanes, left, leaving }))
    }

    fn reader(&self, lane: &LaneId, resume: Resume) -> Result<Box<dyn LaneReader>, LogError> {
        let lane = self.shared.lane(lane)?;
        Ok(Box::new(Reader::new(self.shared.clone(), lane, resume.next_seq)))
    }

    fn last_seq(&self, lane: &LaneId) -> Result<u64, LogError> {
        let lane = self.shared.lane(lane)?;
        Ok(self.shared.state().lanes[lane].last_seq)
    }

    fn owners(&self) -> Arc<dyn OwnerHints> {
        Arc::new(Owners(self.shared.clone()))
    }
}

/// Where the owners are: here, if they have announced themselves.
struct Owners(Arc<Shared>);

impl OwnerHints for Owners {
    fn owner(&self, lane: &LaneId) -> Option<Owner> {
        let lane = self.0.lane(lane).ok()?;
        self.0.state().lanes[lane].owner.clone()
    }
}

/// This process as the one that serves a service: it has every lane until it leaves.
struct Member {
    log: Arc<Shared>,
    service: ServiceName,
    lanes: u32,
    left: AtomicBool,
    leaving: (Mutex<()>, Condvar),
}

impl Member {
    fn now(&self) -> Assignment {
        if self.left.load(Ordering::Acquire) {
            Assignment { generation: 2, ..Assignment::default() }
        } else {
            Assignment { generation: 1, lanes: (0..self.lanes).collect(), lost: false }
        }
    }
}

impl Membership for Member {
    fn assignment(&self, seen: u64, wait: Duration) -> Assignment {
        let (lock, leaving) = &self.leaving;
        let guard = lock.lock().expect("nothing panics while it holds this");
        let waits = |_: &mut ()| self.now().generation <= seen;
        drop(leaving.wait_timeout_while(guard, wait, waits).expect("nothing panics while it holds this"));
        self.now()
    }

    fn take(
        &self,
        lane: u32,
        resume: Resume,
        on_record: &mut dyn FnMut(StoredRecord) -> Result<(), Box<dyn Error + Send + Sync>>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Taken, TakeError> {
        if self.left.load(Ordering::Acquire) {
            return Err(TakeError::NotAssigned);
        }
        let id = LaneId::new(&self.service, lane);
        let at = self.log.lane(&id)?;
        if stop() {
            return Err(TakeError::Stopped);
        }
        let (term, last_seq) = fence(&self.log, at)?;
        if resume.next_seq > last_seq + 1 {
            let reason =
                format!("it ends at record {last_seq}, but {} were seen before; {RESTORE}", resume.next_seq - 1);
            return Err(LogError::Damaged { place: format!("lane {id}"), reason }.into());
        }
        let mut reader = Reader::new(self.log.clone(), at, resume.next_seq);
        let mut next_seq = resume.next_seq.max(1);
        while next_seq <= last_seq {
            if stop() {
                return Err(TakeError::Stopped);
            }
            for record in reader.read(REPLAY_RECORDS, Duration::ZERO)? {
                next_seq = record.lane_seq + 1;
                on_record(record).map_err(|source| TakeError::Replay { lane_seq: next_seq - 1, source })?;
            }
        }
        if stop() {
            return Err(TakeError::Stopped);
        }
        let writer = Box::new(Writer { log: self.log.clone(), lane: at, number: lane, term });
        Ok(Taken { writer, term, last_seq })
    }

    fn leave(&self) {
        let (lock, leaving) = &self.leaving;
        let guard = lock.lock().expect("nothing panics while it holds this");
        self.left.store(true, Ordering::Release);
        drop(guard);
        leaving.notify_all();
    }
}

/// Gives a lane to a new owner: no batch of a former one is judged good from here on, and one that already was is on
/// the disk, or not, when this returns. Answers the new term and where the lane ends.
fn fence(log: &Shared, lane: usize) -> Result<(u64, u64), LogError> {
    let mut state = log.state();
    if let Some(stopped) = &state.stopped {
        return Err(LogError::Unavailable { what: stopped.clone(), source: None });
    }
    let owned = &mut state.lanes[lane];
    let term = owned.owner_term.max(owned.last_term) + 1;
    owned.owner_term = term;
    let state = log.wait_for_group(state);
    Ok((term, state.lanes[lane].last_seq))
}

/// The writer of a lane in its term.
struct Writer {
    log: Arc<Shared>,
    lane: usize,
    number: u32,
    term: u64,
}

impl Writer {
    /// What makes these records no batch of this writer's, whatever the lane's end is.
    fn flaw(&self, batch: &[NewRecord]) -> Option<String> {
        let Some(first) = batch.first() else { return Some("it is empty".to_owned()) };
        for (record, lane_seq) in batch.iter().zip(first.meta.lane_seq..) {
            let meta = &record.meta;
            if meta.lane_seq != lane_seq || lane_seq < 1 {
                return Some(format!("record {} stands where {lane_seq} should", meta.lane_seq));
            }
            if meta.term != self.term as i64 {
                return Some(format!("record {lane_seq} is of term {}, the writer of {}", meta.term, self.term));
            }
            if meta.lane != self.number as i32 {
                return Some(format!("record {lane_seq} is of lane {}, the writer of {}", meta.lane, self.number));
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
        let Some((bytes, body_crc)) = encode_batch(batch) else {
            let reason = format!("a batch has at most {BATCH_BYTES_MAX} bytes; append fewer records at once");
            return Err(AppendError::Refused { reason });
        };
        let header = BatchHeader {
            bytes: bytes.len() as u32,
            body_crc,
            lane: self.log.lanes[self.lane].key,
            count: batch.len() as u32,
            base_seq: batch[0].meta.lane_seq as u64,
            term: self.term,
            durable_before: 0,
        };
        self.log.append(Pending::new(self.lane, header, bytes, announce.is_some())).map(Hint)
    }

    fn confirm(&mut self, _: &str) -> Result<(), AppendError> {
        let owner_term = self.log.state().lanes[self.lane].owner_term;
        if owner_term == self.term { Ok(()) } else { Err(AppendError::Fenced) }
    }
}
