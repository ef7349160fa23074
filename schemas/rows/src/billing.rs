//! The tables of usage and invoices.
//!
//! Usage lies by day, so that a month of a busy business is spread over thirty partitions. Amounts are minor units of
//! the row's currency; `_micro` are millionths of its major unit.

use std::ops::RangeInclusive;
use std::sync::Arc;

use feira_commands::billing::{Used, UsedItem};
use feira_events::billing::{
    Card, Category, Class, Component, Document, Line, MessageUsage, PaymentFeeUsage, Rule, Total, UsageStated,
};
use feira_events::{FactPosition, Meta};
use feira_ids::{EventId, Hash16, TenantId};
use feira_money::Amount;
use feira_projection_store::{Column, ColumnType, Mutation, Order, Row, Table, Value};

use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was used, item by item.
pub static USAGE_ITEMS: Table = Table {
    name: "usage_items_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "day", kind: ColumnType::Int },
        Column { name: "source_lane", kind: ColumnType::Text },
        Column { name: "seq", kind: ColumnType::BigInt },
        Column { name: "lane", kind: ColumnType::Int },
        Column { name: "lane_seq", kind: ColumnType::BigInt },
        Column { name: "event_id", kind: ColumnType::Blob },
        Column { name: "component", kind: ColumnType::Text },
        Column { name: "used_at", kind: ColumnType::Timestamp },
        Column { name: "thread", kind: ColumnType::Text },
        Column { name: "message", kind: ColumnType::Text },
        Column { name: "class", kind: ColumnType::Text },
        Column { name: "category", kind: ColumnType::Text },
        Column { name: "country", kind: ColumnType::Text },
        Column { name: "policy", kind: ColumnType::Text },
        Column { name: "sent_at_ms", kind: ColumnType::BigInt },
        Column { name: "intent", kind: ColumnType::Text },
        Column { name: "order_id", kind: ColumnType::Text },
        Column { name: "amount", kind: ColumnType::BigInt },
        Column { name: "fee", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "fee_micro", kind: ColumnType::BigInt },
        Column { name: "rate_bp", kind: ColumnType::BigInt },
    ],
    partition: 2,
    clustering: &[Order::Ascending, Order::Ascending],
    doc: "An item of usage: a message that was delivered, or the fee of a payment; by days since 1970.",
};

/// Invoices by month, the newest first.
pub static INVOICES: Table = Table {
    name: "invoices_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "period", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "number", kind: ColumnType::BigInt },
        Column { name: "hash", kind: ColumnType::Text },
        Column { name: "starts", kind: ColumnType::Timestamp },
        Column { name: "ends", kind: ColumnType::Timestamp },
        Column { name: "card_model", kind: ColumnType::Text },
        Column { name: "card_currency", kind: ColumnType::Text },
        Column { name: "card_version", kind: ColumnType::Text },
        Column { name: "card_hash", kind: ColumnType::Text },
        Column { name: "usage_count", kind: ColumnType::BigInt },
        Column { name: "usage_fingerprint", kind: ColumnType::Text },
        Column { name: "usage_lane", kind: ColumnType::Int },
        Column { name: "usage_lane_seq", kind: ColumnType::BigInt },
    ],
    partition: 1,
    clustering: &[Order::Descending],
    doc: "A month's invoice: a draft until it has a number.",
};

/// What invoices come to, by currency.
pub static INVOICE_TOTALS: Table = Table {
    name: "invoice_totals_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "period", kind: ColumnType::Text },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "charged", kind: ColumnType::BigInt },
        Column { name: "carried_in_micro", kind: ColumnType::BigInt },
        Column { name: "carried", kind: ColumnType::BigInt },
        Column { name: "carried_out_micro", kind: ColumnType::BigInt },
        Column { name: "due", kind: ColumnType::BigInt },
        Column { name: "collected", kind: ColumnType::BigInt },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "What an invoice comes to in one currency; amounts are minor units.",
};

