//! Whether a definition is a table, and whether keys, cells and ranges fit it.
//!
//! Both stores check before they touch anything, so that what one takes the other takes too. The limits are the
//! tighter of what the two can keep.

use crate::{Column, ColumnType, Mutation, Range, Row, StoreError, Table, TableError, Value};

/// The longest primary key, in bytes of all its texts and blobs together.
pub const KEY_BYTES_MAX: usize = 8 * 1024;

/// The longest content of a cell, in bytes; of a list all its texts together.
pub const CELL_BYTES_MAX: usize = 1024 * 1024;

/// The most rows that one range may ask for.
pub const LIMIT_MAX: usize = 10_000;

/// Words that CQL keeps for itself: no column or table can be called so.
const RESERVED: &[&str] = &[
    "add",
    "allow",
    "alter",
    "and",
    "apply",
    "asc",
    "authorize",
    "batch",
    "begin",
    "by",
    "columnfamily",
    "create",
    "default",
    "delete",
    "desc",
    "describe",
    "drop",
    "entries",
    "execute",
    "from",
    "full",
    "grant",
    "if",
    "in",
    "index",
    "infinity",
    "insert",
    "into",
    "is",
    "keyspace",
    "limit",
    "materialized",
    "mbean",
    "mbeans",
    "modify",
    "nan",
    "norecursive",
    "not",
    "null",
    "of",
    "on",
    "or",
    "order",
    "primary",
    "rename",
    "replace",
    "revoke",
    "schema",
    "select",
    "set",
    "table",
    "to",
    "token",
    "truncate",
    "unlogged",
    "unset",
    "update",
    "use",
    "using",
    "view",
    "where",
    "with",
];

/// Whether `name` can name a table, a column or a keyspace in both stores: a lower-case letter, then letters, digits,
/// underscores; at most 48; no word that CQL keeps for itself.
pub fn name_is_valid(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.len() <= 48
        && !RESERVED.contains(&name)
}

impl Table {
    /// The columns of the primary key.
    pub fn key_columns(&self) -> &'static [Column] {
        &self.columns[..self.key_len()]
    }

    /// The columns behind the primary key.
    pub fn cell_columns(&self) -> &'static [Column] {
        &self.columns[self.key_len()..]
    }

    /// Whether this is a table that both stores can keep.
    ///
    /// # Errors
    /// [`TableError`] with the first thing that is wrong.
    pub fn validate(&self) -> Result<(), TableError> {
        let wrong = |reason: String| Err(TableError(format!("table {}: {reason}", self.name)));
        if !name_is_valid(self.name) {
            return wrong("the name is 1 to 48 lower-case letters, digits, underscores, and no word of CQL".into());
        }
        if self.doc.trim().is_empty() {
            return wrong("the doc says nothing".into());
        }
        if self.partition == 0 {
            return wrong("there is no partition key".into());
        }
        if self.key_len() > self.columns.len() {
            return wrong(format!("the key has {} columns, the table {}", self.key_len(), self.columns.len()));
        }
        for (index, column) in self.columns.iter().enumerate() {
            if !name_is_valid(column.name) {
                return wrong(format!("no column can be called {:?}", column.name));
            }
            if self.columns[..index].iter().any(|earlier| earlier.name == column.name) {
                return wrong(format!("two columns are called {:?}", column.name));
            }
            if index < self.key_len() && column.kind == ColumnType::TextList {
                return wrong(format!("key column {:?} is a list", column.name));
            }
        }
        Ok(())
    }

    /// Whether `key` is a whole primary key.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it is not.
    pub fn check_key(&self, key: &[Value]) -> Result<(), StoreError> {
        if key.len() != self.key_len() {
            return Err(self.invalid(format!("the key has {} values, not {}", self.key_len(), key.len())));
        }
        self.check_prefix(key)
    }

    /// Whether `partition` is a whole partition key.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it is not.
    pub fn check_partition(&self, partition: &[Value]) -> Result<(), StoreError> {
        if partition.len() != self.partition {
            let reason = format!("the partition key has {} values, not {}", self.partition, partition.len());
            return Err(self.invalid(reason));
        }
        self.check_prefix(partition)
    }

    /// Whether `range` can be read from the partition `partition`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it cannot.
    pub fn check_range(&self, partition: &[Value], range: &Range) -> Result<(), StoreError> {
        self.check_partition(partition)?;
        if !(1..=LIMIT_MAX).contains(&range.limit) {
            return Err(self.invalid(format!("a limit is 1 to {LIMIT_MAX}, not {}", range.limit)));
        }
        for bound in [&range.after, &range.before].into_iter().flatten() {
            if bound.is_empty() {
                return Err(self.invalid("a bound is at least one clustering value".into()));
            }
            if bound.len() > self.clustering.len() {
                return Err(self.invalid(format!("a bound has at most {} values", self.clustering.len())));
            }
            self.check_values(&self.columns[self.partition..], bound)?;
        }
        Ok(())
    }

    /// The refusal of values that do not fit this table.
    pub fn invalid(&self, reason: String) -> StoreError {
        StoreError::Invalid { table: self.name.to_owned(), reason }
    }

    fn check_prefix(&self, key: &[Value]) -> Result<(), StoreError> {
        self.check_values(self.columns, key)?;
        // CQL keeps no row whose whole partition key is no byte.
        if self.partition == 1 && key[0].content_len() == 0 {
            return Err(self.invalid(format!("{} is the whole partition key and empty", self.columns[0].name)));
        }
        Ok(())
    }

    fn check_values(&self, columns: &[Column], values: &[Value]) -> Result<(), StoreError> {
        let mut bytes = 0;
        for (column, value) in columns.iter().zip(values) {
            if value.kind() != column.kind {
                return Err(self.mismatch(column, value));
            }
            bytes += value.content_len();
        }
        if bytes > KEY_BYTES_MAX {
            return Err(self.invalid(format!("the key has {bytes} bytes; the most is {KEY_BYTES_MAX}")));
        }
        Ok(())
    }

    fn check_cells(&self, cells: &[(usize, Option<Value>)]) -> Result<(), StoreError> {
        for (index, (place, content)) in cells.iter().enumerate() {
            let Some(column) = self.columns.get(*place) else {
                return Err(self.invalid(format!("there is no column {place}")));
            };
            if *place < self.key_len() {
                return Err(self.invalid(format!("{} belongs to the key and is no cell", column.name)));
            }
            if cells[..index].iter().any(|(earlier, _)| earlier == place) {
                return Err(self.invalid(format!("{} is written twice", column.name)));
            }
            let Some(value) = content else { continue };
            if value.kind() != column.kind {
                return Err(self.mismatch(column, value));
            }
            if value.content_len() > CELL_BYTES_MAX {
                let len = value.content_len();
                return Err(self.invalid(format!("{} has {len} bytes; the most is {CELL_BYTES_MAX}", column.name)));
            }
        }
        Ok(())
    }

    fn mismatch(&self, column: &Column, value: &Value) -> StoreError {
        self.invalid(format!("{} is {:?}, not {:?}", column.name, column.kind, value.kind()))
    }

    /// Whether `row` could be a row of this table, for code that reads one by place.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it could not.
    pub fn check_row(&self, row: &Row) -> Result<(), StoreError> {
        let fits = row.len() == self.columns.len()
            && row.iter().zip(self.columns).enumerate().all(|(place, (content, column))| match content {
                Some(value) => value.kind() == column.kind,
                None => place >= self.key_len(),
            });
        if fits {
            return Ok(());
        }
        Err(StoreError::Damaged { table: self.name.to_owned(), reason: "a row does not fit the columns".into() })
    }
}

