//! The latest messages of a thread, found by their ids.
//!
//! A thread is copied for each command that it takes, and of long threads most messages stay as they are: they stand
//! together in blocks that copies share.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use feira_commands::conversation::MESSAGES_REMEMBERED;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Message;

/// How many messages stand together. Every block but the last is full.
const BLOCK: usize = 32;

/// The latest messages, in order: [`MESSAGES_REMEMBERED`] at most.
#[derive(Clone, Default)]
pub struct Latest {
    blocks: VecDeque<Arc<Block>>,
    /// How many of the first block are forgotten.
    forgotten: usize,
}

#[derive(Clone, Default)]
struct Block {
    /// Of each message's id: what tells nearly all others apart without a look at them.
    hashes: Vec<u64>,
    messages: Vec<Message>,
}

impl Latest {
    /// How many there are.
    pub fn len(&self) -> usize {
        let last = self.blocks.back().map_or(0, |block| block.messages.len());
        (self.blocks.len().saturating_sub(1) * BLOCK + last).saturating_sub(self.forgotten)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        self.blocks.iter().flat_map(|block| &block.messages).skip(self.forgotten)
    }

    /// The one with `id`.
    pub fn find(&self, id: &str) -> Option<&Message> {
        let wanted = hash(id);
        self.blocks.iter().enumerate().rev().find_map(|(at, block)| {
            let forgotten = if at == 0 { self.forgotten } else { 0 };
            let alike = block.hashes.iter().zip(&block.messages).skip(forgotten).filter(|(hash, _)| **hash == wanted);
            alike.map(|(_, message)| message).find(|message| &*message.id == id)
        })
    }

    /// The one with the place `seq` in its thread, to be changed.
    pub(super) fn at(&mut self, seq: i64) -> Option<&mut Message> {
        let first = self.iter().next()?.seq;
        let place = self.forgotten + usize::try_from(seq.checked_sub(first)?).ok()?;
        let block = self.blocks.get_mut(place / BLOCK)?;
        if place % BLOCK >= block.messages.len() {
            return None;
        }
        Arc::make_mut(block).messages.get_mut(place % BLOCK).filter(|message| message.seq == seq)
    }

    /// Adds the next; the first is forgotten when there are enough.
    pub(super) fn push(&mut self, message: Message) {
        if self.blocks.back().is_none_or(|block| block.messages.len() == BLOCK) {
            self.blocks.push_back(Arc::default());
        }
        if let Some(block) = self.blocks.back_mut() {
            let block = Arc::make_mut(block);
            block.hashes.push(hash(&message.id));
            block.messages.push(message);
        }
        if self.len() > MESSAGES_REMEMBERED {
            self.forgotten += 1;
        }
        if self.forgotten == BLOCK {
            self.blocks.pop_front();
            self.forgotten = 0;
        }
    }
}

/// Of this run of the program alone: it is never written down.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl PartialEq for Latest {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Latest {}

impl fmt::Debug for Latest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Latest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Latest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Messages;

        impl<'de> Visitor<'de> for Messages {
            type Value = Latest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut messages: A) -> Result<Latest, A::Error> {
                let mut latest = Latest::default();
                while let Some(message) = messages.next_element()? {
                    latest.push(message);
                }
                Ok(latest)
            }
        }

        deserializer.deserialize_seq(Messages)
    }
}

#[cfg(test)]
mod tests {
    use feira_commands::conversation::MessageStatus;
    use feira_events::conversation::Side;
    use proptest::prelude::*;

    use super::*;

    fn message(seq: i64) -> Message {
        let (id, status) = (format!("m-{seq}").into(), MessageStatus::Sent);
        Message { id, seq, from: Side::Business, status, sent_at: seq, stamps: None }
    }

    fn filled(count: usize) -> Latest {
        let mut latest = Latest::default();
        (1..=count as i64).for_each(|seq| latest.push(message(seq)));
        latest
    }

    proptest! {
        #[test]
        fn they_are_the_last_of_all_that_came(count in 0..3 * MESSAGES_REMEMBERED) {
            let latest = filled(count);
            let first = (count - latest.len()) as i64 + 1;
            prop_assert_eq!(latest.len(), count.min(MESSAGES_REMEMBERED));
            let seqs: Vec<i64> = latest.iter().map(|message| message.seq).collect();
            prop_assert_eq!(seqs, (first..=count as i64).collect::<Vec<_>>());
            for seq in [1, first - 1, first, first + 1, count as i64, count as i64 + 1] {
                let known = (first..=count as i64).contains(&seq);
                prop_assert_eq!(latest.find(&format!("m-{seq}")).map(|message| message.seq), known.then_some(seq));
                let mut changed = latest.clone();
                prop_assert_eq!(changed.at(seq).is_some(), known);
                if let Some(message) = changed.at(seq) {
                    message.status = MessageStatus::Read;
                    prop_assert_ne!(&changed, &latest);
                }
            }
        }

        #[test]
        fn they_are_read_as_they_were_written(count in 0..3 * MESSAGES_REMEMBERED) {
            let latest = filled(count);
            let json = serde_json::to_string(&latest).unwrap();
            prop_assert_eq!(serde_json::from_str::<Latest>(&json).unwrap(), latest);
        }
    }
}
