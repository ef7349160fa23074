//! Accounts, transfers and requests, by owner.

use feira_codec::Opened;
use feira_commands::payments::TransferState;
use feira_events::Meta;
use feira_events::payments::{Balance, Event, RequestState, Transfer};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::LEDGER_PROJECTION;
use feira_rows::payments::{
    ACCOUNTS, REQUESTS, RequestRow, TRANSFERS, put_account, put_balance, put_request, put_transfer,
};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the tables of owners.
#[derive(Debug)]
pub struct LedgerRows;

impl Projection for LedgerRows {
    fn id(&self) -> ProjectionId {
        LEDGER_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&ACCOUNTS, &TRANSFERS, &REQUESTS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        Ok(match &event {
            Event::AccountOpened(opened) => {
                put_account(meta, &opened.account, opened.currency.code(), &opened.regime).into_iter().collect()
            }
            Event::AccountFunded(funded) => balances(meta, &funded.balances).collect(),
            // Who is paid in another shard hears of it there.
            Event::TransferReserved(reserved) => balances(meta, &reserved.balances)
                .chain(put_transfer(meta, &reserved.transfer.from, &reserved.transfer, TransferState::Reserved, None))
                .collect(),
            Event::TransferSettled(settled) => {
                let Transfer { from, to, .. } = &settled.transfer;
                let payee = (from.shard() == to.shard())
                    .then(|| put_transfer(meta, to, &settled.transfer, TransferState::Settled, None))
                    .flatten();
                balances(meta, &settled.balances)
                    .chain(put_transfer(meta, from, &settled.transfer, TransferState::Settled, None))
                    .chain(payee)
                    .collect()
            }
            Event::TransferReturned(returned) => {
                let (transfer, reason) = (&returned.transfer, Some(&returned.reason));
                balances(meta, &returned.balances)
                    .chain(put_transfer(meta, &transfer.from, transfer, TransferState::Returned, reason))
                    .collect()
            }
            Event::TransferCredited(credited) => {
                let transfer = &credited.transfer;
                balances(meta, &credited.balances)
                    .chain(put_transfer(meta, &transfer.to, transfer, TransferState::Settled, None))
                    .collect()
            }
            Event::IntentCaptured(captured) => balances(meta, &captured.balances).collect(),
            Event::IntentRefunded(refunded) => balances(meta, &refunded.balances).collect(),
            Event::RequestMade(made) => put_request(
                meta,
                &RequestRow {
                    request: made.request.clone(),
                    asker: made.asker.clone(),
                    payer: made.payer.clone(),
                    amount: made.amount,
                    expires: made.expires,
                    state: RequestState::Open,
                    transfer: None,
                    reason: None,
                    updated_at: meta.at,
                },
            ),
            Event::RequestMoved(moved) => put_request(
                meta,
                &RequestRow {
                    request: moved.request.clone(),
                    asker: moved.asker.clone(),
                    payer: moved.payer.clone(),
                    amount: moved.amount,
                    expires: moved.expires,
                    state: moved.state,
                    transfer: moved.transfer.clone(),
                    reason: moved.reason.clone(),
                    updated_at: meta.at,
                },
            ),
            Event::TransferCancelAsked(_)
            | Event::TransferDeclined(_)
            | Event::IntentCreated(_)
            | Event::IntentClosed(_)
            | Event::RefundBegun(_)
            | Event::RefundFailed(_)
            | Event::RegimeSuspended(_)
            | Event::RegimeResumed(_) => vec![],
        })
    }
}

fn balances<'a>(meta: &'a Meta, balances: &'a [Balance]) -> impl Iterator<Item = Mutation> + 'a {
    balances.iter().filter_map(|balance| put_balance(meta, balance))
}
