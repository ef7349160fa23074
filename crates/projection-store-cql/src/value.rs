//! Values on their way into statements and out of answers.

use std::sync::Arc;

use bytes::Bytes;
use feira_projection_store::{ColumnType, Row, StoreError, Table, Value};
use scylla::cluster::metadata::ColumnType as CqlType;
use scylla::errors::SerializationError;
use scylla::serialize::value::SerializeValue;
use scylla::serialize::writers::{CellWriter, WrittenCellProof};
use scylla::value::{CqlTimestamp, CqlValue, Unset};

/// A value of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Bind<'a> {
    /// A content.
    Value(&'a Value),
    /// A text of our own.
    Text(&'a str),
    /// A number of our own.
    Long(i64),
    /// A number of our own.
    Int(i32),
    /// Bytes of our own.
    Blob(&'a [u8]),
    /// Takes the content away.
    Null,
    /// Leaves the cell as it is.
    Unset,
}

impl SerializeValue for Bind<'_> {
    fn serialize<'b>(
        &self,
        kind: &CqlType<'_>,
        writer: CellWriter<'b>,
    ) -> Result<WrittenCellProof<'b>, SerializationError> {
        match self {
            Self::Text(text) => text.serialize(kind, writer),
            Self::Long(number) => number.serialize(kind, writer),
            Self::Int(number) => number.serialize(kind, writer),
            Self::Blob(bytes) => bytes.serialize(kind, writer),
            Self::Null => None::<i64>.map(Bind::Long).serialize(kind, writer),
            Self::Unset => Unset.serialize(kind, writer),
            Self::Value(value) => match value {
                Value::Text(text) => (**text).serialize(kind, writer),
                Value::BigInt(number) => number.serialize(kind, writer),
                Value::Int(number) => number.serialize(kind, writer),
                Value::Boolean(flag) => flag.serialize(kind, writer),
                Value::Blob(bytes) => (&**bytes).serialize(kind, writer),
                Value::Timestamp(millis) => CqlTimestamp(*millis).serialize(kind, writer),
                Value::TextList(texts) => {
                    texts.iter().map(|text| &**text).collect::<Vec<&str>>().serialize(kind, writer)
                }
            },
        }
    }
}

/// The row that was read as `columns`.
pub fn row(table: &Table, columns: Vec<Option<CqlValue>>) -> Result<Row, StoreError> {
    let wrong = || StoreError::Damaged { table: table.name.into(), reason: "a row does not fit the columns".into() };
    if columns.len() != table.columns.len() {
        return Err(wrong());
    }
    let contents = columns.into_iter().zip(table.columns).map(|(content, column)| match content {
        None => Ok(None),
        Some(content) => value(column.kind, content).map(Some).ok_or_else(wrong),
    });
    contents.collect()
}

fn value(kind: ColumnType, content: CqlValue) -> Option<Value> {
    Some(match (kind, content) {
        (ColumnType::Text, CqlValue::Text(text)) => Value::Text(text.into()),
        (ColumnType::BigInt, CqlValue::BigInt(number)) => Value::BigInt(number),
        (ColumnType::Int, CqlValue::Int(number)) => Value::Int(number),
        (ColumnType::Boolean, CqlValue::Boolean(flag)) => Value::Boolean(flag),
        (ColumnType::Blob, CqlValue::Blob(bytes)) => Value::Blob(Bytes::from(bytes)),
        (ColumnType::Timestamp, CqlValue::Timestamp(CqlTimestamp(millis))) => Value::Timestamp(millis),
        (ColumnType::TextList, CqlValue::List(texts)) => {
            let text = |text| match text {
                CqlValue::Text(text) => Some(Arc::from(text)),
                _ => None,
            };
            Value::TextList(texts.into_iter().map(text).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
