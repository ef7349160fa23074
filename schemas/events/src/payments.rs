//! What happens to money: accounts, transfers, requests and payments of orders.
//!
//! Every event that holds or moves money lists its postings, and the balances of all accounts they touch as they are
//! afterwards, so that the ledger can be summed from the log alone. An account is named `<shard>/<kind>/<name>`.

use std::sync::Arc;

use feira_ids::AccountId;
use feira_money::{Amount, Currency};
use serde::{Deserialize, Serialize};

use crate::Sealed;

/// One movement: what is debited to one account and credited to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The account that gives.
    pub debit: AccountId,
    /// The account that takes.
    pub credit: AccountId,
    /// How much.
    pub amount: Amount,
    /// What becomes of it.
    pub kind: PostingKind,
}

/// What becomes of a posting's amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PostingKind {
    /// It moves.
    Moved,
    /// It is held until it is released one way or the other.
    Held,
    /// What was held moves.
    HeldMoved,
    /// What was held is given back.
    HeldReturned,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// An account's figures after an event, in minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The account.
    pub account: AccountId,
    /// Whose minor units.
    pub currency: Currency,
    /// What is held of its money.
    pub debits_held: i64,
    /// What it gave, in all.
    pub debits: i64,
    /// What is held for it.
    pub credits_held: i64,
    /// What it took, in all.
    pub credits: i64,
}

/// How much of a limit is used after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUse {
    /// The rule, by the name that the regime gives it.
    pub rule: Arc<str>,
    /// Whose use is counted.
    pub account: AccountId,
    /// The first millisecond of the day or month that is counted.
    pub window: i64,
    /// What the event adds, or takes back: minor units, or a count.
    pub change: i64,
    /// What is used now.
    pub used: i64,
}

/// What a transfer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// One person gives to another.
    Gift,
    /// A request is granted.
    Request,
    /// An order is paid.
    Order,
    /// A payment is given back.
    Refund,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// What a transfer moves, from whom to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its id: 32 hexadecimal digits.
    pub transfer: Arc<str>,
    /// The account that pays.
    pub from: AccountId,
    /// The account that is paid.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// What it is for.
    pub purpose: Purpose,
    /// The request, the payment intent, or the intent and the refund as `intent/refund`; none for a gift.
    pub subject: Option<Arc<str>>,
    /// How the business knows the payer, when an order is paid.
    pub customer: Option<Arc<str>>,
    /// A word from the payer.
    pub note: Option<Sealed<String>>,
    /// Until when it may be credited, milliseconds since 1970.
    pub deadline: i64,
}

/// An account was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOpened {
    /// It.
    pub account: AccountId,
    /// What it is kept in.
    pub currency: Currency,
    /// The rules it is under: `BR-trial-2020`.
    pub regime: Arc<str>,
}

/// Demo money came into an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFunded {
    /// The account.
    pub account: AccountId,
    /// How much.
    pub amount: Amount,
    /// The movements.
    pub postings: Vec<Posting>,
    /// The figures now.
    pub balances: Vec<Balance>,
}

/// Money for a transfer to another shard is held. That shard decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferReserved {
    /// The transfer.
    pub transfer: Transfer,
    /// The limits it counts against.
    pub limits: Vec<LimitUse>,
    /// The movements.
    pub postings: Vec<Posting>,
    /// The figures now.
    pub balances: Vec<Balance>,
}

/// The payer's shard asked the payee's to refuse a transfer that it has not heard of again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferCancelAsked {
    /// The transfer.
    pub transfer: Arc<str>,
    /// The account that pays.
    pub from: AccountId,
    /// The account that was to be paid.
    pub to: AccountId,
    /// Why, as a stable code: `EXPIRED`, `CANCELED`.
    pub reason: Arc<str>,
}

/// A transfer is paid: within one shard at once, else when the payee's shard had credited it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferSettled {
    /// The transfer.
    pub transfer: Transfer,
    /// The limits it counts against, when it was settled at once.
    pub limits: Vec<LimitUse>,
    /// The movements.
    pub postings: Vec<Posting>,
    /// The figures now.
    pub balances: Vec<Balance>,
}

/// A transfer was given back to its payer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferReturned {
    /// The transfer.
    pub transfer: Transfer,
    /// Why, as a stable code.
    pub reason: Arc<str>,
    /// The limits that are free again.
    pub limits: Vec<LimitUse>,
    /// The movements.
    pub postings: Vec<Posting>,
    /// The figures now.
    pub balances: Vec<Balance>,
}

/// The payee's shard took a transfer in. This decides it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferCredited {
    /// The transfer.
    pub transfer: Transfer,
    /// The limits it counts against.
    pub limits: Vec<LimitUse>,
    /// The movements.
    pub postings: Vec<Posting>,
    /// The figures now.
    pub balances: Vec<Balance>,
}

/// The payee's shard refused a transfer, perhaps before it ever heard of it. This decides it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferDeclined {
    /// The transfer.
    pub transfer: Arc<str>,
    /// The account that pays.
    pub from: AccountId,
    /// The account that was to be paid.
    pub to: AccountId,
    /// Why, as a stable code.
    pub reason: Arc<str>,
}

