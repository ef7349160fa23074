//! The tables of the ledger, as its events add up: by owner, and for businesses by payment.
//!
//! An owner is named as in their account: `person/ana`, `biz/feira-livre`. A business's rows do not say who paid.

use std::sync::Arc;

use feira_commands::payments::{IntentState, TransferState};
use feira_events::payments::{Balance, Intent, Purpose, RequestState, Transfer};
use feira_events::{Meta, Sealed};
use feira_ids::AccountId;
use feira_money::Amount;
use feira_projection_store::{Column, ColumnType, Mutation, Order, Row, Table, Value};

use crate::RowError;
use crate::column::{Cells, Writes};

/// Accounts by owner.
pub static ACCOUNTS: Table = Table {
    name: "accounts_v1",
    columns: &[
        Column { name: "owner", kind: ColumnType::Text },
        Column { name: "account", kind: ColumnType::Text },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "regime", kind: ColumnType::Text },
        Column { name: "opened_at", kind: ColumnType::Timestamp },
        Column { name: "debits_held", kind: ColumnType::BigInt },
        Column { name: "debits", kind: ColumnType::BigInt },
        Column { name: "credits_held", kind: ColumnType::BigInt },
        Column { name: "credits", kind: ColumnType::BigInt },
    ],
    partition: 1,
    clustering: &[Order::Ascending],
    doc: "An account of a person or a business; figures are minor units, null until money first moves.",
};

/// Transfers by owner, the newest first; each stands once for who pays and once for who is paid.
pub static TRANSFERS: Table = Table {
    name: "transfers_v1",
    columns: &[
        Column { name: "owner", kind: ColumnType::Text },
        Column { name: "deadline", kind: ColumnType::BigInt },
        Column { name: "transfer", kind: ColumnType::Text },
        Column { name: "from_account", kind: ColumnType::Text },
        Column { name: "to_account", kind: ColumnType::Text },
        Column { name: "amount", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "purpose", kind: ColumnType::Text },
        Column { name: "subject", kind: ColumnType::Text },
        Column { name: "state", kind: ColumnType::Text },
        Column { name: "reason", kind: ColumnType::Text },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "note_subject", kind: ColumnType::Text },
        Column { name: "note_nonce", kind: ColumnType::Blob },
        Column { name: "note_ciphertext", kind: ColumnType::Blob },
    ],
    partition: 1,
    clustering: &[Order::Descending, Order::Ascending],
    doc: "A transfer, by the deadline that it was given when it was submitted; the amount is in minor units.",
};

/// Requests for money by who takes part, the last to expire first.
pub static REQUESTS: Table = Table {
    name: "requests_v1",
    columns: &[
        Column { name: "owner", kind: ColumnType::Text },
        Column { name: "expires", kind: ColumnType::BigInt },
        Column { name: "request", kind: ColumnType::Text },
        Column { name: "asker", kind: ColumnType::Text },
        Column { name: "payer", kind: ColumnType::Text },
        Column { name: "amount", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "state", kind: ColumnType::Text },
        Column { name: "transfer", kind: ColumnType::Text },
        Column { name: "reason", kind: ColumnType::Text },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
    ],
    partition: 1,
    clustering: &[Order::Descending, Order::Ascending],
    doc: "A request for money; stands once for who asks and once for who is asked.",
};

/// What is to be paid to businesses.
pub static INTENTS: Table = Table {
    name: "intents_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "intent", kind: ColumnType::Text },
        Column { name: "order_id", kind: ColumnType::Text },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "account", kind: ColumnType::Text },
        Column { name: "amount", kind: ColumnType::BigInt },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "expires", kind: ColumnType::BigInt },
        Column { name: "state", kind: ColumnType::Text },
        Column { name: "fee", kind: ColumnType::BigInt },
        Column { name: "refunded", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
    ],
    partition: 2,
    clustering: &[],
    doc: "An order to be paid, and what was paid; amounts are minor units.",
};

/// An account of a person or a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its figures.
    pub balance: Balance,
    /// The rules it is under.
    pub regime: Arc<str>,
    /// When it was opened, milliseconds since 1970.
    pub opened_at: i64,
}

