//! What a ledger shard can be asked, and what it answers.

use std::sync::Arc;

use feira_events::Sealed;
use feira_events::payments::{Balance, Intent, RequestState, Transfer};
use feira_ids::AccountId;
use feira_money::Amount;
use serde::{Deserialize, Serialize};

/// The most bytes of a sealed note: 140 characters at four bytes each, and the cipher's tag.
pub const NOTE_BYTES_MAX: usize = 140 * 4 + 16;

/// How long a transfer to another shard may take before it is asked back, in milliseconds.
pub const TRANSFER_PATIENCE_MS: i64 = 30_000;

/// The longest time for which money can be requested, in milliseconds: 45 days.
pub const REQUEST_LIFE_MAX_MS: i64 = 45 * 24 * 60 * 60 * 1000;

/// How long money stands requested where nobody says, in milliseconds: a week.
pub const REQUEST_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What can be asked of a ledger shard. The aggregate is `shard:<number>`, the tenant `platform`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Input {
    /// Open an account of a person or a business; nothing happens when it is open under the same rules.
    OpenAccount {
        /// The account; its id names this shard.
        account: AccountId,
        /// The rules it is under; they say its currency.
        regime: Arc<str>,
    },
    /// Put demo money into an account.
    Fund {
        /// The account.
        account: AccountId,
        /// How much.
        amount: Amount,
    },
    /// Pay from an account of this shard.
    Submit {
        /// What, from whom, to whom. A refund and a granted request are made by the shard itself.
        transfer: Transfer,
    },
    /// Ask the payee's shard to refuse a transfer that is still under way.
    CancelTransfer {
        /// The transfer.
        transfer: Arc<str>,
        /// The account that pays.
        from: AccountId,
    },
    /// Take in a transfer that another shard holds the money of. Decides it, once.
    Credit {
        /// The transfer.
        transfer: Transfer,
    },
    /// Refuse a transfer unless it was taken in, also one that was never heard of.
    Decline {
        /// The transfer.
        transfer: Arc<str>,
        /// The account that pays.
        from: AccountId,
        /// The account that was to be paid.
        to: AccountId,
        /// Why, as a stable code.
        reason: Arc<str>,
    },
    /// The payee's shard took the transfer in.
    Credited {
        /// The transfer.
        transfer: Arc<str>,
        /// The account that pays.
        from: AccountId,
    },
    /// The payee's shard refused the transfer.
    Declined {
        /// The transfer.
        transfer: Arc<str>,
        /// The account that pays.
        from: AccountId,
        /// Why, as a stable code.
        reason: Arc<str>,
    },
    /// Ask the owner of an account of this shard for money.
    RequestMoney {
        /// The request, named by the asker's side.
        request: Arc<str>,
        /// Who asks, and is paid.
        asker: AccountId,
        /// Who is asked, and pays.
        payer: AccountId,
        /// How much.
        amount: Amount,
        /// A word.
        note: Option<Sealed<String>>,
        /// Until when it can be granted, milliseconds since 1970; 0 for a week from when it is made.
        expires: i64,
    },
    /// Grant a request: pays it.
    ApproveRequest {
        /// The request.
        request: Arc<str>,
        /// Who is asked.
        payer: AccountId,
    },
    /// Say no to a request.
    DeclineRequest {
        /// The request.
        request: Arc<str>,
        /// Who is asked.
        payer: AccountId,
    },
    /// Take a request back.
    WithdrawRequest {
        /// The request.
        request: Arc<str>,
        /// Who asks.
        asker: AccountId,
        /// Who is asked.
        payer: AccountId,
    },
    /// The time of a request has passed.
    ExpireRequest {
        /// The request.
        request: Arc<str>,
    },
    /// Wait for an order to be paid.
    CreateIntent {
        /// What is due to whom.
        intent: Intent,
        /// Until when, milliseconds since 1970.
        expires: i64,
    },
    /// No longer wait.
    CancelIntent {
        /// The intent.
        intent: Arc<str>,
        /// The business's account.
        account: AccountId,
    },
    /// The time of an intent has passed.
    ExpireIntent {
        /// The intent.
        intent: Arc<str>,
    },
    /// Give a payment back, in part or whole.
    Refund {
        /// The intent.
        intent: Arc<str>,
        /// The business's account.
        account: AccountId,
        /// The refund, named by who asks.
        refund: Arc<str>,
        /// How much; all that is left when none is given.
        amount: Option<Amount>,
        /// Why.
        reason: Arc<str>,
    },
    /// Stop a regime in this shard.
    SuspendRegime {
        /// The regime.
        regime: Arc<str>,
        /// Why, in words.
        reason: Arc<str>,
    },
    /// Let a regime go on.
    ResumeRegime {
        /// The regime.
        regime: Arc<str>,
    },
}

