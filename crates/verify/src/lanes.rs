//! Sequences, terms, ids and times along the lanes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use feira_codec::Opened;
use feira_events::Meta;
use feira_ids::{CommandId, EventId, LaneId, TenantId};

use crate::report::Report;
use crate::{Check, Fault, Place};

/// The first record of every term.
const LANE_TAKEN: &str = "feira.lane.v1.LaneTaken";

/// All lanes.
#[derive(Default)]
pub struct Lanes {
    events: HashSet<EventId>,
    records: u64,
    commands: u64,
    aggregates: u64,
}

/// One lane as it is read.
pub struct Lane {
    id: LaneId,
    last_seq: u64,
    term: i64,
    hlc: i64,
    decided: HashSet<CommandId>,
    /// The command whose records are being read: its id, how many it left, how many were read.
    open: Option<(CommandId, i32, i32)>,
    aggregates: HashMap<(TenantId, Arc<str>), i64>,
    times: HashMap<TenantId, i64>,
}

impl Lane {
    /// Nothing of `id` has been read yet.
    pub fn new(id: &LaneId) -> Self {
        Self {
            id: id.clone(),
            last_seq: 0,
            term: 0,
            hlc: 0,
            decided: HashSet::new(),
            open: None,
            aggregates: HashMap::new(),
            times: HashMap::new(),
        }
    }

    /// Takes in the record that the log has at `seq`.
    pub fn take(&mut self, all: &mut Lanes, seq: u64, record: &Opened, report: &mut Report) {
        let place = Place::new(&self.id, seq);
        let meta = &record.meta;
        let mut say = |check, what: String| report.fault(Fault::at(check, place.clone(), what));
        all.records += 1;
        if u64::try_from(meta.lane_seq) != Ok(seq) {
            say(Check::Records, format!("the record says that its sequence is {}", meta.lane_seq));
        }
        if i64::from(meta.lane) != i64::from(self.id.index) {
            say(Check::Records, format!("the record says that it is of lane {}", meta.lane));
        }
        match seq.checked_sub(self.last_seq) {
            Some(1) => {}
            Some(more) if more > 1 => say(Check::Lanes, format!("a gap: it follows {}", self.last_seq)),
            _ => say(Check::Lanes, format!("a duplicate: it follows {}", self.last_seq)),
        }
        if meta.term < self.term {
            say(Check::Lanes, format!("the term falls from {} to {}", self.term, meta.term));
        }
        let taken = record.name == LANE_TAKEN;
        if taken && meta.term <= self.term {
            say(Check::Lanes, format!("the lane is taken under term {}, which it had before", meta.term));
        }
        if !taken && meta.term != self.term {
            say(Check::Lanes, format!("term {} begins without the lane being taken", meta.term));
        }
        if meta.hlc <= self.hlc {
            say(Check::Times, format!("the hybrid clock does not rise: {} follows {}", meta.hlc, self.hlc));
        }
        (self.last_seq, self.term, self.hlc) = (seq.max(self.last_seq), meta.term.max(self.term), meta.hlc);
        for (check, what) in [self.command(all, meta), event(all, meta), self.aggregate(all, meta), self.time(meta)]
            .into_iter()
            .flatten()
        {
            say(check, what);
        }
    }

    /// What is wrong at the end of the lane.
    pub fn end(&mut self, report: &mut Report) {
        if let Some((command, count, read)) = self.open.take().filter(|(_, count, read)| read < count) {
            let what = format!("command {command} left {count} records, but the lane ends after {read}");
            report.fault(Fault::at(Check::Commands, Place::new(&self.id, self.last_seq), what));
        }
    }

    /// A command's records stand together, once on the lane.
    fn command(&mut self, all: &mut Lanes, meta: &Meta) -> Option<(Check, String)> {
        let fault = |what| Some((Check::Commands, what));
        let id = meta.command_id;
        if let Some((open, count, read)) = self.open
            && read < count
        {
            if open == id && meta.index == read && meta.count == count {
                self.open = Some((id, count, read + 1));
                return None;
            }
            self.open = None;
            let what = format!("command {open} left {count} records, but only {read} stand before this one");
            self.begin(all, meta);
            return fault(what);
        }
        let new = !self.decided.contains(&id);
        self.begin(all, meta);
        match (new, meta.index, meta.count) {
            (false, _, _) => fault(format!("command {id} is decided a second time")),
            (true, 0, 1..) => None,
            (true, index, count) => fault(format!("the records of command {id} begin with number {index} of {count}")),
        }
    }

    fn begin(&mut self, all: &mut Lanes, meta: &Meta) {
        all.commands += u64::from(self.decided.insert(meta.command_id));
        self.open = Some((meta.command_id, meta.count, meta.index.saturating_add(1)));
    }

    fn aggregate(&mut self, all: &mut Lanes, meta: &Meta) -> Option<(Check, String)> {
        let seq = meta.aggregate_seq?;
        let last = self.aggregates.entry((meta.tenant.clone(), meta.aggregate.clone())).or_default();
        all.aggregates += u64::from(*last == 0);
        let before = std::mem::replace(last, seq.max(*last));
        (seq != before + 1).then(|| {
            (Check::Aggregates, format!("event {seq} of {} of {} follows {before}", meta.aggregate, meta.tenant))
        })
    }

    fn time(&mut self, meta: &Meta) -> Option<(Check, String)> {
        let last = self.times.entry(meta.tenant.clone()).or_insert(i64::MIN);
        let before = std::mem::replace(last, meta.at.max(*last));
        (meta.at < before)
            .then(|| (Check::Times, format!("the time of {} falls from {before} to {}", meta.tenant, meta.at)))
    }
}

/// An event's id follows from its command, and nobody else has it.
fn event(all: &mut Lanes, meta: &Meta) -> Option<(Check, String)> {
    let id = meta.event_id;
    let derived = u32::try_from(meta.index).map(|index| meta.command_id.event(index));
    if derived != Ok(id) {
        return Some((Check::Events, format!("event id {id} is not that of number {} of its command", meta.index)));
    }
    (!all.events.insert(id)).then(|| (Check::Events, format!("another event has the id {id}")))
}

impl Lanes {
    /// Says what was looked at.
    pub fn end(self, report: &mut Report) {
        report.counted("records: dense in their lanes, terms and times never falling", self.records);
        report.counted("commands, each decided once", self.commands);
        report.counted("events, each with an id of its own", self.events.len() as u64);
        report.counted("aggregates, each without a gap", self.aggregates);
    }
}
