//! Transfers: within a shard at once, between two by holding, deciding, settling.
//!
//! Between two shards the payee's decides, once and for ever. The payer's shard holds the money, never gives it back by
//! its own clock, and can only ask the payee's to refuse. A refusal stands also for a transfer that the payee's shard has
//! not heard of yet, so that it cannot arrive later; a credit happens once however often it is asked; the money leaves
//! through what was held.

use std::sync::Arc;

use feira_commands::payments::{NOTE_BYTES_MAX, TRANSFER_PATIENCE_MS, TransferState};
use feira_decider::Reject;
use feira_events::payments::PostingKind::{Held, HeldMoved, HeldReturned, Moved};
use feira_events::payments::{
    Event, LimitUse, Purpose, Transfer, TransferCancelAsked, TransferCredited, TransferDeclined, TransferReserved,
    TransferReturned, TransferSettled,
};
use feira_ids::AccountId;
use feira_mutants::{Mutant, is};

use super::desk::{Desk, Entry, named, posting};
use super::{accounts, intents, limits, requests};
use crate::regime::Side;
use crate::shard::entity::{Account, Incoming, Outgoing};
use crate::shard::rejection::Rejection;

/// Pays from an account of this shard.
pub(super) fn submit(desk: &mut Desk<'_>, transfer: Transfer) -> Result<(), Rejection> {
    if !matches!(transfer.purpose, Purpose::Gift | Purpose::Order) {
        return Err(Rejection::BadPurpose);
    }
    let kinds = (transfer.from.kind(), transfer.to.kind(), transfer.purpose);
    if !matches!(kinds, ("person", "person", Purpose::Gift) | ("person", "biz", Purpose::Order)) {
        return Err(Rejection::BadAccount(transfer.to.to_string()));
    }
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if transfer.transfer.len() != 32 || !transfer.transfer.bytes().all(hex) {
        return Err(Rejection::BadId("transfer"));
    }
    for (what, name) in [("payment", &transfer.subject), ("customer", &transfer.customer)] {
        match (transfer.purpose, name) {
            (Purpose::Gift, None) => {}
            (Purpose::Order, Some(name)) => named(what, name)?,
            _ => return Err(Rejection::BadId(what)),
        }
    }
    if transfer.note.as_ref().is_some_and(|note| note.ciphertext.len() > NOTE_BYTES_MAX) {
        return Err(Rejection::NoteTooLong);
    }
    pay(desk, transfer)
}

/// Pays a transfer that was found well formed: settles it within this shard, or holds its money for another.
pub(super) fn pay(desk: &mut Desk<'_>, transfer: Transfer) -> Result<(), Rejection> {
    accounts::owned(desk, &transfer.from)?;
    let transfer = Transfer { deadline: desk.now().saturating_add(TRANSFER_PATIENCE_MS), ..transfer };
    if let Some(there) = desk.outgoing(&transfer.transfer) {
        let same = Transfer { deadline: transfer.deadline, ..there.transfer } == transfer;
        return if same { Ok(()) } else { Err(Rejection::KeyReused("transfer")) };
    }
    if transfer.from == transfer.to {
        return Err(Rejection::SameParty);
    }
    let payer = desk.account(&transfer.from).ok_or(Rejection::PayerUnknown)?;
    if payer.balance.currency != transfer.amount.currency {
        return Err(Rejection::mismatch(payer.balance.currency, transfer.amount));
    }
    let regime = desk.regime_of(&payer)?;
    let minimum = if transfer.purpose == Purpose::Refund { 1 } else { regime.minimum };
    if transfer.amount.minor < minimum {
        return Err(Rejection::AmountBelowMinimum { minimum });
    }
    let mut used = Vec::with_capacity(regime.rules.len());
    limits::uses(desk, regime, Side::Payer, &payer, &transfer, &mut used)?;
    if transfer.to.shard() == desk.shard {
        let payee = receivable(desk, &transfer, &mut used)?;
        let movement = posting(&transfer.from, &transfer.to, transfer.amount, Moved);
        let entry = desk.entry_of([payer, payee], vec![movement])?;
        return match transfer.purpose {
            // Nothing follows: the transfer is the event's.
            Purpose::Gift | Purpose::Unknown => {
                settle(desk, transfer, used, entry);
                Ok(())
            }
            Purpose::Order | Purpose::Request | Purpose::Refund => {
                settle(desk, transfer.clone(), used, entry);
                arrived(desk, &transfer)
            }
        };
    }
    let clearing = desk.clearing(transfer.to.shard(), transfer.amount.currency);
    let movement = posting(&transfer.from, &clearing, transfer.amount, Held);
    let Entry { postings, balances } = desk.entry_of([payer], vec![movement])?;
    desk.tell(Event::TransferReserved(TransferReserved { transfer, limits: used, postings, balances }));
    Ok(())
}

fn settle(desk: &mut Desk<'_>, transfer: Transfer, limits: Vec<LimitUse>, entry: Entry) {
    let Entry { postings, balances } = entry;
    desk.tell(Event::TransferSettled(TransferSettled { transfer, limits, postings, balances }));
}

/// The payee, who can be paid this; adds what it uses of the payee's limits.
fn receivable(desk: &Desk<'_>, transfer: &Transfer, used: &mut Vec<LimitUse>) -> Result<Account, Rejection> {
    let payee = desk.account(&transfer.to).ok_or(Rejection::PayeeUnknown)?;
    if payee.balance.currency != transfer.amount.currency {
        return Err(Rejection::mismatch(payee.balance.currency, transfer.amount));
    }
    let regime = desk.regime_of(&payee)?;
    if transfer.purpose == Purpose::Order {
        intents::payable(desk, transfer)?;
    }
    limits::uses(desk, regime, Side::Payee, &payee, transfer, used)?;
    Ok(payee)
}