/// The lines of invoices.
pub static INVOICE_LINES: Table = Table {
    name: "invoice_lines_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "period", kind: ColumnType::Text },
        Column { name: "line_id", kind: ColumnType::Text },
        Column { name: "place", kind: ColumnType::Int },
        Column { name: "component", kind: ColumnType::Text },
        Column { name: "class", kind: ColumnType::Text },
        Column { name: "country", kind: ColumnType::Text },
        Column { name: "category", kind: ColumnType::Text },
        Column { name: "policy", kind: ColumnType::Text },
        Column { name: "rule_market", kind: ColumnType::Text },
        Column { name: "rule_category", kind: ColumnType::Text },
        Column { name: "rule_valid_from", kind: ColumnType::Text },
        Column { name: "rule_source", kind: ColumnType::Text },
        Column { name: "rule_confidence", kind: ColumnType::Text },
        Column { name: "rate_bp", kind: ColumnType::BigInt },
        Column { name: "quantity", kind: ColumnType::BigInt },
        Column { name: "unit_price_micro", kind: ColumnType::BigInt },
        Column { name: "exact_micro", kind: ColumnType::BigInt },
        Column { name: "amount", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "residual_micro", kind: ColumnType::BigInt },
        Column { name: "collected", kind: ColumnType::Boolean },
        Column { name: "used_from", kind: ColumnType::Timestamp },
        Column { name: "used_until", kind: ColumnType::Timestamp },
        Column { name: "usage_fingerprint", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "A line of an invoice, shown in the order of place; amounts are minor units.",
};

/// An item of usage, and where billing entered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The item.
    pub used: Used,
    /// Where it stands on billing's own log.
    pub position: FactPosition,
}

/// An invoice without its lines and totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRow {
    /// The month: `2026-11`.
    pub period: Arc<str>,
    /// The version of the business's invoices that drafted or issued it.
    pub version: u64,
    /// When that was, milliseconds since 1970.
    pub updated_at: i64,
    /// Its number; none while it is a draft.
    pub number: Option<i64>,
    /// The hash of number and document once issued, of the lines before.
    pub hash: Arc<str>,
    /// The month's first millisecond.
    pub from: i64,
    /// The first millisecond after it.
    pub until: i64,
    /// The rate card that messages were priced from.
    pub card: Card,
    /// The usage that was priced.
    pub usage: UsageStated,
}

/// The day that holds a time, counted from 1970-01-01 of UTC.
pub fn day_of(at_ms: i64) -> i32 {
    // Beyond what fits lies no time that anything has.
    i32::try_from(at_ms.div_euclid(DAY_MS)).unwrap_or(if at_ms < 0 { i32::MIN } else { i32::MAX })
}

/// The days that hold the times from `from` until just before `until`.
pub fn days(from: i64, until: i64) -> RangeInclusive<i32> {
    day_of(from)..=day_of(until.saturating_sub(1))
}

/// The partition of a day's usage.
pub fn usage_key(tenant: &TenantId, day: i32) -> Vec<Value> {
    vec![tenant_cell(tenant), Value::Int(day)]
}

/// The partition of a business's invoices.
pub fn invoices_key(tenant: &TenantId) -> Vec<Value> {
    vec![tenant_cell(tenant)]
}

/// The primary key of an invoice, and the partition of its lines and of its totals.
pub fn invoice_key(tenant: &TenantId, period: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), period.into()]
}

/// The primary key of a line.
pub fn line_key(tenant: &TenantId, period: &str, line_id: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), period.into(), line_id.into()]
}

/// Writes a message that was delivered.
pub fn put_message(meta: &Meta, source_lane: &Arc<str>, message: &MessageUsage) -> Mutation {
    usage_writes(meta, source_lane, message.seq, message.event_id, message.delivered_at)
        .text("component", Component::Message.text())
        .shared("thread", Some(&message.thread))
        .shared("message", Some(&message.message))
        .text("class", message.class.text())
        .text("category", message.category.text())
        .shared("country", Some(&message.country))
        .shared("policy", Some(&message.policy))
        .bigint("sent_at_ms", message.sent_at)
        .upsert()
}

