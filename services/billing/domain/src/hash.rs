//! Hashes that anyone can make again: of what was used, of the lines of an invoice, of the whole of it.
//!
//! SHA-256 over the fields in the order in which the event has them: a text as its length and its bytes, a number as
//! eight bytes, what may be missing behind a byte that says whether it is there, a list behind its length. Lengths and
//! numbers are big-endian.

use std::fmt;

use feira_commands::billing::UsedItem;
use feira_events::billing::{
    Card, Category, Component, Document, Line, MessageUsage, PaymentFeeUsage, Rule, Total, UsageStated,
};
use feira_ids::EventId;
use feira_money::Amount;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What stands for a set of usage, whatever the order it came in: the exclusive or of the hashes of its items.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of one item that came from `source_lane`.
    pub fn of(source_lane: &str, item: &UsedItem) -> Self {
        let mut hash = Hash::default();
        hash.text(source_lane);
        match item {
            UsedItem::Message(message) => hash.message(message),
            UsedItem::PaymentFee(fee) => hash.payment_fee(fee),
        }
        Self(hash.0.finalize().into())
    }

    /// The fingerprint of this set and another that shares no item with it.
    pub fn with(self, other: Self) -> Self {
        let mut bytes = self.0;
        bytes.iter_mut().zip(other.0).for_each(|(byte, other)| *byte ^= other);
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits; none for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = (high * 16 + low) as u8;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of an invoice's lines.
pub fn lines_hash(lines: &[Line]) -> String {
    let mut hash = Hash::default();
    hash.list(lines, Hash::line);
    hash.hex()
}

/// The hash of an invoice with its number.
pub fn document_hash(number: i64, document: &Document) -> String {
    let mut hash = Hash::default();
    hash.number(number);
    hash.document(document);
    hash.hex()
}

/// Takes fields in one after another.
#[derive(Default)]
pub(crate) struct Hash(Sha256);

impl Hash {
    pub(crate) fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }

    pub(crate) fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.update([u8::from(flag)]);
    }

    pub(crate) fn optional<T>(&mut self, value: Option<T>, take: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            take(self, value);
        }
    }

    pub(crate) fn list<T>(&mut self, values: &[T], mut take: impl FnMut(&mut Self, &T)) {
        self.0.update((values.len() as u64).to_be_bytes());
        values.iter().for_each(|value| take(self, value));
    }

    /// The 64 hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        Fingerprint(self.0.finalize().into()).to_string()
    }

    fn amount(&mut self, amount: Amount) {
        self.number(amount.minor);
        self.text(amount.currency.code());
    }

    fn event_id(&mut self, id: EventId) {
        self.0.update(id.0.0);
    }

    fn message(&mut self, message: &MessageUsage) {
        let MessageUsage { seq, event_id, thread, message, class, category, country, policy, sent_at, delivered_at } =
            message;
        self.text(Component::Message.text());
        self.number(*seq);
        self.event_id(*event_id);
        self.text(thread);
        self.text(message);
        self.text(class.text());
        self.text(category.text());
        self.text(country);
        self.text(policy);
        self.number(*sent_at);
        self.number(*delivered_at);
    }

    fn payment_fee(&mut self, fee: &PaymentFeeUsage) {
        let PaymentFeeUsage { seq, event_id, intent, order, amount, fee, fee_micro, rate_bp, captured_at } = fee;
        self.text(Component::PaymentFee.text());
        self.number(*seq);
        self.event_id(*event_id);
        self.text(intent);
        self.text(order);
        self.amount(*amount);
        self.amount(*fee);
        self.number(*fee_micro);
        self.number((*rate_bp).into());
        self.number(*captured_at);
    }

    fn line(&mut self, line: &Line) {
        self.text(&line.line_id);
        self.text(line.component.text());
        self.text(line.class.text());
        self.optional(line.country.as_deref(), Self::text);
        self.optional(line.category.map(Category::text), Self::text);
        self.optional(line.policy.as_deref(), Self::text);
        self.optional(line.rule.as_ref(), Self::rule);
        self.optional(line.rate_bp.map(i64::from), Self::number);
        self.number(line.quantity);
        self.optional(line.unit_price_micro, Self::number);
        self.number(line.exact_micro);
        self.amount(line.amount);
        self.number(line.residual_micro);
        self.flag(line.collected);
        self.number(line.used_from);
        self.number(line.used_until);
        self.text(&line.usage_fingerprint);
    }

    fn rule(&mut self, rule: &Rule) {
        let Rule { market, category, valid_from, source, confidence } = rule;
        self.text(market);
        self.text(category.text());
        self.text(valid_from);
        self.text(source);
        self.text(confidence);
    }

    fn document(&mut self, document: &Document) {
        let Document { period, from, until, lines, totals, card, usage } = document;
        self.text(period);
        self.number(*from);
        self.number(*until);
        self.list(lines, Self::line);
        self.list(totals, Self::total);
        let Card { model, currency, version, hash } = card;
        [model, currency, version, hash].into_iter().for_each(|text| self.text(text));
        let UsageStated { count, fingerprint, position } = usage;
        self.number(*count);
        self.text(fingerprint);
        self.number(position.lane.into());
        self.number(position.lane_seq);
    }

    fn total(&mut self, total: &Total) {
        let Total { charged, carried_in_micro, carried, carried_out_micro, due, collected } = total;
        self.amount(*charged);
        self.number(*carried_in_micro);
        self.amount(*carried);
        self.number(*carried_out_micro);
        self.amount(*due);
        self.amount(*collected);
    }
}

#[cfg(test)]
mod tests {
    use feira_ids::CommandId;

    use super::*;

    fn item(seq: i64) -> UsedItem {
        let money = |minor| Amount::new(minor, "BRL".parse().unwrap());
        UsedItem::PaymentFee(PaymentFeeUsage {
            seq,
            event_id: CommandId::default().event(seq as u32),
            intent: "o-1".into(),
            order: "o-1".into(),
            amount: money(10_000),
            fee: money(399),
            fee_micro: 3_990_000,
            rate_bp: 399,
            captured_at: 1_764_104_402_000,
        })
    }

    #[test]
    fn a_set_has_one_fingerprint_in_any_order() {
        let [a, b, c] = [1, 2, 3].map(|seq| Fingerprint::of("payments/0", &item(seq)));
        assert_eq!(a.with(b).with(c), c.with(a).with(b));
        assert_ne!(a.with(b), a.with(c));
        assert_ne!(a, Fingerprint::of("payments/1", &item(1)));
        assert_eq!(a.with(a), Fingerprint::default());
    }

    #[test]
    fn fingerprints_read_back_as_written() {
        let whole = Fingerprint::of("payments/0", &item(1));
        assert_eq!(Fingerprint::from_hex(&whole.to_string()), Some(whole));
        for text in ["", "5a", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Fingerprint::from_hex(text), None, "{text:?}");
        }
    }
}
