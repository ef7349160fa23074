//! What specifications send their events through, and an envelope for those whose place is of no account.

use feira_events::Meta;
use feira_ids::{CommandId, Fingerprint, TenantId};

use crate::{EventSet, frame, open};

/// An event as it comes back from the log: encoded and decoded.
///
/// # Panics
/// When it does not fit its schema.
pub fn wire<E: EventSet>(event: E) -> E {
    let body = event.encode_body().expect("an event fits its schema");
    let value = frame(&envelope("cart:BR.1"), &body).expect("it is no longer than a value may be");
    open(&value).and_then(|opened| opened.decode()).expect("what was written reads back")
}

/// The envelope of an event of `aggregate`: the first of its lane, and the only one of its command.
pub fn envelope(aggregate: &str) -> Meta {
    let command_id = CommandId::default();
    Meta {
        event_id: command_id.event(0),
        lane: 0,
        lane_seq: 1,
        term: 1,
        aggregate: aggregate.into(),
        aggregate_seq: Some(1),
        hlc: 1_700_000_000_000_000,
        at: 1_700_000_000_000,
        tenant: TenantId::new("feira-livre").expect("it is the id of a tenant"),
        principal: "service:test".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}