/// Writes the fee of a payment.
pub fn put_payment_fee(meta: &Meta, source_lane: &Arc<str>, fee: &PaymentFeeUsage) -> Mutation {
    usage_writes(meta, source_lane, fee.seq, fee.event_id, fee.captured_at)
        .text("component", Component::PaymentFee.text())
        .shared("intent", Some(&fee.intent))
        .shared("order_id", Some(&fee.order))
        .bigint("amount", fee.amount.minor)
        .bigint("fee", fee.fee.minor)
        .text("currency", fee.fee.currency.code())
        .bigint("fee_micro", fee.fee_micro)
        .bigint("rate_bp", i64::from(fee.rate_bp))
        .upsert()
}

fn usage_writes(meta: &Meta, source_lane: &Arc<str>, seq: i64, event_id: EventId, used_at: i64) -> Writes {
    let mut key = usage_key(&meta.tenant, day_of(used_at));
    key.extend([Value::Text(source_lane.clone()), Value::BigInt(seq)]);
    Writes::new(&USAGE_ITEMS, key, meta.hlc)
        .int("lane", meta.lane)
        .bigint("lane_seq", meta.lane_seq)
        .blob("event_id", Some(&event_id.0.0))
        .timestamp("used_at", used_at)
}

/// Writes an invoice as it is now, in place of what was drafted before.
pub fn put_invoice(meta: &Meta, document: &Document, number: Option<i64>, hash: &Arc<str>) -> Vec<Mutation> {
    let Document { period, from, until, lines, totals, card, usage } = document;
    let invoice = Writes::new(&INVOICES, invoice_key(&meta.tenant, period), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
        .bigint("number", number)
        .shared("hash", Some(hash))
        .timestamp("starts", *from)
        .timestamp("ends", *until)
        .shared("card_model", Some(&card.model))
        .shared("card_currency", Some(&card.currency))
        .shared("card_version", Some(&card.version))
        .shared("card_hash", Some(&card.hash))
        .bigint("usage_count", usage.count)
        .shared("usage_fingerprint", Some(&usage.fingerprint))
        .int("usage_lane", usage.position.lane)
        .bigint("usage_lane_seq", usage.position.lane_seq)
        .upsert();
    let clear = [&INVOICE_TOTALS, &INVOICE_LINES].map(|table| Mutation::DeletePartition {
        table,
        partition: invoice_key(&meta.tenant, period),
        timestamp: meta.hlc - 1,
    });
    let totals = totals.iter().map(|total| put_total(meta, period, total));
    let lines = lines.iter().zip(0..).map(|(line, place)| put_line(meta, period, line, place));
    [invoice].into_iter().chain(clear).chain(totals).chain(lines).collect()
}

fn put_total(meta: &Meta, period: &str, total: &Total) -> Mutation {
    let mut key = invoice_key(&meta.tenant, period);
    key.push(total.due.currency.code().into());
    Writes::new(&INVOICE_TOTALS, key, meta.hlc)
        .bigint("charged", total.charged.minor)
        .bigint("carried_in_micro", total.carried_in_micro)
        .bigint("carried", total.carried.minor)
        .bigint("carried_out_micro", total.carried_out_micro)
        .bigint("due", total.due.minor)
        .bigint("collected", total.collected.minor)
        .upsert()
}

fn put_line(meta: &Meta, period: &str, line: &Line, place: i32) -> Mutation {
    let writes = Writes::new(&INVOICE_LINES, line_key(&meta.tenant, period, &line.line_id), meta.hlc)
        .int("place", place)
        .text("component", line.component.text())
        .text("class", line.class.text())
        .shared("country", line.country.as_ref())
        .shared("category", line.category.map(|category| category.text().into()).as_ref())
        .shared("policy", line.policy.as_ref())
        .bigint("rate_bp", line.rate_bp.map(i64::from))
        .bigint("quantity", line.quantity)
        .bigint("unit_price_micro", line.unit_price_micro)
        .bigint("exact_micro", line.exact_micro)
        .bigint("amount", line.amount.minor)
        .text("currency", line.amount.currency.code())
        .bigint("residual_micro", line.residual_micro)
        .boolean("collected", line.collected)
        .timestamp("used_from", line.used_from)
        .timestamp("used_until", line.used_until)
        .shared("usage_fingerprint", Some(&line.usage_fingerprint));
    let writes = match &line.rule {
        Some(rule) => writes
            .shared("rule_market", Some(&rule.market))
            .text("rule_category", rule.category.text())
            .shared("rule_valid_from", Some(&rule.valid_from))
            .shared("rule_source", Some(&rule.source))
            .shared("rule_confidence", Some(&rule.confidence)),
        None => writes,
    };
    writes.upsert()
}

impl UsageRow {
    /// Reads a row of [`USAGE_ITEMS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&USAGE_ITEMS, row);
        let (_tenant, _day) = (cells.text()?, cells.int()?);
        let (source_lane, seq) = (cells.text()?, cells.bigint()?);
        let position = FactPosition { lane: cells.int()?, lane_seq: cells.bigint()? };
        let event_id = cells.optional_blob()?.and_then(|bytes| bytes.try_into().ok());
        let event_id = EventId(Hash16(event_id.ok_or_else(|| cells.error("is not 16 bytes"))?));
        let component = component(&cells.text()?);
        let unread = cells.error("is nothing that is known here");
        let used_at = cells.timestamp()?;
        let (thread, message) = (cells.optional_text()?, cells.optional_text()?);
        let (class, category) = (cells.optional_text()?, cells.optional_text()?);
        let (country, policy, sent_at) = (cells.optional_text()?, cells.optional_text()?, cells.optional_bigint()?);
        let missing = cells.error("stands beside cells of a message that are missing");
        let item = match component {
            Component::Message => {
                let message = || {
                    Some(MessageUsage {
                        seq,
                        event_id,
                        thread: thread?,
                        message: message?,
                        class: self::class(&class?),
                        category: self::category(&category?),
                        country: country?,
                        policy: policy?,
                        sent_at: sent_at?,
                        delivered_at: used_at,
                    })
                };
                UsedItem::Message(message().ok_or(missing)?)
            }
            Component::PaymentFee => {
                let (intent, order) = (cells.text()?, cells.text()?);
                let (amount, fee, currency) = (cells.bigint()?, cells.bigint()?, cells.currency()?);
                let (fee_micro, rate_bp) = (cells.bigint()?, cells.bigint()?);
                let rate_bp = i32::try_from(rate_bp).map_err(|_| cells.error("is no rate"))?;
                let (amount, fee) = (Amount::new(amount, currency), Amount::new(fee, currency));
                let captured_at = used_at;
                UsedItem::PaymentFee(PaymentFeeUsage {
                    seq,
                    event_id,
                    intent,
                    order,
                    amount,
                    fee,
                    fee_micro,
                    rate_bp,
                    captured_at,
                })
            }
            Component::Unknown => return Err(unread),
        };
        Ok(Self { used: Used { source_lane, item }, position })
    }
}

