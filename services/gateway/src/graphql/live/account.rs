//! What happens to the caller's own account.

use async_graphql::{Context, Enum, ID, SimpleObject};
use feira_commands::payments::{AccountView, RequestView, TransferState, TransferView};
use feira_events::payments::{Balance, Event as Happened, RequestMade, RequestMoved, RequestState, Transfer as Terms};
use feira_ids::AccountId;
use feira_rows::LEDGER_PROJECTION;

use super::{Beginning, FrameKind, Frames, unreadable};
use crate::error::ApiError;
use crate::graphql::market::{Account, MoneyRequest, Transfer};
use crate::graphql::scalars::{DateTime, PositionText};
use crate::graphql::{caller, catch_up, gateway};
use crate::live::{Subject, Told};

/// A frame of an account's subscription.
#[derive(SimpleObject)]
pub(crate) struct AccountFrame {
    /// What it is.
    kind: FrameKind,
    /// Subscribe with it to go on after this frame.
    cursor: String,
    /// The account, in a snapshot.
    account: Option<Account>,
    /// What happened, in an event.
    event: Option<AccountEvent>,
}

/// Something that happened to an account.
#[derive(SimpleObject)]
pub(crate) struct AccountEvent {
    /// The event's own id.
    id: ID,
    /// What happened.
    name: AccountEventName,
    /// When.
    at: DateTime,
    /// The account after it; none when its figures are as they were.
    account: Option<Account>,
    /// The transfer that it is about; none in what a business hears of who pays it.
    transfer: Option<Transfer>,
    /// The request for money that it is about.
    request: Option<MoneyRequest>,
}

/// What can happen to an account.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountEventName {
    /// It was opened.
    AccountOpened,
    /// Demo money came in.
    AccountFunded,
    /// Its money is held for a transfer.
    TransferReserved,
    /// A transfer is paid.
    TransferSettled,
    /// A transfer was given back.
    TransferReturned,
    /// It was paid by a transfer.
    TransferCredited,
    /// An order was paid to it, and the fee taken.
    PaymentCaptured,
    /// Its part of the fee was given back with a refund.
    PaymentRefunded,
    /// Somebody asked for money.
    RequestMade,
    /// A request for money was answered, paid or ended.
    RequestMoved,
    /// Something that this release does not know yet.
    Unknown,
}

pub(super) async fn subscribe(
    ctx: &Context<'_>,
    after: Option<String>,
    position: Option<PositionText>,
) -> Result<Frames<AccountFrame>, ApiError> {
    let holder = caller(ctx)?.holder()?;
    let gateway = gateway(ctx);
    let unknown = || ApiError::BadInput("there is no account to follow: open one first, with accountOpen".to_owned());
    catch_up(ctx, position.as_ref(), LEDGER_PROJECTION).await?;
    let account = gateway.reads.account(holder.owner()).await?.ok_or_else(unknown)?.balance.account;
    let lane = gateway.live.lane(holder.scope().tenant(), &account.aggregate()).await?;
    let subject = Subject::Account(account.clone());
    let beginning = Beginning::new(ctx, lane, subject, LEDGER_PROJECTION, after, None).await?;
    // Read after the place was taken, so that nothing lies between.
    let row = gateway.reads.account(holder.owner()).await?.ok_or_else(unknown)?;
    let regime = row.regime.clone();
    let view = |balance| Account::of_view(AccountView { balance, regime: regime.clone() });
    let snapshot = (!beginning.resumed).then(|| AccountFrame {
        kind: FrameKind::Snapshot,
        cursor: beginning.cursor(),
        account: Some(view(row.balance)),
        event: None,
    });
    let shown = Shown { account, regime: row.regime, names_payers: holder.is_person() };
    let make = move |kind, cursor, told: Option<&Told>| {
        let event = told.map(|told| shown.event(told)).transpose()?;
        Ok(AccountFrame { kind, cursor, account: None, event })
    };
    beginning.frames(snapshot, make).await
}

