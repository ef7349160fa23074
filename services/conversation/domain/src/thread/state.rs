//! What a thread remembers.

use std::collections::VecDeque;
use std::sync::Arc;

use feira_commands::conversation::{MESSAGES_REMEMBERED, MessageStatus, Stamps};
use feira_events::conversation::{Side, ThreadOpened, Windows};
use serde::{Deserialize, Serialize};

/// A thread as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whose it is; none before its first message.
    pub opened: Option<ThreadOpened>,
    /// How many messages it has.
    pub messages: i64,
    /// Until when the business may write, and how.
    pub windows: Windows,
    /// When its latest message was taken in or sent, milliseconds since 1970.
    pub last_at: Option<i64>,
    /// Its latest messages, in order. Shared, because the state is copied for each command and most of them stay.
    pub latest: VecDeque<Arc<Message>>,
}

/// A message as its thread remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which.
    pub id: Arc<str>,
    /// Its place among the thread's messages.
    pub seq: i64,
    /// Who wrote it.
    pub from: Side,
    /// How it stands.
    pub status: MessageStatus,
    /// When it was sent, milliseconds since 1970.
    pub sent_at: i64,
    /// What it is to billing, when the business wrote it.
    pub stamps: Option<Stamps>,
}

impl State {
    /// The message with `id`, if it is among the latest.
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.latest.iter().rev().find(|message| &*message.id == id).map(AsRef::as_ref)
    }

    pub(super) fn remember(&mut self, message: Message) {
        self.messages = message.seq;
        self.latest.push_back(Arc::new(message));
        if self.latest.len() > MESSAGES_REMEMBERED {
            self.latest.pop_front();
        }
    }

    /// Lets a message stand at `status`, unless it stands above already.
    pub(super) fn raise(&mut self, seq: i64, status: MessageStatus) {
        if let Some(message) = self.latest.iter_mut().rev().find(|message| message.seq == seq)
            && message.status < status
        {
            Arc::make_mut(message).status = status;
        }
    }
}
