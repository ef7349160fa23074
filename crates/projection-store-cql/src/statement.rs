//! The text of every statement the store sends.

use std::fmt::Write;

use feira_projection_store::{Column, Order, Table};

use crate::segment::Shape;

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

fn equal(columns: &[Column]) -> String {
    columns.iter().map(|column| format!("{} = ?", column.name)).collect::<Vec<_>>().join(" AND ")
}

/// Writes a row: all columns, then the timestamp. An insert, because only that makes a row whose cells are all null.
pub fn upsert(keyspace: &str, table: &Table) -> String {
    let marks = vec!["?"; table.columns.len()].join(", ");
    format!("INSERT INTO {keyspace}.{} ({}) VALUES ({marks}) USING TIMESTAMP ?", table.name, names(table.columns))
}

/// Deletes a row: the timestamp, then the whole key.
pub fn delete(keyspace: &str, table: &Table) -> String {
    format!("DELETE FROM {keyspace}.{} USING TIMESTAMP ? WHERE {}", table.name, equal(table.key_columns()))
}

/// Deletes a partition: the timestamp, then the partition key.
pub fn delete_partition(keyspace: &str, table: &Table) -> String {
    let partition = equal(&table.columns[..table.partition]);
    format!("DELETE FROM {keyspace}.{} USING TIMESTAMP ? WHERE {partition}", table.name)
}

/// Reads a row by its whole key.
pub fn select_one(keyspace: &str, table: &Table) -> String {
    let key = equal(table.key_columns());
    format!("SELECT {} FROM {keyspace}.{} WHERE {key}", names(table.columns), table.name)
}

/// Reads a part of a partition: the partition key, the equal clustering values, the bounds, the limit.
pub fn select_range(keyspace: &str, table: &Table, shape: Shape, reverse: bool) -> String {
    let clustering = &table.columns[table.partition..table.key_len()];
    let equals = equal(&table.columns[..table.partition + shape.equals]);
    let mut cql = format!("SELECT {} FROM {keyspace}.{} WHERE {equals}", names(table.columns), table.name);
    // Behind and before are meant in clustering order; CQL compares values.
    let (behind, before) = match table.clustering.get(shape.equals) {
        Some(Order::Descending) => ("<", ">"),
        Some(Order::Ascending) | None => (">", "<"),
    };
    for (wanted, sign) in [(shape.after, behind), (shape.before, before)] {
        if wanted {
            // Writing into a String does not fail.
            let _ = write!(cql, " AND {} {sign} ?", clustering[shape.equals].name);
        }
    }
    if reverse && !clustering.is_empty() {
        let turned = clustering.iter().zip(table.clustering).map(|(column, order)| match order {
            Order::Ascending => format!("{} DESC", column.name),
            Order::Descending => format!("{} ASC", column.name),
        });
        let _ = write!(cql, " ORDER BY {}", turned.collect::<Vec<_>>().join(", "));
    }
    cql.push_str(" LIMIT ?");
    cql
}

/// Reads all rows.
pub fn select_all(keyspace: &str, table: &Table) -> String {
    format!("SELECT {} FROM {keyspace}.{}", names(table.columns), table.name)
}

/// Empties a table.
pub fn truncate(keyspace: &str, table: &Table) -> String {
    format!("TRUNCATE TABLE {keyspace}.{}", table.name)
}

/// Makes the keyspace: every datacenter, or the one that is named.
pub fn create_keyspace(keyspace: &str, datacenter: Option<&str>, copies: u32) -> String {
    let place = datacenter.unwrap_or("replication_factor").replace('\'', "''");
    format!(
        "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = \
         {{'class': 'NetworkTopologyStrategy', '{place}': {copies}}}"
    )
}

/// Names the keyspaces that are there with this name.
pub const SELECT_KEYSPACE: &str = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";

/// The columns of a table as the database has them.
pub const SELECT_COLUMNS: &str = "SELECT column_name, kind, position, type, clustering_order \
     FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?";

#[cfg(test)]
mod tests {
    use feira_projection_store::{lint_cql, suite};

    use super::*;

    #[test]
    fn every_statement_is_in_the_portable_subset() {
        let mut all = vec![
            create_keyspace("feira", None, 3),
            create_keyspace("feira", Some("dc1"), 3),
            SELECT_KEYSPACE.to_owned(),
            SELECT_COLUMNS.to_owned(),
        ];
        for table in suite::TABLES.iter().chain([&&crate::checkpoint::CHECKPOINTS]) {
            let one = [upsert, delete, delete_partition, select_one, select_all, truncate];
            all.extend(one.map(|statement| statement("feira", table)));
            all.push(table.create_cql("feira"));
            for equals in 0..=table.clustering.len() {
                for (after, before) in [(false, false), (true, false), (false, true), (true, true)] {
                    if equals == table.clustering.len() && (after || before) {
                        continue;
                    }
                    let shape = Shape { equals, after, before };
                    all.extend([false, true].map(|reverse| select_range("feira", table, shape, reverse)));
                }
            }
        }
        for statement in all {
            assert_eq!(lint_cql(&statement), [], "{statement}");
        }
    }

    #[test]
    fn statements_read_as_these() {
        let table = suite::TABLES[4];
        assert_eq!(
            upsert("k", table),
            "INSERT INTO k.suite_mixed_v1 (tenant, bucket, at, word, part, title, minor) \
             VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"
        );
        let shape = Shape { equals: 1, after: true, before: true };
        assert_eq!(
            select_range("k", table, shape, true),
            "SELECT tenant, bucket, at, word, part, title, minor FROM k.suite_mixed_v1 \
             WHERE tenant = ? AND bucket = ? AND at = ? AND word > ? AND word < ? \
             ORDER BY at ASC, word DESC, part ASC LIMIT ?"
        );
    }
}
