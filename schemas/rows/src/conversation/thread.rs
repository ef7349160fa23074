//! The tables of threads and of their messages.
//!
//! A message lies in the partition of its thread and of its number divided by [`MESSAGES_IN_BUCKET`], so that the
//! longest thread reads as fast as the shortest. What people wrote is sealed in its cells as it is in the events.

use std::sync::Arc;

use feira_commands::conversation::{MESSAGES_IN_BUCKET, MessageStatus, Stamps, thread_key};
use feira_events::Meta;
use feira_events::conversation::{
    Category, Class, ClassReason, Content, ContentKind, MessageDelivered, MessageFailed, MessageRead, MessageReceived,
    MessageSent, Side, ThreadOpened, Windows,
};
use feira_ids::TenantId;
use feira_projection_store::{Column, ColumnType, Mutation, Order, Row, Table, Value};

use super::word::{maybe_said, said, word};
use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};

/// Threads by customer.
pub static THREADS: Table = Table {
    name: "threads_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "sender", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "country", kind: ColumnType::Text },
        Column { name: "opened_by", kind: ColumnType::Text },
        Column { name: "opened_at", kind: ColumnType::Timestamp },
        Column { name: "messages", kind: ColumnType::BigInt },
        Column { name: "last_at", kind: ColumnType::Timestamp },
        Column { name: "window_until", kind: ColumnType::Timestamp },
        Column { name: "entry_pending_until", kind: ColumnType::Timestamp },
        Column { name: "entry_until", kind: ColumnType::Timestamp },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "What one sender of a business and one customer have with each other, and until when the business may write.",
};

/// Threads of a business, the one with the latest message first.
pub static INBOX: Table = Table {
    name: "inbox_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "last_at", kind: ColumnType::Timestamp },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "sender", kind: ColumnType::Text },
        Column { name: "messages", kind: ColumnType::BigInt },
    ],
    partition: 1,
    clustering: &[Order::Descending, Order::Ascending, Order::Ascending],
    doc: "Where a thread stands among those of its business; it moves with each message.",
};

/// Messages by thread.
pub static MESSAGES: Table = Table {
    name: "messages_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "thread", kind: ColumnType::Text },
        Column { name: "bucket", kind: ColumnType::BigInt },
        Column { name: "seq", kind: ColumnType::BigInt },
        Column { name: "message", kind: ColumnType::Text },
        Column { name: "from_side", kind: ColumnType::Text },
        Column { name: "author", kind: ColumnType::Text },
        Column { name: "kind", kind: ColumnType::Text },
        Column { name: "content", kind: ColumnType::Text },
        Column { name: "sent_at", kind: ColumnType::Timestamp },
        Column { name: "accepted_at", kind: ColumnType::Timestamp },
        Column { name: "category", kind: ColumnType::Text },
        Column { name: "class", kind: ColumnType::Text },
        Column { name: "reason", kind: ColumnType::Text },
        Column { name: "policy", kind: ColumnType::Text },
        Column { name: "delivered_at", kind: ColumnType::Timestamp },
        Column { name: "read_at", kind: ColumnType::Timestamp },
        Column { name: "failed_at", kind: ColumnType::Timestamp },
        Column { name: "failure", kind: ColumnType::Text },
    ],
    partition: 3,
    clustering: &[Order::Ascending],
    doc: "A message of a thread; content is JSON as in the event, its personal parts sealed under the subject's key.",
};

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRow {
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// The business's sender.
    pub sender: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// The customer's country.
    pub country: Arc<str>,
    /// Who wrote first.
    pub opened_by: Side,
    /// When, milliseconds since 1970.
    pub opened_at: i64,
    /// How many messages it has.
    pub messages: i64,
    /// When its latest message was taken in or sent, milliseconds since 1970.
    pub last_at: i64,
    /// Until when the business may write, and how.
    pub windows: Windows,
}

/// Where a thread stands among those of its business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    /// When its latest message was taken in or sent, milliseconds since 1970.
    pub last_at: i64,
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// The business's sender.
    pub sender: Arc<str>,
    /// How many messages it has.
    pub messages: i64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The thread, as sender and customer.
    pub thread: Arc<str>,
    /// Its place among the thread's messages.
    pub seq: i64,
    /// The message.
    pub message: Arc<str>,
    /// Which side wrote it.
    pub from: Side,
    /// Who wrote it, as `kind:id`.
    pub author: Arc<str>,
    /// What it says.
    pub content: Content,
    /// When it was sent, milliseconds since 1970.
    pub sent_at: i64,
    /// When it was taken in or accepted, milliseconds since 1970.
    pub accepted_at: i64,
    /// What it is to billing, when the business wrote it.
    pub stamps: Option<Stamps>,
    /// When it came to the customer.
    pub delivered_at: Option<i64>,
    /// When the customer saw it.
    pub read_at: Option<i64>,
    /// When it was told that it could not be delivered.
    pub failed_at: Option<i64>,
    /// Why not, as the channel's code.
    pub failure: Option<Arc<str>>,
}

