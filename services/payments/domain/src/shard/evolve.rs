//! How events change what a shard holds. Events carry the figures as they are afterwards: nothing is computed here.

use std::sync::Arc;

use feira_commands::payments::{IntentState, TransferState};
use feira_decider::EntitiesMut;
use feira_events::payments::{
    Balance, Event, IntentRefunded, LimitUse, RefundBegun, RefundFailed, RequestMoved, RequestState, Transfer,
};
use feira_mutants::{Mutant, is};

use super::entity::{Account, EACH, Entity, Incoming, Outgoing, Payment, RefundState, Request};
use super::key;

type Held<'a> = &'a mut dyn EntitiesMut<Entity>;

pub(super) fn evolve(entities: Held<'_>, event: &Event) {
    match event {
        Event::AccountOpened(opened) => {
            let account = Account {
                regime: Some(opened.regime.clone()),
                ..Account::own(opened.account.clone(), opened.currency)
            };
            entities.put(&key::account(&opened.account), Entity::Account(Box::new(account)));
        }
        Event::AccountFunded(funded) => balances(entities, &funded.balances),
        Event::TransferReserved(reserved) => {
            figures(entities, &reserved.balances, &reserved.limits);
            outgoing(entities, &reserved.transfer, TransferState::Reserved, None, reserved.limits.clone());
        }
        Event::TransferCancelAsked(asked) => {
            if let Some(Entity::Outgoing(there)) = entities.get_mut(&key::outgoing(&asked.transfer)) {
                there.cancel_asked = true;
            }
        }
        Event::TransferSettled(settled) => {
            figures(entities, &settled.balances, &settled.limits);
            outgoing(entities, &settled.transfer, TransferState::Settled, None, vec![]);
        }
        Event::TransferReturned(returned) => {
            figures(entities, &returned.balances, &returned.limits);
            let reason = Some(returned.reason.clone());
            outgoing(entities, &returned.transfer, TransferState::Returned, reason, vec![]);
        }
        Event::TransferCredited(credited) => {
            figures(entities, &credited.balances, &credited.limits);
            let key = key::incoming(&credited.transfer.transfer, &credited.transfer.from);
            entities.put(&key, Entity::Incoming(Incoming::Credited));
        }
        Event::TransferDeclined(_) if is(Mutant::NoTombstone) => {}
        Event::TransferDeclined(declined) => {
            let declined_for = Incoming::Declined(declined.reason.clone());
            entities.put(&key::incoming(&declined.transfer, &declined.from), Entity::Incoming(declined_for));
        }
        Event::RequestMade(made) => {
            let request = Request {
                asker: made.asker.clone(),
                payer: made.payer.clone(),
                amount: made.amount,
                expires: made.expires,
                state: RequestState::Open,
                approvals: 0,
                transfer: None,
            };
            entities.put(&key::request(&made.request), Entity::Request(Box::new(request)));
        }
        Event::RequestMoved(moved) => request(entities, moved),
        Event::IntentCreated(created) => {
            let payment = Payment {
                intent: created.intent.clone(),
                expires: created.expires,
                fee_bp: created.fee_bp,
                state: IntentState::AwaitingPayer,
                payer: None,
                fee: 0,
                fee_returned: 0,
                refunded: 0,
                refunds: Vec::new(),
            };
            entities.put(&key::intent(&created.intent.intent), Entity::Intent(Box::new(payment)));
        }
        Event::IntentCaptured(captured) => {
            balances(entities, &captured.balances);
            payment(entities, &captured.intent.intent, |payment| {
                payment.state = IntentState::Captured;
                payment.payer = Some(captured.payer.clone());
                payment.fee = captured.fee.minor;
            });
        }
        Event::IntentClosed(closed) => {
            let state = if &*closed.reason == "EXPIRED" { IntentState::Expired } else { IntentState::Canceled };
            payment(entities, &closed.intent.intent, |payment| payment.state = state);
        }
        Event::RefundBegun(RefundBegun { intent, refund, amount, .. }) => {
            payment(entities, &intent.intent, |payment| {
                payment.refunds.push((refund.clone(), amount.minor, RefundState::Begun));
            });
        }
        Event::IntentRefunded(refunded) => {
            balances(entities, &refunded.balances);
            payment(entities, &refunded.intent.intent, |payment| after_refund(payment, refunded));
        }
        Event::RefundFailed(RefundFailed { intent, refund, .. }) => {
            payment(entities, &intent.intent, |payment| with_refund(payment, refund, RefundState::Failed));
        }
        Event::RegimeSuspended(suspended) => entities.put(&key::suspended(&suspended.regime), Entity::Suspended),
        Event::RegimeResumed(resumed) => entities.remove(&key::suspended(&resumed.regime)),
    }
}

fn figures(entities: Held<'_>, of: &[Balance], limits: &[LimitUse]) {
    balances(entities, of);
    // What is counted for each payment by itself has no use to remember.
    for LimitUse { rule, account, window, used, .. } in limits.iter().filter(|limit| limit.window != EACH) {
        if let Some(Entity::Account(there)) = entities.get_mut(&key::account(account)) {
            there.uses.note(rule, *window, *used);
        }
    }
}

fn balances(entities: Held<'_>, of: &[Balance]) {
    for balance in of {
        let key = key::account(&balance.account);
        match entities.get_mut(&key) {
            Some(Entity::Account(account)) => account.balance.clone_from(balance),
            _ => {
                let own = Account::own(balance.account.clone(), balance.currency);
                let account = Account { balance: balance.clone(), ..own };
                entities.put(&key, Entity::Account(Box::new(account)));
            }
        }
    }
}

fn outgoing(
    entities: Held<'_>,
    transfer: &Transfer,
    state: TransferState,
    reason: Option<Arc<str>>,
    limits: Vec<LimitUse>,
) {
    let outgoing = Outgoing { transfer: transfer.clone(), state, reason, limits, cancel_asked: false };
    entities.put(&key::outgoing(&transfer.transfer), Entity::Outgoing(Box::new(outgoing)));
}

fn request(entities: Held<'_>, moved: &RequestMoved) {
    if let Some(Entity::Request(there)) = entities.get_mut(&key::request(&moved.request)) {
        there.state = moved.state;
        there.approvals += u32::from(moved.state == RequestState::Paying);
        there.transfer.clone_from(&moved.transfer);
    }
}

fn payment(entities: Held<'_>, intent: &str, change: impl FnOnce(&mut Payment)) {
    if let Some(Entity::Intent(there)) = entities.get_mut(&key::intent(intent)) {
        change(there);
    }
}

fn after_refund(payment: &mut Payment, refunded: &IntentRefunded) {
    with_refund(payment, &refunded.refund, RefundState::Done);
    let whole = refunded.refunded.minor >= payment.intent.amount.minor;
    payment.state = if whole { IntentState::Refunded } else { IntentState::PartlyRefunded };
    payment.refunded = refunded.refunded.minor;
    payment.fee_returned += refunded.fee_returned.minor;
}

fn with_refund(payment: &mut Payment, refund: &str, state: RefundState) {
    for (name, _, stands) in &mut payment.refunds {
        if &**name == refund {
            *stands = state;
        }
    }
}