/// What follows in the payee's shard.
fn arrived(desk: &mut Desk<'_>, transfer: &Transfer) -> Result<(), Rejection> {
    match transfer.purpose {
        Purpose::Order => intents::capture(desk, transfer)?,
        Purpose::Gift | Purpose::Request | Purpose::Refund | Purpose::Unknown => {}
    }
    // Within one shard the payer's side is done with it, too.
    if transfer.from.shard() == desk.shard { paid(desk, transfer) } else { Ok(()) }
}

/// What follows in the payer's shard once a transfer is settled.
fn paid(desk: &mut Desk<'_>, transfer: &Transfer) -> Result<(), Rejection> {
    match transfer.purpose {
        Purpose::Request => requests::paid(desk, transfer),
        Purpose::Refund => intents::refunded(desk, transfer)?,
        Purpose::Gift | Purpose::Order | Purpose::Unknown => {}
    }
    Ok(())
}

/// Takes in a transfer whose money another shard holds, or refuses it: once.
pub(super) fn credit(desk: &mut Desk<'_>, transfer: Transfer) -> Result<(), Rejection> {
    accounts::owned(desk, &transfer.to)?;
    let decided = desk.incoming(&transfer.transfer, &transfer.from);
    let again = is(Mutant::CreditTwice) && decided == Some(Incoming::Credited);
    if decided.is_some() && !again {
        return Ok(());
    }
    if let Err(rejection) = take_in(desk, &transfer) {
        desk.instead(Event::TransferDeclined(TransferDeclined {
            transfer: transfer.transfer,
            from: transfer.from,
            to: transfer.to,
            reason: rejection.code().into(),
        }));
    }
    Ok(())
}

fn take_in(desk: &mut Desk<'_>, transfer: &Transfer) -> Result<(), Rejection> {
    if desk.now() > transfer.deadline {
        return Err(Rejection::Expired);
    }
    let mut limits = Vec::new();
    let payee = receivable(desk, transfer, &mut limits)?;
    let clearing = desk.clearing(transfer.from.shard(), transfer.amount.currency);
    let movement = posting(&clearing, &transfer.to, transfer.amount, Moved);
    let Entry { postings, balances } = desk.entry_of([payee], vec![movement])?;
    desk.tell(Event::TransferCredited(TransferCredited { transfer: transfer.clone(), limits, postings, balances }));
    arrived(desk, transfer)
}

/// Refuses a transfer that was not taken in, also one never heard of.
pub(super) fn decline(
    desk: &mut Desk<'_>,
    transfer: Arc<str>,
    from: AccountId,
    to: AccountId,
    reason: Arc<str>,
) -> Result<(), Rejection> {
    accounts::owned(desk, &to)?;
    if desk.incoming(&transfer, &from).is_none() {
        desk.tell(Event::TransferDeclined(TransferDeclined { transfer, from, to, reason }));
    }
    Ok(())
}

/// Asks the payee's shard to refuse a transfer.
pub(super) fn cancel(desk: &mut Desk<'_>, transfer: &str, from: &AccountId) -> Result<(), Rejection> {
    let there = desk.outgoing(transfer).filter(|there| there.transfer.from == *from);
    let there = there.ok_or(Rejection::TransferUnknown)?;
    if there.state == TransferState::Reserved && !there.cancel_asked {
        let late = desk.now() > there.transfer.deadline;
        if late && is(Mutant::PayerVoids) {
            return declined(desk, transfer, "EXPIRED".into());
        }
        let Transfer { transfer, from, to, .. } = there.transfer;
        let reason = if late { "EXPIRED" } else { "CANCELED" }.into();
        desk.tell(Event::TransferCancelAsked(TransferCancelAsked { transfer, from, to, reason }));
    }
    Ok(())
}

/// The payee's shard took it in: the money leaves through what was held.
pub(super) fn credited(desk: &mut Desk<'_>, transfer: &str) -> Result<(), Rejection> {
    let Some(Outgoing { transfer, .. }) = under_way(desk, transfer) else { return Ok(()) };
    let clearing = desk.clearing(transfer.to.shard(), transfer.amount.currency);
    let entry = desk.entry(vec![posting(&transfer.from, &clearing, transfer.amount, HeldMoved)])?;
    settle(desk, transfer.clone(), vec![], entry);
    paid(desk, &transfer)
}

/// The payee's shard refused it: the money is the payer's again.
pub(super) fn declined(desk: &mut Desk<'_>, transfer: &str, reason: Arc<str>) -> Result<(), Rejection> {
    let Some(Outgoing { transfer, limits, .. }) = under_way(desk, transfer) else { return Ok(()) };
    let clearing = desk.clearing(transfer.to.shard(), transfer.amount.currency);
    let Entry { postings, balances } =
        desk.entry(vec![posting(&transfer.from, &clearing, transfer.amount, HeldReturned)])?;
    let limits = limits::given_back(desk, &limits);
    let returned = TransferReturned { transfer: transfer.clone(), reason: reason.clone(), limits, postings, balances };
    desk.tell(Event::TransferReturned(returned));
    match transfer.purpose {
        Purpose::Request => requests::returned(desk, &transfer, reason),
        Purpose::Refund => intents::refund_failed(desk, &transfer, reason),
        Purpose::Gift | Purpose::Order | Purpose::Unknown => {}
    }
    Ok(())
}

fn under_way(desk: &Desk<'_>, transfer: &str) -> Option<Outgoing> {
    desk.outgoing(transfer).filter(|there| there.state == TransferState::Reserved)
}
