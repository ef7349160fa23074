//! A lane's folder: snapshots of aggregates, the index of command ids, and how far both have come.
//!
//! Everything in it comes from the log and can be had from there again: what does not belong to this log, does not fit
//! the program or is damaged is thrown away and built anew. It never says more than the log does, since it is written
//! only with what is committed. Writes are not synced: what the machine loses is replayed. One keyspace holds all
//! three, so that what survives a power cut is a prefix of what was written, whole batches each.
//!
//! The Bloom filters that make an unknown id cheap are those of the store's own tables: they are kept with the tables
//! and need no rebuilding when a lane is taken over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use feira_events::Meta;
use feira_ids::{CommandId, TenantId};
use fjall::compaction::Leveled;
use fjall::config::PinningPolicy;
use fjall::{AbstractTree, Database, Keyspace, KeyspaceCreateOptions, Slice};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::chain::Chain;
use crate::pace;

/// How far the folder has come, and what it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The log.
    pub log_id: String,
    /// The kinds and the versions of their states.
    pub schema: String,
    /// The last record taken in.
    pub lane_seq: u64,
    /// Where it lies, or before.
    pub hint: u64,
    /// The last hybrid time.
    pub hlc: i64,
    /// The highest term seen.
    pub term: i64,
    /// The last business time of each tenant whose clock is ahead of the lane's own, milliseconds since 1970.
    pub ahead: BTreeMap<TenantId, i64>,
}

impl Standing {
    /// The record that `meta` heads is behind us.
    pub fn advance(&mut self, meta: &Meta, hint: u64) {
        self.lane_seq = u64::try_from(meta.lane_seq).unwrap_or(self.lane_seq);
        self.hint = hint;
        self.hlc = self.hlc.max(meta.hlc);
        self.term = self.term.max(meta.term);
        if meta.at > self.hlc / 1000 {
            self.ahead.insert(meta.tenant.clone(), meta.at);
        }
    }

    /// Forgets the times that the lane's own has reached: no later record comes before them.
    pub fn forget_reached(&mut self) {
        let own = self.hlc / 1000;
        self.ahead.retain(|_, at| *at > own);
    }
}

/// A command that was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decided {
    /// A hash of its fingerprint, tenant and aggregate.
    pub content: u128,
    /// Its first record.
    pub lane_seq: u64,
    /// Where that lies, or before.
    pub hint: u64,
    /// How many records it left.
    pub count: u32,
    /// The aggregate's version after it.
    pub version: u64,
}

/// What is to be written of an aggregate, or of an entity in one.
pub(crate) struct Snapshot {
    /// Its key.
    pub key: Arc<str>,
    /// The version of the aggregate.
    pub version: u64,
    /// The state as JSON; none takes away what is there.
    pub state: Option<Vec<u8>>,
}