/// Somebody asked another for money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestMade {
    /// The request.
    pub request: Arc<str>,
    /// Who asks, and is paid.
    pub asker: AccountId,
    /// Who is asked, and pays.
    pub payer: AccountId,
    /// How much.
    pub amount: Amount,
    /// A word from the asker.
    pub note: Option<Sealed<String>>,
    /// Until when it can be granted, milliseconds since 1970.
    pub expires: i64,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestMoved {
    /// The request.
    pub request: Arc<str>,
    /// Who asks.
    pub asker: AccountId,
    /// Who is asked.
    pub payer: AccountId,
    /// How much.
    pub amount: Amount,
    /// Until when it can be granted, milliseconds since 1970.
    pub expires: i64,
    /// Where it stands now.
    pub state: RequestState,
    /// The transfer that pays it, once it was granted.
    pub transfer: Option<Arc<str>>,
    /// Why it is open again, as a stable code.
    pub reason: Option<Arc<str>>,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestState {
    /// It waits for the one who is asked.
    Open,
    /// It was granted and its transfer is under way.
    Paying,
    /// It was paid.
    Paid,
    /// The one who was asked said no.
    Declined,
    /// The asker took it back.
    Withdrawn,
    /// Its time passed.
    Expired,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// A business waits for an order to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentCreated {
    /// The intent.
    pub intent: Intent,
    /// Until when it can be paid, milliseconds since 1970.
    pub expires: i64,
    /// The fee in basis points: 399 is 3.99 %.
    pub fee_bp: i32,
}

/// What is to be paid to whom, for which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its id: the order's.
    pub intent: Arc<str>,
    /// The business.
    pub business: Arc<str>,
    /// The order.
    pub order: Arc<str>,
    /// How the business knows who ordered.
    pub customer: Arc<str>,
    /// The business's account.
    pub account: AccountId,
    /// How much is due.
    pub amount: Amount,
}

/// An order was paid, and the platform's fee taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentCaptured {
    /// The intent.
    pub intent: Intent,
    /// The transfer that paid it.
    pub transfer: Arc<str>,
    /// The account that paid.
    pub payer: AccountId,
    /// What the business was charged.
    pub fee: Amount,
    /// The fee before it was closed to whole minor units, in millionths of a major unit.
    pub fee_micro: i64,
    /// The fee in basis points.
    pub fee_bp: i32,
    /// What the business keeps.
    pub net: Amount,
    /// The movements.
    pub postings: Vec<Posting>,
    /// The figures now.
    pub balances: Vec<Balance>,
}

/// An intent can no longer be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentClosed {
    /// The intent.
    pub intent: Intent,
    /// Why, as a stable code: `CANCELED`, `EXPIRED`.
    pub reason: Arc<str>,
}

/// A captured payment is given back, in part or whole; its money is on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundBegun {
    /// The intent.
    pub intent: Intent,
    /// The refund, named by who asked for it.
    pub refund: Arc<str>,
    /// How much.
    pub amount: Amount,
    /// The transfer that carries it.
    pub transfer: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
}

/// A refund arrived, and its part of the fee was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentRefunded {
    /// The intent.
    pub intent: Intent,
    /// The refund.
    pub refund: Arc<str>,
    /// How much.
    pub amount: Amount,
    /// What was refunded in all.
    pub refunded: Amount,
    /// What of the fee is given back with this refund.
    pub fee_returned: Amount,
    /// The movements.
    pub postings: Vec<Posting>,
    /// The figures now.
    pub balances: Vec<Balance>,
}

/// A refund could not be paid out; the business has the money still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFailed {
    /// The intent.
    pub intent: Intent,
    /// The refund.
    pub refund: Arc<str>,
    /// How much it was to be.
    pub amount: Amount,
    /// Why, as a stable code.
    pub reason: Arc<str>,
}

/// A regime was stopped: no money moves under it in this shard until it is resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegimeSuspended {
    /// The regime.
    pub regime: Arc<str>,
    /// Why, in words.
    pub reason: Arc<str>,
}

/// A regime goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegimeResumed {
    /// The regime.
    pub regime: Arc<str>,
}

/// Any event of a ledger shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// See [`AccountOpened`].
    AccountOpened(AccountOpened),
    /// See [`AccountFunded`].
    AccountFunded(AccountFunded),
    /// See [`TransferReserved`].
    TransferReserved(TransferReserved),
    /// See [`TransferCancelAsked`].
    TransferCancelAsked(TransferCancelAsked),
    /// See [`TransferSettled`].
    TransferSettled(TransferSettled),
    /// See [`TransferReturned`].
    TransferReturned(TransferReturned),
    /// See [`TransferCredited`].
    TransferCredited(TransferCredited),
    /// See [`TransferDeclined`].
    TransferDeclined(TransferDeclined),
    /// See [`RequestMade`].
    RequestMade(RequestMade),
    /// See [`RequestMoved`].
    RequestMoved(RequestMoved),
    /// See [`IntentCreated`].
    IntentCreated(IntentCreated),
    /// See [`IntentCaptured`].
    IntentCaptured(IntentCaptured),
    /// See [`IntentClosed`].
    IntentClosed(IntentClosed),
    /// See [`RefundBegun`].
    RefundBegun(RefundBegun),
    /// See [`IntentRefunded`].
    IntentRefunded(IntentRefunded),
    /// See [`RefundFailed`].
    RefundFailed(RefundFailed),
    /// See [`RegimeSuspended`].
    RegimeSuspended(RegimeSuspended),
    /// See [`RegimeResumed`].
    RegimeResumed(RegimeResumed),
}
