//! Orders to be paid: the business's shard says what is due, takes the payment in, keeps the fee, and gives back.

use std::sync::Arc;

use feira_commands::payments::IntentState;
use feira_events::payments::PostingKind::Moved;
use feira_events::payments::{
    Event, Intent, IntentCaptured, IntentClosed, IntentCreated, IntentRefunded, Purpose, RefundBegun, RefundFailed,
    Transfer,
};
use feira_ids::AccountId;
use feira_money::{Amount, BasisPoints, Closed, Exact, Rounding, close_line};

use super::desk::{Desk, Entry, derived, named, posting};
use super::{accounts, transfers};
use crate::shard::entity::{Payment, RefundState};
use crate::shard::rejection::Rejection;

/// The most refunds of one payment.
const REFUNDS_MAX: usize = 100;

pub(super) fn create(desk: &mut Desk<'_>, intent: Intent, expires: i64) -> Result<(), Rejection> {
    for (what, name) in [("payment", &intent.intent), ("order", &intent.order), ("customer", &intent.customer)] {
        named(what, name)?;
    }
    accounts::owned(desk, &intent.account)?;
    if intent.account.kind() != "biz" || intent.account.name() != &*intent.business {
        return Err(Rejection::BadAccount(intent.account.to_string()));
    }
    if let Some(there) = desk.payment(&intent.intent) {
        return if there.intent == intent { Ok(()) } else { Err(Rejection::KeyReused("payment")) };
    }
    let account = desk.account(&intent.account).ok_or(Rejection::PayeeUnknown)?;
    if account.balance.currency != intent.amount.currency {
        return Err(Rejection::mismatch(account.balance.currency, intent.amount));
    }
    let regime = desk.regime_of(&account)?;
    if intent.amount.minor < regime.minimum {
        return Err(Rejection::AmountBelowMinimum { minimum: regime.minimum });
    }
    if expires <= desk.now() {
        return Err(Rejection::Expired);
    }
    let fee_bp = i32::try_from(regime.fee_bp).unwrap_or(i32::MAX);
    desk.tell(Event::IntentCreated(IntentCreated { intent, expires, fee_bp }));
    Ok(())
}

pub(super) fn cancel(desk: &mut Desk<'_>, intent: &str, account: &AccountId) -> Result<(), Rejection> {
    let payment = of(desk, intent, account)?;
    match payment.state {
        IntentState::AwaitingPayer => close(desk, payment.intent, "CANCELED"),
        IntentState::Canceled | IntentState::Expired => {}
        IntentState::Captured | IntentState::PartlyRefunded | IntentState::Refunded => {
            return Err(Rejection::AlreadyCaptured);
        }
    }
    Ok(())
}

pub(super) fn expire(desk: &mut Desk<'_>, intent: &str) -> Result<(), Rejection> {
    let payment = desk.payment(intent).ok_or(Rejection::IntentUnknown)?;
    if payment.state == IntentState::AwaitingPayer && desk.now() >= payment.expires {
        close(desk, payment.intent, "EXPIRED");
    }
    Ok(())
}

fn close(desk: &mut Desk<'_>, intent: Intent, reason: &str) {
    desk.tell(Event::IntentClosed(IntentClosed { intent, reason: reason.into() }));
}

fn of(desk: &Desk<'_>, intent: &str, account: &AccountId) -> Result<Payment, Rejection> {
    desk.payment(intent).filter(|payment| payment.intent.account == *account).ok_or(Rejection::IntentUnknown)
}

/// Whether `transfer` pays what is due.
pub(super) fn payable(desk: &Desk<'_>, transfer: &Transfer) -> Result<(), Rejection> {
    let payment = of(desk, transfer.subject.as_deref().unwrap_or_default(), &transfer.to)?;
    if payment.state != IntentState::AwaitingPayer {
        return Err(Rejection::IntentNotPayable);
    }
    if desk.now() >= payment.expires {
        return Err(Rejection::Expired);
    }
    let Intent { amount, customer, .. } = payment.intent;
    if amount != transfer.amount || Some(&customer) != transfer.customer.as_ref() {
        return Err(Rejection::IntentMismatch { due: amount.minor });
    }
    Ok(())
}

/// The money for an order arrived: takes the fee from it.
pub(super) fn capture(desk: &mut Desk<'_>, transfer: &Transfer) -> Result<(), Rejection> {
    let payment = of(desk, transfer.subject.as_deref().unwrap_or_default(), &transfer.to)?;
    let Payment { intent, fee_bp, .. } = payment;
    let exact = BasisPoints(fee_bp.unsigned_abs()).of(intent.amount).map_err(|_| Rejection::Overflow)?;
    let fee = closed(exact)?;
    let income = desk.own("fee", "merchant", intent.amount.currency);
    // A fee that rounds to nothing moves nothing.
    let postings = (fee.minor > 0).then(|| posting(&intent.account, &income, fee, Moved)).into_iter().collect();
    let Entry { postings, balances } = desk.entry(postings)?;
    let net = intent.amount.checked_sub(fee).map_err(|_| Rejection::Overflow)?;
    desk.tell(Event::IntentCaptured(IntentCaptured {
        intent,
        transfer: transfer.transfer.clone(),
        payer: transfer.from.clone(),
        fee,
        fee_micro: micro(exact)?,
        fee_bp,
        net,
        postings,
        balances,
    }));
    Ok(())
}

