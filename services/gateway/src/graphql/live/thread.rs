//! What happens in a thread.

use async_graphql::{Context, Enum, ID, SimpleObject};
use feira_commands::conversation::{MAIN_SENDER, Stamps, thread_key};
use feira_events::conversation::{MessageReceived, MessageSent, Side, ThreadEvent as Happened};
use feira_ids::AggregateId;
use feira_rows::THREADS_PROJECTION;
use feira_rows::conversation::MessageRow;

use super::{Beginning, FrameKind, Frames, short_name, unreadable};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::graphql::market::{Message, Thread};
use crate::graphql::scalars::{DateTime, PositionText};
use crate::graphql::{gateway, scope};
use crate::live::{Subject, Told};

/// A frame of a thread's subscription.
#[derive(SimpleObject)]
pub(crate) struct ThreadFrame {
    /// What it is.
    kind: FrameKind,
    /// Subscribe with it to go on after this frame.
    cursor: String,
    /// The thread, in a snapshot; none also there while nobody has written.
    thread: Option<Thread>,
    /// What happened, in an event.
    event: Option<ThreadEvent>,
}

/// Something that happened in a thread.
#[derive(SimpleObject)]
pub(crate) struct ThreadEvent {
    /// The event's own id.
    id: ID,
    /// What happened.
    name: ThreadEventName,
    /// When, in the business's time.
    at: DateTime,
    /// The version of the thread that it made.
    version: u64,
    /// The message that was written.
    message: Option<Message>,
    /// The message that it is about.
    message_id: Option<ID>,
    /// That message's place in the thread.
    seq: Option<i64>,
    /// Why the message could not be delivered, as the channel's code.
    code: Option<String>,
}

/// What can happen in a thread.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreadEventName {
    /// Somebody wrote for the first time.
    ThreadOpened,
    /// The customer wrote.
    MessageReceived,
    /// The business wrote.
    MessageSent,
    /// A message came to the customer.
    MessageDelivered,
    /// The customer saw a message.
    MessageRead,
    /// A message could not be delivered.
    MessageFailed,
    /// Something that this release does not know yet.
    Unknown,
}

pub(super) async fn subscribe(
    ctx: &Context<'_>,
    business: Option<String>,
    customer: Option<String>,
    sender: Option<String>,
    after: Option<String>,
    position: Option<PositionText>,
) -> Result<Frames<ThreadFrame>, ApiError> {
    let scope = scope(ctx, business.as_deref())?;
    let customer = scope.correspondent(customer.as_deref())?;
    let sender = sender.unwrap_or_else(|| MAIN_SENDER.to_owned());
    let aggregate = AggregateId::new("thread", &thread_key(&sender, &customer))
        .map_err(|error| ApiError::BadInput(error.to_string()))?;
    let gateway = gateway(ctx);
    let lane = gateway.live.lane(scope.tenant(), &aggregate).await?;
    let subject = Subject::Aggregate(scope.tenant().clone(), aggregate.as_str().into());
    let mut beginning = Beginning::new(ctx, lane, subject, THREADS_PROJECTION, after, position).await?;
    let snapshot = if beginning.resumed {
        None
    } else {
        let row = gateway.reads.thread(&scope, &sender, &customer).await?;
        beginning.version = row.as_ref().map_or(0, |row| row.version);
        let thread = row.map(|row| Thread::of_row(scope.clone(), row));
        Some(ThreadFrame { kind: FrameKind::Snapshot, cursor: beginning.cursor(), thread, event: None })
    };
    let make = move |kind, cursor, told: Option<&Told>| {
        let event = told.map(|told| event(&scope, told)).transpose()?;
        Ok(ThreadFrame { kind, cursor, thread: None, event })
    };
    beginning.frames(snapshot, make).await
}

fn event(scope: &Scope, told: &Told) -> Result<ThreadEvent, ApiError> {
    let meta = &told.event.meta;
    let mut event = ThreadEvent {
        id: meta.event_id.to_string().into(),
        name: ThreadEventName::Unknown,
        at: DateTime(meta.at),
        version: meta.aggregate_seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0),
        message: None,
        message_id: None,
        seq: None,
        code: None,
    };
    if !told.event.is::<Happened>() {
        tracing::debug!(event = short_name(told), "a subscriber is told of an event without what it says");
        return Ok(event);
    }
    let about = |event: &mut ThreadEvent, name, message: &str, seq| {
        (event.name, event.message_id, event.seq) = (name, Some(message.into()), Some(seq));
    };
    match told.event.decode::<Happened>().map_err(|error| unreadable(&error))? {
        Happened::ThreadOpened(_) => event.name = ThreadEventName::ThreadOpened,
        Happened::MessageReceived(received) => {
            about(&mut event, ThreadEventName::MessageReceived, &received.message, received.seq);
            event.message = Some(Message::of_row(scope.clone(), received_row(told, received)));
        }
        Happened::MessageSent(sent) => {
            about(&mut event, ThreadEventName::MessageSent, &sent.message, sent.seq);
            event.message = Some(Message::of_row(scope.clone(), sent_row(told, sent)));
        }
        Happened::MessageDelivered(delivered) => {
            about(&mut event, ThreadEventName::MessageDelivered, &delivered.message, delivered.seq);
        }
        Happened::MessageRead(read) => about(&mut event, ThreadEventName::MessageRead, &read.message, read.seq),
        Happened::MessageFailed(failed) => {
            about(&mut event, ThreadEventName::MessageFailed, &failed.message, failed.seq);
            event.code = failed.code.map(|code| code.to_string());
        }
    }
    Ok(event)
}

/// A message as the projection will write it.
fn received_row(told: &Told, received: MessageReceived) -> MessageRow {
    MessageRow {
        thread: thread_key(&received.sender, &received.customer).into(),
        seq: received.seq,
        message: received.message,
        from: Side::Customer,
        author: told.event.meta.principal.clone(),
        content: received.content,
        sent_at: received.sent_at,
        accepted_at: received.received_at,
        stamps: None,
        delivered_at: None,
        read_at: None,
        failed_at: None,
        failure: None,
    }
}

/// A message as the projection will write it.
fn sent_row(told: &Told, sent: MessageSent) -> MessageRow {
    let MessageSent { category, class, reason, policy, .. } = &sent;
    let stamps = Stamps { category: *category, class: *class, reason: *reason, policy: policy.clone() };
    MessageRow {
        thread: thread_key(&sent.sender, &sent.customer).into(),
        seq: sent.seq,
        message: sent.message,
        from: Side::Business,
        author: told.event.meta.principal.clone(),
        content: sent.content,
        sent_at: sent.sent_at,
        accepted_at: sent.sent_at,
        stamps: Some(stamps),
        delivered_at: None,
        read_at: None,
        failed_at: None,
        failure: None,
    }
}
