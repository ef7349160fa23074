//! The tables of orders.

use std::sync::Arc;

use feira_events::Meta;
use feira_events::order::{Order, OrderLine, OrderStatus, PaymentStatus};
use feira_ids::{AccountId, TenantId};
use feira_money::Amount;
use feira_projection_store::{Column, ColumnType, Mutation, Order as Sorted, Row, Table, Value};

use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};

/// Orders.
pub static ORDERS: Table = Table {
    name: "orders_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "order_id", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "thread", kind: ColumnType::Text },
        Column { name: "account", kind: ColumnType::Text },
        Column { name: "total", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "until", kind: ColumnType::BigInt },
        Column { name: "placed_at", kind: ColumnType::Timestamp },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "status", kind: ColumnType::Text },
        Column { name: "payment", kind: ColumnType::Text },
        Column { name: "fee", kind: ColumnType::BigInt },
        Column { name: "refunded", kind: ColumnType::BigInt },
        Column { name: "code", kind: ColumnType::Text },
        Column { name: "message", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[],
    doc: "An order and how it stands; amounts are minor units.",
};

/// The lines of orders.
pub static ORDER_LINES: Table = Table {
    name: "order_lines_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "order_id", kind: ColumnType::Text },
        Column { name: "place", kind: ColumnType::Int },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "title", kind: ColumnType::Text },
        Column { name: "quantity", kind: ColumnType::Int },
        Column { name: "unit_price", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[Sorted::Ascending],
    doc: "A line of an order; prices are minor units.",
};

/// The orders of customers, the newest first.
pub static CUSTOMER_ORDERS: Table = Table {
    name: "customer_orders_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "placed_ms", kind: ColumnType::BigInt },
        Column { name: "order_id", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[Sorted::Descending, Sorted::Ascending],
    doc: "That a customer placed an order, by milliseconds since 1970.",
};

/// The orders of businesses by day, the newest first.
pub static DAY_ORDERS: Table = Table {
    name: "day_orders_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "day", kind: ColumnType::BigInt },
        Column { name: "placed_ms", kind: ColumnType::BigInt },
        Column { name: "order_id", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[Sorted::Descending, Sorted::Ascending],
    doc: "That an order was placed at a business, by days since 1970 of UTC.",
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// An order without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id.
    pub order: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// How the business knows who ordered.
    pub customer: Arc<str>,
    /// The thread in which it was ordered.
    pub thread: Option<Arc<str>>,
    /// The business's account.
    pub account: AccountId,
    /// What it comes to.
    pub total: Amount,
    /// Until when it must be paid, milliseconds since 1970.
    pub until: i64,
    /// When it was placed, milliseconds since 1970.
    pub placed_at: i64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// How its payment stands.
    pub payment: PaymentStatus,
    /// What the business was charged for the payment, in minor units.
    pub fee: Option<i64>,
    /// What was given back, in minor units.
    pub refunded: Option<i64>,
    /// Why it is off, as a stable code.
    pub code: Option<Arc<str>>,
    /// Why it is off, in words.
    pub message: Option<Arc<str>>,
}

/// The primary key of an order, and the partition of its lines.
pub fn order_key(tenant: &TenantId, order: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), order.into()]
}

/// The partition of a customer's orders.
pub fn customer_key(tenant: &TenantId, customer: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), customer.into()]
}

/// The partition of a business's orders of the day of `at`, milliseconds since 1970.
pub fn day_key(tenant: &TenantId, at: i64) -> Vec<Value> {
    vec![tenant_cell(tenant), Value::BigInt(at.div_euclid(DAY_MS))]
}

/// The order that a row of [`CUSTOMER_ORDERS`] or [`DAY_ORDERS`] tells of, and when it was placed.
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn placed_from_row(table: &'static Table, row: Row) -> Result<(i64, Arc<str>), RowError> {
    let mut cells = Cells::new(table, row);
    cells.text()?;
    if table.name == DAY_ORDERS.name {
        cells.bigint()?;
    } else {
        cells.text()?;
    }
    Ok((cells.bigint()?, cells.text()?))
}

/// Writes an order that was placed, its lines, and that its customer and its business have it.
pub fn put_order(meta: &Meta, order: &Order) -> Vec<Mutation> {
    let tenant = &meta.tenant;
    let head = order_writes(meta, &order.order)
        .shared("customer", Some(&order.customer))
        .shared("thread", order.thread.as_ref())
        .text("account", order.account.as_str())
        .bigint("total", order.total.minor)
        .text("currency", order.total.currency.code())
        .bigint("until", order.until)
        .timestamp("placed_at", meta.at)
        .text("status", status_text(OrderStatus::Placed))
        .text("payment", payment_text(PaymentStatus::Unpaid));
    let line = |(place, line): (i32, &OrderLine)| {
        let key = vec![tenant_cell(tenant), (&*order.order).into(), Value::Int(place)];
        Writes::new(&ORDER_LINES, key, meta.hlc)
            .shared("sku", Some(&line.sku))
            .shared("title", Some(&line.title))
            .int("quantity", line.quantity)
            .bigint("unit_price", line.unit_price.minor)
            .text("currency", line.unit_price.currency.code())
            .upsert()
    };
    let placed = |mut key: Vec<Value>| {
        key.extend([Value::BigInt(meta.at), (&*order.order).into()]);
        key
    };
    let customers = placed(customer_key(tenant, &order.customer));
    let days = placed(day_key(tenant, meta.at));
    let lists = [
        Writes::new(&CUSTOMER_ORDERS, customers, meta.hlc).upsert(),
        Writes::new(&DAY_ORDERS, days, meta.hlc).upsert(),
    ];
    [head.upsert()].into_iter().chain((0..).zip(&order.lines).map(line)).chain(lists).collect()
}

