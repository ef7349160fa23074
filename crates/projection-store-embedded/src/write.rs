//! Writes: each row is read, changed by the rules of timestamps, and put into one batch with the checkpoint.
//!
//! A partition's delete is carried out on all its rows at once and remembered, so that reading never has to ask for it;
//! only a row that is not stored asks for it when it is written.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use feira_projection_store::{Mutation, StoreError, Table, Value};
use fjall::Keyspace;

use crate::key;
use crate::record::Record;
use crate::store::{EmbeddedStore, damaged, failed, partition_key};

/// Writes that are not committed yet.
pub struct Batch<'s> {
    store: &'s EmbeddedStore,
    tables: HashMap<&'static str, TableBatch>,
}

struct TableBatch {
    table: &'static Table,
    keyspace: Keyspace,
    rows: BTreeMap<Vec<u8>, Pending>,
    partitions: Partitions,
}

/// When partitions were last deleted.
#[derive(Default)]
struct Partitions {
    /// What is not stored yet.
    deleted: HashMap<Vec<u8>, i64>,
    /// The partition that was looked up last, and when it was deleted: many rows of a batch are of one.
    looked_up: Option<(Vec<u8>, Option<i64>)>,
}

struct Pending {
    record: Record,
    changed: bool,
    /// Whether the store has a record under this key.
    stored: bool,
    /// When the whole partition was last deleted, where that is known: a row that is not there and was not deleted
    /// later needs no record.
    partition_deleted: Option<i64>,
}

impl<'s> Batch<'s> {
    /// A batch without writes.
    pub fn new(store: &'s EmbeddedStore) -> Self {
        Self { store, tables: HashMap::new() }
    }

    /// Adds one write.
    pub fn write(&mut self, mutation: Mutation) -> Result<(), StoreError> {
        let table = mutation.table();
        if !self.tables.contains_key(table.name) {
            let keyspace = self.store.rows(table)?;
            let empty = TableBatch { table, keyspace, rows: BTreeMap::new(), partitions: Partitions::default() };
            self.tables.insert(table.name, empty);
        }
        let batch = self.tables.get_mut(table.name).expect("it was put there above");
        match mutation {
            Mutation::Upsert { table: _, key, cells, timestamp, first } => {
                let pending = batch.row(self.store, &key, first)?;
                pending.changed |= pending.record.upsert(table, cells, timestamp);
            }
            Mutation::Delete { table: _, key, timestamp } => {
                let pending = batch.row(self.store, &key, false)?;
                pending.changed |= pending.record.delete(timestamp);
            }
            Mutation::DeletePartition { table, partition, timestamp } => {
                batch.delete_partition(self.store, key::encode(table, &partition), timestamp)?;
            }
        }
        Ok(())
    }

    /// Makes everything stand at once, `checkpoint` (key and content) included.
    pub fn commit(self, checkpoint: Option<(Vec<u8>, [u8; 16])>) -> Result<(), StoreError> {
        let mut batch = self.store.database.batch();
        let written: Vec<Keyspace> = self.tables.values().map(|table| table.keyspace.clone()).collect();
        let mut bytes = Vec::new();
        for pending in self.tables.into_values() {
            for (partition, deleted) in pending.partitions.deleted {
                let key = partition_key(pending.table, &partition);
                batch.insert(&self.store.partitions, key, deleted.to_be_bytes());
            }
            for (key, row) in pending.rows {
                let needed = row.record.is_there() || row.record.deleted() > row.partition_deleted;
                match (needed, row.stored) {
                    (true, _) if row.changed => {
                        bytes.clear();
                        row.record.encode(&mut bytes);
                        batch.insert(&pending.keyspace, key, &bytes[..]);
                    }
                    (false, true) => batch.remove(&pending.keyspace, key),
                    _ => {}
                }
            }
        }
        if let Some((key, content)) = checkpoint {
            batch.insert(&self.store.checkpoints, key, content);
        }
        batch.commit().map_err(|error| failed("any table", "write a batch", error))?;
        let mut written = written.iter().chain([&self.store.checkpoints, &self.store.partitions]);
        let full = written.try_for_each(|rows| self.store.set_aside(rows));
        full.map_err(|error| failed("any table", "set a buffer aside", error))
    }
}

