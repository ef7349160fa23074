//! A log in memory on which tests let things happen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use feira_codec::{EventSet, frame};
use feira_event_log::simulated::Cluster;
use feira_event_log::{EventLog, LaneWriter, NewRecord, Resume};
use feira_events::Meta;
use feira_ids::{AggregateId, CommandId, LaneId, ServiceName, TenantId, kind, lane_of};

use super::furnished::meta;

/// How many lanes each service has.
pub const LANES: u32 = 2;
const SERVICES: [&str; 5] = ["catalog", "cart", "conversation", "payments", "billing"];
const WRITER: &str = "writer";

pub struct Happenings {
    cluster: Arc<Cluster>,
    lanes: Mutex<HashMap<LaneId, Writer>>,
    versions: Mutex<HashMap<(TenantId, Arc<str>), i64>>,
}

struct Writer {
    writer: Box<dyn LaneWriter>,
    term: u64,
    last: u64,
}

impl Happenings {
    pub fn new() -> Self {
        let cluster = Cluster::new(&SERVICES.map(|service| (ServiceName::new(service), LANES)));
        Self { cluster, lanes: Mutex::default(), versions: Mutex::default() }
    }

    pub fn log(&self) -> Arc<dyn EventLog> {
        self.cluster.process("reader")
    }

    pub fn lane(&self, tenant: &str, aggregate: &str) -> LaneId {
        let aggregate = AggregateId::parse(aggregate).unwrap();
        let service = ServiceName::new(kind(aggregate.kind_name()).unwrap().service);
        LaneId::new(&service, lane_of(&TenantId::new(tenant).unwrap(), &aggregate, LANES))
    }

    /// Lets an event of an aggregate happen.
    pub fn tell<E: EventSet>(&self, tenant: &str, aggregate: &str, event: &E) -> Meta {
        let lane = self.lane(tenant, aggregate);
        let mut lanes = self.lanes.lock().unwrap();
        let writer = lanes.entry(lane.clone()).or_insert_with(|| self.take(&lane));
        let tenant = TenantId::new(tenant).unwrap();
        let version = {
            let mut versions = self.versions.lock().unwrap();
            let version = versions.entry((tenant.clone(), aggregate.into())).or_default();
            *version += 1;
            *version
        };
        let lane_seq = writer.last + 1;
        let command_id = CommandId::derive(&tenant, "service:test", &lane.to_string(), &lane_seq.to_string());
        let meta = Meta {
            event_id: command_id.event(0),
            lane: lane.index as i32,
            lane_seq: lane_seq as i64,
            term: writer.term as i64,
            aggregate_seq: Some(version),
            hlc: lane_seq as i64 * 2,
            at: 1_700_000_000_000 + lane_seq as i64,
            command_id,
            causation_id: command_id.0,
            correlation_id: command_id.0,
            ..meta(tenant.as_str(), aggregate, version)
        };
        let body = event.encode_body().unwrap();
        let value = frame(&meta, &body).unwrap();
        let record = NewRecord { meta: meta.clone(), event_type: body.name, value };
        writer.writer.append(&[record], None).unwrap();
        writer.last = lane_seq;
        meta
    }

    fn take(&self, lane: &LaneId) -> Writer {
        let member = self.cluster.process(WRITER).join(&lane.service, WRITER).unwrap();
        self.cluster.assign(lane, WRITER);
        let generation = member.assignment(0, Duration::ZERO).generation;
        assert!(generation > 0);
        let taken = member.take(lane.index, Resume::START, &mut |_| Ok(()), &|| false).unwrap();
        Writer { writer: taken.writer, term: taken.term, last: taken.last_seq }
    }
}
