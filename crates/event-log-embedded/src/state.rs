//! What an open log holds in memory: its lanes, its live segment, the batches that wait.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use feira_event_log::{AppendError, LogError, Owner};
use feira_ids::{LaneId, ServiceName};

use crate::disk::Disk;
use crate::format::{BatchHeader, LaneKey, LogId};
use crate::segment::{Entry, Run};

/// An open log.
pub struct Shared {
    /// Where it lies.
    pub folder: PathBuf,
    /// Its name.
    pub id: LogId,
    /// Its services, each with its lanes.
    pub services: Vec<(ServiceName, u32)>,
    /// Its lanes, by service and number.
    pub lanes: Vec<Lane>,
    /// How long new segments are made.
    pub segment_bytes: u64,
    /// What it is written to.
    pub disk: Arc<dyn Disk>,
    /// What changes.
    pub state: Mutex<State>,
    /// Told when a group has been written.
    pub turn: Condvar,
    /// The next segment's file, being made beforehand.
    pub prepared: Mutex<Option<JoinHandle<io::Result<File>>>>,
    /// Held as long as the log is open: keeps other processes out.
    pub _lock: File,
}

/// A lane, as far as it never changes.
pub struct Lane {
    /// Its name.
    pub id: LaneId,
    /// Its number on the disk.
    pub key: LaneKey,
    /// Told when a batch of the lane became durable.
    pub wake: Condvar,
}

/// What changes in an open log.
pub struct State {
    /// By the same number as in [`Shared::lanes`].
    pub lanes: Vec<LaneState>,
    /// The segment that is written to.
    pub live: Live,
    /// Batches that wait, in the order they came.
    pub queue: VecDeque<Pending>,
    /// What became of those that no longer do, until their callers look.
    pub outcomes: HashMap<u64, Result<u64, AppendError>>,
    /// What the next batch that comes is known by.
    pub next_ticket: u64,
    /// Somebody is writing.
    pub writing: bool,
    /// How many groups were written.
    pub groups: u64,
    /// Why nothing is written any more.
    pub stopped: Option<String>,
}

/// What changes in a lane.
#[derive(Default)]
pub struct LaneState {
    /// The last durable record's sequence.
    pub last_seq: u64,
    /// Its term.
    pub last_term: u64,
    /// The term of the one who may append; 0 before the first.
    pub owner_term: u64,
    /// The last announcement.
    pub owner: Option<Owner>,
    /// Its parts in sealed segments, in order.
    pub sealed: Vec<SealedRun>,
    /// Its batches in the live segment.
    pub live: Vec<Entry>,
}

/// A lane's part of a sealed segment, and which that is.
#[derive(Clone, Copy)]
pub struct SealedRun {
    /// The segment's number.
    pub number: u64,
    /// The position in the log of its first byte.
    pub base: u64,
    /// The part.
    pub run: Run,
}

/// The segment that is written to.
#[derive(Clone)]
pub struct Live {
    /// Its number.
    pub number: u64,
    /// The position in the log of its first byte.
    pub base: u64,
    /// Its file.
    pub file: Arc<File>,
    /// The file's name.
    pub path: Arc<Path>,
    /// How long the file is.
    pub capacity: u64,
    /// Where the next batch goes.
    pub end: u64,
    /// How many batches it holds.
    pub batches: u64,
}

/// A batch to append.
pub struct Pending {
    /// The lane's place in [`Shared::lanes`].
    pub lane: usize,
    /// Its header, but for where it will lie.
    pub header: BatchHeader,
    /// The whole batch, with room for the header.
    pub bytes: Vec<u8>,
    /// Whether the owner is to be published.
    pub announce: bool,
    /// What it is known by while it waits.
    pub ticket: u64,
}

impl Pending {
    /// A batch for the lane at a place of [`Shared::lanes`].
    pub fn new(lane: usize, header: BatchHeader, bytes: Vec<u8>, announce: bool) -> Self {
        Self { lane, header, bytes, announce, ticket: 0 }
    }
}

impl State {
    /// The state of a log just opened.
    pub fn new(lanes: Vec<LaneState>, live: Live) -> Self {
        Self {
            lanes,
            live,
            queue: VecDeque::new(),
            outcomes: HashMap::new(),
            next_ticket: 0,
            writing: false,
            groups: 0,
            stopped: None,
        }
    }
}

impl Shared {
    /// The state, locked.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state")
    }

    /// The place of a lane in [`Shared::lanes`].
    pub fn lane(&self, id: &LaneId) -> Result<usize, LogError> {
        self.lanes.iter().position(|lane| lane.id == *id).ok_or_else(|| LogError::NoSuchLane(id.clone()))
    }

    /// Waits until whatever is being written now is written.
    pub fn wait_for_group<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let groups = state.groups;
        while state.writing && state.groups == groups {
            state = self.turn.wait(state).expect("nothing panics while it holds the state");
        }
        state
    }
}
