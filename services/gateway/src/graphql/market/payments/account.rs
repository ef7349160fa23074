//! An account as its owner sees it.

use std::sync::Arc;

use async_graphql::{ID, Object};
use feira_commands::payments::AccountView;
use feira_events::payments::Balance;
use feira_ids::AccountId;
use feira_money::Amount;
use feira_rows::payments::AccountRow;

use crate::graphql::market::platform_id;
use crate::graphql::money::Money;

/// An account of a person or a business.
pub(crate) struct Account {
    balance: Balance,
    regime: Arc<str>,
}

impl Account {
    pub(crate) fn of_view(view: AccountView) -> Self {
        Self { balance: view.balance, regime: view.regime }
    }

    pub(super) fn of_row(row: AccountRow) -> Self {
        Self { balance: row.balance, regime: row.regime }
    }

    fn money(&self, minor: i64) -> Money {
        Money(Amount::new(minor, self.balance.currency))
    }
}

/// An account of a person or a business.
#[Object]
impl Account {
    /// The id that names it everywhere; give it to who is to send money. Its form is not to be relied on.
    async fn id(&self) -> ID {
        account_id(&self.balance.account)
    }

    /// What can be paid from it.
    async fn available(&self) -> Money {
        let Balance { credits, debits, debits_held, .. } = self.balance;
        self.money(credits - debits - debits_held)
    }

    /// What is held for transfers under way.
    async fn held(&self) -> Money {
        self.money(self.balance.debits_held)
    }

    /// The rules that it is under.
    async fn regime(&self) -> &str {
        &self.regime
    }
}

/// The id of an account.
pub(super) fn account_id(account: &AccountId) -> ID {
    platform_id("account", account.as_str())
}