impl InvoiceRow {
    /// Reads a row of [`INVOICES`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&INVOICES, row);
        let (_tenant, period) = (cells.text()?, cells.text()?);
        let (version, updated_at) = (cells.count()?, cells.timestamp()?);
        let (number, hash) = (cells.optional_bigint()?, cells.text()?);
        let (from, until) = (cells.timestamp()?, cells.timestamp()?);
        let (model, currency) = (cells.text()?, cells.text()?);
        let card = Card { model, currency, version: cells.text()?, hash: cells.text()? };
        let (count, fingerprint) = (cells.bigint()?, cells.text()?);
        let position = FactPosition { lane: cells.int()?, lane_seq: cells.bigint()? };
        let usage = UsageStated { count, fingerprint, position };
        Ok(Self { period, version, updated_at, number, hash, from, until, card, usage })
    }

    /// The whole of what the invoice says.
    pub fn document(&self, lines: Vec<Line>, totals: Vec<Total>) -> Document {
        Document {
            period: self.period.clone(),
            from: self.from,
            until: self.until,
            lines,
            totals,
            card: self.card.clone(),
            usage: self.usage.clone(),
        }
    }
}

/// Reads a row of [`INVOICE_TOTALS`].
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn total_from_row(row: Row) -> Result<Total, RowError> {
    let mut cells = Cells::new(&INVOICE_TOTALS, row);
    let (_tenant, _period) = (cells.text()?, cells.text()?);
    let currency = cells.currency()?;
    let amount = |minor| Amount::new(minor, currency);
    Ok(Total {
        charged: amount(cells.bigint()?),
        carried_in_micro: cells.bigint()?,
        carried: amount(cells.bigint()?),
        carried_out_micro: cells.bigint()?,
        due: amount(cells.bigint()?),
        collected: amount(cells.bigint()?),
    })
}

