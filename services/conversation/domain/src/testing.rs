//! What the specifications of all kinds share: events go through the codec on their way.

use feira_codec::EventSet;
use feira_decider::{Decider, Given, given};
use feira_events::Meta;
use feira_ids::{CommandId, Fingerprint, TenantId};

/// Encoded and decoded as on the log.
fn wire<E: EventSet>(event: E) -> E {
    let value = feira_codec::frame(&meta("thread:main/BR.1"), &event.encode_body().unwrap()).unwrap();
    feira_codec::open(&value).unwrap().decode().unwrap()
}

pub fn meta(aggregate: &str) -> Meta {
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
        tenant: TenantId::new("feira-livre").unwrap(),
        principal: "person:BR.1".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}

pub fn history<D: Decider<Event: EventSet>>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    given::<D>(events).through(wire)
}
