//! A transfer of money as those who take part see it.

use std::sync::Arc;

use async_graphql::{ID, Object};
use feira_commands::payments::{TransferState as State, TransferView};
use feira_events::payments::Transfer as Terms;
use feira_ids::AccountId;
use feira_rows::payments::TransferRow;

use super::account::account_id;
use crate::graphql::market::mirrors::{TransferPurpose, TransferState};
use crate::graphql::market::platform_id;
use crate::graphql::money::Money;

/// A transfer of money.
pub(crate) struct Transfer {
    terms: Terms,
    state: State,
    reason: Option<Arc<str>>,
    /// Whether accounts of people are named: to a business, which knows them by other ids, they are not.
    names_people: bool,
}

impl Transfer {
    pub(crate) fn of_view(view: TransferView) -> Self {
        Self { terms: view.transfer, state: view.state, reason: view.reason, names_people: true }
    }

    pub(super) fn of_row(row: TransferRow, names_people: bool) -> Self {
        Self { terms: row.transfer, state: row.state, reason: row.reason, names_people }
    }

    fn named(&self, account: &AccountId) -> Option<ID> {
        (self.names_people || account.kind() != "person").then(|| account_id(account))
    }
}

/// A transfer of money.
#[Object]
impl Transfer {
    /// The id that names it to those who take part; its form is not to be relied on.
    async fn id(&self) -> ID {
        platform_id("transfer", &self.terms.transfer)
    }

    /// Where it stands.
    async fn state(&self) -> TransferState {
        self.state.into()
    }

    /// What it is for.
    async fn purpose(&self) -> TransferPurpose {
        self.terms.purpose.into()
    }

    /// The account that pays; none where a business is not told whose it is.
    async fn from(&self) -> Option<ID> {
        self.named(&self.terms.from)
    }

    /// The account that is paid; none where a business is not told whose it is.
    async fn to(&self) -> Option<ID> {
        self.named(&self.terms.to)
    }

    /// How much.
    async fn amount(&self) -> Money {
        Money(self.terms.amount)
    }

    /// Why it was given back, as a stable name.
    async fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}
