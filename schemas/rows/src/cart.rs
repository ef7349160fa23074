//! The tables of carts, and what the cart service keeps of the catalog.

use std::sync::Arc;

use feira_commands::cart::UNDO_VERSIONS;
use feira_events::cart::Line;
use feira_events::catalog::{Availability, Details, Pricing};
use feira_events::{FactPosition, Meta, Sealed};
use feira_ids::TenantId;
use feira_money::Amount;
use feira_projection_store::{Column, ColumnType, Mutation, Order, Row, Table, Value};

use crate::catalog::{availability, availability_text};
use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};

/// What carts must know of each product that is listed.
pub static OFFERS: Table = Table {
    name: "cart_offers_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "title", kind: ColumnType::Text },
        Column { name: "availability", kind: ColumnType::Text },
        Column { name: "price", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "lane", kind: ColumnType::Int },
        Column { name: "lane_seq", kind: ColumnType::BigInt },
    ],
    partition: 2,
    clustering: &[],
    doc: "What a product costs now in minor units, and the place in the catalog's lane that last changed it.",
};

/// Carts by customer.
pub static CARTS: Table = Table {
    name: "carts_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "note_subject", kind: ColumnType::Text },
        Column { name: "note_nonce", kind: ColumnType::Blob },
        Column { name: "note_ciphertext", kind: ColumnType::Blob },
    ],
    partition: 2,
    clustering: &[],
    doc: "A customer's cart at a business; its note is sealed under the subject's key.",
};

/// The lines of carts.
pub static CART_LINES: Table = Table {
    name: "cart_lines_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "first_added", kind: ColumnType::BigInt },
        Column { name: "title", kind: ColumnType::Text },
        Column { name: "quantity", kind: ColumnType::Int },
        Column { name: "unit_price", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "A line of a cart, shown in the order of first_added; prices are minor units.",
};

/// The last edits of carts.
pub static CART_EDITS: Table = Table {
    name: "cart_edits_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "undone", kind: ColumnType::Boolean },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "An edit of a cart that may still be taken back: of the line with the sku, or of the note without one.",
};

/// What a cart must know of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    /// Its title.
    pub title: Arc<str>,
    /// Whether it can be had.
    pub availability: Availability,
    /// What a customer pays for one now.
    pub price: Amount,
    /// Where the catalog said so.
    pub position: FactPosition,
}

/// A cart without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartRow {
    /// Whose cart.
    pub customer: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// The customer's note.
    pub note: Option<Sealed<String>>,
}

/// An edit of a cart that may still be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRow {
    /// The version it made.
    pub version: i64,
    /// The line it was of; none when it was of the note.
    pub sku: Option<Arc<str>>,
    /// Whether it has been taken back.
    pub undone: bool,
}

/// The primary key of an offer.
pub fn offer_key(tenant: &TenantId, sku: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), sku.into()]
}

/// The primary key of a cart, and the partition of its lines and of its edits.
pub fn cart_key(tenant: &TenantId, customer: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), customer.into()]
}

fn line_key(tenant: &TenantId, customer: &str, sku: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), customer.into(), sku.into()]
}

fn edit_key(tenant: &TenantId, customer: &str, version: i64) -> Vec<Value> {
    vec![tenant_cell(tenant), customer.into(), Value::BigInt(version)]
}

/// Writes what an event says of a product.
pub fn put_offer(meta: &Meta, sku: &str, details: Option<&Details>, pricing: Option<&Pricing>) -> Mutation {
    let mut writes = Writes::new(&OFFERS, offer_key(&meta.tenant, sku), meta.hlc)
        .of_aggregate(meta)
        .int("lane", meta.lane)
        .bigint("lane_seq", meta.lane_seq);
    if let Some(details) = details {
        writes =
            writes.shared("title", Some(&details.title)).text("availability", availability_text(details.availability));
    }
    if let Some(pricing) = pricing {
        let price = pricing.current();
        writes = writes.bigint("price", price.minor).text("currency", price.currency.code());
    }
    writes.upsert()
}

/// Takes an offer away.
pub fn remove_offer(meta: &Meta, sku: &str) -> Mutation {
    Mutation::Delete { table: &OFFERS, key: offer_key(&meta.tenant, sku), timestamp: meta.hlc }
}

/// Writes that a cart has a new version; what else it says stays.
pub fn touch_cart(meta: &Meta, customer: &str) -> Mutation {
    cart_writes(meta, customer).upsert()
}

/// Writes a cart's new version and its note as it is now.
pub fn put_note(meta: &Meta, customer: &str, note: Option<&Sealed<String>>) -> Mutation {
    cart_writes(meta, customer)
        .shared("note_subject", note.map(|note| &note.subject))
        .blob("note_nonce", note.map(|note| note.nonce.as_slice()))
        .blob("note_ciphertext", note.map(|note| note.ciphertext.as_slice()))
        .upsert()
}

