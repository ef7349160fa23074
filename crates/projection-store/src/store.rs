//! The trait that both stores fulfil.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{Mutation, Row, StoreError, Table, Value};

/// A projection and the version of its definition: rows of another version stand in other tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectionId {
    /// Its name: `products`.
    pub name: &'static str,
    /// Its version, from 1.
    pub version: u32,
}

impl fmt::Display for ProjectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_v{}", self.name, self.version)
    }
}

/// How far a projection has taken a lane in. The further of two stands; at the same sequence the larger hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// The last sequence whose rows are all written.
    pub lane_seq: u64,
    /// A place on the log at or before it (`feira_event_log::Hint`).
    pub hint: u64,
}

/// Rows of one partition, in clustering order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether more follow in the direction read.
    pub more: bool,
}

/// Which rows of a partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Range {
    /// Only rows behind this clustering key in clustering order; a prefix of it stands for all that begin with it.
    pub after: Option<Vec<Value>>,
    /// Only rows before it.
    pub before: Option<Vec<Value>>,
    /// From the end backwards; rows are then given in that order.
    pub reverse: bool,
    /// At most so many; at least 1.
    pub limit: usize,
}

/// Rows, some at a time, as they are read.
pub type RowStream<'s> = BoxStream<'s, Result<Vec<Row>, StoreError>>;

/// A store of rows.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes the tables that are not there yet. Safe to call at every start, by many at once.
    async fn ensure(&self, tables: &[&'static Table]) -> Result<(), StoreError>;

    /// Writes, then moves the checkpoint of (`projection`, `lane`): never the other way round. A lane is written
    /// `service/number`. In the embedded store both are one act.
    async fn apply(
        &self,
        writes: Vec<Mutation>,
        projection: ProjectionId,
        lane: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError>;

    /// The row with the whole primary key `key`.
    async fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError>;

    /// Many rows by primary key, in the order asked; one batched load.
    async fn get_many(&self, table: &'static Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError>;

    /// Rows of one partition.
    async fn scan(&self, table: &'static Table, partition: &[Value], range: Range) -> Result<Page, StoreError>;

    /// Rows of many partitions, each in its range, in the order asked; one batched load.
    async fn scan_many(&self, table: &'static Table, scans: &[(Vec<Value>, Range)]) -> Result<Vec<Page>, StoreError>;

    /// Every row of a table, partition by partition, in an order of the store's own. What is written meanwhile may be
    /// among them or not; every other row is given once. It reads the whole table: for checks, never for a request.
    fn all(&self, table: &'static Table) -> RowStream<'_>;

    /// How far a projection has come on a lane.
    async fn checkpoint(&self, projection: ProjectionId, lane: &str) -> Result<Checkpoint, StoreError>;

    /// Waits until the projection has come to `lane_seq` on `lane`, at most `wait`; answers whether it has.
    async fn reached(
        &self,
        projection: ProjectionId,
        lane: &str,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError>;

    /// Empties the tables and forgets the projection's checkpoints, so that it is built again from the log.
    async fn forget(&self, projection: ProjectionId, tables: &[&'static Table]) -> Result<(), StoreError>;
}
