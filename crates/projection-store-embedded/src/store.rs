//! The store: its folder, its reads, its checkpoints.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use feira_projection_store::{
    Checkpoint, Mutation, Page, ProjectionId, Range, Row, RowStream, Store, StoreError, Table, Value,
};
use fjall::compaction::Leveled;
use fjall::config::PinningPolicy;
use fjall::{AbstractTree, Database, Keyspace, KeyspaceCreateOptions, LsmError};
use futures::{StreamExt, stream};
use tokio::sync::watch;

use crate::write::Batch;
use crate::{key, record};

/// How many new tables are merged into the large ones at once: a merge writes nearly all of those again where keys are
/// scattered. Each may have to be looked into by a read; writers are slowed down from 20 on.
const TABLES_MERGED: u8 = 12;
/// How large a table on disk is, in bytes. While one is written, a hash of each of its keys is in memory.
const TABLE_BYTES: u64 = 32 << 20;
/// How many rows are read at a time when all of them are.
const ROWS_AT_ONCE: usize = 512;

/// What an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Memory for blocks read from disk, for all tables together, in bytes.
    pub cache_bytes: u64,
    /// Memory for rows not yet sorted into a file, for each table, in bytes.
    pub table_buffer_bytes: u64,
    /// Threads that sort and merge files.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, table_buffer_bytes: 4 << 20, workers: 1 }
    }
}

/// A store in a folder of its own. One process at a time can have it open.
pub struct EmbeddedStore {
    pub(crate) database: Database,
    options: Options,
    /// Rows by table.
    tables: RwLock<HashMap<&'static str, Keyspace>>,
    /// When a partition was last deleted, by table and partition key.
    pub(crate) partitions: Keyspace,
    pub(crate) checkpoints: Keyspace,
    /// What the columns of each table were when it was made.
    definitions: Keyspace,
    /// Writes read before they write, one at a time.
    writing: Mutex<()>,
    watched: RwLock<HashMap<ProjectionId, Lanes>>,
}

/// The checkpoint of each lane, for whoever waits for it.
type Lanes = HashMap<String, watch::Sender<Checkpoint>>;

