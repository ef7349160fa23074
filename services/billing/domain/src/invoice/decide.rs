//! How invoices are drafted and issued.

use std::sync::Arc;

use feira_calendar::format_rfc3339;
use feira_commands::billing::SERIES;
use feira_decider::At;
use feira_events::FactPosition;
use feira_events::billing::{Document, UsageStated};
use feira_money::{Currency, MoneyError};

use crate::hash::{document_hash, lines_hash};
use crate::month::Month;
use crate::rate_card::{PER_MESSAGE, RateCard, published};
use crate::rating::{CURRENCY, Tally, rate, totals};

use super::{Command, Event, GRACE_MS, InvoiceDrafted, InvoiceIssued, Rejection, State};

pub(super) fn decide(invoices: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Draft { series, .. } | Command::Issue { series, .. } if *series != *SERIES => {
            Err(Rejection::OtherSeries)
        }
        Command::Draft { series: _, period, usage, position } => draft(invoices, period, &usage, position),
        Command::Issue { series: _, period, usage } => issue(invoices, period, &usage, at),
    }
}

fn draft(invoices: &State, period: Arc<str>, usage: &Tally, position: FactPosition) -> Result<Vec<Event>, Rejection> {
    let month = Month::parse(&period)?;
    if let Some(issued) = invoices.issued.get(&period) {
        return Err(Rejection::AlreadyIssued { period, number: issued.number });
    }
    if usage.count() == 0 {
        return Err(Rejection::NoUsage { period });
    }
    let drafted = invoices.drafts.get(&period);
    // Two ask at once, and the usage that one of them read is older than what the other's draft covers.
    if drafted.is_some_and(|drafted| drafted.document.usage.position.lane_seq > position.lane_seq) {
        return Ok(vec![]);
    }
    let card = card(month).ok_or_else(|| Rejection::NoRateCard { period: period.clone() })?;
    let lines = rate(&card, month, usage).map_err(|reason| Rejection::NotRatable { period: period.clone(), reason })?;
    let document = Document {
        period,
        from: month.from(),
        until: month.until(),
        totals: totals(&lines, &invoices.carried)?,
        lines,
        card: card.stated(),
        usage: UsageStated { count: usage.count(), fingerprint: usage.fingerprint().to_string().into(), position },
    };
    if drafted.is_some_and(|drafted| says_the_same(&drafted.document, &document)) {
        return Ok(vec![]);
    }
    let lines_hash = lines_hash(&document.lines).into();
    Ok(vec![Event::InvoiceDrafted(InvoiceDrafted { document, lines_hash })])
}

fn issue(invoices: &State, period: Arc<str>, usage: &Tally, at: At) -> Result<Vec<Event>, Rejection> {
    let month = Month::parse(&period)?;
    // Asked twice, it is issued once.
    if invoices.issued.contains_key(&period) {
        return Ok(vec![]);
    }
    let drafted = invoices.drafts.get(&period).ok_or_else(|| Rejection::NoDraft { period: period.clone() })?;
    let from = month.until() + GRACE_MS;
    if at.0 < from {
        let from = format_rfc3339(from).unwrap_or_else(|_| from.to_string());
        return Err(Rejection::PeriodNotOver { period, from });
    }
    let covered = &drafted.document.usage;
    if covered.count != usage.count() || *covered.fingerprint != *usage.fingerprint().to_string() {
        return Err(Rejection::DraftStale { period, drafted: covered.count, used: usage.count() });
    }
    // Other months may have been issued since the draft: what they left over is carried now.
    let totals = totals(&drafted.document.lines, &invoices.carried)?;
    let document = Document { totals, ..drafted.document.clone() };
    let number = invoices.number.checked_add(1).ok_or(MoneyError::Overflow)?;
    let document_hash = document_hash(number, &document).into();
    Ok(vec![Event::InvoiceIssued(InvoiceIssued { number, document, document_hash })])
}

/// The card that messages of a month are priced from.
fn card(month: Month) -> Option<RateCard> {
    let currency: Currency = CURRENCY.parse().ok()?;
    RateCard::of(published(), PER_MESSAGE, currency, month.first().plus_months(1).ok()?)
}

/// Whether two documents differ in nothing but how far the usage was read.
fn says_the_same(one: &Document, other: &Document) -> bool {
    let at = |document: &Document, position| {
        let usage = UsageStated { position, ..document.usage.clone() };
        Document { usage, ..document.clone() }
    };
    *one == at(other, one.usage.position)
}
