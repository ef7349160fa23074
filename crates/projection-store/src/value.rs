//! Values, rows, and the two ways to write them.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use crate::{ColumnType, Table};

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
        /// Microseconds since 1970; of two writes to a cell the later stands, at the same one a delete or null, then
        /// the larger value ([`Value::tie_order`]).
        timestamp: i64,
        /// Whether nothing before this on the log wrote the row or deleted it alone: a store that takes in each record once
        /// need not look for it. A promise by whoever makes the write, and false promises nothing: where it is broken,
        /// cells that stood are lost.
        first: bool,
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

impl Value {
    /// The type of column it fits.
    pub fn kind(&self) -> ColumnType {
        match self {
            Self::Text(_) => ColumnType::Text,
            Self::BigInt(_) => ColumnType::BigInt,
            Self::Int(_) => ColumnType::Int,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Blob(_) => ColumnType::Blob,
            Self::Timestamp(_) => ColumnType::Timestamp,
            Self::TextList(_) => ColumnType::TextList,
        }
    }

    /// How many bytes its content takes.
    pub fn content_len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::BigInt(_) | Self::Timestamp(_) => 8,
            Self::Int(_) => 4,
            Self::Boolean(_) => 1,
            Self::Blob(bytes) => bytes.len(),
            Self::TextList(texts) => texts.iter().map(|text| text.len() + 4).sum(),
        }
    }

    /// Which of two contents written to one cell at the same timestamp stands: the larger by its bytes as CQL writes
    /// them, unsigned, so that of two numbers the negative one stands. That is how CQL stores settle it.
    pub fn tie_order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::BigInt(a), Self::BigInt(b)) | (Self::Timestamp(a), Self::Timestamp(b)) => {
                (*a as u64).cmp(&(*b as u64))
            }
            (Self::Int(a), Self::Int(b)) => (*a as u32).cmp(&(*b as u32)),
            (Self::TextList(a), Self::TextList(b)) => {
                // The count comes first, then each text behind its length.
                let by_length = |a: &Arc<str>, b: &Arc<str>| a.len().cmp(&b.len()).then_with(|| a.cmp(b));
                let texts = a.iter().zip(b).map(|(a, b)| by_length(a, b)).find(|order| order.is_ne());
                a.len().cmp(&b.len()).then(texts.unwrap_or(Ordering::Equal))
            }
            _ => self.cmp(other),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
