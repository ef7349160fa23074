//! The tables that projections write and the gateway reads, and the rows in them by name.
//!
//! Partition keys begin with the tenant. Products are spread over [`catalog::SHELVES`] partitions per tenant, so that a
//! million of them stay readable; a list goes shelf by shelf, by SKU within each. What writes a row takes the
//! envelope of the event, so that a repeat writes the same cells with the same timestamp.

pub mod billing;
pub mod cart;
pub mod catalog;
pub mod clock;
mod column;
pub mod conversation;
pub mod order;
pub mod payments;
pub mod stock;
pub mod timer;

pub use column::RowError;

use feira_events::Meta;
use feira_ids::TenantId;
use feira_projection_store::{ProjectionId, Table, Value};

/// Every table there is.
pub static ALL_TABLES: &[&Table] = &[
    &catalog::PRODUCTS,
    &cart::OFFERS,
    &cart::CARTS,
    &cart::CART_LINES,
    &cart::CART_EDITS,
    &clock::CLOCKS,
    &timer::TIMERS,
    &conversation::BUSINESSES,
    &conversation::SENDERS,
    &conversation::CONTACTS,
    &conversation::TEMPLATES,
    &conversation::THREADS,
    &conversation::INBOX,
    &conversation::MESSAGES,
    &conversation::LISTED,
    &stock::STOCK,
    &order::ORDERS,
    &order::ORDER_LINES,
    &order::CUSTOMER_ORDERS,
    &order::DAY_ORDERS,
    &payments::ACCOUNTS,
    &payments::TRANSFERS,
    &payments::REQUESTS,
    &payments::INTENTS,
    &billing::USAGE_ITEMS,
    &billing::INVOICES,
    &billing::INVOICE_TOTALS,
    &billing::INVOICE_LINES,
    // The next service goes above: its tables.
];

/// The products of the catalog: writes [`catalog::PRODUCTS`] from the catalog's events.
pub const PRODUCTS_PROJECTION: ProjectionId = ProjectionId { name: "products", version: 1 };

/// What carts must know of products: writes [`cart::OFFERS`] from the catalog's events.
pub const OFFERS_PROJECTION: ProjectionId = ProjectionId { name: "offers", version: 1 };

/// The carts: writes [`cart::CARTS`], [`cart::CART_LINES`] and [`cart::CART_EDITS`] from the carts' events.
pub const CARTS_PROJECTION: ProjectionId = ProjectionId { name: "carts", version: 1 };

/// How many units can be had: writes [`stock::STOCK`] from the catalog's events.
pub const STOCK_PROJECTION: ProjectionId = ProjectionId { name: "stock", version: 1 };

/// The orders: writes [`order::ORDERS`], [`order::ORDER_LINES`], [`order::CUSTOMER_ORDERS`] and [`order::DAY_ORDERS`]
/// from the orders' events.
pub const ORDERS_PROJECTION: ProjectionId = ProjectionId { name: "orders", version: 1 };

/// Accounts, transfers and requests by owner: writes [`payments::ACCOUNTS`], [`payments::TRANSFERS`] and
/// [`payments::REQUESTS`] from the ledger's events.
pub const LEDGER_PROJECTION: ProjectionId = ProjectionId { name: "ledger", version: 1 };

/// What is to be paid to businesses: writes [`payments::INTENTS`] from the ledger's events.
pub const INTENTS_PROJECTION: ProjectionId = ProjectionId { name: "intents", version: 1 };

/// What was used: writes [`billing::USAGE_ITEMS`] from billing's events.
pub const USAGE_PROJECTION: ProjectionId = ProjectionId { name: "usage", version: 1 };

/// The invoices: writes [`billing::INVOICES`], [`billing::INVOICE_TOTALS`] and [`billing::INVOICE_LINES`] from billing's
/// events.
pub const INVOICES_PROJECTION: ProjectionId = ProjectionId { name: "invoices", version: 1 };

/// Businesses and their clocks: writes [`conversation::BUSINESSES`] and [`clock::CLOCKS`].
pub const BUSINESSES_PROJECTION: ProjectionId = ProjectionId { name: "businesses", version: 1 };

/// Writes [`conversation::SENDERS`], [`conversation::CONTACTS`] and [`conversation::TEMPLATES`].
pub const CONTACTS_PROJECTION: ProjectionId = ProjectionId { name: "contacts", version: 1 };

/// The threads: writes [`conversation::THREADS`], [`conversation::INBOX`] and [`conversation::MESSAGES`].
pub const THREADS_PROJECTION: ProjectionId = ProjectionId { name: "threads", version: 1 };

/// What conversations must know of products: writes [`conversation::LISTED`] from the catalog's events.
pub const LISTED_PROJECTION: ProjectionId = ProjectionId { name: "listed", version: 1 };

// The next service goes above: its projections.

/// The version that an event made of its aggregate; 0 for a record that is no event of one.
fn version(meta: &Meta) -> i64 {
    meta.aggregate_seq.unwrap_or(0)
}

fn tenant_cell(tenant: &TenantId) -> Value {
    tenant.as_str().into()
}
