//! The table of products, as the catalog's events add up.

use std::sync::Arc;

use feira_events::Meta;
use feira_events::catalog::{Availability, Condition, Details, Pricing};
use feira_ids::{AggregateId, TenantId, slot};
use feira_money::Amount;
use feira_projection_store::{Column, ColumnType, Mutation, Order, Row, Table, Value};

use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};

/// Partitions of a tenant's products.
pub const SHELVES: u32 = 16;

/// Products that are listed now.
pub static PRODUCTS: Table = Table {
    name: "products_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "shelf", kind: ColumnType::Int },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "title", kind: ColumnType::Text },
        Column { name: "description", kind: ColumnType::Text },
        Column { name: "availability", kind: ColumnType::Text },
        Column { name: "condition", kind: ColumnType::Text },
        Column { name: "link", kind: ColumnType::Text },
        Column { name: "image_links", kind: ColumnType::TextList },
        Column { name: "brand", kind: ColumnType::Text },
        Column { name: "category", kind: ColumnType::Text },
        Column { name: "item_group", kind: ColumnType::Text },
        Column { name: "price", kind: ColumnType::BigInt },
        Column { name: "sale_price", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "A product that is listed now; prices are minor units of its currency.",
};

/// A product that is listed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductRow {
    /// The business.
    pub tenant: Arc<str>,
    /// Its shelf: which of the business's partitions it is in.
    pub shelf: i32,
    /// The business's own id of it.
    pub sku: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// What it is.
    pub details: Details,
    /// What it costs.
    pub pricing: Pricing,
}

/// The shelf of a product: its slot modulo [`SHELVES`]. What can be no SKU has shelf 0, where it is not found.
pub fn shelf(tenant: &TenantId, sku: &str) -> i32 {
    AggregateId::new("product", sku).map_or(0, |product| (slot(tenant, &product) % SHELVES) as i32)
}

/// The partition of one shelf of a tenant's products.
pub fn shelf_key(tenant: &TenantId, shelf: i32) -> Vec<Value> {
    vec![tenant_cell(tenant), Value::Int(shelf)]
}

/// The primary key of a product.
pub fn product_key(tenant: &TenantId, sku: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), Value::Int(shelf(tenant, sku)), sku.into()]
}

/// Writes what an event says of a product; what it does not speak of stays.
pub fn put_product(meta: &Meta, sku: &str, details: Option<&Details>, pricing: Option<&Pricing>) -> Mutation {
    let mut writes = Writes::new(&PRODUCTS, product_key(&meta.tenant, sku), meta.hlc)
        .of_aggregate(meta)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at);
    if let Some(details) = details {
        writes = writes
            .shared("title", Some(&details.title))
            .shared("description", Some(&details.description))
            .text("availability", availability_text(details.availability))
            .text("condition", condition_text(details.condition))
            .shared("link", details.link.as_ref())
            .texts("image_links", &details.image_links)
            .shared("brand", details.brand.as_ref())
            .shared("category", details.category.as_ref())
            .shared("item_group", details.item_group.as_ref());
    }
    if let Some(pricing) = pricing {
        writes = writes
            .bigint("price", pricing.price.minor)
            .bigint("sale_price", pricing.sale_price.map(|sale| sale.minor))
            .text("currency", pricing.price.currency.code());
    }
    writes.upsert()
}

/// Takes a product's row away.
pub fn remove_product(meta: &Meta, sku: &str) -> Mutation {
    Mutation::Delete { table: &PRODUCTS, key: product_key(&meta.tenant, sku), timestamp: meta.hlc }
}

impl ProductRow {
    /// Reads a row of [`PRODUCTS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&PRODUCTS, row);
        let (tenant, shelf, sku) = (cells.text()?, cells.int()?, cells.text()?);
        let (version, updated_at) = (cells.count()?, cells.timestamp()?);
        let details = Details {
            title: cells.text()?,
            description: cells.text()?,
            availability: availability(&cells.text()?),
            condition: condition(&cells.text()?),
            link: cells.optional_text()?,
            image_links: cells.text_list()?,
            brand: cells.optional_text()?,
            category: cells.optional_text()?,
            item_group: cells.optional_text()?,
        };
        let (price, sale_price, currency) = (cells.bigint()?, cells.optional_bigint()?, cells.currency()?);
        let amount = |minor| Amount::new(minor, currency);
        let pricing = Pricing { price: amount(price), sale_price: sale_price.map(amount) };
        Ok(Self { tenant, shelf, sku, version, updated_at, details, pricing })
    }
}

pub(crate) fn availability_text(availability: Availability) -> &'static str {
    match availability {
        Availability::InStock => "IN_STOCK",
        Availability::OutOfStock => "OUT_OF_STOCK",
        Availability::Preorder => "PREORDER",
        Availability::Discontinued => "DISCONTINUED",
        Availability::Unknown => "UNKNOWN",
    }
}

pub(crate) fn availability(text: &str) -> Availability {
    match text {
        "IN_STOCK" => Availability::InStock,
        "OUT_OF_STOCK" => Availability::OutOfStock,
        "PREORDER" => Availability::Preorder,
        "DISCONTINUED" => Availability::Discontinued,
        _ => Availability::Unknown,
    }
}

fn condition_text(condition: Condition) -> &'static str {
    match condition {
        Condition::New => "NEW",
        Condition::Refurbished => "REFURBISHED",
        Condition::Used => "USED",
        Condition::Unknown => "UNKNOWN",
    }
}

fn condition(text: &str) -> Condition {
    match text {
        "NEW" => Condition::New,
        "REFURBISHED" => Condition::Refurbished,
        "USED" => Condition::Used,
        _ => Condition::Unknown,
    }
}
