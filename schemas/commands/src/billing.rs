//! What billing can be asked about usage and invoices, what it answers, and how a line is worked out again.

use std::sync::Arc;

use feira_events::billing::{Class, Component, Document, Line, MessageUsage, PaymentFeeUsage};
use feira_ids::EventId;
use feira_money::{Amount, Exact, MicroAmount, MoneyError, Rounding, close_line};
use serde::{Deserialize, Serialize};

/// The key of the one aggregate that holds a business's invoices: `invoice:main`. One holds them all, because their
/// numbers have no gap.
pub const SERIES: &str = "main";

/// The most items that one command records.
pub const ITEMS_MAX: usize = 1_000;

/// What can be asked of a month's usage. The aggregate is `usage:<YYYY-MM>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum UsageInput {
    /// Enter what a source lane said was used. What is entered already is passed over.
    Record {
        /// The lane: `conversation/3`.
        source_lane: Arc<str>,
        /// The first of its sequences that was looked at.
        from_seq: i64,
        /// The last of them.
        to_seq: i64,
        /// Messages that were delivered in this month.
        messages: Vec<MessageUsage>,
        /// Fees of payments that were captured in this month.
        payment_fees: Vec<PaymentFeeUsage>,
    },
}

/// What can be asked of a business's invoices. The aggregate is `invoice:main`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum InvoiceInput {
    /// Make the invoice of a month from what was used by now, or make it anew; not once it is issued.
    Draft {
        /// The month: `2026-11`.
        period: Arc<str>,
    },
    /// Give a month's draft its number. The month must be over, and nothing used since the draft was made.
    Issue {
        /// The month: `2026-11`.
        period: Arc<str>,
    },
}

impl UsageInput {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Record { .. } => "billing.record_usage",
        }
    }
}

impl InvoiceInput {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Draft { .. } => "billing.draft_invoice",
            Self::Issue { .. } => "billing.issue_invoice",
        }
    }
}

/// A month's usage as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageView {
    /// The month: `2026-11`.
    pub period: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// How many items.
    pub count: i64,
    /// Their fingerprint.
    pub fingerprint: Arc<str>,
}

/// A business's invoices as their owner sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicesView {
    /// How many events they have.
    pub version: u64,
    /// How many are issued: the highest number given.
    pub issued: i64,
    /// The one that was drafted or issued last.
    pub latest: Option<InvoiceView>,
}

/// An invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceView {
    /// Its number; none while it is a draft.
    pub number: Option<i64>,
    /// What it says.
    pub document: Document,
    /// The hash of number and document once issued, of the lines before.
    pub hash: Arc<str>,
}

/// Where an item of usage stands on the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRef {
    /// The lane that said so: `conversation/3`.
    pub source_lane: Arc<str>,
    /// The place in that lane.
    pub seq: i64,
    /// The event.
    pub event_id: EventId,
}

/// An item of usage and the lane that it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The lane: `conversation/3`.
    pub source_lane: Arc<str>,
    /// The item.
    pub item: UsedItem,
}

/// An item of usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum UsedItem {
    /// A message that was delivered.
    Message(MessageUsage),
    /// The fee of a payment.
    PaymentFee(PaymentFeeUsage),
}

impl UsedItem {
    /// When it was used, milliseconds since 1970.
    pub fn at(&self) -> i64 {
        match self {
            Self::Message(message) => message.delivered_at,
            Self::PaymentFee(fee) => fee.captured_at,
        }
    }

    /// The place in the source lane.
    pub fn seq(&self) -> i64 {
        match self {
            Self::Message(message) => message.seq,
            Self::PaymentFee(fee) => fee.seq,
        }
    }

    /// The event that says so.
    pub fn event_id(&self) -> EventId {
        match self {
            Self::Message(message) => message.event_id,
            Self::PaymentFee(fee) => fee.event_id,
        }
    }
}

/// Why a line is what it is: its rule stands on the line, this is what was used and every step from there to the amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The line.
    pub line: Line,
    /// What it counts, in the order given.
    pub usage: Vec<UsageRef>,
    /// How it was worked out, the first step first; the last steps give what the line says.
    pub steps: Vec<Step>,
}

/// One step of arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is found.
    pub finds: Finds,
    /// How, in words: `unit price × quantity`.
    pub how: Arc<str>,
    /// What it is: a count, or a decimal number of major units.
    pub value: Arc<str>,
}

/// What a step finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Finds {
    /// How many there are.
    Quantity,
    /// What one costs.
    UnitPrice,
    /// What all come to, exactly.
    Exact,
    /// What is put on the invoice.
    Amount,
    /// What is left over.
    Residual,
}

