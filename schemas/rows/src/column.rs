//! Taking typed cells out of rows, and putting them in.

use std::sync::Arc;

use feira_projection_store::{Row, Table, Value};

/// A stored row that does not read as its type: the projection is to be rebuilt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table {table}: column {column} {reason}")]
pub struct RowError {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What is wrong with the cell.
    pub reason: &'static str,
}

/// Reads the cells of one row in order.
pub(crate) struct Cells {
    table: &'static Table,
    next: usize,
    cells: std::vec::IntoIter<Option<Value>>,
}

impl Cells {
    pub(crate) fn new(table: &'static Table, row: Row) -> Self {
        Self { table, next: 0, cells: row.into_iter() }
    }

    /// An error about the cell read last.
    pub(crate) fn error(&self, reason: &'static str) -> RowError {
        let column = self.table.columns.get(self.next.saturating_sub(1)).map_or("", |column| column.name);
        RowError { table: self.table.name, column, reason }
    }

    fn take(&mut self) -> Option<Value> {
        self.next += 1;
        self.cells.next().flatten()
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<Arc<str>>, RowError> {
        match self.take() {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.error("is not text")),
        }
    }

    pub(crate) fn text(&mut self) -> Result<Arc<str>, RowError> {
        self.optional_text()?.ok_or_else(|| self.error("is null"))
    }

    pub(crate) fn optional_bigint(&mut self) -> Result<Option<i64>, RowError> {
        match self.take() {
            None => Ok(None),
            Some(Value::BigInt(number)) => Ok(Some(number)),
            Some(_) => Err(self.error("is not a whole number of 64 bits")),
        }
    }

    pub(crate) fn bigint(&mut self) -> Result<i64, RowError> {
        self.optional_bigint()?.ok_or_else(|| self.error("is null"))
    }

    pub(crate) fn int(&mut self) -> Result<i32, RowError> {
        match self.take() {
            Some(Value::Int(number)) => Ok(number),
            Some(_) | None => Err(self.error("is not a whole number of 32 bits")),
        }
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, RowError> {
        match self.take() {
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(_) | None => Err(self.error("is not true or false")),
        }
    }

    pub(crate) fn optional_blob(&mut self) -> Result<Option<Vec<u8>>, RowError> {
        match self.take() {
            None => Ok(None),
            Some(Value::Blob(bytes)) => Ok(Some(bytes.to_vec())),
            Some(_) => Err(self.error("is not bytes")),
        }
    }

    pub(crate) fn text_list(&mut self) -> Result<Vec<Arc<str>>, RowError> {
        match self.take() {
            None => Ok(Vec::new()),
            Some(Value::TextList(texts)) => Ok(texts),
            Some(_) => Err(self.error("is not a list of texts")),
        }
    }
}
