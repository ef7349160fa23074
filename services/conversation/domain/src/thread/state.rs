//! What a thread remembers.

use std::sync::Arc;

use feira_commands::conversation::{MessageStatus, Stamps};
use feira_events::conversation::{Side, ThreadOpened, Windows};
use serde::{Deserialize, Serialize};

use super::Latest;

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
    /// Its latest messages.
    pub latest: Latest,
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
        self.latest.find(id)
    }

    pub(super) fn remember(&mut self, message: Message) {
        self.messages = message.seq;
        self.latest.push(message);
    }

    /// Lets a message stand at `status`, unless it stands above already.
    pub(super) fn raise(&mut self, seq: i64, status: MessageStatus) {
        if let Some(message) = self.latest.at(seq).filter(|message| message.status < status) {
            message.status = status;
        }
    }
}
