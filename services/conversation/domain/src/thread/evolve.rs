//! How a thread's events add up.

use super::{Event, Message, MessageStatus, Side, Stamps, State};

pub(super) fn evolve(mut thread: State, event: &Event) -> State {
    match event {
        Event::ThreadOpened(opened) => thread.opened = Some(opened.clone()),
        Event::MessageReceived(received) => {
            thread.windows = received.windows;
            thread.last_at = Some(received.received_at);
            thread.remember(Message {
                id: received.message.clone(),
                seq: received.seq,
                from: Side::Customer,
                status: MessageStatus::Sent,
                sent_at: received.sent_at,
                stamps: None,
            });
        }
        Event::MessageSent(sent) => {
            thread.windows = sent.windows;
            thread.last_at = Some(sent.sent_at);
            thread.remember(Message {
                id: sent.message.clone(),
                seq: sent.seq,
                from: Side::Business,
                status: MessageStatus::Sent,
                sent_at: sent.sent_at,
                stamps: Some(Stamps {
                    category: sent.category,
                    class: sent.class,
                    reason: sent.reason,
                    policy: sent.policy.clone(),
                }),
            });
        }
        Event::MessageDelivered(delivered) => thread.raise(delivered.seq, MessageStatus::Delivered),
        Event::MessageRead(read) => thread.raise(read.seq, MessageStatus::Read),
        Event::MessageFailed(failed) => thread.raise(failed.seq, MessageStatus::Failed),
    }
    thread
}
