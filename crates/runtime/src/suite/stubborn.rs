//! A store that takes no rows, or says nothing, while a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use feira_projection_store::{
    Checkpoint, Mutation, Page, ProjectionId, Range, Row, RowStream, Store, StoreError, Table, Value,
};

/// Another store, which takes nothing in while it [`refuses`](Self::refuses), and looks nothing up while it is
/// [`silent`](Self::silent).
pub struct Stubborn {
    store: Arc<dyn Store>,
    /// Whether it takes nothing in.
    pub refuses: AtomicBool,
    /// Whether it looks nothing up.
    pub silent: AtomicBool,
    /// How often it did not do as it was asked.
    pub refused: AtomicUsize,
}

impl Stubborn {
    /// Over `store`; it is not stubborn yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, refuses: AtomicBool::new(false), silent: AtomicBool::new(false), refused: AtomicUsize::new(0) }
    }

    fn unless(&self, away: &AtomicBool) -> Result<(), StoreError> {
        if away.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Unavailable { what: "as the test asked".to_owned(), source: None });
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Stubborn {
    async fn ensure(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        self.store.ensure(tables).await
    }

    async fn apply(
        &self,
        writes: Vec<Mutation>,
        projection: ProjectionId,
        lane: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.unless(&self.refuses)?;
        self.store.apply(writes, projection, lane, checkpoint).await
    }

    async fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        self.unless(&self.silent)?;
        self.store.get(table, key).await
    }

    async fn get_many(&self, table: &'static Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        self.unless(&self.silent)?;
        self.store.get_many(table, keys).await
    }

    async fn scan(&self, table: &'static Table, partition: &[Value], range: Range) -> Result<Page, StoreError> {
        self.store.scan(table, partition, range).await
    }

    async fn scan_many(&self, table: &'static Table, scans: &[(Vec<Value>, Range)]) -> Result<Vec<Page>, StoreError> {
        self.store.scan_many(table, scans).await
    }

    fn all(&self, table: &'static Table) -> RowStream<'_> {
        self.store.all(table)
    }

    async fn checkpoint(&self, projection: ProjectionId, lane: &str) -> Result<Checkpoint, StoreError> {
        self.store.checkpoint(projection, lane).await
    }

    async fn reached(
        &self,
        projection: ProjectionId,
        lane: &str,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        self.store.reached(projection, lane, lane_seq, wait).await
    }

    async fn forget(&self, projection: ProjectionId, tables: &[&'static Table]) -> Result<(), StoreError> {
        self.store.forget(projection, tables).await
    }
}