/// Why a line cannot be worked out again from the usage given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The usage given is not what the line was made of.
    #[error("the line has {field} {stated}; from the usage given it is {found}")]
    Differs {
        /// What differs.
        field: &'static str,
        /// What the line says.
        stated: String,
        /// What was worked out.
        found: String,
    },
    /// The numbers do not fit.
    #[error("the line cannot be added up")]
    Money(#[from] MoneyError),
}

/// Whether `line` counts `item`.
pub fn counts(line: &Line, item: &UsedItem) -> bool {
    let in_time = (line.used_from..line.used_until).contains(&item.at());
    let alike = match (line.component, item) {
        (Component::Message, UsedItem::Message(message)) => {
            line.class == message.class
                && line.country.as_ref() == Some(&message.country)
                && line.category == Some(message.category)
                && line.policy.as_ref() == Some(&message.policy)
        }
        (Component::PaymentFee, UsedItem::PaymentFee(fee)) => {
            line.rate_bp == Some(fee.rate_bp) && line.amount.currency == fee.fee.currency
        }
        (Component::Message, UsedItem::PaymentFee(_))
        | (Component::PaymentFee, UsedItem::Message(_))
        | (Component::Unknown, _) => false,
    };
    in_time && alike
}

/// Works `line` out again from the month's usage. It needs nothing but the two: anyone can do the same from the log.
///
/// # Errors
/// [`ExplainError`] when the result is not what the line says.
pub fn explain<'a>(line: &Line, used: impl IntoIterator<Item = &'a Used>) -> Result<Explanation, ExplainError> {
    let currency = line.amount.currency;
    let mut usage = Vec::new();
    let mut fees = (0i64, Amount::new(0, currency));
    for used in used.into_iter().filter(|used| counts(line, &used.item)) {
        let (source_lane, seq, event_id) = (used.source_lane.clone(), used.item.seq(), used.item.event_id());
        usage.push(UsageRef { source_lane, seq, event_id });
        if let UsedItem::PaymentFee(fee) = &used.item {
            let exact = fees.0.checked_add(fee.fee_micro).ok_or(MoneyError::Overflow)?;
            fees = (exact, fees.1.checked_add(fee.fee)?);
        }
    }
    let quantity = usage.len() as i64;
    let mut steps = vec![step(Finds::Quantity, "items of usage that the rule is for", quantity.to_string())];
    let (exact_micro, amount) = match line.unit_price_micro {
        Some(price) => {
            steps.push(step(Finds::UnitPrice, unit_price_from(line), MicroAmount::new(price, currency).to_major()));
            let exact_micro = price.checked_mul(quantity).ok_or(MoneyError::Overflow)?;
            steps.push(step(Finds::Exact, "unit price × quantity", MicroAmount::new(exact_micro, currency).to_major()));
            let closed = close_line(MicroAmount::new(exact_micro, currency).into(), Rounding::default())?;
            steps.push(step(
                Finds::Amount,
                "closed once to whole minor units, half away from zero",
                closed.amount.to_major(),
            ));
            (exact_micro, closed.amount)
        }
        None => {
            let exact = MicroAmount::new(fees.0, currency).to_major();
            steps.push(step(Finds::Exact, "sum of what the rate came to for each payment", exact));
            steps.push(step(Finds::Amount, "sum of the fees taken when payments were captured", fees.1.to_major()));
            fees
        }
    };
    let residual_micro = residual_micro(exact_micro, amount)?;
    steps.push(step(Finds::Residual, "exact − amount", MicroAmount::new(residual_micro, currency).to_major()));
    let numbers = [
        ("quantity", line.quantity, quantity),
        ("exact_micro", line.exact_micro, exact_micro),
        ("amount", line.amount.minor, amount.minor),
        ("residual_micro", line.residual_micro, residual_micro),
    ];
    match numbers.into_iter().find(|(_, stated, found)| stated != found) {
        Some((field, stated, found)) => {
            Err(ExplainError::Differs { field, stated: stated.to_string(), found: found.to_string() })
        }
        None => Ok(Explanation { line: line.clone(), usage, steps }),
    }
}

/// What `exact_micro` is above `amount`, in millionths of a major unit.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn residual_micro(exact_micro: i64, amount: Amount) -> Result<i64, MoneyError> {
    let exact = Exact::from(MicroAmount::new(exact_micro, amount.currency));
    let minor_per_major = 10i128.pow(amount.currency.exponent());
    let rest = exact.checked_sub(amount.into())?.checked_mul_ratio(1_000_000, minor_per_major)?;
    // Millionths less whole minor units are millionths: no currency has more than six places.
    i64::try_from(rest.numerator() / rest.denominator()).map_err(|_| MoneyError::Overflow)
}

fn unit_price_from(line: &Line) -> &'static str {
    match line.class {
        Class::Free => "free by the policy",
        Class::Charged | Class::Unknown => "price of the rule",
    }
}

fn step(finds: Finds, how: &str, value: String) -> Step {
    Step { finds, how: how.into(), value: value.into() }
}
