//! Judges from outside: what stands on the log, against what clients were told.

mod ends;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use feira_event_log::{EventLog, Resume};
use feira_events::Meta;
use feira_events::lane::{Event, OutcomeKind};
use feira_ids::{CommandId, Hash16, LaneId};
use feira_projection_store::Store;
use feira_runtime::Answer;
use feira_verify::{Options, Parts, verify};

use crate::history::{Op, Tally};
use crate::services::{names, projections};
use ends::Ends;

/// How those begin who ask in the name of a process.
const PROCESS: &str = "service:process-";
/// The process that enters usage.
const USAGE: &str = "usage";
/// How long the next record of a lane may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many faults of a kind are told.
const TOLD: usize = 5;

/// What was found.
pub struct Found {
    /// How many records the log has.
    pub records: u64,
    /// How many commands were acknowledged and are not there.
    pub lost: u64,
    /// How many commands are there twice.
    pub twice: u64,
    /// What is wrong.
    pub faults: Vec<String>,
}

impl Found {
    /// How much happened: to commands, and of each kind of `faults`, in so many seconds.
    pub fn tally(&self, ops: &[Op], faults: BTreeMap<&'static str, u64>, seconds: u64) -> Tally {
        let first = |wanted: fn(&Answer) -> bool| {
            ops.iter().filter(|op| op.answers.first().is_some_and(|(_, answer)| wanted(answer))).count() as u64
        };
        let waits = ops.iter().filter_map(|op| Some(op.answers.first()?.0 - op.began));
        Tally {
            commands: ops.len() as u64,
            accepted: first(|answer| matches!(answer, Answer::Accepted(_))),
            refused: first(|answer| matches!(answer, Answer::Refused { .. })),
            unknown: ops.iter().filter(|op| op.answers.is_empty()).count() as u64,
            lost: self.lost,
            twice: self.twice,
            records: self.records,
            faults,
            longest_ms: waits.max().unwrap_or(0) as u64 / 1_000,
            seconds,
        }
    }
}

/// What a command left on the log.
#[derive(Default)]
struct Left {
    lanes: Vec<(LaneId, u64)>,
    events: u64,
    /// The last version that its events made.
    version: u64,
    refused: bool,
}

/// Judges a run that has come to rest.
pub fn judge(log: &Arc<dyn EventLog>, store: &Arc<dyn Store>, ops: &[Op]) -> Found {
    let mut faults = Vec::new();
    let mut left: HashMap<CommandId, Left> = HashMap::new();
    let mut asked = Asked::default();
    let mut ends = Ends::default();
    let mut records = 0;
    for service in names() {
        for index in 0..log.lanes(&service).unwrap_or(0) {
            let lane = LaneId::new(&service, index);
            match read(&**log, &lane, &mut ends) {
                Ok(found) => {
                    records += found.len() as u64;
                    faults.extend(lane_faults(&lane, &found));
                    for (meta, outcome) in found {
                        asked.take(&meta);
                        leave(&mut left, &lane, &meta, outcome);
                    }
                }
                Err(error) => faults.push(format!("{lane} cannot be read: {error}")),
            }
        }
    }
    let told: Vec<String> = ops.iter().flat_map(|op| op_faults(op, left.get(&op.id))).collect();
    faults.extend(told.into_iter().take(TOLD));
    faults.extend(asked.faults().into_iter().take(TOLD));
    faults.extend(ends.open().take(TOLD));
    faults.extend(order_faults(ops).into_iter().take(TOLD));
    faults.extend(verified(log.clone(), store.clone()));
    let acknowledged = |op: &&Op| op.answers.iter().any(|(_, answer)| matches!(answer, Answer::Accepted(_)));
    let lost = ops.iter().filter(acknowledged).filter(|op| !left.contains_key(&op.id)).count() as u64;
    let twice = left.values().filter(|left| left.lanes.len() > 1).count() as u64;
    Found { records, lost, twice, faults }
}

/// What process managers asked: under one id, whatever became of them meanwhile.
#[derive(Default)]
struct Asked {
    /// By who asked what of whom because of which event, the ids.
    ids: BTreeMap<(String, Hash16, String, Hash16), Vec<CommandId>>,
}

impl Asked {
    fn take(&mut self, meta: &Meta) {
        if meta.principal.starts_with(PROCESS) && meta.index == 0 {
            let whom = format!("{}/{}", meta.tenant, meta.aggregate);
            let key = (meta.principal.to_string(), meta.causation_id, whom, meta.fingerprint.0);
            self.ids.entry(key).or_default().push(meta.command_id);
        }
    }

    fn faults(&self) -> Vec<String> {
        let often = self.ids.iter().filter(|(_, ids)| ids.len() > 1);
        let told = often.map(|((who, event, whom, _), ids)| {
            format!("{who} had the same decided {} times by {whom} because of event {event}", ids.len())
        });
        told.collect()
    }
}

type Read = Vec<(Meta, Option<OutcomeKind>)>;

fn read(log: &dyn EventLog, lane: &LaneId, ends: &mut Ends) -> Result<Read, Box<dyn std::error::Error>> {
    let last = log.last_seq(lane)?;
    let mut reader = log.reader(lane, Resume::START)?;
    let mut found = Vec::new();
    while (found.len() as u64) < last {
        let records = reader.read(1_000, PATIENCE)?;
        if records.is_empty() {
            return Err(format!("{} records of {last} can be read", found.len()).into());
        }
        for record in records {
            let opened = feira_codec::open(&record.value)?;
            ends.take(&opened)?;
            let outcome = match opened.event::<Event>()? {
                Some(Event::CommandOutcome(outcome)) => Some(outcome.outcome),
                Some(_) | None => None,
            };
            found.push((opened.meta, outcome));
        }
    }
    Ok(found)
}