impl MessageRow {
    /// How it stands.
    pub fn status(&self) -> MessageStatus {
        if self.read_at.is_some() {
            MessageStatus::Read
        } else if self.delivered_at.is_some() {
            MessageStatus::Delivered
        } else if self.failed_at.is_some() {
            MessageStatus::Failed
        } else {
            MessageStatus::Sent
        }
    }
}

/// The primary key of a thread.
pub fn thread_row_key(tenant: &TenantId, sender: &str, customer: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), customer.into(), sender.into()]
}

/// The bucket of the message with number `seq`; numbers begin at 1.
pub fn message_bucket(seq: i64) -> i64 {
    seq / MESSAGES_IN_BUCKET
}

/// The partition of one bucket of a thread's messages.
pub fn messages_key(tenant: &TenantId, thread: &str, bucket: i64) -> Vec<Value> {
    vec![tenant_cell(tenant), thread.into(), Value::BigInt(bucket)]
}

/// The primary key of a message.
pub fn message_key(tenant: &TenantId, thread: &str, seq: i64) -> Vec<Value> {
    let mut key = messages_key(tenant, thread, message_bucket(seq));
    key.push(Value::BigInt(seq));
    key
}

/// Writes a thread that began.
pub fn put_thread(meta: &Meta, opened: &ThreadOpened) -> Mutation {
    thread_writes(meta, &opened.sender, &opened.customer)
        .shared("country", Some(&opened.country))
        .text("opened_by", &word(&opened.by))
        .timestamp("opened_at", meta.at)
        // Its first message follows in the same batch.
        .bigint("messages", 0)
        .timestamp("last_at", meta.at)
        .upsert()
}

/// Writes that a thread has a new version; what else it says stays.
pub fn touch_thread(meta: &Meta, sender: &str, customer: &str) -> Mutation {
    thread_writes(meta, sender, customer).upsert()
}

fn thread_writes(meta: &Meta, sender: &str, customer: &str) -> Writes {
    Writes::new(&THREADS, thread_row_key(&meta.tenant, sender, customer), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
}

/// Writes a message that was taken in, and where its thread stands now.
pub fn put_received(meta: &Meta, received: &MessageReceived) -> Vec<Mutation> {
    let place = Place {
        sender: &received.sender,
        customer: &received.customer,
        seq: received.seq,
        at: received.received_at,
        previous_at: received.previous_at,
        windows: &received.windows,
    };
    let message = place
        .message(meta, &received.message, Side::Customer, &received.content)
        .timestamp("sent_at", received.sent_at)
        .upsert();
    place.thread(meta).into_iter().chain([message]).collect()
}

/// Writes a message that was sent, and where its thread stands now.
pub fn put_sent(meta: &Meta, sent: &MessageSent) -> Vec<Mutation> {
    let place = Place {
        sender: &sent.sender,
        customer: &sent.customer,
        seq: sent.seq,
        at: sent.sent_at,
        previous_at: sent.previous_at,
        windows: &sent.windows,
    };
    let message = place
        .message(meta, &sent.message, Side::Business, &sent.content)
        .timestamp("sent_at", sent.sent_at)
        .text("category", &word(&sent.category))
        .text("class", &word(&sent.class))
        .text("reason", &word(&sent.reason))
        .shared("policy", Some(&sent.policy))
        .upsert();
    place.thread(meta).into_iter().chain([message]).collect()
}

/// What every new message says of its thread.
struct Place<'a> {
    sender: &'a str,
    customer: &'a str,
    seq: i64,
    at: i64,
    previous_at: Option<i64>,
    windows: &'a Windows,
}

