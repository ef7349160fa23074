//! The envelope: where an event stands, when, whose it is, and what caused it.

use std::sync::Arc;

use feira_ids::{CommandId, EventId, Fingerprint, Hash16, TenantId};
use serde::{Deserialize, Serialize};

/// What every record on a lane says of itself. The first field, `meta`, of every Avro record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The event: UUID version 5 of the command and `index`.
    pub event_id: EventId,
    /// The lane's number within its service.
    pub lane: i32,
    /// Its place in the lane: 1, 2, 3 … without a gap.
    pub lane_seq: i64,
    /// The ownership under which it was written; never falls along a lane.
    pub term: i64,
    /// The aggregate, as `kind:key`; empty for what concerns the lane alone.
    pub aggregate: Arc<str>,
    /// Its place among the aggregate's events: 1, 2, 3 … without a gap; none for what is no event of an aggregate.
    pub aggregate_seq: Option<i64>,
    /// Hybrid logical clock, microseconds since 1970: order and store timestamps, never a business time.
    pub hlc: i64,
    /// Business time, milliseconds since 1970; never falls along a lane, but that a sandbox whose clock was moved is
    /// ahead of its neighbours there.
    pub at: i64,
    /// The business it belongs to.
    pub tenant: TenantId,
    /// Who asked, as `kind:id`.
    pub principal: Arc<str>,
    /// The command that was decided.
    pub command_id: CommandId,
    /// The hash of what that command asked for.
    pub fingerprint: Fingerprint,
    /// The event's number within its command, from 0.
    pub index: i32,
    /// How many records the command left.
    pub count: i32,
    /// What caused the command: the event it answers, or the command itself.
    pub causation_id: Hash16,
    /// What began it all: shared by everything that follows from one request.
    pub correlation_id: Hash16,
    /// W3C trace context, when the request carried one.
    pub traceparent: Option<Arc<str>>,
}

impl Meta {
    /// The key of the aggregate; empty for what concerns the lane alone.
    pub fn aggregate_key(&self) -> &str {
        self.aggregate.split_once(':').map_or("", |(_, key)| key)
    }
}

/// Where a fact from another service stood when it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FactPosition {
    /// The lane of the service that said it.
    pub lane: i32,
    /// The place in that lane.
    pub lane_seq: i64,
}