/// Writes that an order has a new version; what else it says stays.
pub fn touch_order(meta: &Meta, order: &str) -> Mutation {
    order_writes(meta, order).upsert()
}

/// Writes where an order stands now.
pub fn move_order(meta: &Meta, order: &str, status: OrderStatus) -> Mutation {
    order_writes(meta, order).text("status", status_text(status)).upsert()
}

/// Writes how an order's payment stands now; the fee, and what was given back, where an event tells them.
pub fn pay_order(
    meta: &Meta,
    order: &str,
    payment: PaymentStatus,
    fee: Option<i64>,
    refunded: Option<i64>,
) -> Mutation {
    let mut writes = order_writes(meta, order).text("payment", payment_text(payment));
    if let Some(fee) = fee {
        writes = writes.bigint("fee", fee);
    }
    if let Some(refunded) = refunded {
        writes = writes.bigint("refunded", refunded);
    }
    writes.upsert()
}

/// Writes that an order is off, and why; `unpaid` when it was not paid.
pub fn cancel_order(meta: &Meta, order: &str, code: &Arc<str>, message: &Arc<str>, unpaid: bool) -> Mutation {
    let mut writes = order_writes(meta, order)
        .text("status", status_text(OrderStatus::Cancelled))
        .shared("code", Some(code))
        .shared("message", Some(message));
    if unpaid {
        writes = writes.text("payment", payment_text(PaymentStatus::Failed));
    }
    writes.upsert()
}

fn order_writes(meta: &Meta, order: &str) -> Writes {
    Writes::new(&ORDERS, order_key(&meta.tenant, order), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
}

impl OrderRow {
    /// Reads a row of [`ORDERS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&ORDERS, row);
        let (_tenant, order, version) = (cells.text()?, cells.text()?, cells.count()?);
        let (customer, thread) = (cells.text()?, cells.optional_text()?);
        let account = AccountId::parse(cells.text()?).map_err(|_| cells.error("is no account"))?;
        let total = Amount::new(cells.bigint()?, cells.currency()?);
        let (until, placed_at, updated_at) = (cells.bigint()?, cells.timestamp()?, cells.timestamp()?);
        let (status, payment) = (status(&cells.text()?), payment(&cells.text()?));
        let (fee, refunded) = (cells.optional_bigint()?, cells.optional_bigint()?);
        let (code, message) = (cells.optional_text()?, cells.optional_text()?);
        Ok(Self {
            order,
            version,
            customer,
            thread,
            account,
            total,
            until,
            placed_at,
            updated_at,
            status,
            payment,
            fee,
            refunded,
            code,
            message,
        })
    }
}

/// Reads a row of [`ORDER_LINES`].
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn line_from_row(row: Row) -> Result<OrderLine, RowError> {
    let mut cells = Cells::new(&ORDER_LINES, row);
    let (_tenant, _order, _place) = (cells.text()?, cells.text()?, cells.int()?);
    let (sku, title, quantity) = (cells.text()?, cells.text()?, cells.int()?);
    Ok(OrderLine { sku, title, quantity, unit_price: Amount::new(cells.bigint()?, cells.currency()?) })
}

const STATUSES: [(OrderStatus, &str); 8] = [
    (OrderStatus::Placed, "PLACED"),
    (OrderStatus::Confirmed, "CONFIRMED"),
    (OrderStatus::Processing, "PROCESSING"),
    (OrderStatus::PartiallyShipped, "PARTIALLY_SHIPPED"),
    (OrderStatus::Shipped, "SHIPPED"),
    (OrderStatus::Completed, "COMPLETED"),
    (OrderStatus::Cancelled, "CANCELLED"),
    (OrderStatus::Unknown, "UNKNOWN"),
];

fn status_text(status: OrderStatus) -> &'static str {
    STATUSES.iter().find(|(known, _)| *known == status).map_or("UNKNOWN", |(_, text)| text)
}

fn status(text: &str) -> OrderStatus {
    STATUSES.iter().find(|(_, known)| *known == text).map_or(OrderStatus::Unknown, |(status, _)| *status)
}

const PAYMENTS: [(PaymentStatus, &str); 7] = [
    (PaymentStatus::Unpaid, "UNPAID"),
    (PaymentStatus::Pending, "PENDING"),
    (PaymentStatus::Captured, "CAPTURED"),
    (PaymentStatus::PartiallyRefunded, "PARTIALLY_REFUNDED"),
    (PaymentStatus::Refunded, "REFUNDED"),
    (PaymentStatus::Failed, "FAILED"),
    (PaymentStatus::Unknown, "UNKNOWN"),
];

fn payment_text(payment: PaymentStatus) -> &'static str {
    PAYMENTS.iter().find(|(known, _)| *known == payment).map_or("UNKNOWN", |(_, text)| text)
}

fn payment(text: &str) -> PaymentStatus {
    PAYMENTS.iter().find(|(_, known)| *known == text).map_or(PaymentStatus::Unknown, |(payment, _)| *payment)
}