/// Sequences dense, terms that do not fall, each aggregate's events dense, each event once.
fn lane_faults(lane: &LaneId, found: &Read) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut term, mut versions, mut events) = (0, BTreeMap::<String, i64>::new(), HashMap::new());
    for ((meta, _), expected) in found.iter().zip(1..) {
        if meta.lane_seq != expected {
            faults.push(format!("{lane}: record {} stands where {expected} should", meta.lane_seq));
        }
        if meta.term < term {
            faults.push(format!("{lane}:{expected} is of term {} after {term}", meta.term));
        }
        term = meta.term;
        if let Some(before) = events.insert(meta.event_id, expected) {
            faults.push(format!("{lane}:{expected} is the event of {before} again"));
        }
        if let Some(version) = meta.aggregate_seq {
            let last = versions.entry(format!("{}/{}", meta.tenant, meta.aggregate)).or_default();
            if version != *last + 1 {
                faults.push(format!("{lane}:{expected} is event {version} of {} after {last}", meta.aggregate));
            }
            *last = version;
        }
    }
    faults.truncate(TOLD);
    faults
}

fn leave(left: &mut HashMap<CommandId, Left>, lane: &LaneId, meta: &Meta, outcome: Option<OutcomeKind>) {
    let left = left.entry(meta.command_id).or_default();
    if meta.index == 0 {
        left.lanes.push((lane.clone(), meta.lane_seq.unsigned_abs()));
    }
    if let Some(version) = meta.aggregate_seq {
        left.events += 1;
        left.version = version.unsigned_abs();
    }
    left.refused |= outcome == Some(OutcomeKind::Refused);
}

/// What is acknowledged is there once, and as it was told; what is refused left nothing; all answers are one.
fn op_faults(op: &Op, left: Option<&Left>) -> Vec<String> {
    let mut faults = Vec::new();
    let times = left.map_or(0, |left| left.lanes.len());
    if times > 1 {
        faults.push(format!("command {} of {} was decided {times} times", op.id, op.aggregate));
    }
    let mut first: Option<String> = None;
    for (_, answer) in &op.answers {
        let told = match answer {
            Answer::Accepted(accepted) => {
                let Some(left) = left else {
                    faults.push(format!("command {} of {} was accepted and is lost", op.id, op.aggregate));
                    continue;
                };
                if left.refused {
                    faults.push(format!("command {} of {} was accepted and stands refused", op.id, op.aggregate));
                }
                if left.events != accepted.events.len() as u64 {
                    let (stand, told) = (left.events, accepted.events.len());
                    faults.push(format!("command {} of {} left {stand} events, not {told}", op.id, op.aggregate));
                }
                if left.events > 0 && left.version != accepted.version {
                    let (stands, told) = (left.version, accepted.version);
                    faults.push(format!("command {} made version {stands} of {}, not {told}", op.id, op.aggregate));
                }
                format!("{} {:?} {}", accepted.version, accepted.events, accepted.position)
            }
            Answer::Refused { position, code, .. } => {
                let stands = left.is_some_and(|left| left.refused && left.events == 0);
                if !stands {
                    faults.push(format!("command {} of {} was refused and is not so", op.id, op.aggregate));
                }
                format!("{code} {position}")
            }
            // Nothing was decided.
            Answer::Conflict { .. } => continue,
            other => {
                faults.push(format!("command {} of {} was answered {other:?}", op.id, op.aggregate));
                continue;
            }
        };
        match &first {
            Some(before) if *before != told => {
                faults.push(format!("command {} of {} was told {before}, then {told}", op.id, op.aggregate));
            }
            _ => first = Some(told),
        }
    }
    faults
}

/// Of one aggregate, what was answered before something else was asked came before it.
fn order_faults(ops: &[Op]) -> Vec<String> {
    let mut by_aggregate: BTreeMap<&str, Vec<(i64, i64, u64, bool)>> = BTreeMap::new();
    for op in ops {
        if let Some((at, Answer::Accepted(accepted))) = op.answers.first() {
            let changed = !accepted.events.is_empty();
            by_aggregate.entry(&op.aggregate).or_default().push((op.began, *at, accepted.version, changed));
        }
    }
    let mut faults = Vec::new();
    for (aggregate, mut seen) in by_aggregate {
        seen.sort_unstable();
        for (place, later) in seen.iter().enumerate() {
            for earlier in seen[..place].iter().filter(|earlier| earlier.1 < later.0) {
                let before = if later.3 { earlier.2 < later.2 } else { earlier.2 <= later.2 };
                if !before {
                    faults.push(format!(
                        "{aggregate} was at version {} for who had asked before, and at {} for who asked later",
                        earlier.2, later.2
                    ));
                }
            }
        }
    }
    faults
}

/// Ledger, transfers, stock, usage, and rows that are what a replay gives.
fn verified(log: Arc<dyn EventLog>, store: Arc<dyn Store>) -> Vec<String> {
    let mut services = names();
    services.reverse();
    let parts = Parts { log, store, services, projections: projections(), usage: Some(USAGE) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    let runtime = runtime.expect("a runtime is made");
    let options = Options { catch_up: Duration::from_millis(200), ..Options::default() };
    match runtime.block_on(verify(parts, options, |_| true)) {
        Ok(report) => {
            let faults = report.faults.iter().map(ToString::to_string);
            faults.chain(report.notes.iter().cloned()).take(TOLD).collect()
        }
        Err(error) => vec![format!("it cannot be verified: {error}")],
    }
}
