//! What happens to usage and invoices: what was used, each item once, and what it comes to.
//!
//! Prices finer than a minor unit are whole millionths of a major unit (`_micro`). Hashes are SHA-256 in hexadecimal
//! digits. A month is written `2026-11` and is one of UTC.

use std::sync::Arc;

use feira_ids::EventId;
use feira_money::Amount;
use serde::{Deserialize, Serialize};

use crate::FactPosition;

/// Items were entered into a month's usage, each for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecorded {
    /// The lane that the items come from: `conversation/3`.
    pub source_lane: Arc<str>,
    /// The first of that lane's sequences that was looked at.
    pub from_seq: i64,
    /// The last of them.
    pub to_seq: i64,
    /// Messages that were delivered, by sequence.
    pub messages: Vec<MessageUsage>,
    /// Fees of payments that were captured, by sequence.
    pub payment_fees: Vec<PaymentFeeUsage>,
    /// How many items the month has now.
    pub count: i64,
    /// The fingerprint of all of them: whatever the order they came in, the same.
    pub fingerprint: Arc<str>,
}

/// A message that was delivered, as it was stamped when it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageUsage {
    /// The place in the source lane.
    pub seq: i64,
    /// The event that says so.
    pub event_id: EventId,
    /// The thread it was sent in.
    pub thread: Arc<str>,
    /// The message.
    pub message: Arc<str>,
    /// Whether it is charged.
    pub class: Class,
    /// What kind of message it was priced as.
    pub category: Category,
    /// The recipient's country, ISO 3166 alpha-2.
    pub country: Arc<str>,
    /// The policy that gave it its class: `feira-1`.
    pub policy: Arc<str>,
    /// When it was sent, milliseconds since 1970.
    pub sent_at: i64,
    /// When it was delivered, milliseconds since 1970: its price is that of this day.
    pub delivered_at: i64,
}

/// The fee of a payment, taken from it when it was captured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFeeUsage {
    /// The place in the source lane.
    pub seq: i64,
    /// The event that says so.
    pub event_id: EventId,
    /// The payment intent.
    pub intent: Arc<str>,
    /// The order that was paid.
    pub order: Arc<str>,
    /// What was captured.
    pub amount: Amount,
    /// What was taken from it.
    pub fee: Amount,
    /// What the rate comes to before it is closed to whole minor units.
    pub fee_micro: i64,
    /// The rate in basis points: 399 is 3.99 %.
    pub rate_bp: i32,
    /// When it was captured, milliseconds since 1970.
    pub captured_at: i64,
}

/// Whether a message is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Class {
    /// It costs nothing.
    Free,
    /// It costs what the rate card says.
    Charged,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

