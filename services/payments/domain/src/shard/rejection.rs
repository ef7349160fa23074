//! Why a shard refuses.

use feira_decider::Reject;
use feira_money::{Amount, Currency};

/// Why a shard refused a command. As the reason of a transfer that another shard decides, its code stands in the event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The account is one of another shard, or of another kind than this needs.
    #[error("account {0} cannot be used for this")]
    BadAccount(String),
    /// Its id is none.
    #[error("a {0} is named by 1 to 128 printable characters without spaces; a transfer by 32 hexadecimal digits")]
    BadId(&'static str),
    /// No such regime.
    #[error("there is no regime {0:?}")]
    RegimeUnknown(String),
    /// The account is open under other rules.
    #[error("the account is open already, under {0}")]
    AlreadyOpen(String),
    /// Nothing can be paid from an account that is not open.
    #[error("the payer has no account: open one first")]
    PayerUnknown,
    /// Nothing can be paid to an account that is not open.
    #[error("the payee has no account")]
    PayeeUnknown,
    /// An account cannot pay itself.
    #[error("payer and payee are the same")]
    SameParty,
    /// Not what the account is kept in.
    #[error("the account is kept in {kept}, not in {given}: there is no exchange")]
    CurrencyMismatch {
        /// What it is kept in.
        kept: Currency,
        /// What was given.
        given: Currency,
    },
    /// Too little.
    #[error("at least {minimum} minor units must be paid")]
    AmountBelowMinimum {
        /// The least.
        minimum: i64,
    },
    /// Not there.
    #[error("{available} minor units are available, {asked} are asked")]
    InsufficientFunds {
        /// What is.
        available: i64,
        /// What would be needed.
        asked: i64,
    },
    /// A rule says no.
    #[error("rule {rule} allows {cap}, of which {used} is used; {asked} more is asked")]
    LimitExceeded {
        /// Which.
        rule: &'static str,
        /// The most.
        cap: i64,
        /// What is used.
        used: i64,
        /// What is asked.
        asked: i64,
    },
    /// The regime was stopped.
    #[error("payments under {0} are suspended")]
    RegimeSuspended(String),
    /// The figures no longer fit.
    #[error("the amount is too large")]
    Overflow,
    /// The id was used for something else.
    #[error("this {0} has another content already: use a new id")]
    KeyReused(&'static str),
    /// The time to be credited has passed.
    #[error("the transfer came too late")]
    Expired,
    /// Such a transfer is not submitted but follows from something else.
    #[error("only gifts and payments of orders are submitted")]
    BadPurpose,
    /// No such transfer.
    #[error("there is no such transfer from this account")]
    TransferUnknown,
    /// People may not ask each other.
    #[error("requests between people are not allowed under {0}")]
    CollectNotAllowed(String),
    /// Its time is none.
    #[error("it must end after now and within {days} days")]
    BadExpiry {
        /// The most days.
        days: i64,
    },
    /// No such request.
    #[error("there is no such request to this account")]
    RequestUnknown,
    /// It was granted and is being paid.
    #[error("the request is being paid")]
    AlreadyPaying,
    /// It was answered.
    #[error("the request is no longer open")]
    RequestClosed,
    /// No such intent.
    #[error("there is no such payment to make")]
    IntentUnknown,
    /// It does not wait to be paid.
    #[error("the order is not waiting to be paid")]
    IntentNotPayable,
    /// It was paid.
    #[error("the order is paid: refund it instead")]
    AlreadyCaptured,
    /// Another amount is due, or another customer's.
    #[error("{due} minor units are due, by the customer who ordered")]
    IntentMismatch {
        /// How much.
        due: i64,
    },
    /// Nothing was paid that could be given back.
    #[error("the order is not paid: there is nothing to refund")]
    NothingCaptured,
    /// More than was paid.
    #[error("{left} minor units can still be refunded, {asked} are asked")]
    RefundTooLarge {
        /// What is left.
        left: i64,
        /// What is asked.
        asked: i64,
    },
    /// A note is too long.
    #[error("a note has at most 140 characters")]
    NoteTooLong,
}

impl Rejection {
    /// What `amount` of an account kept in another currency is refused with.
    pub(super) fn mismatch(kept: Currency, amount: Amount) -> Self {
        Self::CurrencyMismatch { kept, given: amount.currency }
    }
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BadAccount(_) => "BAD_ACCOUNT",
            Self::BadId(_) => "BAD_ID",
            Self::RegimeUnknown(_) => "REGIME_UNKNOWN",
            Self::AlreadyOpen(_) => "ACCOUNT_OPEN",
            Self::PayerUnknown => "PAYER_UNKNOWN",
            Self::PayeeUnknown => "PAYEE_UNKNOWN",
            Self::SameParty => "SAME_PARTY",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            Self::AmountBelowMinimum { .. } => "AMOUNT_BELOW_MINIMUM",
            Self::InsufficientFunds { .. } => "INSUFFICIENT_FUNDS",
            Self::LimitExceeded { .. } => "LIMIT_EXCEEDED",
            Self::RegimeSuspended(_) => "REGIME_SUSPENDED",
            Self::Overflow => "AMOUNT_TOO_LARGE",
            Self::KeyReused(_) => "KEY_REUSED",
            Self::Expired => "EXPIRED",
            Self::BadPurpose => "BAD_PURPOSE",
            Self::TransferUnknown => "TRANSFER_UNKNOWN",
            Self::CollectNotAllowed(_) => "COLLECT_NOT_ALLOWED",
            Self::BadExpiry { .. } => "BAD_EXPIRY",
            Self::RequestUnknown => "REQUEST_UNKNOWN",
            Self::AlreadyPaying => "ALREADY_PAYING",
            Self::RequestClosed => "REQUEST_CLOSED",
            Self::IntentUnknown => "INTENT_UNKNOWN",
            Self::IntentNotPayable => "INTENT_NOT_PAYABLE",
            Self::AlreadyCaptured => "ALREADY_CAPTURED",
            Self::IntentMismatch { .. } => "INTENT_MISMATCH",
            Self::NothingCaptured => "NOTHING_CAPTURED",
            Self::RefundTooLarge { .. } => "REFUND_TOO_LARGE",
            Self::NoteTooLong => "NOTE_TOO_LONG",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::CurrencyMismatch { .. }
            | Self::AmountBelowMinimum { .. }
            | Self::InsufficientFunds { .. }
            | Self::LimitExceeded { .. }
            | Self::Overflow
            | Self::IntentMismatch { .. }
            | Self::RefundTooLarge { .. } => Some("amount"),
            Self::PayeeUnknown | Self::SameParty => Some("to"),
            Self::RegimeUnknown(_) => Some("regime"),
            Self::BadExpiry { .. } => Some("expires"),
            Self::NoteTooLong => Some("note"),
            _ => None,
        }
    }
}
