//! Records on their way into a log and out of it.

use bytes::Bytes;
use feira_events::Meta;

/// A home's own note of where a record may lie: a place at or before it, never after. 0 is always right.
///
/// On Kafka an offset (they have holes and cannot be counted with); elsewhere unused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint(pub u64);

/// A record to append: the envelope for whoever reads only headers, and the value that everyone else decodes.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// The envelope; `meta.lane_seq` continues the lane without a gap.
    pub meta: Meta,
    /// The event's full name: `feira.cart.v1.ItemAdded`.
    pub event_type: &'static str,
    /// The value: Confluent wire format, the envelope included.
    pub value: Bytes,
}

impl NewRecord {
    /// The record's key: the aggregate, or the lane where there is none.
    pub fn key(&self) -> String {
        if self.meta.aggregate.is_empty() {
            format!("lane:{}", self.meta.lane)
        } else {
            self.meta.aggregate.to_string()
        }
    }
}

/// A committed record as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its place in the lane, from 1.
    pub lane_seq: u64,
    /// The term it was written under.
    pub term: u64,
    /// The value as appended.
    pub value: Bytes,
    /// Where to look for it again.
    pub hint: Hint,
}
