//! Values, rows, and the two ways to write them.

use std::sync::Arc;

use bytes::Bytes;

use crate::Table;

/// The content of a cell. `None` in a row is the null of every type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// See `ColumnType::Text`.
    Text(Arc<str>),
    /// See `ColumnType::BigInt`.
    BigInt(i64),
    /// See `ColumnType::Int`.
    Int(i32),
    /// See `ColumnType::Boolean`.
    Boolean(bool),
    /// See `ColumnType::Blob`.
    Blob(Bytes),
    /// See `ColumnType::Timestamp`.
    Timestamp(i64),
    /// See `ColumnType::TextList`.
    TextList(Vec<Arc<str>>),
}

/// A row: a value, or null, for every column of its table in order.
pub type Row = Vec<Option<Value>>;

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Mutation {
    /// Writes cells of a row, making the row where there is none. A row exists as long as it was upserted after its
    /// last delete, even when all its cells are null.
    Upsert {
        /// Where.
        table: &'static Table,
        /// The whole primary key.
        key: Vec<Value>,
        /// The cells written: column's place in the table, and content; null takes the content away. Others stay.
        cells: Vec<(usize, Option<Value>)>,
        /// Microseconds; of two writes to a cell the later stands, at the same one a delete, then the larger value.
        timestamp: i64,
    },
    /// Deletes a row: every cell written at or before the timestamp.
    Delete {
        /// Where.
        table: &'static Table,
        /// The whole primary key.
        key: Vec<Value>,
        /// Microseconds.
        timestamp: i64,
    },
    /// Deletes all rows of one partition written at or before the timestamp.
    DeletePartition {
        /// Where.
        table: &'static Table,
        /// The partition key.
        partition: Vec<Value>,
        /// Microseconds.
        timestamp: i64,
    },
}
