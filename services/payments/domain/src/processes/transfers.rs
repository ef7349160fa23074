//! The way of a transfer between two shards, and the times of what waits.
//!
//! The payer's shard holds the money; the payee's is asked and decides; its decision goes back. Once the transfer's time
//! is over the payee's shard is asked to refuse, which it does unless it has decided already.

use std::sync::Arc;

use feira_commands::payments::Input;
use feira_decider::{Ask, Do, Process};
use feira_events::Meta;
use feira_events::payments::{Event, RequestState};
use feira_ids::{AggregateId, TenantId};

/// How long after its deadline a transfer is asked back: the payee's shard judges the deadline by its own time.
const GRACE_MS: i64 = 2_000;

/// Carries transfers from shard to shard.
#[derive(Debug)]
pub struct TransferProcess;

impl Process for TransferProcess {
    const NAME: &'static str = "transfers";
    type Event = Event;

    fn react(meta: &Meta, event: &Event) -> Vec<Do> {
        let tenant = &meta.tenant;
        match event {
            Event::TransferReserved(reserved) => {
                let transfer = &reserved.transfer;
                let credit = Input::Credit { transfer: transfer.clone() };
                let back = Input::CancelTransfer { transfer: transfer.transfer.clone(), from: transfer.from.clone() };
                vec![
                    ask("back", tenant, transfer.from.aggregate(), &back)
                        .at(timer("transfer", &transfer.transfer), transfer.deadline.saturating_add(GRACE_MS)),
                    ask("credit", tenant, transfer.to.aggregate(), &credit).now(),
                ]
            }
            Event::TransferCancelAsked(asked) => {
                let decline = Input::Decline {
                    transfer: asked.transfer.clone(),
                    from: asked.from.clone(),
                    to: asked.to.clone(),
                    reason: asked.reason.clone(),
                };
                vec![ask("decline", tenant, asked.to.aggregate(), &decline).now()]
            }
            Event::TransferCredited(credited) => {
                let (transfer, from) = (credited.transfer.transfer.clone(), credited.transfer.from.clone());
                vec![ask("credited", tenant, from.aggregate(), &Input::Credited { transfer, from }).now()]
            }
            Event::TransferDeclined(declined) => {
                let (transfer, from) = (declined.transfer.clone(), declined.from.clone());
                let reason = declined.reason.clone();
                vec![ask("declined", tenant, from.aggregate(), &Input::Declined { transfer, from, reason }).now()]
            }
            Event::TransferSettled(settled) => forget("transfer", &settled.transfer.transfer),
            Event::TransferReturned(returned) => forget("transfer", &returned.transfer.transfer),
            Event::RequestMade(made) => {
                let expire = Input::ExpireRequest { request: made.request.clone() };
                vec![
                    ask("expire", tenant, made.payer.aggregate(), &expire)
                        .at(timer("request", &made.request), made.expires),
                ]
            }
            Event::RequestMoved(moved) if !matches!(moved.state, RequestState::Paying | RequestState::Open) => {
                forget("request", &moved.request)
            }
            Event::IntentCreated(created) => {
                let intent = &created.intent;
                let expire = Input::ExpireIntent { intent: intent.intent.clone() };
                vec![
                    ask("expire", tenant, intent.account.aggregate(), &expire)
                        .at(timer("intent", &intent.intent), created.expires),
                ]
            }
            Event::IntentCaptured(captured) => forget("intent", &captured.intent.intent),
            Event::IntentClosed(closed) => forget("intent", &closed.intent.intent),
            Event::AccountOpened(_)
            | Event::AccountFunded(_)
            | Event::RequestMoved(_)
            | Event::RefundBegun(_)
            | Event::IntentRefunded(_)
            | Event::RefundFailed(_)
            | Event::RegimeSuspended(_)
            | Event::RegimeResumed(_) => vec![],
        }
    }
}

fn ask(step: &'static str, tenant: &TenantId, shard: AggregateId, input: &Input) -> Ask {
    Ask::new(step, tenant, shard, input.operation(), input)
}

fn timer(what: &str, id: &str) -> String {
    format!("{what}/{id}")
}

fn forget(what: &str, id: &Arc<str>) -> Vec<Do> {
    vec![Do::Forget { timer: timer(what, id) }]
}
