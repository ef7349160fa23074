//! What a shard answers.

mod accounts;
mod desk;
mod intents;
mod limits;
mod requests;
mod transfers;

use feira_decider::{At, Entities};
use feira_events::payments::Event;

#[cfg(test)]
pub(super) use self::desk::derived;

use self::desk::Desk;
use super::command::{Command, Input};
use super::entity::Entity;
use super::rejection::Rejection;

pub(super) fn decide(entities: &dyn Entities<Entity>, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
    let mut desk = Desk::new(entities, command.shard, at);
    match command.input {
        Input::OpenAccount { account, regime } => accounts::open(&mut desk, account, &regime),
        Input::Fund { account, amount } => accounts::fund(&mut desk, account, amount),
        Input::Submit { transfer } => transfers::submit(&mut desk, transfer),
        Input::CancelTransfer { transfer, from } => transfers::cancel(&mut desk, &transfer, &from),
        Input::Credit { transfer } => transfers::credit(&mut desk, transfer),
        Input::Decline { transfer, from, to, reason } => transfers::decline(&mut desk, transfer, from, to, reason),
        Input::Credited { transfer, .. } => transfers::credited(&mut desk, &transfer),
        Input::Declined { transfer, reason, .. } => transfers::declined(&mut desk, &transfer, reason),
        Input::RequestMoney { request, asker, payer, amount, note, expires } => {
            let made = feira_events::payments::RequestMade { request, asker, payer, amount, note, expires };
            requests::make(&mut desk, made)
        }
        Input::ApproveRequest { request, payer } => requests::approve(&mut desk, request, &payer),
        Input::DeclineRequest { request, payer } => requests::decline(&mut desk, request, &payer),
        Input::WithdrawRequest { request, asker, .. } => requests::withdraw(&mut desk, request, &asker),
        Input::ExpireRequest { request } => requests::expire(&mut desk, request),
        Input::CreateIntent { intent, expires } => intents::create(&mut desk, intent, expires),
        Input::CancelIntent { intent, account } => intents::cancel(&mut desk, &intent, &account),
        Input::ExpireIntent { intent } => intents::expire(&mut desk, &intent),
        Input::Refund { intent, account, refund, amount, reason } => {
            intents::refund(&mut desk, &intent, &account, intents::Asked { refund, amount, reason })
        }
        Input::SuspendRegime { regime, reason } => accounts::suspend(&mut desk, regime, reason),
        Input::ResumeRegime { regime } => accounts::resume(&mut desk, regime),
    }?;
    Ok(desk.events())
}
