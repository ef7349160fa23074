//! The store: tables, writes grouped by partition, reads.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use feira_projection_store::{
    Checkpoint, Mutation, Page, ProjectionId, Range, Row, RowStream, Store, StoreError, Table, Value,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use scylla::response::PagingState;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;

use crate::checkpoint::{CHECKPOINTS, LaneState, version};
use crate::segment::segments;
use crate::session::{Cql, retried, unreadable};
use crate::value::{self, Bind};
use crate::{CqlConfig, schema, statement};

/// Requests in flight for one call.
const CONCURRENT: usize = 128;

/// The most rows, and about the most bytes, that go into one batch: above these Cassandra warns.
const BATCH_ROWS: usize = 32;
const BATCH_BYTES: usize = 4 * 1024;

/// A store on ScyllaDB or Cassandra.
pub struct CqlStore {
    pub(crate) cql: Arc<Cql>,
    pub(crate) config: CqlConfig,
    keyspace: Arc<str>,
    lanes: Mutex<HashMap<(ProjectionId, String), Arc<LaneState>>>,
}

impl CqlStore {
    /// Connects and makes the keyspace where there is none, waiting for a database that does not answer yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer within `start_wait`; [`StoreError::Invalid`] when the
    /// configuration is wrong or refused.
    pub async fn connect(config: CqlConfig) -> Result<Arc<Self>, StoreError> {
        let cql = Cql::connect(&config).await?;
        schema::ensure_keyspace(&cql, &config, &config.keyspace).await?;
        schema::ensure_table(&cql, &config.keyspace, &CHECKPOINTS).await?;
        let keyspace = config.keyspace.as_str().into();
        Ok(Arc::new(Self { cql: Arc::new(cql), config, keyspace, lanes: Mutex::default() }))
    }

