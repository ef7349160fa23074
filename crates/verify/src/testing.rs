//! Records made by hand.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use feira_codec::{EventSet, Opened, frame, open};
use feira_events::Meta;
use feira_ids::{CommandId, LaneId, ServiceName, TenantId};

use crate::report::Report;

/// Lane `index` of `service`.
pub fn lane(service: &str, index: u32) -> LaneId {
    LaneId::new(&ServiceName::new(service), index)
}

/// The record at `seq` of a lane, the only one of its command.
pub fn record(lane: &LaneId, seq: i64, tenant: &str, event: &impl EventSet) -> Opened {
    let tenant = TenantId::new(tenant).unwrap();
    let command_id = CommandId::derive(&tenant, "test", "test", &format!("{lane}:{seq}"));
    let meta = Meta {
        event_id: command_id.event(0),
        lane: i32::try_from(lane.index).unwrap(),
        lane_seq: seq,
        term: 1,
        aggregate: "".into(),
        aggregate_seq: None,
        hlc: 10 * seq,
        at: 1_000 + seq,
        tenant,
        principal: "service:test".into(),
        command_id,
        fingerprint: Default::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    };
    open(&frame(&meta, &event.encode_body().unwrap()).unwrap()).unwrap()
}

/// What is wrong, in words.
pub fn faults(report: &Report) -> Vec<String> {
    report.faults.iter().map(ToString::to_string).collect()
}
