//! Keyspaces and tables: made where there are none, and never changed.
//!
//! Cassandra does not settle two processes that make the same table at the same moment by way of two nodes; let one start
//! before the others on an empty database of several nodes.

use std::future::Future;
use std::time::{Duration, Instant};

use feira_projection_store::{Order, StoreError, Table};

use crate::session::{Cql, retried, unreadable};
use crate::{CqlConfig, statement};

/// How long what another process is making may be described and not yet be of use.
const SETTLES: Duration = Duration::from_secs(10);
/// How often it is tried.
const LOOK: Duration = Duration::from_millis(50);

/// Makes `keyspace` where there is none.
pub async fn ensure_keyspace(cql: &Cql, config: &CqlConfig, keyspace: &str) -> Result<(), StoreError> {
    let prepared = cql.prepare(keyspace, statement::SELECT_KEYSPACE).await?;
    let answer = retried(keyspace, "read the schema", || cql.session.execute_unpaged(&prepared, (keyspace,))).await?;
    if answer.into_rows_result().is_ok_and(|rows| rows.rows_num() > 0) {
        return Ok(());
    }
    let text = statement::create_keyspace(keyspace, config.datacenter.as_deref(), config.replication_factor);
    cql.change(keyspace, &text).await
}

/// Makes `table` in `keyspace` where there is none.
///
/// # Errors
/// [`StoreError::Invalid`] when there is one with other columns.
pub async fn ensure_table(cql: &Cql, keyspace: &str, table: &'static Table) -> Result<(), StoreError> {
    table.validate().map_err(|error| table.invalid(error.to_string()))?;
    if !has(cql, keyspace, table).await? {
        let text = table.create_cql(keyspace);
        settled(|| cql.change(table.name, &text)).await?;
        if !has(cql, keyspace, table).await? {
            return Err(StoreError::Unavailable { what: format!("make table {}", table.name), source: None });
        }
    }
    let text = statement::select_one(keyspace, table);
    settled(|| cql.prepare(table.name, &text)).await.map(drop)
}

/// What comes of `attempt`, once what another process is making at this moment is there: the database describes a table
/// a moment before statements can name it.
async fn settled<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let began = Instant::now();
    loop {
        match attempt().await {
            Err(StoreError::Invalid { .. }) if began.elapsed() < SETTLES => tokio::time::sleep(LOOK).await,
            settled => return settled,
        }
    }
}

/// Name, kind, position, type and order of a column.
type Described = (String, String, i32, String, String);

/// Whether the table is there, with these columns.
async fn has(cql: &Cql, keyspace: &str, table: &'static Table) -> Result<bool, StoreError> {
    let prepared = cql.prepare(table.name, statement::SELECT_COLUMNS).await?;
    let place = (keyspace, table.name);
    let answer = retried(table.name, "read the schema", || cql.session.execute_unpaged(&prepared, place)).await?;
    let answer = answer.into_rows_result().map_err(|error| unreadable(table, error))?;
    let rows = answer.rows::<Described>().map_err(|error| unreadable(table, error))?;
    let mut columns = rows.collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(table, error))?;
    if columns.is_empty() {
        return Ok(false);
    }
    columns.sort();
    if columns != described(table) {
        return Err(table.invalid("its columns are not those it was made with: give it a new version".into()));
    }
    Ok(true)
}

/// The columns of `table` as the database describes them, sorted.
fn described(table: &Table) -> Vec<Described> {
    let describe = |(place, column): (usize, &feira_projection_store::Column)| {
        let (kind, position, order) = match place.checked_sub(table.partition) {
            None => ("partition_key", place as i32, "none"),
            Some(at) => match table.clustering.get(at) {
                Some(Order::Ascending) => ("clustering", at as i32, "asc"),
                Some(Order::Descending) => ("clustering", at as i32, "desc"),
                None => ("regular", -1, "none"),
            },
        };
        (column.name.to_owned(), kind.to_owned(), position, column.kind.cql().to_owned(), order.to_owned())
    };
    let mut columns: Vec<_> = table.columns.iter().enumerate().map(describe).collect();
    columns.sort();
    columns
}