    fn lane(&self, projection: ProjectionId, lane: &str) -> Arc<LaneState> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let state = lanes.entry((projection, lane.to_owned()));
        state.or_insert_with(|| Arc::new(LaneState::new(projection, lane))).clone()
    }

    /// Writes `some`, all of one partition of one table.
    async fn send(&self, some: Vec<Mutation>) -> Result<(), StoreError> {
        let table = some[0].table();
        let mut statements = Vec::with_capacity(some.len());
        let mut values = Vec::with_capacity(some.len());
        for mutation in &some {
            let text = match mutation {
                Mutation::Upsert { .. } => statement::upsert(&self.keyspace, table),
                Mutation::Delete { .. } => statement::delete(&self.keyspace, table),
                Mutation::DeletePartition { .. } => statement::delete_partition(&self.keyspace, table),
            };
            statements.push(self.cql.prepare(table.name, &text).await?);
            values.push(bind(mutation));
        }
        if let ([statement], [values]) = (&statements[..], &values[..]) {
            let written = retried(table.name, "write", || self.cql.session.execute_unpaged(statement, values));
            return written.await.map(drop);
        }
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(true);
        statements.into_iter().for_each(|statement| batch.append_statement(statement));
        let written = retried(table.name, "write a batch", || self.cql.session.batch(&batch, &values));
        written.await.map(drop)
    }

    /// Up to `most` rows, however many answers they come in: a short answer is not the end.
    async fn rows(
        &self,
        table: &'static Table,
        prepared: &PreparedStatement,
        values: &[Bind<'_>],
        most: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        let mut state = PagingState::start();
        loop {
            let (some, next) = self.page(table, prepared, values, state).await?;
            rows.extend(some);
            match next {
                Some(next) if rows.len() < most => state = next,
                _ => return Ok(rows),
            }
        }
    }

    /// The rows of one answer, and where the next answer goes on, if there is one.
    async fn page(
        &self,
        table: &'static Table,
        prepared: &PreparedStatement,
        values: &[Bind<'_>],
        state: PagingState,
    ) -> Result<(Vec<Row>, Option<PagingState>), StoreError> {
        let read = || self.cql.session.execute_single_page(prepared, values, state.clone());
        let (answer, next) = retried(table.name, "read", read).await?;
        let answer = answer.into_rows_result().map_err(|error| unreadable(table, error))?;
        let mut rows = Vec::new();
        for row in answer.rows::<scylla::value::Row>().map_err(|error| unreadable(table, error))? {
            rows.push(value::row(table, row.map_err(|error| unreadable(table, error))?.columns)?);
        }
        let next = match next.into_paging_control_flow() {
            ControlFlow::Continue(next) => Some(next),
            ControlFlow::Break(()) => None,
        };
        Ok((rows, next))
    }

    async fn read_one(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        let prepared = self.cql.prepare(table.name, &statement::select_one(&self.keyspace, table)).await?;
        let values: Vec<Bind<'_>> = key.iter().map(Bind::Value).collect();
        Ok(self.rows(table, &prepared, &values, 1).await?.pop())
    }

    async fn read_range(&self, table: &'static Table, partition: &[Value], range: &Range) -> Result<Page, StoreError> {
        let mut page = Page::default();
        for segment in segments(table, range) {
            let text = statement::select_range(&self.keyspace, table, segment.shape(), range.reverse);
            let prepared = self.cql.prepare(table.name, &text).await?;
            // One more than asked for, to know whether there are more.
            let most = range.limit + 1 - page.rows.len();
            let bounds = [segment.after, segment.before].into_iter().flatten();
            let mut values: Vec<Bind<'_>> =
                partition.iter().chain(segment.equals).chain(bounds).map(Bind::Value).collect();
            values.push(Bind::Int(i32::try_from(most).expect("a limit is checked to be small")));
            page.rows.extend(self.rows(table, &prepared, &values, most).await?);
            if page.rows.len() > range.limit {
                page.rows.truncate(range.limit);
                page.more = true;
                break;
            }
        }
        Ok(page)
    }
}

#[async_trait]
impl Store for CqlStore {
    async fn ensure(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        for table in tables {
            schema::ensure_table(&self.cql, &self.keyspace, table).await?;
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
        let parts: Vec<_> = parts(writes).into_iter().map(|part| self.send(part)).collect();
        stream::iter(parts).buffer_unordered(CONCURRENT).try_collect::<()>().await?;
        self.lane(projection, lane).write(&self.cql, &self.keyspace, checkpoint).await
    }

    async fn get(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        table.check_key(key)?;
        self.read_one(table, key).await
    }

    async fn get_many(&self, table: &'static Table, keys: &[Vec<Value>]) -> Result<Vec<Option<Row>>, StoreError> {
        keys.iter().try_for_each(|key| table.check_key(key))?;
        let reads: Vec<_> = keys.iter().map(|key| self.read_one(table, key)).collect();
        stream::iter(reads).buffered(CONCURRENT).try_collect().await
    }

    async fn scan(&self, table: &'static Table, partition: &[Value], range: Range) -> Result<Page, StoreError> {
        table.check_range(partition, &range)?;
        self.read_range(table, partition, &range).await
    }

    async fn scan_many(&self, table: &'static Table, scans: &[(Vec<Value>, Range)]) -> Result<Vec<Page>, StoreError> {
        scans.iter().try_for_each(|(partition, range)| table.check_range(partition, range))?;
        let reads: Vec<_> = scans.iter().map(|(partition, range)| self.read_range(table, partition, range)).collect();
        stream::iter(reads).buffered(CONCURRENT).try_collect().await
    }

    fn all(&self, table: &'static Table) -> RowStream<'_> {
        let pages = stream::try_unfold(Some(PagingState::start()), move |state| async move {
            let Some(state) = state else { return Ok(None) };
            let prepared = self.cql.prepare(table.name, &statement::select_all(&self.keyspace, table)).await?;
            self.page(table, &prepared, &[], state).await.map(Some)
        });
        pages.boxed()
    }

    async fn checkpoint(&self, projection: ProjectionId, lane: &str) -> Result<Checkpoint, StoreError> {
        self.lane(projection, lane).read(&self.cql, &self.keyspace).await
    }

    async fn reached(
        &self,
        projection: ProjectionId,
        lane: &str,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        self.lane(projection, lane).reached(&self.cql, &self.keyspace, lane_seq, wait).await
    }

    async fn forget(&self, projection: ProjectionId, tables: &[&'static Table]) -> Result<(), StoreError> {
        let shape = crate::segment::Shape { equals: 0, after: false, before: false };
        let text = statement::select_range(&self.keyspace, &CHECKPOINTS, shape, false);
        let prepared = self.cql.prepare(CHECKPOINTS.name, &text).await?;
        let values = [Bind::Text(projection.name), Bind::Int(version(projection)?), Bind::Int(i32::MAX)];
        // Checkpoints go first: were this to end half-way, everything would be applied again to what is left.
        for row in self.rows(&CHECKPOINTS, &prepared, &values, usize::MAX).await? {
            if let Some(Value::Text(lane)) = &row[2] {
                self.lane(projection, lane).forget(&self.cql, &self.keyspace).await?;
            }
        }
        for table in tables {
            self.cql.change(table.name, &statement::truncate(&self.keyspace, table)).await?;
        }
        Ok(())
    }
}

/// `writes` in parts that each go to one partition at once.
fn parts(writes: Vec<Mutation>) -> Vec<Vec<Mutation>> {
    let mut open: HashMap<(&'static str, Vec<Value>), usize> = HashMap::new();
    let mut parts: Vec<(Vec<Mutation>, usize)> = Vec::new();
    for mutation in writes {
        let (table, key, bytes) = match &mutation {
            Mutation::Upsert { table, key, cells, .. } => {
                let contents = cells.iter().filter_map(|(_, content)| content.as_ref());
                (table, key, key.iter().chain(contents).map(|value| value.content_len() + 4).sum())
            }
            Mutation::Delete { table, key, .. } => (table, key, 64),
            Mutation::DeletePartition { table, partition, .. } => (table, partition, 64),
        };
        let partition = (table.name, key[..table.partition].to_vec());
        let place = open.entry(partition).or_insert(usize::MAX);
        match parts.get_mut(*place) {
            Some((part, sum)) if part.len() < BATCH_ROWS && *sum + bytes <= BATCH_BYTES => {
                part.push(mutation);
                *sum += bytes;
            }
            _ => {
                *place = parts.len();
                parts.push((vec![mutation], bytes));
            }
        }
    }
    parts.into_iter().map(|(part, _)| part).collect()
}

/// The values of the statement for `mutation`.
fn bind(mutation: &Mutation) -> Vec<Bind<'_>> {
    match mutation {
        Mutation::Upsert { table, key, cells, timestamp, first: _ } => {
            let mut values: Vec<Bind<'_>> = key.iter().map(Bind::Value).collect();
            values.resize(table.columns.len(), Bind::Unset);
            for (place, content) in cells {
                values[*place] = content.as_ref().map_or(Bind::Null, Bind::Value);
            }
            values.push(Bind::Long(*timestamp));
            values
        }
        Mutation::Delete { table: _, key, timestamp }
        | Mutation::DeletePartition { table: _, partition: key, timestamp } => {
            [Bind::Long(*timestamp)].into_iter().chain(key.iter().map(Bind::Value)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use feira_projection_store::suite;

    use super::*;

    fn delete(shard: i64, timestamp: i64) -> Mutation {
        Mutation::Delete { table: suite::TABLES[1], key: vec!["a".into(), Value::BigInt(shard)], timestamp }
    }

    #[test]
    fn a_batch_keeps_to_one_partition_and_to_its_size() {
        let writes: Vec<Mutation> = (0..100).flat_map(|n| [delete(1, n), delete(2, n)]).collect();
        let parts = parts(writes);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 200);
        assert!(parts.iter().all(|part| part.len() <= BATCH_ROWS));
        let key = |mutation: &Mutation| match mutation {
            Mutation::Delete { key, .. } => key.clone(),
            _ => Vec::new(),
        };
        assert!(parts.iter().all(|part| part.iter().all(|mutation| key(mutation) == key(&part[0]))));
        assert_eq!(parts.len(), 8);
        let large = Mutation::Upsert {
            table: suite::TABLES[1],
            key: vec!["a".into(), Value::BigInt(1)],
            cells: vec![(2, Some("x".repeat(BATCH_BYTES).as_str().into()))],
            timestamp: 1,
            first: false,
        };
        assert_eq!(super::parts(vec![large.clone(), large]).len(), 2);
    }
}