impl Mutation {
    /// The table it writes to.
    pub fn table(&self) -> &'static Table {
        match self {
            Self::Upsert { table, .. } | Self::Delete { table, .. } | Self::DeletePartition { table, .. } => table,
        }
    }

    /// Its timestamp, in microseconds.
    pub fn timestamp(&self) -> i64 {
        match self {
            Self::Upsert { timestamp, .. } | Self::Delete { timestamp, .. } => *timestamp,
            Self::DeletePartition { timestamp, .. } => *timestamp,
        }
    }

    /// Whether its values fit its table.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when they do not, and for a timestamp before 1970.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.timestamp() < 0 {
            return Err(self.table().invalid(format!("the timestamp {} is negative", self.timestamp())));
        }
        match self {
            Self::Upsert { table, key, cells, timestamp: _, first: _ } => {
                table.check_key(key)?;
                table.check_cells(cells)
            }
            Self::Delete { table, key, timestamp: _ } => table.check_key(key),
            Self::DeletePartition { table, partition, timestamp: _ } => table.check_partition(partition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Order;

    const GOOD: Table = Table {
        name: "prices_v1",
        columns: &[
            Column { name: "tenant", kind: ColumnType::Text },
            Column { name: "sku", kind: ColumnType::Text },
            Column { name: "minor", kind: ColumnType::BigInt },
        ],
        partition: 1,
        clustering: &[Order::Ascending],
        doc: "What a product costs.",
    };

    #[test]
    fn a_table_has_a_name_a_doc_a_key_and_distinct_plain_columns() {
        GOOD.validate().unwrap();
        let bad = [
            Table { name: "Prices", ..GOOD },
            Table { name: "table", ..GOOD },
            Table { doc: " ", ..GOOD },
            Table { partition: 0, ..GOOD },
            Table { partition: 3, ..GOOD },
            Table { columns: &[Column { name: "order", kind: ColumnType::Text }; 2], ..GOOD },
            Table { columns: &[Column { name: "same", kind: ColumnType::Text }; 2], ..GOOD },
            Table { columns: &[Column { name: "tags", kind: ColumnType::TextList }], clustering: &[], ..GOOD },
        ];
        for table in bad {
            assert!(table.validate().is_err(), "{table:?}");
        }
    }
}
