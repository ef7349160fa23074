//! Which commands were decided: the recent ones in memory, all of them in the lane's folder.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use feira_ids::CommandId;
use hashbrown::HashMap;
use lru::LruCache;

use super::snapshots::{Decided, Folder, FolderFault};
use crate::EventRef;

/// The index of command ids of one lane.
///
/// Two generations in memory: when the younger is full the older is forgotten, once the folder has it.
pub(crate) struct DecidedCommands {
    half: usize,
    young: HashMap<CommandId, Decided>,
    old: HashMap<CommandId, Decided>,
    unflushed: Vec<(CommandId, Decided)>,
}

impl DecidedCommands {
    /// Keeps about `recent` in memory.
    pub fn new(recent: usize) -> Self {
        let half = (recent / 2).max(1);
        Self { half, young: HashMap::new(), old: HashMap::new(), unflushed: Vec::new() }
    }

    /// What is known of a command.
    pub fn get(&self, id: CommandId, folder: &Folder) -> Result<Option<Decided>, FolderFault> {
        match self.young.get(&id).or_else(|| self.old.get(&id)) {
            Some(decided) => Ok(Some(*decided)),
            None => folder.command(id),
        }
    }

    /// A command was decided, and that stands.
    pub fn insert(&mut self, id: CommandId, decided: Decided) {
        self.young.insert(id, decided);
        self.unflushed.push((id, decided));
    }

    /// Those that the folder does not have.
    pub fn unflushed(&self) -> &[(CommandId, Decided)] {
        &self.unflushed
    }

    /// The folder has them all.
    pub fn flushed(&mut self) {
        self.unflushed.clear();
        if self.young.len() >= self.half {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
    }
}

/// What a command was answered first, but for the view.
#[derive(Clone, Debug)]
pub(crate) enum First {
    /// It was accepted.
    Accepted {
        /// Its last record.
        lane_seq: u64,
        /// The aggregate's version after it.
        version: u64,
        /// Its events.
        events: Vec<EventRef>,
    },
    /// It was refused.
    Refused {
        /// The record that says so.
        lane_seq: u64,
        /// As in `Answer::Refused`.
        code: Arc<str>,
        /// As in `Answer::Refused`.
        field: Option<Arc<str>>,
        /// As in `Answer::Refused`.
        message: Arc<str>,
    },
}

/// The latest first answers, shared with whoever reads older ones back from the log.
#[derive(Clone)]
pub(crate) struct FirstAnswers(Arc<Mutex<LruCache<CommandId, First>>>);

impl FirstAnswers {
    pub fn new(most: usize) -> Self {
        let most = NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        Self(Arc::new(Mutex::new(LruCache::new(most))))
    }

    pub fn get(&self, id: CommandId) -> Option<First> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub fn put(&self, id: CommandId, first: First) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(id, first);
    }
}