impl Class {
    /// The word that stands for it in events, rows and hashes.
    pub fn text(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Charged => "CHARGED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What kind of message is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// Promotes.
    Marketing,
    /// Follows up on what the customer did.
    Utility,
    /// Proves who someone is.
    Authentication,
    /// Answers the customer.
    Service,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

impl Category {
    /// The word that stands for it in events, rows and hashes.
    pub fn text(self) -> &'static str {
        match self {
            Self::Marketing => "MARKETING",
            Self::Utility => "UTILITY",
            Self::Authentication => "AUTHENTICATION",
            Self::Service => "SERVICE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A month's invoice was made, or made anew: what it would come to. It has no number and may still change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDrafted {
    /// What it says.
    pub document: Document,
    /// The hash of its lines.
    pub lines_hash: Arc<str>,
}

/// A month's invoice was issued. It never changes from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceIssued {
    /// Its number: 1, 2, 3 … without a gap among the business's invoices.
    pub number: i64,
    /// What it says.
    pub document: Document,
    /// The hash of number and document.
    pub document_hash: Arc<str>,
}

/// What an invoice says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The month: `2026-11`.
    pub period: Arc<str>,
    /// Its first millisecond.
    pub from: i64,
    /// The first millisecond after it.
    pub until: i64,
    /// Its lines, in the order in which they are shown.
    pub lines: Vec<Line>,
    /// What they come to, one for each currency.
    pub totals: Vec<Total>,
    /// The rate card that messages were priced from.
    pub card: Card,
    /// The usage that was priced.
    pub usage: UsageStated,
}

/// One line: everything that was used under one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its name: a hash of all that tells it from other lines. The same rule in the same month has the same name.
    pub line_id: Arc<str>,
    /// What was used.
    pub component: Component,
    /// Whether its messages are charged; charged for payments.
    pub class: Class,
    /// The recipients' country; none for payments.
    pub country: Option<Arc<str>>,
    /// The messages' category; none for payments.
    pub category: Option<Category>,
    /// The policy that gave the messages their class; none for payments.
    pub policy: Option<Arc<str>>,
    /// The rule of the rate card; none where nothing is looked up: free messages, payments.
    pub rule: Option<Rule>,
    /// The rate of a payment's fee in basis points.
    pub rate_bp: Option<i32>,
    /// How many.
    pub quantity: i64,
    /// What one costs; none where each has an amount of its own.
    pub unit_price_micro: Option<i64>,
    /// What they come to, exactly.
    pub exact_micro: i64,
    /// What is put on the invoice, in whole minor units.
    pub amount: Amount,
    /// What the exact amount is above it; below zero when it was rounded up.
    pub residual_micro: i64,
    /// Whether it has been paid: taken from the payments when they were captured.
    pub collected: bool,
    /// Used at or after this moment, milliseconds since 1970.
    pub used_from: i64,
    /// Used before this moment.
    pub used_until: i64,
    /// The fingerprint of what was used.
    pub usage_fingerprint: Arc<str>,
}

/// What an invoice is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Component {
    /// Messages that were delivered.
    Message,
    /// Fees of payments.
    PaymentFee,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

impl Component {
    /// The word that stands for it in events, rows and hashes.
    pub fn text(self) -> &'static str {
        match self {
            Self::Message => "MESSAGE",
            Self::PaymentFee => "PAYMENT_FEE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The price of a rate card that a line was priced by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The market it is for: a country, a region, or the rest of the world.
    pub market: Arc<str>,
    /// The category it is for.
    pub category: Category,
    /// The day from which it is valid: `2026-01-01`.
    pub valid_from: Arc<str>,
    /// Where the price was found.
    pub source: Arc<str>,
    /// How far that source is trusted: `high`, `medium-high`, `medium`.
    pub confidence: Arc<str>,
}

/// A rate card as it stood for a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What is counted and charged: `PMP`, each message that is delivered.
    pub model: Arc<str>,
    /// What it charges in, an ISO 4217 code.
    pub currency: Arc<str>,
    /// The newest day from which a price on it is valid.
    pub version: Arc<str>,
    /// The hash of all prices on it.
    pub hash: Arc<str>,
}

/// The usage that an invoice covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageStated {
    /// How many items.
    pub count: i64,
    /// Their fingerprint.
    pub fingerprint: Arc<str>,
    /// Up to where the usage was read.
    pub position: FactPosition,
}

/// What an invoice comes to in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The sum of the lines that are not paid yet.
    pub charged: Amount,
    /// What rounding left over from the invoices issued before.
    pub carried_in_micro: i64,
    /// What is added, or taken off, because what was left over has come to whole minor units.
    pub carried: Amount,
    /// What is left over now, for the next invoice.
    pub carried_out_micro: i64,
    /// What is to be paid: `charged` and `carried`.
    pub due: Amount,
    /// The sum of the lines that are paid.
    pub collected: Amount,
}

/// Any event of usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageEvent {
    /// See [`UsageRecorded`].
    UsageRecorded(UsageRecorded),
}

/// Any event of invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvoiceEvent {
    /// See [`InvoiceDrafted`].
    InvoiceDrafted(InvoiceDrafted),
    /// See [`InvoiceIssued`].
    InvoiceIssued(InvoiceIssued),
}
