//! The table of __name__.

use std::sync::Arc;

use feira_events::Meta;
use feira_ids::TenantId;
use feira_projection_store::{Column, ColumnType, Mutation, Row, Table, Value};

use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};

/// What __name__ is about, by id.
pub static __NAME__: Table = Table {
    name: "__name___v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "id", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "title", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[],
    doc: "What each is called.",
};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct __Name__Row {
    /// Which one.
    pub id: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// What it is called.
    pub title: Arc<str>,
}

/// The primary key of a row.
pub fn row_key(tenant: &TenantId, id: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), id.into()]
}

/// Writes what it is called after an event.
pub fn put_title(meta: &Meta, id: &str, title: &str) -> Mutation {
    Writes::new(&__NAME__, row_key(&meta.tenant, id), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
        .text("title", title)
        .upsert()
}

impl __Name__Row {
    /// Reads a row of [`__NAME__`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&__NAME__, row);
        let (_tenant, id, version) = (cells.text()?, cells.text()?, cells.count()?);
        Ok(Self { id, version, updated_at: cells.timestamp()?, title: cells.text()? })
    }
}
