//! How usage is entered.

use std::collections::BTreeSet;
use std::sync::Arc;

use feira_commands::billing::{ITEMS_MAX, UsedItem};
use feira_events::billing::{MessageUsage, PaymentFeeUsage};

use crate::hash::Fingerprint;
use crate::month::Month;

use super::{Command, Event, Heard, Rejection, State, UsageRecorded};

pub(super) fn decide(usage: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Record { period, source_lane, from_seq, to_seq, messages, payment_fees } => {
            let month = Month::parse(&period)?;
            check_lane(&source_lane)?;
            let given = messages.len() + payment_fees.len();
            if given > ITEMS_MAX {
                return Err(Rejection::TooManyItems { given });
            }
            let messages = messages.into_iter().map(UsedItem::Message);
            let items: Vec<UsedItem> = messages.chain(payment_fees.into_iter().map(UsedItem::PaymentFee)).collect();
            for item in &items {
                check_item(item, month, from_seq, to_seq)?;
            }
            Ok(record(usage, source_lane, from_seq, to_seq, items))
        }
    }
}

fn record(usage: &State, source_lane: Arc<str>, from_seq: i64, to_seq: i64, mut items: Vec<UsedItem>) -> Vec<Event> {
    let nothing = Heard::default();
    let heard = usage.heard.get(&source_lane).unwrap_or(&nothing);
    let mut first = BTreeSet::new();
    items.retain(|item| !heard.has(item.seq()) && first.insert(item.seq()));
    if items.is_empty() {
        return vec![];
    }
    items.sort_by_key(UsedItem::seq);
    let count = usage.count + items.len() as i64;
    let prints = items.iter().map(|item| Fingerprint::of(&source_lane, item));
    let fingerprint = prints.fold(usage.fingerprint, Fingerprint::with).to_string().into();
    let (mut messages, mut payment_fees): (Vec<MessageUsage>, Vec<PaymentFeeUsage>) = (vec![], vec![]);
    for item in items {
        match item {
            UsedItem::Message(message) => messages.push(message),
            UsedItem::PaymentFee(fee) => payment_fees.push(fee),
        }
    }
    vec![Event::UsageRecorded(UsageRecorded {
        source_lane,
        from_seq,
        to_seq,
        messages,
        payment_fees,
        count,
        fingerprint,
    })]
}

fn check_lane(lane: &str) -> Result<(), Rejection> {
    let fits = lane.split_once('/').is_some_and(|(service, number)| {
        !service.is_empty() && service.bytes().all(|b| b.is_ascii_lowercase()) && number.parse::<u16>().is_ok()
    });
    if fits { Ok(()) } else { Err(Rejection::NotALane(lane.chars().take(40).collect())) }
}

fn check_item(item: &UsedItem, month: Month, from_seq: i64, to_seq: i64) -> Result<(), Rejection> {
    let seq = item.seq();
    if seq < 1 || !(from_seq..=to_seq).contains(&seq) {
        return Err(Rejection::SequenceOutOfRange { seq, from_seq, to_seq });
    }
    if !month.holds(item.at()) {
        return Err(Rejection::OtherMonth { seq });
    }
    match item {
        UsedItem::PaymentFee(fee)
            if fee.fee.minor < 0 || fee.fee_micro < 0 || fee.rate_bp < 0 || fee.fee.currency != fee.amount.currency =>
        {
            Err(Rejection::NotAFee { seq })
        }
        UsedItem::Message(_) | UsedItem::PaymentFee(_) => Ok(()),
    }
}
