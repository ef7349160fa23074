//! Whom an event concerns.

use std::sync::Arc;

use feira_codec::{CodecError, Opened};
use feira_events::payments::{Balance, Event, Transfer};
use feira_ids::{AccountId, TenantId};

/// What somebody listens to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// An aggregate of a business.
    Aggregate(TenantId, Arc<str>),
    /// An account of the ledger.
    Account(AccountId),
}

/// All that an event concerns; nothing for a record that is no event of an aggregate.
pub(super) fn subjects(record: &Opened) -> Result<Vec<Subject>, CodecError> {
    if record.meta.aggregate_seq.is_none() {
        return Ok(Vec::new());
    }
    let of_itself = Subject::Aggregate(record.meta.tenant.clone(), record.meta.aggregate.clone());
    if !record.is::<Event>() {
        return Ok(vec![of_itself]);
    }
    let accounts = accounts(&record.decode()?).into_iter().map(Subject::Account);
    Ok([of_itself].into_iter().chain(accounts).collect())
}

/// The accounts that are told of an event: those whose owner is told anything by it.
fn accounts(event: &Event) -> Vec<AccountId> {
    let of = |transfer: &Transfer, balances: &[Balance]| {
        let shown = balances.iter().map(|balance| balance.account.clone());
        distinct([transfer.from.clone(), transfer.to.clone()].into_iter().chain(shown))
    };
    let shown = |balances: &[Balance]| distinct(balances.iter().map(|balance| balance.account.clone()));
    match event {
        Event::AccountOpened(opened) => vec![opened.account.clone()],
        Event::AccountFunded(funded) => shown(&funded.balances),
        Event::TransferReserved(reserved) => vec![reserved.transfer.from.clone()],
        Event::TransferSettled(settled) => {
            let transfer = &settled.transfer;
            if transfer.from.shard() == transfer.to.shard() {
                of(transfer, &settled.balances)
            } else {
                // The payee was told in the payee's own shard.
                vec![transfer.from.clone()]
            }
        }
        Event::TransferReturned(returned) => vec![returned.transfer.from.clone()],
        Event::TransferCredited(credited) => vec![credited.transfer.to.clone()],
        Event::IntentCaptured(captured) => shown(&captured.balances),
        Event::IntentRefunded(refunded) => shown(&refunded.balances),
        Event::RequestMade(made) => vec![made.asker.clone(), made.payer.clone()],
        Event::RequestMoved(moved) => vec![moved.asker.clone(), moved.payer.clone()],
        Event::TransferCancelAsked(_)
        | Event::TransferDeclined(_)
        | Event::IntentCreated(_)
        | Event::IntentClosed(_)
        | Event::RefundBegun(_)
        | Event::RefundFailed(_)
        | Event::RegimeSuspended(_)
        | Event::RegimeResumed(_) => Vec::new(),
    }
}

/// The accounts of owners, each once.
fn distinct(accounts: impl Iterator<Item = AccountId>) -> Vec<AccountId> {
    let mut found: Vec<AccountId> = Vec::new();
    for account in accounts.filter(|account| matches!(account.kind(), "person" | "biz")) {
        if !found.contains(&account) {
            found.push(account);
        }
    }
    found
}
