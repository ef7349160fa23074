//! What a shard holds.

use std::sync::Arc;

use feira_commands::payments::{IntentState, TransferState};
use feira_events::payments::{Balance, Intent, LimitUse, RequestState, Transfer};
use feira_ids::AccountId;
use feira_money::{Amount, Currency};
use serde::{Deserialize, Serialize};

/// The window of a limit that is counted for each payment by itself: no time at all.
pub const EACH: i64 = 0;

/// One thing that a shard holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// An account.
    Account(Account),
    /// A transfer that this shard pays.
    Outgoing(Outgoing),
    /// What this shard decided of a transfer that another one pays. Kept for ever: it is what makes a credit happen once.
    Incoming(Incoming),
    /// A request for money of an account of this shard.
    Request(Request),
    /// An order to be paid to an account of this shard.
    Intent(Payment),
    /// How much of a limit is used.
    Used(i64),
    /// A regime that was stopped.
    Suspended,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its figures.
    pub balance: Balance,
    /// The rules it is under; none for the shard's own accounts, which may go below zero.
    pub regime: Option<Arc<str>>,
}

impl Account {
    /// The shard's own account of this name, with nothing on it.
    pub fn own(account: AccountId, currency: Currency) -> Self {
        Self { balance: empty(account, currency), regime: None }
    }

    /// What can be paid from it.
    pub fn available(&self) -> i64 {
        let Balance { credits, debits, debits_held, .. } = self.balance;
        credits - debits - debits_held
    }
}

/// The figures of an account that nothing has happened to.
pub fn empty(account: AccountId, currency: Currency) -> Balance {
    Balance { account, currency, debits_held: 0, debits: 0, credits_held: 0, credits: 0 }
}

/// A transfer that this shard pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// It.
    pub transfer: Transfer,
    /// Where it stands.
    pub state: TransferState,
    /// Why it was returned.
    pub reason: Option<Arc<str>>,
    /// The limits it counts against while it is under way.
    pub limits: Vec<LimitUse>,
    /// Whether the payee's shard was asked to refuse it.
    pub cancel_asked: bool,
}

/// What this shard decided of a transfer that another one pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incoming {
    /// It was taken in.
    Credited,
    /// It was refused, perhaps before it was ever heard of.
    Declined(Arc<str>),
}

/// A request for money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub asker: AccountId,
    /// Who is asked.
    pub payer: AccountId,
    /// How much.
    pub amount: Amount,
    /// Until when.
    pub expires: i64,
    /// Where it stands.
    pub state: RequestState,
    /// How often it was granted.
    pub approvals: u32,
    /// The transfer of the last time.
    pub transfer: Option<Arc<str>>,
}

/// An order to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What is due.
    pub intent: Intent,
    /// Until when.
    pub expires: i64,
    /// The fee as it was when the intent was made.
    pub fee_bp: i32,
    /// Where it stands.
    pub state: IntentState,
    /// Who paid, once it is captured.
    pub payer: Option<AccountId>,
    /// What was taken as fee.
    pub fee: i64,
    /// What of it was given back.
    pub fee_returned: i64,
    /// What was refunded.
    pub refunded: i64,
    /// Refunds that are under way or done: by their name, how much.
    pub refunds: Vec<(Arc<str>, i64, RefundState)>,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Its money is on the way.
    Begun,
    /// It arrived.
    Done,
    /// It could not be paid out.
    Failed,
}

impl Payment {
    /// What can still be refunded.
    pub fn refundable(&self) -> i64 {
        let begun = self.refunds.iter().filter(|(_, _, state)| *state == RefundState::Begun);
        self.intent.amount.minor - self.refunded - begun.map(|(_, minor, _)| minor).sum::<i64>()
    }
}

/// The keys of entities.
pub mod key {
    use super::AccountId;

    /// An account.
    pub fn account(account: &AccountId) -> String {
        format!("account/{account}")
    }

    /// A transfer that this shard pays.
    pub fn outgoing(transfer: &str) -> String {
        format!("outgoing/{transfer}")
    }

    /// A transfer that another shard pays. Ids are chosen by payers' sides: two payers may choose the same.
    pub fn incoming(transfer: &str, from: &AccountId) -> String {
        format!("incoming/{transfer}/{from}")
    }

    /// A request.
    pub fn request(request: &str) -> String {
        format!("request/{request}")
    }

    /// An intent.
    pub fn intent(intent: &str) -> String {
        format!("intent/{intent}")
    }

    /// The use of a limit.
    pub fn used(rule: &str, account: &AccountId, window: i64) -> String {
        format!("used/{rule}/{window}/{account}")
    }

    /// A regime that was stopped.
    pub fn suspended(regime: &str) -> String {
        format!("suspended/{regime}")
    }
}
