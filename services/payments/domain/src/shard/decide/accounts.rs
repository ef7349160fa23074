//! Accounts are opened and funded; regimes are stopped and go on.

use std::sync::Arc;

use feira_events::payments::{AccountFunded, AccountOpened, Event, PostingKind, RegimeResumed, RegimeSuspended};
use feira_ids::AccountId;
use feira_money::{Amount, Currency};

use super::desk::{Desk, Entry, posting};
use crate::regime::regime;
use crate::shard::rejection::Rejection;

pub(super) fn open(desk: &mut Desk<'_>, account: AccountId, name: &str) -> Result<(), Rejection> {
    owned(desk, &account)?;
    let unknown = || Rejection::RegimeUnknown(name.to_owned());
    let rules = regime(name).ok_or_else(unknown)?;
    let currency: Currency = rules.currency.parse().map_err(|_| unknown())?;
    if let Some(there) = desk.account(&account) {
        let under = there.regime.as_deref().unwrap_or_default();
        return if under == name { Ok(()) } else { Err(Rejection::AlreadyOpen(under.to_owned())) };
    }
    desk.tell(Event::AccountOpened(AccountOpened { account, currency, regime: rules.name.into() }));
    Ok(())
}

pub(super) fn fund(desk: &mut Desk<'_>, account: AccountId, amount: Amount) -> Result<(), Rejection> {
    owned(desk, &account)?;
    let there = desk.account(&account).ok_or(Rejection::PayeeUnknown)?;
    if there.balance.currency != amount.currency {
        return Err(Rejection::mismatch(there.balance.currency, amount));
    }
    if amount.minor <= 0 {
        return Err(Rejection::AmountBelowMinimum { minimum: 1 });
    }
    let outside = desk.own("ext", "demo", amount.currency);
    let Entry { postings, balances } = desk.entry(vec![posting(&outside, &account, amount, PostingKind::Moved)])?;
    desk.tell(Event::AccountFunded(AccountFunded { account, amount, postings, balances }));
    Ok(())
}

pub(super) fn suspend(desk: &mut Desk<'_>, name: Arc<str>, reason: Arc<str>) -> Result<(), Rejection> {
    regime(&name).ok_or_else(|| Rejection::RegimeUnknown(name.to_string()))?;
    if !desk.is_suspended(&name) {
        desk.tell(Event::RegimeSuspended(RegimeSuspended { regime: name, reason }));
    }
    Ok(())
}

pub(super) fn resume(desk: &mut Desk<'_>, name: Arc<str>) -> Result<(), Rejection> {
    regime(&name).ok_or_else(|| Rejection::RegimeUnknown(name.to_string()))?;
    if desk.is_suspended(&name) {
        desk.tell(Event::RegimeResumed(RegimeResumed { regime: name }));
    }
    Ok(())
}

/// Refuses an account of another shard, or one that nobody owns.
pub(super) fn owned(desk: &Desk<'_>, account: &AccountId) -> Result<(), Rejection> {
    let owners = matches!(account.kind(), "person" | "biz");
    if owners && account.shard() == desk.shard { Ok(()) } else { Err(Rejection::BadAccount(account.to_string())) }
}