/// A transfer, as one of the two sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRow {
    /// It, without how a business knows the payer.
    pub transfer: Transfer,
    /// Where it stands.
    pub state: TransferState,
    /// Why it was returned.
    pub reason: Option<Arc<str>>,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
}

/// A request for money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// It.
    pub request: Arc<str>,
    /// Who asks.
    pub asker: AccountId,
    /// Who is asked.
    pub payer: AccountId,
    /// How much.
    pub amount: Amount,
    /// Until when it can be granted, milliseconds since 1970.
    pub expires: i64,
    /// Where it stands.
    pub state: RequestState,
    /// The transfer that pays it.
    pub transfer: Option<Arc<str>>,
    /// Why it is open again.
    pub reason: Option<Arc<str>>,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
}

/// An order to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentRow {
    /// What is due to whom.
    pub intent: Intent,
    /// Until when it can be paid, milliseconds since 1970.
    pub expires: i64,
    /// Where it stands.
    pub state: IntentState,
    /// What was taken as fee, in minor units.
    pub fee: Option<i64>,
    /// What was given back, in minor units.
    pub refunded: i64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
}

/// The owner of an account, as the tables name them; none for a shard's own accounts.
pub fn owner_of(account: &AccountId) -> Option<String> {
    matches!(account.kind(), "person" | "biz").then(|| format!("{}/{}", account.kind(), account.name()))
}

/// The partition of an owner: `person/ana`.
pub fn owner_key(owner: &str) -> Vec<Value> {
    vec![owner.into()]
}

/// The primary key of an intent.
pub fn intent_key(business: &str, intent: &str) -> Vec<Value> {
    vec![business.into(), intent.into()]
}

fn account_key(account: &AccountId) -> Option<Vec<Value>> {
    Some(vec![owner_of(account)?.as_str().into(), account.as_str().into()])
}

/// Writes down that an account was opened.
pub fn put_account(meta: &Meta, account: &AccountId, currency: &str, regime: &str) -> Option<Mutation> {
    let writes = Writes::new(&ACCOUNTS, account_key(account)?, meta.hlc)
        .text("currency", currency)
        .text("regime", regime)
        .timestamp("opened_at", meta.at);
    Some(writes.upsert())
}

/// Writes an owner's figures as they are after an event.
pub fn put_balance(meta: &Meta, balance: &Balance) -> Option<Mutation> {
    let writes = Writes::new(&ACCOUNTS, account_key(&balance.account)?, meta.hlc)
        .text("currency", balance.currency.code())
        .bigint("debits_held", balance.debits_held)
        .bigint("debits", balance.debits)
        .bigint("credits_held", balance.credits_held)
        .bigint("credits", balance.credits);
    Some(writes.upsert())
}

/// Writes a transfer for the owner of one of its accounts.
pub fn put_transfer(
    meta: &Meta,
    of: &AccountId,
    transfer: &Transfer,
    state: TransferState,
    reason: Option<&Arc<str>>,
) -> Option<Mutation> {
    let note = transfer.note.as_ref();
    let key = vec![owner_of(of)?.as_str().into(), Value::BigInt(transfer.deadline), (&*transfer.transfer).into()];
    let writes = Writes::new(&TRANSFERS, key, meta.hlc)
        .text("from_account", transfer.from.as_str())
        .text("to_account", transfer.to.as_str())
        .bigint("amount", transfer.amount.minor)
        .text("currency", transfer.amount.currency.code())
        .text("purpose", purpose_text(transfer.purpose))
        .shared("subject", transfer.subject.as_ref())
        .text("state", state_text(state))
        .shared("reason", reason)
        .timestamp("updated_at", meta.at)
        .shared("note_subject", note.map(|note| &note.subject))
        .blob("note_nonce", note.map(|note| note.nonce.as_slice()))
        .blob("note_ciphertext", note.map(|note| note.ciphertext.as_slice()));
    Some(writes.upsert())
}

