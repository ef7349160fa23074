//! A store that is slow, and away now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use feira_projection_store::{
    Checkpoint, ModelStore, Mutation, Page, ProjectionId, Range, Row, RowStream, Store, StoreError, Table, Value,
};
use feira_runtime::pace;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The store of a simulation. What was written to it stays.
pub struct SlowStore {
    inner: Arc<ModelStore>,
    away: AtomicBool,
    written: Notify,
}

impl SlowStore {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { inner: Arc::new(ModelStore::new()), away: AtomicBool::new(false), written: Notify::new() })
    }

    /// Lets it answer, or not.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// What is in it, without its slowness.
    pub fn inner(&self) -> Arc<ModelStore> {
        self.inner.clone()
    }

    async fn reach(&self, what: &str) -> Result<(), StoreError> {
        pace::step().await;
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable { what: format!("{what}: the simulated store is away"), source: None });
        }
        Ok(())
    }
}

#[async_trait]
impl Store for SlowStore {
    async fn ensure(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        self.reach("make tables").await?;
        self.inner.ensure(tables).await
    }

    async fn apply(
        &self,
        writes: Vec<Mutation>,
        projection: ProjectionId,
        lane: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.reach("write").await?;
        self.inner.apply(writes, projection, lane, checkpoint).await?;
        pace::stir();
        self.written.notify_waiters();
        // What was written stands, whoever dies before hearing so.
        self.reach("write").await
    }

    async fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        self.reach("read").await?;
        self.inner.get(table, key).await
    }

    async fn get_many(&self, table: &'static Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        self.reach("read").await?;
        self.inner.get_many(table, keys).await
    }

    async fn scan(&self, table: &'static Table, partition: &[Value], range: Range) -> Result<Page, StoreError> {
        self.reach("read").await?;
        self.inner.scan(table, partition, range).await
    }

    async fn scan_many(&self, table: &'static Table, scans: &[(Vec<Value>, Range)]) -> Result<Vec<Page>, StoreError> {
        self.reach("read").await?;
        self.inner.scan_many(table, scans).await
    }

    fn all(&self, table: &'static Table) -> RowStream<'_> {
        self.inner.all(table)
    }

    async fn checkpoint(&self, projection: ProjectionId, lane: &str) -> Result<Checkpoint, StoreError> {
        self.reach("read").await?;
        self.inner.checkpoint(projection, lane).await
    }

    async fn reached(
        &self,
        projection: ProjectionId,
        lane: &str,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        // The model wakes those who wait by chance; here they are woken in the order in which they came.
        let until = Instant::now() + wait;
        loop {
            self.reach("read").await?;
            let written = self.written.notified();
            if self.inner.checkpoint(projection, lane).await?.lane_seq >= lane_seq {
                return Ok(true);
            }
            if timeout_at(until, written).await.is_err() {
                return Ok(false);
            }
        }
    }

    async fn forget(&self, projection: ProjectionId, tables: &[&'static Table]) -> Result<(), StoreError> {
        self.inner.forget(projection, tables).await
    }
}
