//! The whole log of a service, read back and checked as anyone outside could check it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use feira_codec::Opened;
use feira_event_log::{EventLog, Resume};
use feira_events::Meta;
use feira_events::cart::Event;
use feira_ids::{CommandId, LaneId, ServiceName, TenantId};

use super::basket::{Basket, State};

/// What stands on the lanes.
#[derive(Debug, Default)]
pub struct History {
    /// Every record's name and envelope, lane by lane.
    pub records: Vec<(String, Meta)>,
    /// What the events of each aggregate add up to, and how many there are.
    pub states: BTreeMap<String, (State, u64)>,
    /// How often each command was decided.
    pub decided: HashMap<CommandId, usize>,
}

/// Reads every lane of `cart` and checks that sequences are dense, terms and times do not fall, and each command was
/// decided once.
///
/// # Panics
/// When one of these is not so.
pub fn history(log: &dyn EventLog) -> History {
    let service = ServiceName::new("cart");
    let mut history = History::default();
    for index in 0..log.lanes(&service).expect("the service has lanes") {
        let lane = LaneId::new(&service, index);
        let last = log.last_seq(&lane).expect("the lane is there");
        let mut reader = log.reader(&lane, Resume::START).expect("the lane can be read");
        let mut before: Option<Meta> = None;
        let mut times: HashMap<TenantId, i64> = HashMap::new();
        while before.as_ref().map_or(0, |meta| meta.lane_seq as u64) < last {
            let records = reader.read(1000, Duration::from_secs(10)).expect("the lane can be read");
            assert!(!records.is_empty(), "lane {lane} ends before {last}");
            for record in records {
                let opened = feira_codec::open(&record.value).expect("the record can be read");
                follows(before.as_ref(), &opened.meta);
                // Each tenant's: a sandbox may be ahead of the others.
                let time = times.entry(opened.meta.tenant.clone()).or_insert(opened.meta.at);
                assert!(opened.meta.at >= *time, "business time does not fall");
                *time = opened.meta.at;
                before = Some(opened.meta.clone());
                history.take_in(&opened);
            }
        }
    }
    for (command, times) in &history.decided {
        assert_eq!(*times, 1, "command {command} was decided {times} times");
    }
    history
}

fn follows(before: Option<&Meta>, meta: &Meta) {
    let Some(before) = before else {
        assert_eq!(meta.lane_seq, 1, "the first record");
        return;
    };
    assert_eq!(meta.lane_seq, before.lane_seq + 1, "lane sequences are dense");
    assert!(meta.term >= before.term, "terms do not fall");
    assert!(meta.hlc >= before.hlc + 2, "the hybrid clock rises by two");
}

impl History {
    fn take_in(&mut self, opened: &Opened) {
        let meta = &opened.meta;
        if meta.index == 0 {
            *self.decided.entry(meta.command_id).or_default() += 1;
        }
        if let Some(seq) = meta.aggregate_seq {
            let event: Event = opened.decode().expect("the event can be read");
            let (state, events) = self.states.entry(meta.aggregate.to_string()).or_default();
            *events += 1;
            assert_eq!(seq as u64, *events, "aggregate sequences are dense");
            *state = <Basket as feira_decider::Decider>::evolve(std::mem::take(state), &event);
        }
        self.records.push((opened.name.to_owned(), meta.clone()));
    }

    /// How many records are called so.
    pub fn count(&self, name: &str) -> usize {
        self.records.iter().filter(|(record, _)| record == name).count()
    }
}
