//! What is given to move money.

use async_graphql::{ID, InputObject};

use crate::graphql::money::MoneyInput;
use crate::graphql::scalars::DateTime;

/// An account to open: the caller's own, or their business's.
#[derive(InputObject)]
pub(crate) struct AccountOpenInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
}

/// Demo money for an account.
#[derive(InputObject)]
pub(crate) struct AccountFundInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// The account.
    pub(super) account: ID,
    /// How much.
    pub(super) amount: MoneyInput,
}

/// Money to send.
#[derive(InputObject)]
pub(crate) struct MoneySendInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// To whose account.
    pub(super) to: ID,
    /// How much.
    pub(super) amount: MoneyInput,
}

/// A transfer to take back.
#[derive(InputObject)]
pub(crate) struct TransferCancelInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Which.
    pub(super) transfer: ID,
}

/// Money to ask for.
#[derive(InputObject)]
pub(crate) struct MoneyRequestInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// From whose account.
    pub(super) from: ID,
    /// To the caller's own account.
    pub(super) to: Option<ID>,
    /// How much.
    pub(super) amount: MoneyInput,
    /// Until when it can be granted; a week when none is given.
    pub(super) expires: Option<DateTime>,
}

/// A request for money to answer.
#[derive(InputObject)]
pub(crate) struct MoneyRequestAnswerInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Which.
    pub(super) request: ID,
}
