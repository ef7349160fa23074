//! Requests for money: held by the shard of who is asked, no money until they are granted.

use std::sync::Arc;

use feira_commands::payments::{NOTE_BYTES_MAX, REQUEST_LIFE_MAX_MS, REQUEST_LIFE_MS};
use feira_events::payments::{Event, Purpose, RequestMade, RequestMoved, RequestState, Transfer};
use feira_ids::AccountId;

use super::desk::{Desk, derived, named};
use super::{accounts, transfers};
use crate::shard::entity::Request;
use crate::shard::rejection::Rejection;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(super) fn make(desk: &mut Desk<'_>, mut made: RequestMade) -> Result<(), Rejection> {
    if made.expires == 0 {
        made.expires = desk.now().saturating_add(REQUEST_LIFE_MS);
    }
    named("request", &made.request)?;
    accounts::owned(desk, &made.payer)?;
    if made.asker.kind() != "person" || made.payer.kind() != "person" {
        return Err(Rejection::BadAccount(made.asker.to_string()));
    }
    if let Some(there) = desk.request(&made.request) {
        let same = (&there.asker, &there.payer, there.amount) == (&made.asker, &made.payer, made.amount);
        return if same { Ok(()) } else { Err(Rejection::KeyReused("request")) };
    }
    if made.asker == made.payer {
        return Err(Rejection::SameParty);
    }
    let payer = desk.account(&made.payer).ok_or(Rejection::PayerUnknown)?;
    if payer.balance.currency != made.amount.currency {
        return Err(Rejection::mismatch(payer.balance.currency, made.amount));
    }
    let regime = desk.regime_of(&payer)?;
    if !regime.collect.allowed {
        return Err(Rejection::CollectNotAllowed(regime.name.to_owned()));
    }
    let asked = made.amount.minor;
    if asked < regime.minimum {
        return Err(Rejection::AmountBelowMinimum { minimum: regime.minimum });
    }
    if let Some(cap) = regime.collect.cap.filter(|cap| asked > *cap) {
        return Err(Rejection::LimitExceeded { rule: "per-request", cap, used: 0, asked });
    }
    let now = desk.now();
    if made.expires <= now || made.expires > now.saturating_add(REQUEST_LIFE_MAX_MS) {
        return Err(Rejection::BadExpiry { days: REQUEST_LIFE_MAX_MS / DAY_MS });
    }
    if made.note.as_ref().is_some_and(|note| note.ciphertext.len() > NOTE_BYTES_MAX) {
        return Err(Rejection::NoteTooLong);
    }
    desk.tell(Event::RequestMade(made));
    Ok(())
}

pub(super) fn approve(desk: &mut Desk<'_>, id: Arc<str>, payer: &AccountId) -> Result<(), Rejection> {
    let request = desk.request(&id).filter(|request| request.payer == *payer).ok_or(Rejection::RequestUnknown)?;
    match request.state {
        RequestState::Open if desk.now() <= request.expires => {}
        // Granted already: the transfer is on its way or done.
        RequestState::Paying | RequestState::Paid => return Ok(()),
        _ => return Err(Rejection::RequestClosed),
    }
    let transfer = derived(&["request", &id, &(request.approvals + 1).to_string()]);
    moved(desk, &id, &request, RequestState::Paying, Some(transfer.clone()), None);
    let transfer = Transfer {
        transfer,
        from: request.payer,
        to: request.asker,
        amount: request.amount,
        purpose: Purpose::Request,
        subject: Some(id),
        customer: None,
        note: None,
        deadline: 0,
    };
    transfers::pay(desk, transfer)
}

pub(super) fn decline(desk: &mut Desk<'_>, id: Arc<str>, payer: &AccountId) -> Result<(), Rejection> {
    let request = desk.request(&id).filter(|request| request.payer == *payer).ok_or(Rejection::RequestUnknown)?;
    close(desk, &id, &request, RequestState::Declined)
}

pub(super) fn withdraw(desk: &mut Desk<'_>, id: Arc<str>, asker: &AccountId) -> Result<(), Rejection> {
    let request = desk.request(&id).filter(|request| request.asker == *asker).ok_or(Rejection::RequestUnknown)?;
    close(desk, &id, &request, RequestState::Withdrawn)
}

/// Its time is over, if it is still open: one that is being paid expires when its transfer comes back.
pub(super) fn expire(desk: &mut Desk<'_>, id: Arc<str>) -> Result<(), Rejection> {
    let request = desk.request(&id).ok_or(Rejection::RequestUnknown)?;
    if request.state == RequestState::Open && desk.now() >= request.expires {
        moved(desk, &id, &request, RequestState::Expired, None, None);
    }
    Ok(())
}

fn close(desk: &mut Desk<'_>, id: &str, request: &Request, state: RequestState) -> Result<(), Rejection> {
    match request.state {
        RequestState::Open => moved(desk, id, request, state, None, None),
        already if already == state => {}
        RequestState::Paying => return Err(Rejection::AlreadyPaying),
        _ => return Err(Rejection::RequestClosed),
    }
    Ok(())
}

/// The transfer of a granted request is settled.
pub(super) fn paid(desk: &mut Desk<'_>, transfer: &Transfer) {
    if let Some((id, request)) = paying(desk, transfer) {
        moved(desk, &id, &request, RequestState::Paid, Some(transfer.transfer.clone()), None);
    }
}

/// The transfer of a granted request came back: it can be granted again while its time lasts.
pub(super) fn returned(desk: &mut Desk<'_>, transfer: &Transfer, reason: Arc<str>) {
    if let Some((id, request)) = paying(desk, transfer) {
        let open = desk.now() <= request.expires;
        let state = if open { RequestState::Open } else { RequestState::Expired };
        moved(desk, &id, &request, state, None, Some(reason));
    }
}

fn paying(desk: &Desk<'_>, transfer: &Transfer) -> Option<(Arc<str>, Request)> {
    let id = transfer.subject.clone()?;
    let request = desk.request(&id)?;
    let this = request.state == RequestState::Paying && request.transfer.as_ref() == Some(&transfer.transfer);
    this.then_some((id, request))
}

fn moved(
    desk: &mut Desk<'_>,
    id: &str,
    request: &Request,
    state: RequestState,
    transfer: Option<Arc<str>>,
    reason: Option<Arc<str>>,
) {
    let Request { asker, payer, amount, expires, .. } = request.clone();
    desk.tell(Event::RequestMoved(RequestMoved {
        request: id.into(),
        asker,
        payer,
        amount,
        expires,
        state,
        transfer,
        reason,
    }));
}