impl Place<'_> {
    fn message(&self, meta: &Meta, id: &Arc<str>, from: Side, content: &Content) -> Writes {
        let thread = thread_key(self.sender, self.customer);
        let json = serde_json::to_string(content).expect("a content is plain fields");
        Writes::new(&MESSAGES, message_key(&meta.tenant, &thread, self.seq), meta.hlc)
            .shared("message", Some(id))
            .text("from_side", &word(&from))
            .shared("author", Some(&meta.principal))
            .text("kind", &word(&content.kind()))
            .text("content", &json)
            .timestamp("accepted_at", self.at)
    }

    fn thread(&self, meta: &Meta) -> Vec<Mutation> {
        let key = |at| vec![tenant_cell(&meta.tenant), Value::Timestamp(at), self.customer.into(), self.sender.into()];
        let thread = thread_writes(meta, self.sender, self.customer)
            .bigint("messages", self.seq)
            .timestamp("last_at", self.at)
            .timestamp("window_until", self.windows.window_until)
            .timestamp("entry_pending_until", self.windows.entry_pending_until)
            .timestamp("entry_until", self.windows.entry_until)
            .upsert();
        let moved =
            self.previous_at.map(|at| Mutation::Delete { table: &INBOX, key: key(at), timestamp: meta.hlc - 1 });
        let stands = Writes::new(&INBOX, key(self.at), meta.hlc).bigint("messages", self.seq).upsert();
        moved.into_iter().chain([stands, thread]).collect()
    }
}

/// Writes that a message came to the customer.
pub fn put_delivered(meta: &Meta, thread: &str, delivered: &MessageDelivered) -> Mutation {
    Writes::new(&MESSAGES, message_key(&meta.tenant, thread, delivered.seq), meta.hlc)
        .timestamp("delivered_at", delivered.delivered_at)
        .upsert()
}

/// Writes that the customer saw a message.
pub fn put_read(meta: &Meta, thread: &str, read: &MessageRead) -> Mutation {
    Writes::new(&MESSAGES, message_key(&meta.tenant, thread, read.seq), meta.hlc)
        .timestamp("read_at", read.read_at)
        .upsert()
}

/// Writes that a message could not be delivered.
pub fn put_failed(meta: &Meta, thread: &str, failed: &MessageFailed) -> Mutation {
    Writes::new(&MESSAGES, message_key(&meta.tenant, thread, failed.seq), meta.hlc)
        .timestamp("failed_at", failed.failed_at)
        .shared("failure", failed.code.as_ref())
        .upsert()
}

impl ThreadRow {
    /// Reads a row of [`THREADS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&THREADS, row);
        let (_tenant, customer, sender) = (cells.text()?, cells.text()?, cells.text()?);
        Ok(Self {
            customer,
            sender,
            version: cells.count()?,
            updated_at: cells.timestamp()?,
            country: cells.text()?,
            opened_by: said(&mut cells)?,
            opened_at: cells.timestamp()?,
            messages: cells.bigint()?,
            last_at: cells.timestamp()?,
            windows: Windows {
                window_until: cells.optional_timestamp()?,
                entry_pending_until: cells.optional_timestamp()?,
                entry_until: cells.optional_timestamp()?,
            },
        })
    }
}

impl InboxRow {
    /// Reads a row of [`INBOX`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&INBOX, row);
        let (_tenant, last_at) = (cells.text()?, cells.timestamp()?);
        Ok(Self { last_at, customer: cells.text()?, sender: cells.text()?, messages: cells.bigint()? })
    }
}

impl MessageRow {
    /// Reads a row of [`MESSAGES`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&MESSAGES, row);
        let (_tenant, thread, _bucket) = (cells.text()?, cells.text()?, cells.bigint()?);
        let (seq, message, from, author) = (cells.bigint()?, cells.text()?, said(&mut cells)?, cells.text()?);
        let _kind: ContentKind = said(&mut cells)?;
        let content = cells.text()?;
        let content = serde_json::from_str(&content).map_err(|_| cells.error("is no content"))?;
        let (sent_at, accepted_at) = (cells.timestamp()?, cells.timestamp()?);
        let stamps = stamps(&mut cells)?;
        Ok(Self {
            thread,
            seq,
            message,
            from,
            author,
            content,
            sent_at,
            accepted_at,
            stamps,
            delivered_at: cells.optional_timestamp()?,
            read_at: cells.optional_timestamp()?,
            failed_at: cells.optional_timestamp()?,
            failure: cells.optional_text()?,
        })
    }
}

fn stamps(cells: &mut Cells) -> Result<Option<Stamps>, RowError> {
    let category: Option<Category> = maybe_said(cells)?;
    let class: Option<Class> = maybe_said(cells)?;
    let reason: Option<ClassReason> = maybe_said(cells)?;
    let policy = cells.optional_text()?;
    match (category, class, reason, policy) {
        (Some(category), Some(class), Some(reason), Some(policy)) => {
            Ok(Some(Stamps { category, class, reason, policy }))
        }
        (None, None, None, None) => Ok(None),
        _ => Err(cells.error("is one of four that stand together, and one is missing")),
    }
}