/// Writes a request for both who take part.
pub fn put_request(meta: &Meta, request: &RequestRow) -> Vec<Mutation> {
    let write = |of: &AccountId| {
        let key = vec![owner_of(of)?.as_str().into(), Value::BigInt(request.expires), (&*request.request).into()];
        let writes = Writes::new(&REQUESTS, key, meta.hlc)
            .text("asker", request.asker.as_str())
            .text("payer", request.payer.as_str())
            .bigint("amount", request.amount.minor)
            .text("currency", request.amount.currency.code())
            .text("state", request_text(request.state))
            .shared("transfer", request.transfer.as_ref())
            .shared("reason", request.reason.as_ref())
            .timestamp("updated_at", meta.at);
        Some(writes.upsert())
    };
    [&request.asker, &request.payer].into_iter().filter_map(write).collect()
}

/// Writes what is due.
pub fn put_intent(meta: &Meta, intent: &Intent, expires: i64) -> Mutation {
    Writes::new(&INTENTS, intent_key(&intent.business, &intent.intent), meta.hlc)
        .shared("order_id", Some(&intent.order))
        .shared("customer", Some(&intent.customer))
        .text("account", intent.account.as_str())
        .bigint("amount", intent.amount.minor)
        .text("currency", intent.amount.currency.code())
        .bigint("expires", expires)
        .text("state", intent_text(IntentState::AwaitingPayer))
        .bigint("refunded", 0)
        .timestamp("updated_at", meta.at)
        .upsert()
}

/// Writes where an intent stands now; what is not given stays.
pub fn move_intent(
    meta: &Meta,
    intent: &Intent,
    state: IntentState,
    fee: Option<i64>,
    refunded: Option<i64>,
) -> Mutation {
    let mut writes = Writes::new(&INTENTS, intent_key(&intent.business, &intent.intent), meta.hlc)
        .text("state", intent_text(state))
        .timestamp("updated_at", meta.at);
    if let Some(fee) = fee {
        writes = writes.bigint("fee", fee);
    }
    if let Some(refunded) = refunded {
        writes = writes.bigint("refunded", refunded);
    }
    writes.upsert()
}

impl AccountRow {
    /// Reads a row of [`ACCOUNTS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&ACCOUNTS, row);
        let (_, account) = (cells.text()?, account(&mut cells)?);
        let (currency, regime, opened_at) = (cells.currency()?, cells.text()?, cells.timestamp()?);
        let mut figure = || Ok::<_, RowError>(cells.optional_bigint()?.unwrap_or(0));
        let (debits_held, debits, credits_held, credits) = (figure()?, figure()?, figure()?, figure()?);
        let balance = Balance { account, currency, debits_held, debits, credits_held, credits };
        Ok(Self { balance, regime, opened_at })
    }
}

impl TransferRow {
    /// Reads a row of [`TRANSFERS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&TRANSFERS, row);
        let (_, deadline, transfer) = (cells.text()?, cells.bigint()?, cells.text()?);
        let (from, to) = (account(&mut cells)?, account(&mut cells)?);
        let (minor, currency) = (cells.bigint()?, cells.currency()?);
        let (purpose, subject) = (purpose(&cells.text()?), cells.optional_text()?);
        let state = cells.text()?;
        let state = STATES.iter().find(|(_, text)| *text == &*state).map(|(state, _)| *state);
        let state = state.ok_or_else(|| cells.error("is no state"))?;
        let (reason, updated_at) = (cells.optional_text()?, cells.timestamp()?);
        let (subject_of, nonce, ciphertext) = (cells.optional_text()?, cells.optional_blob()?, cells.optional_blob()?);
        let note = match (subject_of, nonce.and_then(|nonce| nonce.try_into().ok()), ciphertext) {
            (Some(subject), Some(nonce), Some(ciphertext)) => Some(Sealed::from_parts(subject, nonce, ciphertext)),
            _ => None,
        };
        let amount = Amount::new(minor, currency);
        let transfer = Transfer { transfer, from, to, amount, purpose, subject, customer: None, note, deadline };
        Ok(Self { transfer, state, reason, updated_at })
    }
}

