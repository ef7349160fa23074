//! Tables: one definition for both stores.

use std::fmt;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text. CQL `text`.
    Text,
    /// 64-bit whole number. CQL `bigint`.
    BigInt,
    /// 32-bit whole number. CQL `int`.
    Int,
    /// True or false. CQL `boolean`.
    Boolean,
    /// Bytes. CQL `blob`.
    Blob,
    /// Milliseconds since 1970. CQL `timestamp`.
    Timestamp,
    /// List of texts, written and read whole. CQL `frozen<list<text>>`.
    TextList,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name: lower-case letters, digits, underscores.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
}

/// The order of a clustering column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A table. Columns stand in this order: the partition key, the clustering key, then the rest.
///
/// Key columns are never null, and are of every type but [`ColumnType::TextList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name with its version: `products_v1`.
    pub name: &'static str,
    /// All columns.
    pub columns: &'static [Column],
    /// How many of them, from the first, are the partition key; at least 1.
    pub partition: usize,
    /// The order of each clustering column that follows.
    pub clustering: &'static [Order],
    /// What a row is, for whoever reads the schema.
    pub doc: &'static str,
}

/// Why a definition is no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError(pub String);

impl Table {
    /// How many columns the whole primary key has.
    pub const fn key_len(&self) -> usize {
        self.partition + self.clustering.len()
    }

    /// The place of the column called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
