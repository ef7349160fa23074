//! A store in memory that counts how often it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use feira_projection_store::{
    Checkpoint, ModelStore, Mutation, Page, ProjectionId, Range, Row, RowStream, Store, StoreError, Table, Value,
};

pub struct CountedStore {
    inner: Arc<ModelStore>,
    reads: AtomicUsize,
}

impl CountedStore {
    pub async fn new() -> Self {
        let inner = Arc::new(ModelStore::new());
        inner.ensure(feira_rows::ALL_TABLES).await.unwrap();
        Self { inner, reads: AtomicUsize::new(0) }
    }

    /// How often it was read since this was last asked.
    pub fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }

    fn count(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Store for CountedStore {
    async fn ensure(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        self.inner.ensure(tables).await
    }

    async fn apply(
        &self,
        writes: Vec<Mutation>,
        projection: ProjectionId,
        lane: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.inner.apply(writes, projection, lane, checkpoint).await
    }

    async fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        self.count();
        self.inner.get(table, key).await
    }

    async fn get_many(&self, table: &'static Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        self.count();
        self.inner.get_many(table, keys).await
    }

    async fn scan(&self, table: &'static Table, partition: &[Value], range: Range) -> Result<Page, StoreError> {
        self.count();
        self.inner.scan(table, partition, range).await
    }

    async fn scan_many(&self, table: &'static Table, scans: &[(Vec<Value>, Range)]) -> Result<Vec<Page>, StoreError> {
        self.count();
        self.inner.scan_many(table, scans).await
    }

    fn all(&self, table: &'static Table) -> RowStream<'_> {
        self.inner.all(table)
    }

    async fn checkpoint(&self, projection: ProjectionId, lane: &str) -> Result<Checkpoint, StoreError> {
        self.inner.checkpoint(projection, lane).await
    }

    async fn reached(
        &self,
        projection: ProjectionId,
        lane: &str,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        self.inner.reached(projection, lane, lane_seq, wait).await
    }

    async fn forget(&self, projection: ProjectionId, tables: &[&'static Table]) -> Result<(), StoreError> {
        self.inner.forget(projection, tables).await
    }
}