impl RequestRow {
    /// Reads a row of [`REQUESTS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&REQUESTS, row);
        let (_, expires, request) = (cells.text()?, cells.bigint()?, cells.text()?);
        let (asker, payer) = (account(&mut cells)?, account(&mut cells)?);
        let (minor, currency) = (cells.bigint()?, cells.currency()?);
        let state = cells.text()?;
        let state = REQUEST_STATES.iter().find(|(_, text)| *text == &*state).map(|(state, _)| *state);
        let state = state.unwrap_or(RequestState::Unknown);
        let (transfer, reason, updated_at) = (cells.optional_text()?, cells.optional_text()?, cells.timestamp()?);
        let amount = Amount::new(minor, currency);
        Ok(Self { request, asker, payer, amount, expires, state, transfer, reason, updated_at })
    }
}

impl IntentRow {
    /// Reads a row of [`INTENTS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&INTENTS, row);
        let (business, intent) = (cells.text()?, cells.text()?);
        let (order, customer, account) = (cells.text()?, cells.text()?, account(&mut cells)?);
        let (minor, currency, expires) = (cells.bigint()?, cells.currency()?, cells.bigint()?);
        let state = cells.text()?;
        let state = INTENT_STATES.iter().find(|(_, text)| *text == &*state).map(|(state, _)| *state);
        let state = state.ok_or_else(|| cells.error("is no state"))?;
        let (fee, refunded, updated_at) = (cells.optional_bigint()?, cells.bigint()?, cells.timestamp()?);
        let intent = Intent { intent, business, order, customer, account, amount: Amount::new(minor, currency) };
        Ok(Self { intent, expires, state, fee, refunded, updated_at })
    }
}

fn account(cells: &mut Cells) -> Result<AccountId, RowError> {
    AccountId::parse(cells.text()?).map_err(|_| cells.error("is no account"))
}

const STATES: [(TransferState, &str); 3] =
    [(TransferState::Reserved, "RESERVED"), (TransferState::Settled, "SETTLED"), (TransferState::Returned, "RETURNED")];

fn state_text(state: TransferState) -> &'static str {
    STATES.iter().find(|(known, _)| *known == state).map_or("", |(_, text)| text)
}

const REQUEST_STATES: [(RequestState, &str); 7] = [
    (RequestState::Open, "OPEN"),
    (RequestState::Paying, "PAYING"),
    (RequestState::Paid, "PAID"),
    (RequestState::Declined, "DECLINED"),
    (RequestState::Withdrawn, "WITHDRAWN"),
    (RequestState::Expired, "EXPIRED"),
    (RequestState::Unknown, "UNKNOWN"),
];

fn request_text(state: RequestState) -> &'static str {
    REQUEST_STATES.iter().find(|(known, _)| *known == state).map_or("", |(_, text)| text)
}

const INTENT_STATES: [(IntentState, &str); 6] = [
    (IntentState::AwaitingPayer, "AWAITING_PAYER"),
    (IntentState::Captured, "CAPTURED"),
    (IntentState::PartlyRefunded, "PARTLY_REFUNDED"),
    (IntentState::Refunded, "REFUNDED"),
    (IntentState::Canceled, "CANCELED"),
    (IntentState::Expired, "EXPIRED"),
];

fn intent_text(state: IntentState) -> &'static str {
    INTENT_STATES.iter().find(|(known, _)| *known == state).map_or("", |(_, text)| text)
}

const PURPOSES: [(Purpose, &str); 5] = [
    (Purpose::Gift, "GIFT"),
    (Purpose::Request, "REQUEST"),
    (Purpose::Order, "ORDER"),
    (Purpose::Refund, "REFUND"),
    (Purpose::Unknown, "UNKNOWN"),
];

fn purpose_text(purpose: Purpose) -> &'static str {
    PURPOSES.iter().find(|(known, _)| *known == purpose).map_or("", |(_, text)| text)
}

fn purpose(text: &str) -> Purpose {
    PURPOSES.iter().find(|(_, known)| *known == text).map_or(Purpose::Unknown, |(purpose, _)| *purpose)
}