/// What its owner is shown of an account.
struct Shown {
    account: AccountId,
    regime: std::sync::Arc<str>,
    /// Whether accounts of people are named: to a business they are not.
    names_payers: bool,
}

impl Shown {
    fn event(&self, told: &Told) -> Result<AccountEvent, ApiError> {
        let meta = &told.event.meta;
        let event = AccountEvent {
            id: meta.event_id.to_string().into(),
            name: AccountEventName::Unknown,
            at: DateTime(meta.at),
            account: None,
            transfer: None,
            request: None,
        };
        if !told.event.is::<Happened>() {
            return Ok(event);
        }
        use TransferState::{Reserved, Returned, Settled};
        Ok(match told.event.decode::<Happened>().map_err(|error| unreadable(&error))? {
            Happened::AccountOpened(_) => AccountEvent { name: AccountEventName::AccountOpened, ..event },
            Happened::AccountFunded(funded) => {
                let account = self.after(&funded.balances);
                AccountEvent { name: AccountEventName::AccountFunded, account, ..event }
            }
            Happened::TransferReserved(reserved) => {
                let (account, transfer) =
                    (self.after(&reserved.balances), self.moved(reserved.transfer, Reserved, None));
                AccountEvent { name: AccountEventName::TransferReserved, account, transfer, ..event }
            }
            Happened::TransferSettled(settled) => {
                let (account, transfer) = (self.after(&settled.balances), self.moved(settled.transfer, Settled, None));
                AccountEvent { name: AccountEventName::TransferSettled, account, transfer, ..event }
            }
            Happened::TransferReturned(returned) => {
                let transfer = self.moved(returned.transfer, Returned, Some(returned.reason));
                let account = self.after(&returned.balances);
                AccountEvent { name: AccountEventName::TransferReturned, account, transfer, ..event }
            }
            Happened::TransferCredited(credited) => {
                let (account, transfer) =
                    (self.after(&credited.balances), self.moved(credited.transfer, Settled, None));
                AccountEvent { name: AccountEventName::TransferCredited, account, transfer, ..event }
            }
            Happened::IntentCaptured(captured) => {
                let account = self.after(&captured.balances);
                AccountEvent { name: AccountEventName::PaymentCaptured, account, ..event }
            }
            Happened::IntentRefunded(refunded) => {
                let account = self.after(&refunded.balances);
                AccountEvent { name: AccountEventName::PaymentRefunded, account, ..event }
            }
            Happened::RequestMade(made) => {
                let RequestMade { request, asker, payer, amount, expires, .. } = made;
                let (state, transfer) = (RequestState::Open, None);
                let request = RequestView { request, asker, payer, amount, expires, state, transfer };
                let request = Some(MoneyRequest::of_view(request));
                AccountEvent { name: AccountEventName::RequestMade, request, ..event }
            }
            Happened::RequestMoved(moved) => {
                let RequestMoved { request, asker, payer, amount, expires, state, transfer, .. } = moved;
                let request = RequestView { request, asker, payer, amount, expires, state, transfer };
                let request = Some(MoneyRequest::of_view(request));
                AccountEvent { name: AccountEventName::RequestMoved, request, ..event }
            }
            Happened::TransferCancelAsked(_)
            | Happened::TransferDeclined(_)
            | Happened::IntentCreated(_)
            | Happened::IntentClosed(_)
            | Happened::RefundBegun(_)
            | Happened::RefundFailed(_)
            | Happened::RegimeSuspended(_)
            | Happened::RegimeResumed(_) => event,
        })
    }

    /// The account by the figures that an event gives.
    fn after(&self, balances: &[Balance]) -> Option<Account> {
        let balance = balances.iter().find(|balance| balance.account == self.account)?.clone();
        Some(Account::of_view(AccountView { balance, regime: self.regime.clone() }))
    }

    fn moved(&self, transfer: Terms, state: TransferState, reason: Option<std::sync::Arc<str>>) -> Option<Transfer> {
        self.names_payers.then(|| Transfer::of_view(TransferView { transfer, state, reason }))
    }
}