fn cart_writes(meta: &Meta, customer: &str) -> Writes {
    Writes::new(&CARTS, cart_key(&meta.tenant, customer), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
}

/// Writes a line as it is now.
pub fn put_line(meta: &Meta, customer: &str, line: &Line) -> Mutation {
    Writes::new(&CART_LINES, line_key(&meta.tenant, customer, &line.sku), meta.hlc)
        .bigint("first_added", line.first_added)
        .shared("title", Some(&line.title))
        .int("quantity", line.quantity)
        .bigint("unit_price", line.unit_price.minor)
        .text("currency", line.unit_price.currency.code())
        .upsert()
}

/// Writes how many units a line has now.
pub fn put_quantity(meta: &Meta, customer: &str, sku: &str, quantity: i32) -> Mutation {
    Writes::new(&CART_LINES, line_key(&meta.tenant, customer, sku), meta.hlc).int("quantity", quantity).upsert()
}

/// Takes a line away.
pub fn remove_line(meta: &Meta, customer: &str, sku: &str) -> Mutation {
    Mutation::Delete { table: &CART_LINES, key: line_key(&meta.tenant, customer, sku), timestamp: meta.hlc }
}

/// Writes down the edit that the event is, of the line of `sku` or of the note.
pub fn put_edit(meta: &Meta, customer: &str, sku: Option<&Arc<str>>) -> Mutation {
    Writes::new(&CART_EDITS, edit_key(&meta.tenant, customer, version(meta)), meta.hlc)
        .shared("sku", sku)
        .boolean("undone", false)
        .upsert()
}

/// Marks an edit as taken back.
pub fn undo_edit(meta: &Meta, customer: &str, edit: i64) -> Mutation {
    Writes::new(&CART_EDITS, edit_key(&meta.tenant, customer, edit), meta.hlc).boolean("undone", true).upsert()
}

/// Forgets the edit that the event puts out of reach, if there is one.
pub fn forget_edit(meta: &Meta, customer: &str) -> Option<Mutation> {
    let version = version(meta) - UNDO_VERSIONS;
    (version > 0).then(|| Mutation::Delete {
        table: &CART_EDITS,
        key: edit_key(&meta.tenant, customer, version),
        timestamp: meta.hlc,
    })
}

/// Forgets all edits that came before the event.
pub fn forget_edits(meta: &Meta, customer: &str) -> impl Iterator<Item = Mutation> {
    let (tenant, customer, timestamp) = (meta.tenant.clone(), customer.to_owned(), meta.hlc);
    let latest = version(meta) - 1;
    // The one before these goes with every event.
    let versions = (latest - UNDO_VERSIONS + 2).max(1)..=latest;
    versions.map(move |version| Mutation::Delete {
        table: &CART_EDITS,
        key: edit_key(&tenant, &customer, version),
        timestamp,
    })
}

/// The versions of the edits that can be taken back, the latest first: those not taken back yet on whose line, or
/// note, no later edit stands. `edits` are a cart's, in order.
pub fn undoable(edits: &[EditRow]) -> Vec<i64> {
    let mut covered: Vec<&Option<Arc<str>>> = Vec::new();
    let mut versions = Vec::new();
    for edit in edits.iter().rev().filter(|edit| !edit.undone) {
        if !covered.contains(&&edit.sku) {
            covered.push(&edit.sku);
            versions.push(edit.version);
        }
    }
    versions
}

impl OfferRow {
    /// Reads a row of [`OFFERS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&OFFERS, row);
        let (_tenant, _sku) = (cells.text()?, cells.text()?);
        let (title, availability) = (cells.text()?, availability(&cells.text()?));
        let (price, currency) = (cells.bigint()?, cells.currency()?);
        let position = FactPosition { lane: cells.int()?, lane_seq: cells.bigint()? };
        Ok(Self { title, availability, price: Amount::new(price, currency), position })
    }
}

impl CartRow {
    /// Reads a row of [`CARTS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&CARTS, row);
        let (_tenant, customer) = (cells.text()?, cells.text()?);
        let (version, updated_at) = (cells.count()?, cells.timestamp()?);
        let subject = cells.optional_text()?;
        let nonce = cells.optional_blob()?;
        let ciphertext = cells.optional_blob()?;
        let note = match (subject, nonce, ciphertext) {
            (Some(subject), Some(nonce), Some(ciphertext)) => {
                let nonce = nonce.try_into().map_err(|_| cells.error("stands beside a nonce that is not 12 bytes"))?;
                Some(Sealed::from_parts(subject, nonce, ciphertext))
            }
            (None, None, None) => None,
            _ => return Err(cells.error("is one of three that stand together, and one is missing")),
        };
        Ok(Self { customer, version, updated_at, note })
    }
}

/// Reads a row of [`CART_LINES`].
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn line_from_row(row: Row) -> Result<Line, RowError> {
    let mut cells = Cells::new(&CART_LINES, row);
    let (_tenant, _customer, sku) = (cells.text()?, cells.text()?, cells.text()?);
    let (first_added, title, quantity) = (cells.bigint()?, cells.text()?, cells.int()?);
    let unit_price = Amount::new(cells.bigint()?, cells.currency()?);
    Ok(Line { sku, title, quantity, unit_price, first_added })
}

/// Reads a cart's rows of [`CART_LINES`], in the order in which lines are shown.
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn lines_from_rows(rows: Vec<Row>) -> Result<Vec<Line>, RowError> {
    let mut lines = rows.into_iter().map(line_from_row).collect::<Result<Vec<_>, _>>()?;
    lines.sort_by_key(|line| line.first_added);
    Ok(lines)
}

impl EditRow {
    /// Reads a row of [`CART_EDITS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&CART_EDITS, row);
        let (_tenant, _customer) = (cells.text()?, cells.text()?);
        Ok(Self { version: cells.bigint()?, sku: cells.optional_text()?, undone: cells.boolean()? })
    }
}
