//! Usage added up as far as it can be without a price: by what is priced alike, and by day.
//!
//! However many items there are, the tally stays small; and adding items in another order gives the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_calendar::{CalendarError, Date, Zone};
use feira_commands::billing::{Used, UsedItem};
use feira_events::billing::{Category, Class};
use feira_money::{Currency, MoneyError};

use crate::hash::Fingerprint;

/// A month's usage, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    count: i64,
    fingerprint: Fingerprint,
    messages: BTreeMap<MessageKey, BTreeMap<Date, MessageSum>>,
    fees: BTreeMap<FeeKey, FeeSum>,
}

/// Why an item cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// The sums do not fit.
    #[error("the usage cannot be added up")]
    Money(#[from] MoneyError),
    /// A time outside the calendar.
    #[error("the usage has a time that is none")]
    Time(#[from] CalendarError),
}

/// What messages of one day that are priced alike have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MessageKey {
    pub(super) class: Class,
    pub(super) country: Arc<str>,
    pub(super) category: Category,
    pub(super) policy: Arc<str>,
}

/// How many messages, and which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MessageSum {
    pub(super) quantity: i64,
    pub(super) fingerprint: Fingerprint,
}

/// What fees that stand on one line have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FeeKey {
    /// The currency's code.
    code: &'static str,
    pub(super) rate_bp: i32,
}

/// What fees at one rate come to, and which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FeeSum {
    pub(super) currency: Currency,
    pub(super) quantity: i64,
    pub(super) fee: i64,
    pub(super) fee_micro: i64,
    pub(super) fingerprint: Fingerprint,
}

impl MessageSum {
    pub(super) fn with(self, other: Self) -> Self {
        Self { quantity: self.quantity + other.quantity, fingerprint: self.fingerprint.with(other.fingerprint) }
    }
}

impl Tally {
    /// Adds all items of `used`.
    ///
    /// # Errors
    /// As [`Tally::add`].
    pub fn of<'a>(used: impl IntoIterator<Item = &'a Used>) -> Result<Self, TallyError> {
        let mut tally = Self::default();
        used.into_iter().try_for_each(|used| tally.add(used))?;
        Ok(tally)
    }

    /// Adds an item. Each is to be added once.
    ///
    /// # Errors
    /// [`TallyError`] when it does not fit; the tally is then of no use any more.
    pub fn add(&mut self, used: &Used) -> Result<(), TallyError> {
        let fingerprint = Fingerprint::of(&used.source_lane, &used.item);
        match &used.item {
            UsedItem::Message(message) => {
                let key = MessageKey {
                    class: message.class,
                    country: message.country.clone(),
                    category: message.category,
                    policy: message.policy.clone(),
                };
                let day = Zone::utc().date(message.delivered_at)?;
                let sum = self.messages.entry(key).or_default().entry(day).or_default();
                *sum = sum.with(MessageSum { quantity: 1, fingerprint });
            }
            UsedItem::PaymentFee(fee) => {
                let currency = fee.fee.currency;
                let key = FeeKey { code: currency.code(), rate_bp: fee.rate_bp };
                let nothing =
                    FeeSum { currency, quantity: 0, fee: 0, fee_micro: 0, fingerprint: Fingerprint::default() };
                let sum = self.fees.entry(key).or_insert(nothing);
                *sum = FeeSum {
                    currency,
                    quantity: sum.quantity + 1,
                    fee: sum.fee.checked_add(fee.fee.minor).ok_or(MoneyError::Overflow)?,
                    fee_micro: sum.fee_micro.checked_add(fee.fee_micro).ok_or(MoneyError::Overflow)?,
                    fingerprint: sum.fingerprint.with(fingerprint),
                };
            }
        }
        self.count += 1;
        self.fingerprint = self.fingerprint.with(fingerprint);
        Ok(())
    }

    /// How many items.
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The fingerprint of all of them.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = (&MessageKey, &BTreeMap<Date, MessageSum>)> {
        self.messages.iter()
    }

    pub(super) fn payment_fees(&self) -> impl Iterator<Item = (&FeeKey, &FeeSum)> {
        self.fees.iter()
    }
}