impl TableBatch {
    /// The row under `key` as it will stand, to be changed. One that is written for the first time is not looked for: rows
    /// and checkpoint are one act, so that it can only be there after a rebuild that was cut off before the tables were
    /// empty, and then it is written anew as all that follows is.
    fn row(&mut self, store: &EmbeddedStore, values: &[Value], first: bool) -> Result<&mut Pending, StoreError> {
        let (partition, clustering) = values.split_at(self.table.partition);
        let mut key = key::encode(self.table, partition);
        let partition_bytes = key.len();
        key::extend(self.table, &mut key, self.table.partition, clustering);
        let vacant = match self.rows.entry(key) {
            Entry::Occupied(there) => return Ok(there.into_mut()),
            Entry::Vacant(vacant) => vacant,
        };
        let stored = match first {
            true => None,
            false => self.keyspace.get(vacant.key()).map_err(|error| failed(self.table.name, "read a row", error))?,
        };
        let pending = match stored {
            Some(bytes) => Pending::stored(self.table, &bytes)?,
            None => {
                let deleted = self.partitions.deleted(self.table, store, &vacant.key()[..partition_bytes])?;
                let record = Record::absent(self.table, deleted);
                Pending { record, changed: false, stored: false, partition_deleted: deleted }
            }
        };
        Ok(vacant.insert(pending))
    }

    fn delete_partition(&mut self, store: &EmbeddedStore, partition: Vec<u8>, at: i64) -> Result<(), StoreError> {
        if self.partitions.deleted(self.table, store, &partition)? >= Some(at) {
            return Ok(());
        }
        let (begin, end) = (partition.clone(), key::behind(partition.clone()));
        for stored in self.keyspace.range(begin.clone()..end.clone()) {
            let stored = stored.into_inner().map_err(|error| failed(self.table.name, "read a partition", error))?;
            if !self.rows.contains_key(&stored.0[..]) {
                let pending = Pending::stored(self.table, &stored.1)?;
                self.rows.insert(stored.0.to_vec(), pending);
            }
        }
        for (_, pending) in self.rows.range_mut(begin..end) {
            pending.changed |= pending.record.delete(at);
            pending.partition_deleted = Some(at);
        }
        self.partitions.deleted.insert(partition, at);
        Ok(())
    }
}

impl Pending {
    /// A row of `table` as it is stored.
    fn stored(table: &Table, stored: &[u8]) -> Result<Self, StoreError> {
        let record = Record::decode(table, stored).ok_or_else(|| damaged(table, "a row"))?;
        Ok(Self { record, changed: false, stored: true, partition_deleted: None })
    }
}

impl Partitions {
    /// When `partition` of `table` was last deleted.
    fn deleted(
        &mut self,
        table: &'static Table,
        store: &EmbeddedStore,
        partition: &[u8],
    ) -> Result<Option<i64>, StoreError> {
        if let Some(deleted) = self.deleted.get(partition) {
            return Ok(Some(*deleted));
        }
        if let Some((_, deleted)) = self.looked_up.as_ref().filter(|(looked_up, _)| looked_up == partition) {
            return Ok(*deleted);
        }
        let stored = store.partitions.get(partition_key(table, partition));
        let deleted = match stored.map_err(|error| failed(table.name, "read a partition", error))? {
            None => None,
            Some(bytes) => {
                let bytes = bytes[..].try_into().map_err(|_| damaged(table, "the delete of a partition"))?;
                Some(i64::from_be_bytes(bytes))
            }
        };
        self.looked_up = Some((partition.to_vec(), deleted));
        Ok(deleted)
    }
}
