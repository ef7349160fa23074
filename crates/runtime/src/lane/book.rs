//! All that a lane's owner knows of its lane: states, decided commands, and the place in the log they stand at.
//!
//! It moves forward only with what is committed: by replay, or by a batch once its append has returned.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use feira_codec::Opened;
use feira_event_log::{Hint, Resume, StoredRecord};
use feira_events::Meta;
use feira_ids::AggregateId;
use feira_mutants::{Mutant, is};

use super::decided::{DecidedCommands, FirstAnswers};
use super::snapshots::{Decided, Folder, FolderFault, Standing, content};
use super::states::{ReplayFault, States};
use crate::kind::Kind;
use crate::{Metrics, Options};

/// How many times as much is replayed as is decided before it is written to the folder: whoever replays has nobody waiting,
/// and if it ends half way replays again.
const REPLAYED_TOGETHER: u64 = 2;

/// What the owner of a lane knows.
pub(crate) struct Book {
    pub folder: Folder,
    pub kinds: BTreeMap<&'static str, Box<dyn States>>,
    pub decided: DecidedCommands,
    pub answers: FirstAnswers,
    pub standing: Standing,
    path: PathBuf,
    unflushed: u64,
    flush_records: u64,
    flush_changes: usize,
}

/// How an aggregate is called across tenants: `tenant/kind:key`.
pub(crate) fn aggregate_key(tenant: &str, aggregate: &str) -> Arc<str> {
    [tenant, "/", aggregate].concat().into()
}

impl Book {
    /// Opens the lane's folder, or begins it anew.
    pub fn open(
        path: &Path,
        log_id: &str,
        kinds: &[Arc<dyn Kind>],
        options: &Options,
        metrics: &Metrics,
    ) -> Result<Self, FolderFault> {
        if is(Mutant::NoDedupeAfterRestart) {
            // What is replayed from the log brings back all but the ids.
            Folder::discard(path)?;
        }
        let schema: Vec<_> = kinds.iter().map(|kind| format!("{}.{}", kind.name(), kind.state_version())).collect();
        let (folder, standing, rebuilt) = Folder::open(path, log_id, &schema.join(","))?;
        if rebuilt {
            metrics.rebuilds.add(1);
        }
        Ok(Self {
            folder,
            kinds: kinds.iter().map(|kind| (kind.name(), kind.states(options.cache_aggregates))).collect(),
            decided: DecidedCommands::new(options.recent_commands),
            answers: FirstAnswers::new(options.recent_answers),
            standing,
            path: path.to_owned(),
            unflushed: 0,
            flush_records: options.flush_records,
            flush_changes: options.flush_changes,
        })
    }

    /// Throws away what is in memory and in the folder.
    pub fn discard(self) -> Result<(), FolderFault> {
        let path = self.path.clone();
        drop(self);
        Folder::discard(&path)
    }

    /// Where replay goes on.
    pub fn resume(&self) -> Resume {
        Resume::after(self.standing.lane_seq, Hint(self.standing.hint))
    }

    /// Takes in a committed record.
    pub fn take_in(&mut self, record: &StoredRecord) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.replay(record)?;
        if self.unflushed >= self.flush_records * REPLAYED_TOGETHER {
            self.flush()?;
        }
        Ok(())
    }

    fn replay(&mut self, record: &StoredRecord) -> Result<(), ReplayFault> {
        let last = self.standing.lane_seq;
        if record.lane_seq != last + 1 {
            return Err(ReplayFault::LaneGap { last, found: record.lane_seq });
        }
        let opened = feira_codec::open(&record.value)
            .map_err(|source| ReplayFault::Unreadable { event_type: "record", source })?;
        let meta = &opened.meta;
        if !meta.aggregate.is_empty() {
            let version = self.fold(&opened)?;
            if meta.index == 0 && !is(Mutant::NoDedupeAfterRestart) {
                let events = u64::from(meta.aggregate_seq.is_some());
                self.remember(meta, record.hint, version - events);
            }
        }
        self.advance(meta, record.hint);
        Ok(())
    }

    /// Folds an event into its aggregate; answers the version after it.
    fn fold(&mut self, opened: &Opened) -> Result<u64, ReplayFault> {
        let meta = &opened.meta;
        let unknown = || ReplayFault::UnknownKind { aggregate: meta.aggregate.to_string() };
        let aggregate = AggregateId::parse(&meta.aggregate).map_err(|_| unknown())?;
        let states = self.kinds.get_mut(aggregate.kind_name()).ok_or_else(unknown)?;
        let key = aggregate_key(meta.tenant.as_str(), &meta.aggregate);
        match meta.aggregate_seq {
            Some(_) => states.replay(&key, opened, &self.folder),
            None => Ok(states.version(&key, &self.folder)?),
        }
    }

    /// The command whose first record `meta` heads was decided, with the aggregate at `before`.
    fn remember(&mut self, meta: &Meta, hint: Hint, before: u64) {
        let count = u32::try_from(meta.count).unwrap_or(1);
        let events = if meta.aggregate_seq.is_some() { u64::from(count) } else { 0 };
        let key = aggregate_key(meta.tenant.as_str(), &meta.aggregate);
        let decided = Decided {
            content: content(meta.fingerprint, &key),
            lane_seq: u64::try_from(meta.lane_seq).unwrap_or_default(),
            hint: hint.0,
            count,
            version: before + events,
        };
        self.decided.insert(meta.command_id, decided);
    }

    /// The record that `meta` heads is behind us.
    pub fn advance(&mut self, meta: &Meta, hint: Hint) {
        self.standing.advance(meta, hint.0);
        self.unflushed += 1;
    }

    /// Whether something is not in the folder yet.
    pub fn unflushed(&self) -> u64 {
        self.unflushed
    }

    /// Whether enough has gathered to be written to the folder.
    pub fn flush_is_due(&self) -> bool {
        let changes = || self.kinds.values().map(|states| states.changes()).sum::<usize>();
        self.unflushed >= self.flush_records || changes() >= self.flush_changes
    }

    /// Writes what changed to the folder.
    pub fn flush(&mut self) -> Result<(), FolderFault> {
        if self.unflushed == 0 {
            return Ok(());
        }
        let mut snapshots = Vec::new();
        for states in self.kinds.values() {
            states.changed(&mut snapshots).map_err(|error| self.folder.unwritable(error))?;
        }
        self.standing.forget_reached();
        self.folder.write(&snapshots, self.decided.unflushed(), &self.standing)?;
        self.kinds.values_mut().for_each(|states| states.flushed());
        self.decided.flushed();
        self.unflushed = 0;
        Ok(())
    }

    /// Whether what clients see of an aggregate depends on what they asked.
    pub fn view_is_of_input(&self, aggregate: &AggregateId) -> bool {
        self.kinds.get(aggregate.kind_name()).is_some_and(|states| states.view_is_of_input())
    }

    /// The batch at hand does not stand.
    pub fn drop_batch(&mut self) {
        self.kinds.values_mut().for_each(|states| states.discard());
    }

    /// The batch at hand stands.
    pub fn keep_batch(&mut self) {
        self.kinds.values_mut().for_each(|states| states.commit());
    }
}
