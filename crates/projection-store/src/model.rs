//! The store in memory, by its definition alone: what the others are compared with, and what a simulation runs on.
//!
//! Nothing is compact or fast here. Each cell is kept beside the latest timestamp that wrote it, each delete as the
//! latest timestamp it reaches; a read works out what is left.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream;
use tokio::sync::watch;

use crate::{Checkpoint, Mutation, Order, Page, ProjectionId, Range, Row, RowStream, Store, StoreError, Table, Value};

/// A store that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct ModelStore {
    tables: Mutex<HashMap<&'static str, TableState>>,
    checkpoints: Mutex<HashMap<(ProjectionId, String), watch::Sender<Checkpoint>>>,
}

#[derive(Debug, Default)]
struct TableState {
    rows: HashMap<Vec<Value>, RowState>,
    partitions_deleted: HashMap<Vec<Value>, i64>,
}

#[derive(Clone, Debug, Default)]
struct RowState {
    deleted: Option<i64>,
    upserted: Option<i64>,
    cells: HashMap<usize, (i64, Option<Value>)>,
}

impl RowState {
    fn write(&mut self, place: usize, content: &Option<Value>, timestamp: i64) {
        let stands = match self.cells.get(&place) {
            None => true,
            Some((before, _)) if *before != timestamp => *before < timestamp,
            // At the same time nothing beats a null, and the larger content beats the smaller.
            Some((_, None)) => false,
            Some((_, Some(before))) => content.as_ref().is_none_or(|content| content.tie_order(before).is_gt()),
        };
        if stands {
            self.cells.insert(place, (timestamp, content.clone()));
        }
    }

    fn read(&self, table: &Table, key: &[Value], partition_deleted: Option<i64>) -> Option<Row> {
        let deleted = self.deleted.max(partition_deleted);
        let lives = |timestamp: i64| deleted.is_none_or(|deleted| timestamp > deleted);
        if !self.upserted.is_some_and(lives) {
            return None;
        }
        let cell = |place| match self.cells.get(&place) {
            Some((timestamp, content)) if lives(*timestamp) => content.clone(),
            _ => None,
        };
        Some(key.iter().cloned().map(Some).chain((table.key_len()..table.columns.len()).map(cell)).collect())
    }
}

impl TableState {
    fn write(&mut self, mutation: &Mutation) {
        match mutation {
            Mutation::Upsert { table: _, key, cells, timestamp, first: _ } => {
                let row = self.rows.entry(key.clone()).or_default();
                row.upserted = row.upserted.max(Some(*timestamp));
                for (place, content) in cells {
                    row.write(*place, content, *timestamp);
                }
            }
            Mutation::Delete { table: _, key, timestamp } => {
                let row = self.rows.entry(key.clone()).or_default();
                row.deleted = row.deleted.max(Some(*timestamp));
            }
            Mutation::DeletePartition { table: _, partition, timestamp } => {
                let deleted = self.partitions_deleted.entry(partition.clone()).or_default();
                *deleted = (*deleted).max(*timestamp);
            }
        }
    }

    fn read(&self, table: &Table, key: &[Value]) -> Option<Row> {
        let deleted = self.partitions_deleted.get(&key[..table.partition]).copied();
        self.rows.get(key)?.read(table, key, deleted)
    }
}

/// How two clustering keys, or a key and a prefix, follow each other in `table`.
fn clustering_order(table: &Table, a: &[Value], b: &[Value]) -> Ordering {
    let orders = a.iter().zip(b).zip(table.clustering).map(|((a, b), order)| match order {
        Order::Ascending => a.cmp(b),
        Order::Descending => b.cmp(a),
    });
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

impl ModelStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, HashMap<&'static str, TableState>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self, projection: ProjectionId, lane: &str) -> watch::Sender<Checkpoint> {
        let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoints.entry((projection, lane.to_owned())).or_default().clone()
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn ensure(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        for table in tables {
            table.validate().map_err(|error| table.invalid(error.to_string()))?;
            self.tables().entry(table.name).or_default();
        }
        Ok(())
    }

    async fn apply(
        &self,
        writes: Vec<Mutation>,
        projection: ProjectionId,
        lane: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        writes.iter().try_for_each(Mutation::check)?;
        let mut tables = self.tables();
        for mutation in &writes {
            tables.entry(mutation.table().name).or_default().write(mutation);
        }
        drop(tables);
        self.watched(projection, lane).send_if_modified(|stands| {
            let next = (*stands).max(checkpoint);
            std::mem::replace(stands, next) != next
        });
        Ok(())
    }

    async fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        table.check_key(key)?;
        Ok(self.tables().get(table.name).and_then(|state| state.read(table, key)))
    }

    async fn get_many(&self, table: &'static Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            rows.push(self.get(table, key).await?);
        }
        Ok(rows)
    }

    async fn scan(&self, table: &'static Table, partition: &[Value], range: Range) -> Result<Page, StoreError> {
        table.check_range(partition, &range)?;
        let tables = self.tables();
        let Some(state) = tables.get(table.name) else { return Ok(Page::default()) };
        let within = |key: &[Value]| {
            let clustering = &key[table.partition..];
            key[..table.partition] == *partition
                && range.after.as_ref().is_none_or(|after| clustering_order(table, clustering, after).is_gt())
                && range.before.as_ref().is_none_or(|before| clustering_order(table, clustering, before).is_lt())
        };
        let mut keys: Vec<&Vec<Value>> = state.rows.keys().filter(|key| within(key)).collect();
        keys.sort_by(|a, b| clustering_order(table, &a[table.partition..], &b[table.partition..]));
        if range.reverse {
            keys.reverse();
        }
        let mut rows: Vec<Row> =
            keys.into_iter().filter_map(|key| state.read(table, key)).take(range.limit + 1).collect();
        let more = rows.len() > range.limit;
        rows.truncate(range.limit);
        Ok(Page { rows, more })
    }

    async fn scan_many(&self, table: &'static Table, scans: &[(Vec<Value>, Range)]) -> Result<Vec<Page>, StoreError> {
        let mut pages = Vec::with_capacity(scans.len());
        for (partition, range) in scans {
            pages.push(self.scan(table, partition, range.clone()).await?);
        }
        Ok(pages)
    }

    fn all(&self, table: &'static Table) -> RowStream<'_> {
        let tables = self.tables();
        let state = tables.get(table.name);
        let rows: Vec<Row> =
            state.into_iter().flat_map(|state| state.rows.keys().filter_map(|key| state.read(table, key))).collect();
        stream::iter([Ok(rows)]).boxed()
    }

    async fn checkpoint(&self, projection: ProjectionId, lane: &str) -> Result<Checkpoint, StoreError> {
        Ok(*self.watched(projection, lane).borrow())
    }

    async fn reached(
        &self,
        projection: ProjectionId,
        lane: &str,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        let mut checkpoint = self.watched(projection, lane).subscribe();
        let reached = checkpoint.wait_for(|stands| stands.lane_seq >= lane_seq);
        Ok(matches!(tokio::time::timeout(wait, reached).await, Ok(Ok(_))))
    }

    async fn forget(&self, projection: ProjectionId, tables: &[&'static Table]) -> Result<(), StoreError> {
        for table in tables {
            self.tables().insert(table.name, TableState::default());
        }
        let checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, checkpoint) in checkpoints.iter().filter(|((id, _), _)| *id == projection) {
            checkpoint.send_replace(Checkpoint::default());
        }
        Ok(())
    }
}