impl Input {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::OpenAccount { .. } => "payments.open_account",
            Self::Fund { .. } => "payments.fund",
            Self::Submit { .. } => "payments.submit",
            Self::CancelTransfer { .. } => "payments.cancel_transfer",
            Self::Credit { .. } => "payments.credit",
            Self::Decline { .. } => "payments.decline",
            Self::Credited { .. } => "payments.credited",
            Self::Declined { .. } => "payments.declined",
            Self::RequestMoney { .. } => "payments.request_money",
            Self::ApproveRequest { .. } => "payments.approve_request",
            Self::DeclineRequest { .. } => "payments.decline_request",
            Self::WithdrawRequest { .. } => "payments.withdraw_request",
            Self::ExpireRequest { .. } => "payments.expire_request",
            Self::CreateIntent { .. } => "payments.create_intent",
            Self::CancelIntent { .. } => "payments.cancel_intent",
            Self::ExpireIntent { .. } => "payments.expire_intent",
            Self::Refund { .. } => "payments.refund",
            Self::SuspendRegime { .. } => "payments.suspend_regime",
            Self::ResumeRegime { .. } => "payments.resume_regime",
        }
    }

    /// The account whose owner must be the one who asks, unless the platform itself does; none for what only the
    /// platform asks.
    pub fn actor(&self) -> Option<&AccountId> {
        match self {
            Self::OpenAccount { account, .. } | Self::CancelIntent { account, .. } | Self::Refund { account, .. } => {
                Some(account)
            }
            Self::Submit { transfer } => Some(&transfer.from),
            Self::CancelTransfer { from, .. } => Some(from),
            Self::RequestMoney { asker, .. } | Self::WithdrawRequest { asker, .. } => Some(asker),
            Self::ApproveRequest { payer, .. } | Self::DeclineRequest { payer, .. } => Some(payer),
            Self::CreateIntent { intent, .. } => Some(&intent.account),
            Self::Fund { .. }
            | Self::Credit { .. }
            | Self::Decline { .. }
            | Self::Credited { .. }
            | Self::Declined { .. }
            | Self::ExpireRequest { .. }
            | Self::ExpireIntent { .. }
            | Self::SuspendRegime { .. }
            | Self::ResumeRegime { .. } => None,
        }
    }
}

/// What a command was about, as its shard sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The account that was asked for, or that pays or is paid in this shard.
    pub account: Option<AccountView>,
    /// The transfer.
    pub transfer: Option<TransferView>,
    /// The request.
    pub request: Option<RequestView>,
    /// The intent.
    pub intent: Option<IntentView>,
}

/// An account as its shard sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its figures.
    pub balance: Balance,
    /// The rules it is under.
    pub regime: Arc<str>,
}

/// A transfer as the shard sees it that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferView {
    /// It.
    pub transfer: Transfer,
    /// Where it stands.
    pub state: TransferState,
    /// Why it was returned, as a stable code.
    pub reason: Option<Arc<str>>,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransferState {
    /// Its money is held; the payee's shard has not decided yet.
    Reserved,
    /// It is paid.
    Settled,
    /// It was given back.
    Returned,
}

/// A request as its shard sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// It.
    pub request: Arc<str>,
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
    /// The transfer that pays it.
    pub transfer: Option<Arc<str>>,
}

/// An intent as its shard sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentView {
    /// It.
    pub intent: Intent,
    /// Where it stands.
    pub state: IntentState,
    /// What was taken as fee, once it is captured.
    pub fee: Option<Amount>,
    /// What was given back.
    pub refunded: Amount,
    /// Until when it can be paid.
    pub expires: i64,
}

/// Where an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IntentState {
    /// It waits for the payer.
    AwaitingPayer,
    /// It is paid.
    Captured,
    /// Part of it was given back.
    PartlyRefunded,
    /// All of it was given back.
    Refunded,
    /// It was called off before it was paid.
    Canceled,
    /// Its time passed.
    Expired,
}