impl EmbeddedStore {
    /// Opens the store in `folder`, making it where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when another process has it open or the disk fails, [`StoreError::Damaged`] when
    /// what is there cannot be read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Arc<Self>, StoreError> {
        Self::open_with(folder, Options::default())
    }

    /// [`EmbeddedStore::open`] with other options than the default ones.
    ///
    /// # Errors
    /// As [`EmbeddedStore::open`].
    pub fn open_with(folder: impl AsRef<Path>, options: Options) -> Result<Arc<Self>, StoreError> {
        let folder = folder.as_ref();
        let failed = |error| failed("any table", &format!("open the store in {}", folder.display()), error);
        let database = Database::builder(folder)
            .cache_size(options.cache_bytes)
            .worker_threads(options.workers.max(1))
            .open()
            .map_err(failed)?;
        let keyspace = |name: &str| database.keyspace(name, || keyspace_options(options)).map_err(failed);
        let (partitions, checkpoints) = (keyspace("partitions")?, keyspace("checkpoints")?);
        let definitions = keyspace("definitions")?;
        Ok(Arc::new(Self {
            options,
            tables: RwLock::default(),
            partitions,
            checkpoints,
            definitions,
            writing: Mutex::default(),
            watched: RwLock::default(),
            database,
        }))
    }

    /// The rows of `table`.
    pub(crate) fn rows(&self, table: &'static Table) -> Result<Keyspace, StoreError> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let rows = tables.get(table.name).cloned();
        rows.ok_or_else(|| table.invalid("it was not ensured".into()))
    }

    /// Sets the buffer of `rows` aside once it is full, to be sorted into a file. The worker does so too, but not while it
    /// merges files: the buffer would grow as long as that takes. Of those set aside a few are kept before writers wait.
    ///
    /// It is done as soon as the buffer is full, and after every write: each write to a full buffer asks the worker once
    /// more, in a queue with an end, and a worker that finds the queue full when it wants to ask itself waits for ever.
    pub(crate) fn set_aside(&self, rows: &Keyspace) -> fjall::Result<()> {
        if rows.tree.active_memtable().size() > self.options.table_buffer_bytes {
            rows.rotate_memtable()?;
        }
        Ok(())
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        // Nothing is half written when a writer panics: its batch was not committed.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ensure_one(&self, table: &'static Table) -> Result<(), StoreError> {
        table.validate().map_err(|error| table.invalid(error.to_string()))?;
        let failed = |error| failed(table.name, "make a table", error);
        // The doc may be written better; the columns are what the stored rows rest on.
        let definition = Table { doc: "", ..*table }.create_cql("store");
        match self.definitions.get(table.name).map_err(failed)? {
            Some(stored) if stored[..] != *definition.as_bytes() => {
                return Err(table.invalid("its columns are not those it was made with: give it a new version".into()));
            }
            Some(_) => {}
            None => self.definitions.insert(table.name, definition).map_err(failed)?,
        }
        let rows = self.database.keyspace(&format!("rows.{}", table.name), || keyspace_options(self.options));
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.insert(table.name, rows.map_err(failed)?);
        Ok(())
    }

    fn read(&self, table: &'static Table, rows: &Keyspace, key: &[Value]) -> Result<Option<Row>, StoreError> {
        table.check_key(key)?;
        let stored = rows.get(key::encode(table, key)).map_err(|error| failed(table.name, "read a row", error))?;
        let Some(stored) = stored else { return Ok(None) };
        let mut row = Row::with_capacity(table.columns.len());
        row.extend(key.iter().cloned().map(Some));
        let there = record::read_cells(table, &stored, &mut row).ok_or_else(|| damaged(table, "a row"))?;
        Ok(there.then_some(row))
    }

    fn read_range(&self, table: &'static Table, partition: &[Value], range: &Range) -> Result<Page, StoreError> {
        table.check_range(partition, range)?;
        let keyspace = self.rows(table)?;
        let prefix = key::encode(table, partition);
        let bound = |clustering: &[Value]| {
            let mut bytes = prefix.clone();
            key::extend(table, &mut bytes, table.partition, clustering);
            bytes
        };
        let begin = range.after.as_ref().map_or_else(|| prefix.clone(), |after| key::behind(bound(after)));
        let end = range.before.as_ref().map_or_else(|| key::behind(prefix.clone()), |before| bound(before));
        let mut page = Page { rows: Vec::with_capacity(range.limit.min(100)), more: false };
        if begin >= end {
            return Ok(page);
        }
        let mut stored = keyspace.range(begin..end);
        while let Some(next) = if range.reverse { stored.next_back() } else { stored.next() } {
            let (bytes, record) = next.into_inner().map_err(|error| failed(table.name, "read a range", error))?;
            if page.rows.len() == range.limit {
                page.more = record::is_there(&record).ok_or_else(|| damaged(table, "a row"))?;
                if page.more {
                    break;
                }
                continue;
            }
            let mut row = Row::with_capacity(table.columns.len());
            row.extend(partition.iter().cloned().map(Some));
            let clustering = bytes.get(prefix.len()..).unwrap_or_default();
            key::decode(table, table.partition, clustering, &mut row).ok_or_else(|| damaged(table, "a key"))?;
            if record::read_cells(table, &record, &mut row).ok_or_else(|| damaged(table, "a row"))? {
                page.rows.push(row);
            }
        }
        Ok(page)
    }

    /// Rows from the key `begin` on, and where the next ones begin, if there are any.
    fn read_some(&self, table: &'static Table, begin: Vec<u8>) -> Result<(Vec<Row>, Option<Vec<u8>>), StoreError> {
        let mut rows = Vec::new();
        for stored in self.rows(table)?.range(begin..) {
            let (bytes, record) = stored.into_inner().map_err(|error| failed(table.name, "read all rows", error))?;
            if rows.len() == ROWS_AT_ONCE {
                return Ok((rows, Some(bytes.to_vec())));
            }
            let mut row = Row::with_capacity(table.columns.len());
            key::decode(table, 0, &bytes, &mut row).ok_or_else(|| damaged(table, "a key"))?;
            if record::read_cells(table, &record, &mut row).ok_or_else(|| damaged(table, "a row"))? {
                rows.push(row);
            }
        }
        Ok((rows, None))
    }

    /// The checkpoint of a lane for waiting and moving; read from disk the first time.
    fn watched(&self, projection: ProjectionId, lane: &str) -> Result<watch::Sender<Checkpoint>, StoreError> {
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(checkpoint) = watched.get(&projection).and_then(|lanes| lanes.get(lane)) {
            return Ok(checkpoint.clone());
        }
        drop(watched);
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        let lanes = watched.entry(projection).or_default();
        if let Some(checkpoint) = lanes.get(lane) {
            return Ok(checkpoint.clone());
        }
        let stored = self.checkpoints.get(checkpoint_key(projection, lane));
        let checkpoint = match stored.map_err(|error| failed("checkpoints", "read a checkpoint", error))? {
            None => Checkpoint::default(),
            Some(bytes) => decode_checkpoint(&bytes).ok_or_else(|| StoreError::Damaged {
                table: "checkpoints".into(),
                reason: format!("the checkpoint of {projection} on {lane} has {} bytes", bytes.len()),
            })?,
        };
        Ok(lanes.entry(lane.to_owned()).or_insert(watch::Sender::new(checkpoint)).clone())
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn ensure(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        let _writing = self.writing();
        tables.iter().try_for_each(|table| self.ensure_one(table))
    }

    async fn apply(
        &self,
        writes: Vec<Mutation>,
        projection: ProjectionId,
        lane: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        writes.iter().try_for_each(Mutation::check)?;
        let watched = self.watched(projection, lane)?;
        let _writing = self.writing();
        let mut batch = Batch::new(self);
        for mutation in writes {
            batch.write(mutation)?;
        }
        let stands = *watched.borrow();
        let next = stands.max(checkpoint);
        let moved = (next != stands).then(|| (checkpoint_key(projection, lane), encode_checkpoint(next)));
        batch.commit(moved)?;
        if next != stands {
            watched.send_replace(next);
        }
        Ok(())
    }

    async fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        self.read(table, &self.rows(table)?, key)
    }

    async fn get_many(&self, table: &'static Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let rows = self.rows(table)?;
        keys.iter().map(|key| self.read(table, &rows, key)).collect()
    }

    async fn scan(&self, table: &'static Table, partition: &[Value], range: Range) -> Result<Page, StoreError> {
        self.read_range(table, partition, &range)
    }

    async fn scan_many(&self, table: &'static Table, scans: &[(Vec<Value>, Range)]) -> Result<Vec<Page>, StoreError> {
        scans.iter().map(|(partition, range)| self.read_range(table, partition, range)).collect()
    }

    fn all(&self, table: &'static Table) -> RowStream<'_> {
        let pages = stream::try_unfold(Some(Vec::new()), move |begin| async move {
            begin.map(|begin| self.read_some(table, begin)).transpose()
        });
        pages.boxed()
    }

    async fn checkpoint(&self, projection: ProjectionId, lane: &str) -> Result<Checkpoint, StoreError> {
        Ok(*self.watched(projection, lane)?.borrow())
    }

    async fn reached(
        &self,
        projection: ProjectionId,
        lane: &str,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        let watched = self.watched(projection, lane)?;
        if watched.borrow().lane_seq >= lane_seq {
            return Ok(true);
        }
        let mut checkpoint = watched.subscribe();
        let reached = checkpoint.wait_for(|stands| stands.lane_seq >= lane_seq);
        Ok(matches!(tokio::time::timeout(wait, reached).await, Ok(Ok(_))))
    }

    async fn forget(&self, projection: ProjectionId, tables: &[&'static Table]) -> Result<(), StoreError> {
        let _writing = self.writing();
        // Checkpoints go first: were the process to end here, everything would be applied again to what is left.
        let mut batch = self.database.batch();
        for stored in self.checkpoints.prefix(checkpoint_key(projection, "")) {
            batch.remove(&self.checkpoints, stored.key().map_err(|error| failed("checkpoints", "forget", error))?);
        }
        for table in tables {
            for stored in self.partitions.prefix(partition_key(table, &[])) {
                batch.remove(&self.partitions, stored.key().map_err(|error| failed(table.name, "forget", error))?);
            }
        }
        batch.commit().map_err(|error| failed("checkpoints", "forget", error))?;
        for table in tables {
            self.rows(table)?.clear().map_err(|error| failed(table.name, "empty a table", error))?;
        }
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        for checkpoint in watched.get(&projection).into_iter().flat_map(HashMap::values) {
            checkpoint.send_replace(Checkpoint::default());
        }
        Ok(())
    }
}

fn keyspace_options(options: Options) -> KeyspaceCreateOptions {
    // A row is read before it is written, and most are new: the filters that say so stay in memory, at 1.25 bytes a row.
    KeyspaceCreateOptions::default()
        .max_memtable_size(options.table_buffer_bytes)
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .compaction_strategy(Arc::new(
            Leveled::default().with_l0_threshold(TABLES_MERGED).with_table_target_size(TABLE_BYTES),
        ))
}

/// Names have no zero byte, so that no projection's keys begin like another's.
fn checkpoint_key(projection: ProjectionId, lane: &str) -> Vec<u8> {
    [projection.name.as_bytes(), &[0], &projection.version.to_be_bytes(), lane.as_bytes()].concat()
}

fn encode_checkpoint(checkpoint: Checkpoint) -> [u8; 16] {
    (u128::from(checkpoint.lane_seq) << 64 | u128::from(checkpoint.hint)).to_be_bytes()
}

fn decode_checkpoint(bytes: &[u8]) -> Option<Checkpoint> {
    let number = u128::from_be_bytes(bytes.try_into().ok()?);
    Some(Checkpoint { lane_seq: (number >> 64) as u64, hint: number as u64 })
}

/// The key under which the last delete of a partition is kept.
pub(crate) fn partition_key(table: &Table, partition: &[u8]) -> Vec<u8> {
    [table.name.as_bytes(), &[0], partition].concat()
}

pub(crate) fn damaged(table: &Table, what: &str) -> StoreError {
    StoreError::Damaged { table: table.name.to_owned(), reason: format!("{what} does not fit the columns") }
}

/// What a failure of the database means to the caller.
pub(crate) fn failed(table: &str, what: &str, error: fjall::Error) -> StoreError {
    use fjall::Error::{Io, Locked, Poisoned, Storage};
    match error {
        Locked => StoreError::Unavailable {
            what: format!("{what}: another process has it open; end that one first"),
            source: None,
        },
        Io(_) | Poisoned | Storage(LsmError::Io(_)) => {
            StoreError::Unavailable { what: what.to_owned(), source: Some(Box::new(error)) }
        }
        error => StoreError::Damaged { table: table.to_owned(), reason: format!("{what}: {error}") },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use feira_projection_store::{Column, ColumnType};

    use super::*;

    static ITEMS: Table = Table {
        name: "items_v1",
        columns: &[
            Column { name: "number", kind: ColumnType::BigInt },
            Column { name: "title", kind: ColumnType::Text },
        ],
        partition: 1,
        clustering: &[],
        doc: "Items.",
    };

    #[tokio::test]
    async fn what_is_not_on_disk_yet_takes_no_more_memory_while_files_are_merged() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { table_buffer_bytes: 64 << 10, ..Options::default() };
        let store = EmbeddedStore::open_with(folder.path(), options).unwrap();
        store.ensure(&[&ITEMS]).await.unwrap();
        let items = ProjectionId { name: "items", version: 1 };
        let title: Arc<str> = "x".repeat(1 << 10).into();
        let mut most = 0;
        for batch in 0..1_500u64 {
            // Scattered, so that a merge writes nearly everything again.
            let scattered = |row: u64| ((batch * 20 + row).wrapping_mul(0x9E37_79B9_7F4A_7C15)) as i64;
            let write = |row| Mutation::Upsert {
                table: &ITEMS,
                key: vec![Value::BigInt(scattered(row))],
                cells: vec![(1, Some(Value::Text(title.clone())))],
                timestamp: 1,
                first: false,
            };
            let checkpoint = Checkpoint { lane_seq: batch + 1, hint: 0 };
            store.apply((0..20).map(write).collect(), items, "catalog/0", checkpoint).await.unwrap();
            most = most.max(store.database.write_buffer_size());
        }
        // One that is written to and five set aside, each full to the last batch; and the checkpoints.
        assert!(most < 10 * options.table_buffer_bytes, "{most} bytes of rows were in memory");
    }
}