/// What a command is told apart by, beside its id.
pub(crate) fn content(fingerprint: feira_ids::Fingerprint, key: &str) -> u128 {
    let mut bytes = Vec::with_capacity(16 + key.len());
    bytes.extend_from_slice(&fingerprint.0.0);
    bytes.extend_from_slice(key.as_bytes());
    xxh3_128(&bytes)
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderFault {
    /// What is in it is not what was written, or is of another program: throw it away.
    #[error("the lane's folder {} is damaged at {what}", .folder.display())]
    Damaged { folder: PathBuf, what: String },
    /// The disk refused.
    #[error("the lane's folder {} cannot be used", .folder.display())]
    Io {
        folder: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The open folder of one lane.
pub(crate) struct Folder {
    path: PathBuf,
    rows: Rows,
    /// How often a value was looked for.
    #[cfg(test)]
    pub reads: std::cell::Cell<usize>,
}

/// Where the rows of a folder are.
enum Rows {
    /// On disk.
    Disk {
        // Before the database, whose drop waits for its users.
        rows: Keyspace,
        database: Database,
    },
    /// In the memory of a simulation.
    Memory(pace::Memory),
}

/// How many new tables are merged into the large ones at once. Keys are scattered, so that each merge writes nearly all of
/// the large ones again: the more at once, the fewer. Writers are slowed down from 20 on.
const TABLES_MERGED: u8 = 16;
/// How much is written before it is sorted into a table, in bytes.
const BUFFER_BYTES: u64 = 2 << 20;
/// How large a table on disk is, in bytes. While one is written, a hash of each of its keys is in memory.
const TABLE_BYTES: u64 = 32 << 20;

/// What a decided command takes at most: five numbers of 128, 64, 64, 32 and 64 bits, seven bits a byte.
const DECIDED_BYTES_MAX: usize = 19 + 10 + 10 + 5 + 10;
/// How long a checksum is.
const SUM_BYTES: usize = 8;

const STANDING: &[u8] = b"m";
const SNAPSHOT: u8 = b's';
const COMMAND: u8 = b'c';

impl Folder {
    /// Opens or makes the folder. `rebuilt` is whether something that was there had to be thrown away.
    pub fn open(path: &Path, log_id: &str, schema: &str) -> Result<(Self, Standing, bool), FolderFault> {
        match Self::open_as_it_is(path) {
            Ok((folder, None)) => return Ok((folder, fresh(log_id, schema), false)),
            Ok((folder, Some(standing))) if standing.log_id == log_id && standing.schema == schema => {
                return Ok((folder, standing, false));
            }
            Ok((folder, Some(_))) => drop(folder),
            Err(fault @ FolderFault::Io { .. }) => return Err(fault),
            Err(fault) => tracing::warn!(error = %Chain(&fault), "snapshots cannot be read and are built again"),
        }
        Self::discard(path)?;
        let (folder, _) = Self::open_as_it_is(path)?;
        Ok((folder, fresh(log_id, schema), true))
    }

    /// Throws the folder at `path` away.
    pub fn discard(path: &Path) -> Result<(), FolderFault> {
        if let Some(memory) = pace::folder(path) {
            memory.lock().unwrap_or_else(PoisonError::into_inner).clear();
            return Ok(());
        }
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(path, error)),
            _ => Ok(()),
        }
    }

    fn open_as_it_is(path: &Path) -> Result<(Self, Option<Standing>), FolderFault> {
        let rows = match pace::folder(path) {
            Some(memory) => Rows::Memory(memory),
            None => on_disk(path)?,
        };
        let folder = Self {
            path: path.to_owned(),
            rows,
            #[cfg(test)]
            reads: Default::default(),
        };
        let standing = match folder.get(STANDING)? {
            None => None,
            Some(bytes) => Some(serde_json::from_slice(&bytes).map_err(|_| folder.damaged("its standing"))?),
        };
        Ok((folder, standing))
    }

    /// The snapshot of an aggregate: its version and its state as JSON.
    pub fn snapshot(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, FolderFault> {
        let Some(mut bytes) = self.get(&snapshot_key(key))? else { return Ok(None) };
        let version = bytes.get(..8).and_then(|head| head.try_into().ok()).map(u64::from_be_bytes);
        let version = version.ok_or_else(|| self.damaged("a snapshot"))?;
        bytes.drain(..8);
        Ok(Some((version, bytes)))
    }

    /// What is known of a command.
    pub fn command(&self, id: CommandId) -> Result<Option<Decided>, FolderFault> {
        match self.get(&command_key(id))? {
            None => Ok(None),
            Some(bytes) => {
                Ok(Some(postcard::from_bytes(&bytes).map_err(|_| self.damaged("the index of command ids"))?))
            }
        }
    }

    /// Writes snapshots, commands and the standing they make up, whole or not at all.
    pub fn write(
        &self,
        snapshots: &[Snapshot],
        commands: &[(CommandId, Decided)],
        standing: &Standing,
    ) -> Result<(), FolderFault> {
        let mut changes: Vec<(Slice, Option<Slice>)> = Vec::with_capacity(snapshots.len() + commands.len() + 1);
        // Thousands at once, while commands wait: what is made along the way takes no memory of its own.
        let mut scratch = Vec::new();
        for Snapshot { key, version, state } in snapshots {
            scratch.clear();
            scratch.push(SNAPSHOT);
            scratch.extend_from_slice(key.as_bytes());
            let key = Slice::from(&scratch[..]);
            let value = state.as_ref().map(|state| sealed(&key, [&version.to_be_bytes(), state], &mut scratch));
            changes.push((key, value));
        }
        for (id, decided) in commands {
            let key = command_key(*id);
            let mut bytes = [0; DECIDED_BYTES_MAX];
            let bytes = postcard::to_slice(decided, &mut bytes).map_err(|error| io(&self.path, error))?;
            changes.push((key.into(), Some(sealed(&key, [bytes], &mut scratch))));
        }
        let value = serde_json::to_vec(standing).map_err(|error| io(&self.path, error))?;
        changes.push((STANDING.into(), Some(sealed(STANDING, [&value], &mut scratch))));
        // What is written in the order of its keys finds its place in the store sooner.
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        match &self.rows {
            Rows::Disk { rows, database } => {
                let mut batch = database.batch();
                for (key, value) in changes {
                    match value {
                        Some(value) => batch.insert(rows, key, value),
                        None => batch.remove(rows, key),
                    }
                }
                batch.commit().map_err(|error| io(&self.path, error))?;
                // The worker does so too, but not while it merges files: the buffer would grow as long as that takes. Of
                // those set aside a few are kept before writers wait.
                if rows.tree.active_memtable().size() > BUFFER_BYTES {
                    rows.rotate_memtable().map_err(|error| io(&self.path, error))?;
                }
                Ok(())
            }
            Rows::Memory(memory) => {
                let owned = changes.into_iter().map(|(key, value)| (key.to_vec(), value.map(|value| value.to_vec())));
                memory.lock().unwrap_or_else(PoisonError::into_inner).write(owned.collect());
                Ok(())
            }
        }
    }

    fn stored(&self, key: &[u8]) -> Result<Option<Vec<u8>>, FolderFault> {
        match &self.rows {
            Rows::Disk { rows, .. } => {
                let stored = rows.get(key).map_err(|error| self.damaged(&error.to_string()))?;
                Ok(stored.map(|stored| stored.to_vec()))
            }
            Rows::Memory(memory) => Ok(memory.lock().unwrap_or_else(PoisonError::into_inner).get(key)),
        }
    }

    /// A value as it was written. What the store cannot read is as damaged as what fails its checksum.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, FolderFault> {
        #[cfg(test)]
        self.reads.set(self.reads.get() + 1);
        let Some(stored) = self.stored(key)? else {
            return Ok(None);
        };
        let (sum, value) = stored.split_first_chunk::<SUM_BYTES>().ok_or_else(|| self.damaged("a value"))?;
        if u64::from_be_bytes(*sum) != checksum(key, value) {
            return Err(self.damaged("a checksum"));
        }
        Ok(Some(value.to_vec()))
    }

    /// The fault of a snapshot whose bytes are whole but are no state.
    pub fn misread(&self, key: &str) -> FolderFault {
        self.damaged(&format!("the snapshot of {key}"))
    }

    /// The fault of a state that does not go into JSON.
    pub fn unwritable(&self, error: serde_json::Error) -> FolderFault {
        io(&self.path, error)
    }

    fn damaged(&self, what: &str) -> FolderFault {
        FolderFault::Damaged { folder: self.path.clone(), what: what.to_owned() }
    }
}

/// The rows at `path`, made where there are none.
fn on_disk(path: &Path) -> Result<Rows, FolderFault> {
    std::fs::create_dir_all(path).map_err(|error| io(path, error))?;
    // Small: a process has many lanes, and what is in use is in the lane's own memory.
    let database = Database::builder(path)
        .worker_threads(1)
        .cache_size(2 << 20)
        .max_journaling_size(64 << 20)
        .open()
        .map_err(|error| opening(path, error))?;
    // Nearly every id that is looked up is new: the filters that say so stay in memory, at 1.25 bytes a row, since the
    // cache is too small to hold them between two lookups.
    let options = || {
        KeyspaceCreateOptions::default()
            .max_memtable_size(BUFFER_BYTES)
            .filter_block_pinning_policy(PinningPolicy::all(true))
            .compaction_strategy(Arc::new(
                Leveled::default().with_l0_threshold(TABLES_MERGED).with_table_target_size(TABLE_BYTES),
            ))
    };
    let rows = database.keyspace("lane", options).map_err(|error| opening(path, error))?;
    Ok(Rows::Disk { rows, database })
}

fn fresh(log_id: &str, schema: &str) -> Standing {
    Standing { log_id: log_id.to_owned(), schema: schema.to_owned(), ..Standing::default() }
}

fn snapshot_key(key: &str) -> Vec<u8> {
    [&[SNAPSHOT], key.as_bytes()].concat()
}

fn command_key(id: CommandId) -> [u8; 17] {
    let mut key = [COMMAND; 17];
    key[1..].copy_from_slice(&id.0.0);
    key
}

/// A value behind its checksum, which covers the key too; put together in `scratch`.
fn sealed<const N: usize>(key: &[u8], value: [&[u8]; N], scratch: &mut Vec<u8>) -> Slice {
    scratch.clear();
    scratch.extend_from_slice(&[0; SUM_BYTES]);
    value.iter().for_each(|part| scratch.extend_from_slice(part));
    let sum = checksum(key, &scratch[SUM_BYTES..]);
    scratch[..SUM_BYTES].copy_from_slice(&sum.to_be_bytes());
    Slice::from(&scratch[..])
}

fn checksum(key: &[u8], value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, xxh3_64_with_seed(key, 0))
}

