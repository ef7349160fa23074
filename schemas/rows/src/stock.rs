//! The table of stock.

use std::sync::Arc;

use feira_events::Meta;
use feira_ids::TenantId;
use feira_projection_store::{Column, ColumnType, Mutation, Row, Table, Value};

use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};

/// Stock by product.
pub static STOCK: Table = Table {
    name: "stock_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "available", kind: ColumnType::BigInt },
    ],
    partition: 2,
    clustering: &[],
    doc: "How many units of a product can still be had; null when nobody counts them.",
};

/// The stock of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockRow {
    /// The product.
    pub sku: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// How many units can still be had; none when nobody counts them.
    pub available: Option<i64>,
}

/// The primary key of a product's stock.
pub fn stock_key(tenant: &TenantId, sku: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), sku.into()]
}

/// Writes what is left after an event.
pub fn put_stock(meta: &Meta, sku: &str, available: Option<i64>) -> Mutation {
    Writes::new(&STOCK, stock_key(&meta.tenant, sku), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
        .bigint("available", available)
        .upsert()
}

impl StockRow {
    /// Reads a row of [`STOCK`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&STOCK, row);
        let (_tenant, sku, version) = (cells.text()?, cells.text()?, cells.count()?);
        Ok(Self { sku, version, updated_at: cells.timestamp()?, available: cells.optional_bigint()? })
    }
}