fn closed(exact: Exact) -> Result<Amount, Rejection> {
    let Closed { amount, .. } = close_line(exact, Rounding::HalfAwayFromZero).map_err(|_| Rejection::Overflow)?;
    Ok(amount)
}

/// An exact number of minor units in whole millionths of a major unit: of a fee in basis points nothing is lost in
/// currencies of up to two decimal places.
fn micro(exact: Exact) -> Result<i64, Rejection> {
    let of_minor = 1_000_000 / 10i128.pow(exact.currency().exponent());
    let micro = exact.numerator().checked_mul(of_minor).ok_or(Rejection::Overflow)? / exact.denominator();
    i64::try_from(micro).map_err(|_| Rejection::Overflow)
}

/// What a refund is to be.
pub(super) struct Asked {
    pub refund: Arc<str>,
    pub amount: Option<Amount>,
    pub reason: Arc<str>,
}

pub(super) fn refund(desk: &mut Desk<'_>, id: &str, account: &AccountId, asked: Asked) -> Result<(), Rejection> {
    let Asked { refund, amount, reason } = asked;
    named("refund", &refund)?;
    let payment = of(desk, id, account)?;
    let payer = payment.payer.clone().ok_or(Rejection::NothingCaptured)?;
    if let Some((_, minor, _)) = payment.refunds.iter().find(|(name, _, _)| *name == refund) {
        let same = amount.is_none_or(|amount| amount.minor == *minor);
        return if same { Ok(()) } else { Err(Rejection::KeyReused("refund")) };
    }
    let left = payment.refundable();
    let amount = amount.unwrap_or(Amount::new(left, payment.intent.amount.currency));
    if amount.currency != payment.intent.amount.currency {
        return Err(Rejection::mismatch(payment.intent.amount.currency, amount));
    }
    if amount.minor < 1 && left > 0 {
        return Err(Rejection::AmountBelowMinimum { minimum: 1 });
    }
    if amount.minor > left || left == 0 || payment.refunds.len() >= REFUNDS_MAX {
        return Err(Rejection::RefundTooLarge { left, asked: amount.minor });
    }
    let transfer = derived(&["refund", id, &refund]);
    let intent = payment.intent;
    let subject = Some(format!("{}/{refund}", intent.intent).into());
    let from = intent.account.clone();
    desk.tell(Event::RefundBegun(RefundBegun { intent, refund, amount, transfer: transfer.clone(), reason }));
    let purpose = Purpose::Refund;
    transfers::pay(
        desk,
        Transfer { transfer, from, to: payer, amount, purpose, subject, customer: None, note: None, deadline: 0 },
    )
}

/// A refund arrived: gives back its part of the fee, so that all parts add up to the fee of what was refunded.
pub(super) fn refunded(desk: &mut Desk<'_>, transfer: &Transfer) -> Result<(), Rejection> {
    let Some((payment, refund)) = begun(desk, transfer) else { return Ok(()) };
    let intent = payment.intent;
    let currency = intent.amount.currency;
    let total = payment.refunded + transfer.amount.minor;
    let share = Exact::ratio(i128::from(payment.fee) * i128::from(total), i128::from(intent.amount.minor), currency)
        .map_err(|_| Rejection::Overflow)?;
    let fee_returned = Amount::new(closed(share)?.minor - payment.fee_returned, currency);
    let income = desk.own("fee", "merchant", currency);
    let moves = fee_returned.minor > 0;
    let postings = moves.then(|| posting(&income, &intent.account, fee_returned, Moved)).into_iter().collect();
    let Entry { postings, balances } = desk.entry(postings)?;
    desk.tell(Event::IntentRefunded(IntentRefunded {
        intent,
        refund,
        amount: transfer.amount,
        refunded: Amount::new(total, currency),
        fee_returned,
        postings,
        balances,
    }));
    Ok(())
}

/// A refund came back.
pub(super) fn refund_failed(desk: &mut Desk<'_>, transfer: &Transfer, reason: Arc<str>) {
    if let Some((payment, refund)) = begun(desk, transfer) {
        let amount = transfer.amount;
        desk.tell(Event::RefundFailed(RefundFailed { intent: payment.intent, refund, amount, reason }));
    }
}

/// The refund that a transfer carries.
fn begun(desk: &Desk<'_>, transfer: &Transfer) -> Option<(Payment, Arc<str>)> {
    let (intent, refund) = transfer.subject.as_deref()?.rsplit_once('/')?;
    let payment = desk.payment(intent)?;
    let refund = payment.refunds.iter().find(|(name, _, state)| &**name == refund && *state == RefundState::Begun)?;
    let name = refund.0.clone();
    Some((payment, name))
}
