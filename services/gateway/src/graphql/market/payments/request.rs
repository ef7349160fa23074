//! A request for money as those who take part see it, and how its id names it.

use std::sync::Arc;

use async_graphql::{ID, Object};
use feira_commands::payments::RequestView;
use feira_events::payments::RequestState;
use feira_ids::AccountId;
use feira_money::Amount;
use feira_rows::payments::RequestRow;

use super::account::account_id;
use crate::graphql::market::mirrors::MoneyRequestState;
use crate::graphql::market::{platform_id, read_platform_id};
use crate::graphql::money::Money;
use crate::graphql::scalars::DateTime;
use crate::reads::owned_account;

/// A request for money.
pub(crate) struct MoneyRequest {
    request: Arc<str>,
    asker: AccountId,
    payer: AccountId,
    amount: Amount,
    expires: i64,
    state: RequestState,
}

impl MoneyRequest {
    pub(crate) fn of_view(view: RequestView) -> Self {
        let RequestView { request, asker, payer, amount, expires, state, .. } = view;
        Self { request, asker, payer, amount, expires, state }
    }

    pub(super) fn of_row(row: RequestRow) -> Self {
        let RequestRow { request, asker, payer, amount, expires, state, .. } = row;
        Self { request, asker, payer, amount, expires, state }
    }
}

/// A request for money.
#[Object]
impl MoneyRequest {
    /// The id that names it to those who take part; its form is not to be relied on.
    async fn id(&self) -> ID {
        platform_id("request", &format!("{}|{}|{}|{}", self.expires, self.request, self.payer, self.asker))
    }

    /// Where it stands.
    async fn state(&self) -> MoneyRequestState {
        self.state.into()
    }

    /// Who asks: the account that is to be paid.
    async fn to(&self) -> ID {
        account_id(&self.asker)
    }

    /// Who is asked: the account that is to pay.
    async fn from(&self) -> ID {
        account_id(&self.payer)
    }

    /// How much.
    async fn amount(&self) -> Money {
        Money(self.amount)
    }

    /// Until when it can be granted.
    async fn expires(&self) -> DateTime {
        DateTime(self.expires)
    }
}

/// A request as its id names it.
pub(super) struct NamedRequest {
    pub expires: i64,
    pub request: Arc<str>,
    pub payer: AccountId,
    pub asker: AccountId,
}

impl NamedRequest {
    pub(super) fn read(id: &str) -> Option<Self> {
        let text = read_platform_id("request", id)?;
        let mut parts = text.splitn(4, '|');
        let (expires, request) = (parts.next()?.parse().ok()?, parts.next()?.into());
        let (payer, asker) = (owned_account(parts.next()?)?, owned_account(parts.next()?)?);
        Some(Self { expires, request, payer, asker })
    }
}
