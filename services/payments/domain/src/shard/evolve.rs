//! How events change what a shard holds. Events carry the figures as they are afterwards: nothing is computed here.

use std::sync::Arc;

use feira_commands::payments::{IntentState, TransferState};
use feira_decider::EntitiesMut;
use feira_events::payments::{
    Balance, Event, IntentRefunded, LimitUse, RefundBegun, RefundFailed, RequestMoved, RequestState, Transfer,
};

use super::entity::{Account, EACH, Entity, Incoming, Outgoing, Payment, RefundState, Request, key};

type Held<'a> = &'a mut dyn EntitiesMut<Entity>;

pub(super) fn evolve(entities: Held<'_>, event: &Event) {
    match event {
        Event::AccountOpened(opened) => {
            let account = Account {
                regime: Some(opened.regime.clone()),
                ..Account::own(opened.account.clone(), opened.currency)
            };
            entities.put(&key::account(&opened.account), Entity::Account(account));
        }
        Event::AccountFunded(funded) => balances(entities, &funded.balances),
        Event::TransferReserved(reserved) => {
            figures(entities, &reserved.balances, &reserved.limits);
            outgoing(entities, &reserved.transfer, TransferState::Reserved, None, reserved.limits.clone());
        }
        Event::TransferCancelAsked(asked) => {
            if let Some(Entity::Outgoing(there)) = entities.get(&key::outgoing(&asked.transfer)).as_deref() {
                let asked_now = Outgoing { cancel_asked: true, ..there.clone() };
                entities.put(&key::outgoing(&asked.transfer), Entity::Outgoing(asked_now));
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
            entities.put(&key::request(&made.request), Entity::Request(request));
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
            entities.put(&key::intent(&created.intent.intent), Entity::Intent(payment));
        }
        Event::IntentCaptured(captured) => {
            balances(entities, &captured.balances);
            payment(entities, &captured.intent.intent, |payment| Payment {
                state: IntentState::Captured,
                payer: Some(captured.payer.clone()),
                fee: captured.fee.minor,
                ..payment
            });
        }
        Event::IntentClosed(closed) => {
            let state = if &*closed.reason == "EXPIRED" { IntentState::Expired } else { IntentState::Canceled };
            payment(entities, &closed.intent.intent, |payment| Payment { state, ..payment });
        }
        Event::RefundBegun(RefundBegun { intent, refund, amount, .. }) => {
            payment(entities, &intent.intent, |mut payment| {
                payment.refunds.push((refund.clone(), amount.minor, RefundState::Begun));
                payment
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
        entities.put(&key::used(rule, account, *window), Entity::Used(*used));
    }
}

fn balances(entities: Held<'_>, of: &[Balance]) {
    for balance in of {
        let key = key::account(&balance.account);
        let regime = match entities.get(&key).as_deref() {
            Some(Entity::Account(account)) => account.regime.clone(),
            _ => None,
        };
        entities.put(&key, Entity::Account(Account { balance: balance.clone(), regime }));
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
    entities.put(&key::outgoing(&transfer.transfer), Entity::Outgoing(outgoing));
}

fn request(entities: Held<'_>, moved: &RequestMoved) {
    let key = key::request(&moved.request);
    if let Some(Entity::Request(there)) = entities.get(&key).as_deref() {
        let approvals = there.approvals + u32::from(moved.state == RequestState::Paying);
        let transfer = moved.transfer.clone();
        entities.put(&key, Entity::Request(Request { state: moved.state, approvals, transfer, ..there.clone() }));
    }
}

fn payment(entities: Held<'_>, intent: &str, change: impl FnOnce(Payment) -> Payment) {
    let key = key::intent(intent);
    if let Some(Entity::Intent(there)) = entities.get(&key).as_deref() {
        entities.put(&key, Entity::Intent(change(there.clone())));
    }
}

fn after_refund(payment: Payment, refunded: &IntentRefunded) -> Payment {
    let payment = with_refund(payment, &refunded.refund, RefundState::Done);
    let whole = refunded.refunded.minor >= payment.intent.amount.minor;
    Payment {
        state: if whole { IntentState::Refunded } else { IntentState::PartlyRefunded },
        refunded: refunded.refunded.minor,
        fee_returned: payment.fee_returned + refunded.fee_returned.minor,
        ..payment
    }
}

fn with_refund(mut payment: Payment, refund: &str, state: RefundState) -> Payment {
    for (name, _, stands) in &mut payment.refunds {
        if &**name == refund {
            *stands = state;
        }
    }
    payment
}