/// Tells a disk that refuses, or a folder in use, from one whose content is damaged.
fn opening(path: &Path, error: fjall::Error) -> FolderFault {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match &error {
        fjall::Error::Locked => io(path, error),
        fjall::Error::Io(cause) | fjall::Error::Storage(fjall::LsmError::Io(cause))
            if matches!(cause.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull) =>
        {
            io(path, error)
        }
        _ => FolderFault::Damaged { folder: path.to_owned(), what: error.to_string() },
    }
}

fn io(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> FolderFault {
    FolderFault::Io { folder: path.to_owned(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use feira_ids::{Fingerprint, Hash16};

    use super::*;

    fn rows(folder: &Folder) -> &Keyspace {
        match &folder.rows {
            Rows::Disk { rows, .. } => rows,
            Rows::Memory(_) => panic!("it is on disk"),
        }
    }

    fn open(path: &Path) -> (Folder, Standing, bool) {
        Folder::open(path, "log", "cart.1").unwrap()
    }

    fn written(path: &Path) -> Folder {
        let (folder, standing, _) = open(path);
        let decided = Decided { content: 1, lane_seq: 7, hint: 3, count: 2, version: 5 };
        let id = CommandId(Hash16([1; 16]));
        let snapshots = [Snapshot { key: "feira/cart:1".into(), version: 5, state: Some(b"{}".to_vec()) }];
        folder.write(&snapshots, &[(id, decided)], &Standing { lane_seq: 8, ..standing }).unwrap();
        folder
    }

    #[test]
    fn what_was_written_is_there_when_it_is_opened_again() {
        let place = tempfile::tempdir().unwrap();
        drop(written(place.path()));
        let (folder, standing, rebuilt) = open(place.path());
        assert_eq!((standing.lane_seq, rebuilt), (8, false));
        assert_eq!(folder.snapshot("feira/cart:1").unwrap(), Some((5, b"{}".to_vec())));
        assert_eq!(folder.command(CommandId(Hash16([1; 16]))).unwrap().unwrap().lane_seq, 7);
        assert_eq!(folder.command(CommandId(Hash16([2; 16]))).unwrap(), None);
    }

    #[test]
    fn a_command_with_the_largest_numbers_can_be_written() {
        let place = tempfile::tempdir().unwrap();
        let (folder, standing, _) = open(place.path());
        let decided =
            Decided { content: u128::MAX, lane_seq: u64::MAX, hint: u64::MAX, count: u32::MAX, version: u64::MAX };
        let id = CommandId(Hash16([9; 16]));
        folder.write(&[], &[(id, decided)], &standing).unwrap();
        assert_eq!(folder.command(id).unwrap(), Some(decided));
    }

    #[test]
    fn a_value_that_was_changed_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let folder = written(place.path());
        for (key, read) in [
            (snapshot_key("feira/cart:1"), (|folder| folder.snapshot("feira/cart:1").map(drop)) as fn(&Folder) -> _),
            (command_key(CommandId(Hash16([1; 16]))).to_vec(), |folder| {
                folder.command(CommandId(Hash16([1; 16]))).map(drop)
            }),
        ] {
            let whole = rows(&folder).get(&key).unwrap().unwrap().to_vec();
            for place in 0..whole.len() {
                let mut changed = whole.clone();
                changed[place] ^= 1;
                rows(&folder).insert(key.clone(), changed).unwrap();
                assert!(matches!(read(&folder), Err(FolderFault::Damaged { .. })), "byte {place}");
            }
            rows(&folder).insert(key.clone(), &whole[..4]).unwrap();
            assert!(matches!(read(&folder), Err(FolderFault::Damaged { .. })));
            rows(&folder).insert(key, whole).unwrap();
            read(&folder).unwrap();
        }
    }

    #[test]
    fn a_folder_whose_standing_was_changed_is_begun_anew() {
        let place = tempfile::tempdir().unwrap();
        let folder = written(place.path());
        rows(&folder).insert(STANDING, b"what is this".to_vec()).unwrap();
        drop(folder);
        let (folder, standing, rebuilt) = open(place.path());
        assert_eq!((standing.lane_seq, rebuilt), (0, true));
        assert_eq!(folder.snapshot("feira/cart:1").unwrap(), None);
    }

    #[test]
    fn states_of_another_form_are_begun_anew() {
        let place = tempfile::tempdir().unwrap();
        drop(written(place.path()));
        let (_, standing, rebuilt) = Folder::open(place.path(), "log", "cart.2").unwrap();
        assert_eq!((standing.lane_seq, rebuilt), (0, true));
    }

    #[test]
    fn a_folder_in_use_is_not_thrown_away() {
        let place = tempfile::tempdir().unwrap();
        let folder = written(place.path());
        assert!(matches!(Folder::open(place.path(), "log", "cart.1"), Err(FolderFault::Io { .. })));
        assert!(folder.snapshot("feira/cart:1").unwrap().is_some());
    }

    #[test]
    fn what_is_not_on_disk_yet_takes_no_more_memory_while_files_are_merged() {
        let place = tempfile::tempdir().unwrap();
        let (folder, standing, _) = open(place.path());
        let Rows::Disk { database, .. } = &folder.rows else { panic!("it is on disk") };
        let state = vec![b'x'; 16 << 10];
        let mut most = 0;
        for round in 0..400u64 {
            // Scattered, so that a merge writes nearly everything again.
            let scattered = |place: u64| (round * 40 + place).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let snapshot = |place| Snapshot {
                key: format!("{:016x}", scattered(place)).into(),
                version: 1,
                state: Some(state.clone()),
            };
            let snapshots: Vec<Snapshot> = (0..40).map(snapshot).collect();
            folder.write(&snapshots, &[], &standing).unwrap();
            most = most.max(database.write_buffer_size());
        }
        // One that is written to and a few set aside, each full to the last write.
        assert!(most < 10 * BUFFER_BYTES, "{most} bytes were in memory");
    }

    #[test]
    fn the_content_of_a_command_is_its_fingerprint_and_its_aggregate() {
        let (one, other) = (Fingerprint(Hash16([1; 16])), Fingerprint(Hash16([2; 16])));
        assert_eq!(content(one, "a"), content(one, "a"));
        assert_ne!(content(one, "a"), content(other, "a"));
        assert_ne!(content(one, "a"), content(one, "b"));
    }
}
