//! What a month's usage comes to: a pure function from a rate card and a set of usage to the lines of an invoice.
//!
//! Usage is a set: its order changes nothing, and every item of it is in exactly one line, free ones in lines of
//! amount 0. Amounts stay exact until their line is closed, once. Nothing is rated that cannot be: a message whose
//! policy, class or price is not known refuses the whole, so that nothing is left out unseen.

mod tally;
mod total;

pub use tally::{Tally, TallyError};
pub use total::totals;

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_calendar::{Date, Zone};
use feira_commands::billing::residual_micro;
use feira_events::billing::{Category, Class, Component, Line, Rule};
use feira_money::{Amount, Currency, MicroAmount, MoneyError, Rounding, close_line};

use crate::hash::Hash;
use crate::month::Month;
use crate::rate_card::{Price, RateCard};
use tally::{FeeSum, MessageKey, MessageSum};

/// The policy of this platform: free inside the customer's window, else charged for each message that is delivered, by
/// country and category, at the price of the day of delivery.
pub const POLICY: &str = "feira-1";

/// The currency in which messages are charged.
pub const CURRENCY: &str = "USD";

/// Why a month cannot be rated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unratable {
    /// A policy that this release does not know.
    #[error("messages are stamped with the policy {policy:?}, which has no rule here")]
    Policy {
        /// The policy.
        policy: Arc<str>,
    },
    /// Neither free nor charged.
    #[error("messages to {country:?} are neither free nor charged")]
    Class {
        /// The recipients' country.
        country: Arc<str>,
    },
    /// No price.
    #[error("the rate card has no price for {category} messages to {country:?} on {on}")]
    NoPrice {
        /// The messages' category.
        category: &'static str,
        /// The recipients' country.
        country: Arc<str>,
        /// A day that has none.
        on: Date,
    },
    /// The amounts do not fit.
    #[error("the month's amounts cannot be added up")]
    Money(#[from] MoneyError),
}

/// The lines that `tally` comes to in `month`, priced from `card`, in the order in which they are shown.
///
/// # Errors
/// [`Unratable`], and then no line at all.
pub fn rate(card: &RateCard, month: Month, tally: &Tally) -> Result<Vec<Line>, Unratable> {
    let mut lines = Vec::new();
    for (key, days) in tally.messages() {
        if &*key.policy != POLICY {
            return Err(Unratable::Policy { policy: key.policy.clone() });
        }
        match key.class {
            Class::Free => lines.push(free(card.currency(), month, key, days)?),
            Class::Charged => lines.extend(charged(card, month, key, days)?),
            Class::Unknown => return Err(Unratable::Class { country: key.country.clone() }),
        }
    }
    for (key, sum) in tally.payment_fees() {
        lines.push(payment_fees(month, key.rate_bp, sum)?);
    }
    Ok(lines)
}

fn free(
    currency: Currency,
    month: Month,
    key: &MessageKey,
    days: &BTreeMap<Date, MessageSum>,
) -> Result<Line, Unratable> {
    let sum = days.values().fold(MessageSum::default(), |sum, day| sum.with(*day));
    messages(month, key, sum, MicroAmount::new(0, currency), None, (month.from(), month.until()))
}

fn charged(
    card: &RateCard,
    month: Month,
    key: &MessageKey,
    days: &BTreeMap<Date, MessageSum>,
) -> Result<Vec<Line>, Unratable> {
    let (from, until) = (month.first(), month.first().plus_months(1).map_err(|_| MoneyError::Overflow)?);
    let mut lines = Vec::new();
    for span in card.spans(&key.country, key.category, from, until) {
        let mut used = days.range(span.from..span.until).peekable();
        let Some((on, _)) = used.peek() else { continue };
        let no_price = || Unratable::NoPrice { category: key.category.text(), country: key.country.clone(), on: **on };
        let price = span.price.ok_or_else(no_price)?;
        let sum = used.fold(MessageSum::default(), |sum, (_, day)| sum.with(*day));
        let starts = |day| Zone::utc().start_of(day).map_err(|_| MoneyError::Overflow);
        let times = (starts(span.from)?, starts(span.until)?);
        lines.push(messages(month, key, sum, price.price, Some(rule(price, key.category)), times)?);
    }
    Ok(lines)
}

fn messages(
    month: Month,
    key: &MessageKey,
    sum: MessageSum,
    price: MicroAmount,
    rule: Option<Rule>,
    (used_from, used_until): (i64, i64),
) -> Result<Line, Unratable> {
    let exact_micro = price.micro.checked_mul(sum.quantity).ok_or(MoneyError::Overflow)?;
    let closed = close_line(MicroAmount::new(exact_micro, price.currency).into(), Rounding::default())?;
    let line = Line {
        line_id: "".into(),
        component: Component::Message,
        class: key.class,
        country: Some(key.country.clone()),
        category: Some(key.category),
        policy: Some(key.policy.clone()),
        rule,
        rate_bp: None,
        quantity: sum.quantity,
        unit_price_micro: Some(price.micro),
        exact_micro,
        amount: closed.amount,
        residual_micro: residual_micro(exact_micro, closed.amount)?,
        collected: false,
        used_from,
        used_until,
        usage_fingerprint: sum.fingerprint.to_string().into(),
    };
    Ok(named(month, line))
}

/// The fees of payments were closed one by one when the payments were captured: what was taken stands, and is added up.
fn payment_fees(month: Month, rate_bp: i32, sum: &FeeSum) -> Result<Line, Unratable> {
    let amount = Amount::new(sum.fee, sum.currency);
    let line = Line {
        line_id: "".into(),
        component: Component::PaymentFee,
        class: Class::Charged,
        country: None,
        category: None,
        policy: None,
        rule: None,
        rate_bp: Some(rate_bp),
        quantity: sum.quantity,
        unit_price_micro: None,
        exact_micro: sum.fee_micro,
        amount,
        residual_micro: residual_micro(sum.fee_micro, amount)?,
        collected: true,
        used_from: month.from(),
        used_until: month.until(),
        usage_fingerprint: sum.fingerprint.to_string().into(),
    };
    Ok(named(month, line))
}

fn rule(price: &Price, category: Category) -> Rule {
    Rule {
        market: price.market.clone(),
        category,
        valid_from: price.valid_from.to_string().into(),
        source: price.source.clone(),
        confidence: price.confidence.text().into(),
    }
}

/// The line under its name: the first 32 hexadecimal digits of the hash of what tells it from other lines.
fn named(month: Month, line: Line) -> Line {
    let mut hash = Hash::default();
    hash.text(&month.to_string());
    hash.text(line.component.text());
    hash.text(line.class.text());
    hash.optional(line.country.as_deref(), Hash::text);
    hash.optional(line.category.map(Category::text), Hash::text);
    hash.optional(line.policy.as_deref(), Hash::text);
    hash.optional(line.rule.as_ref().map(|rule| &*rule.market), Hash::text);
    hash.optional(line.rule.as_ref().map(|rule| &*rule.valid_from), Hash::text);
    hash.optional(line.rate_bp.map(i64::from), Hash::number);
    hash.optional(line.unit_price_micro, Hash::number);
    hash.text(line.amount.currency.code());
    let line_id = hash.hex()[..32].into();
    Line { line_id, ..line }
}

#[cfg(test)]
pub(crate) mod tests;
