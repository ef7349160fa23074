//! Taking typed cells out of rows, and putting them in.

use std::sync::Arc;

use bytes::Bytes;
use feira_events::Meta;
use feira_money::Currency;
use feira_projection_store::{Mutation, Row, Table, Value};

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

    pub(crate) fn optional_boolean(&mut self) -> Result<Option<bool>, RowError> {
        match self.take() {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.error("is not true or false")),
        }
    }

    pub(crate) fn optional_timestamp(&mut self) -> Result<Option<i64>, RowError> {
        match self.take() {
            None => Ok(None),
            Some(Value::Timestamp(moment)) => Ok(Some(moment)),
            Some(_) => Err(self.error("is not a time")),
        }
    }

    pub(crate) fn timestamp(&mut self) -> Result<i64, RowError> {
        match self.take() {
            Some(Value::Timestamp(moment)) => Ok(moment),
            Some(_) | None => Err(self.error("is not a time")),
        }
    }

    pub(crate) fn currency(&mut self) -> Result<Currency, RowError> {
        self.text()?.parse().map_err(|_| self.error("is no currency"))
    }

    pub(crate) fn count(&mut self) -> Result<u64, RowError> {
        self.bigint()?.try_into().map_err(|_| self.error("is negative"))
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

/// Gathers the cells of one upsert by the names of their columns.
pub(crate) struct Writes {
    table: &'static Table,
    key: Vec<Value>,
    cells: Vec<(usize, Option<Value>)>,
    timestamp: i64,
    first: bool,
}

impl Writes {
    pub(crate) fn new(table: &'static Table, key: Vec<Value>, timestamp: i64) -> Self {
        Self { table, key, cells: Vec::new(), timestamp, first: false }
    }

    /// Says that the row is of one aggregate alone, so that its first event is the first to write it.
    pub(crate) fn of_aggregate(mut self, meta: &Meta) -> Self {
        self.first = meta.aggregate_seq == Some(1);
        self
    }

    fn set(mut self, column: &'static str, value: Option<Value>) -> Self {
        let place = self.table.position(column).expect("columns are named as in the table beside the caller");
        self.cells.push((place, value));
        self
    }

    pub(crate) fn text(self, column: &'static str, text: &str) -> Self {
        self.set(column, Some(text.into()))
    }

    pub(crate) fn shared(self, column: &'static str, text: Option<&Arc<str>>) -> Self {
        self.set(column, text.map(|text| Value::Text(text.clone())))
    }

    pub(crate) fn texts(self, column: &'static str, texts: &[Arc<str>]) -> Self {
        // A list without content and no list are the same to CQL; here they are too.
        self.set(column, (!texts.is_empty()).then(|| Value::TextList(texts.to_vec())))
    }

    pub(crate) fn bigint(self, column: &'static str, number: impl Into<Option<i64>>) -> Self {
        self.set(column, number.into().map(Value::BigInt))
    }

    pub(crate) fn int(self, column: &'static str, number: i32) -> Self {
        self.set(column, Some(Value::Int(number)))
    }

    pub(crate) fn boolean(self, column: &'static str, flag: bool) -> Self {
        self.set(column, Some(Value::Boolean(flag)))
    }

    pub(crate) fn timestamp(self, column: &'static str, moment: impl Into<Option<i64>>) -> Self {
        self.set(column, moment.into().map(Value::Timestamp))
    }

    pub(crate) fn blob(self, column: &'static str, bytes: Option<&[u8]>) -> Self {
        self.set(column, bytes.map(|bytes| Value::Blob(Bytes::copy_from_slice(bytes))))
    }

    pub(crate) fn upsert(self) -> Mutation {
        Mutation::Upsert {
            table: self.table,
            key: self.key,
            cells: self.cells,
            timestamp: self.timestamp,
            first: self.first,
        }
    }
}