/// Reads a row of [`INVOICE_LINES`]: the line, and its place among the invoice's.
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn line_from_row(row: Row) -> Result<(i32, Line), RowError> {
    let mut cells = Cells::new(&INVOICE_LINES, row);
    let (_tenant, _period, line_id) = (cells.text()?, cells.text()?, cells.text()?);
    let place = cells.int()?;
    let (component, class) = (component(&cells.text()?), class(&cells.text()?));
    let (country, category, policy) = (cells.optional_text()?, cells.optional_text()?, cells.optional_text()?);
    let (market, rule_category, valid_from) = (cells.optional_text()?, cells.optional_text()?, cells.optional_text()?);
    let (source, confidence) = (cells.optional_text()?, cells.optional_text()?);
    let rule = match (market, rule_category, valid_from, source, confidence) {
        (Some(market), Some(rule_category), Some(valid_from), Some(source), Some(confidence)) => {
            Some(Rule { market, category: self::category(&rule_category), valid_from, source, confidence })
        }
        (None, None, None, None, None) => None,
        _ => return Err(cells.error("is one of five that stand together, and one is missing")),
    };
    let rate_bp = cells.optional_bigint()?.map(i32::try_from).transpose().map_err(|_| cells.error("is no rate"))?;
    let (quantity, unit_price_micro, exact_micro) = (cells.bigint()?, cells.optional_bigint()?, cells.bigint()?);
    let amount = Amount::new(cells.bigint()?, cells.currency()?);
    let line = Line {
        line_id,
        component,
        class,
        country,
        category: category.map(|category| self::category(&category)),
        policy,
        rule,
        rate_bp,
        quantity,
        unit_price_micro,
        exact_micro,
        amount,
        residual_micro: cells.bigint()?,
        collected: cells.boolean()?,
        used_from: cells.timestamp()?,
        used_until: cells.timestamp()?,
        usage_fingerprint: cells.text()?,
    };
    Ok((place, line))
}

/// Reads an invoice's rows of [`INVOICE_LINES`], in the order in which lines are shown.
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn lines_from_rows(rows: Vec<Row>) -> Result<Vec<Line>, RowError> {
    let mut lines = rows.into_iter().map(line_from_row).collect::<Result<Vec<_>, _>>()?;
    lines.sort_by_key(|(place, _)| *place);
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

fn component(text: &str) -> Component {
    match text {
        "MESSAGE" => Component::Message,
        "PAYMENT_FEE" => Component::PaymentFee,
        _ => Component::Unknown,
    }
}

fn class(text: &str) -> Class {
    match text {
        "FREE" => Class::Free,
        "CHARGED" => Class::Charged,
        _ => Class::Unknown,
    }
}

fn category(text: &str) -> Category {
    match text {
        "MARKETING" => Category::Marketing,
        "UTILITY" => Category::Utility,
        "AUTHENTICATION" => Category::Authentication,
        "SERVICE" => Category::Service,
        _ => Category::Unknown,
    }
}
