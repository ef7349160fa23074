//! Keyspaces and tables: made where there are none, and never changed.
//!
//! Cassandra does not settle two processes that make the same table at the same moment; let one start before the
//! others on an empty database.

use feira_projection_store::{Order, StoreError, Table};

use crate::session::{Cql, retried, unreadable};
use crate::{CqlConfig, statement};

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
    if has(cql, keyspace, table).await? {
        return Ok(());
    }
    cql.change(table.name, &table.create_cql(keyspace)).await?;
    match has(cql, keyspace, table).await? {
        true => Ok(()),
        false => Err(StoreError::Unavailable { what: format!("make table {}", table.name), source: None }),
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
