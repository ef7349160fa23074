//! How many events a second a lane's new owner takes in that has nothing but the log, on the embedded log, beside the
//! least that does so: one thread that opens, decodes, folds and writes down.
//!
//! `cargo bench -p feira-runtime --bench replay`. The owner opens the log, decodes and folds every event, and writes
//! states and command ids down before it serves, so that it need not do so again and its memory has bounds. The reference
//! writes them to the same store in as large batches, and nothing else.

#[path = "homes/mod.rs"]
mod homes;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_bench::{Goal, Report, Round, Row, Unit, in_turns, rounds, turn};
use feira_codec::{EventSet, frame, open};
use feira_decider::Decider;
use feira_event_log::{EventLog, NewRecord, Resume};
use feira_events::cart::{Event, QuantitySet};
use feira_ids::{CommandId, LaneId, ServiceName};
use feira_runtime::Options;
use feira_runtime::suite::basket::{Basket, State};
use feira_runtime::suite::{Home, Shop, command, run};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use homes::Embedded;

/// How many events there are for each second that a round should take.
const EVENTS_A_SECOND: f64 = 500_000.0;
/// How many events are appended at once.
const BATCH: u64 = 4_096;
/// How many baskets they are of.
const BASKETS: u64 = 10_000;
/// How many commands the reference writes down at once: as many as an owner that takes a lane over.
const WRITTEN_AT_ONCE: usize = 16 * 1_024;
const GOAL: Goal = Goal::AtLeast(500_000.0);

fn main() -> ExitCode {
    let home = Embedded::new();
    let events = (turn(1.0).as_secs_f64() * EVENTS_A_SECOND) as u64;
    fill(&*home.open(), events);
    let mut report = Report::new();
    let (ours, theirs) = in_turns(|| take_over(&home, events), || fold(&home, events, true));
    let title = format!("Replay of {events} events of {BASKETS} aggregates from the page cache");
    report.table(
        &title,
        Unit::PerSecond,
        "one thread that reads, decodes and folds, and writes states and command ids to bare fjall",
    );
    report.row(Row::new("taking a lane over, empty folder", &ours).beside(&theirs).goal(GOAL));
    let folded = rounds(|| fold(&home, events, false));
    report.row(Row::new("read, decoded and folded alone", &folded).goal(GOAL));
    report.end()
}

fn cart() -> LaneId {
    LaneId::new(&ServiceName::new("cart"), 0)
}

/// Appends events as a lane would have left them, each of a command of its own.
fn fill(log: &dyn EventLog, events: u64) {
    let membership = log.join(&ServiceName::new("cart"), "local").expect("a member");
    let mut taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).expect("the lane is free");
    let input = feira_commands::cart::Input::SetQuantity { sku: "mango".into(), quantity: 1 };
    let asked = command("BR.1", input, "k");
    let baskets: Vec<Arc<str>> = (0..BASKETS).map(|basket| format!("cart:BR.{basket}").into()).collect();
    while taken.last_seq < events {
        let first = taken.last_seq + 1;
        let batch: Vec<NewRecord> = (first..=events.min(taken.last_seq + BATCH))
            .map(|seq| {
                let turn = (seq - 1) / BASKETS;
                let event = Event::QuantitySet(QuantitySet { sku: "mango".into(), quantity: (turn % 99) as i32 + 1 });
                let mut meta = feira_event_log::suite::record(0, seq, taken.term, vec![]).meta;
                meta.aggregate = baskets[((seq - 1) % BASKETS) as usize].clone();
                meta.aggregate_seq = Some(turn as i64 + 1);
                meta.tenant = asked.tenant.clone();
                meta.command_id.0.0[..8].copy_from_slice(&seq.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
                let body = event.encode_body().expect("it fits its schema");
                NewRecord { value: frame(&meta, &body).expect("it is short"), event_type: body.name, meta }
            })
            .collect();
        taken.writer.append(&batch, None).expect("the batch is taken");
        taken.last_seq += batch.len() as u64;
    }
}

/// Takes the lane over without anything kept from before.
fn take_over(home: &Embedded, events: u64) -> Round {
    // There is none before the first round.
    let _ = std::fs::remove_dir_all(home.folder());
    run(home, async {
        let began = Instant::now();
        let shop = Shop::open(home, Options::default()).await;
        let took = began.elapsed();
        assert!(shop.log.last_seq(&cart()).expect("the lane is there") > events, "the new owner announced itself");
        let metrics = shop.running.metrics();
        assert_eq!((metrics.takeovers.get(), metrics.rebuilds.get()), (1, 0), "it was taken once");
        shop.close().await;
        Round::of(events, took)
    })
}

/// Reads, decodes and folds; writes states and command ids down, too, if that is wanted.
fn fold(home: &Embedded, events: u64, kept: bool) -> Round {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let began = Instant::now();
    let log = home.open();
    let down = kept.then(|| Down::open(folder.path()));
    let mut reader = log.reader(&cart(), Resume::START).expect("the lane can be read");
    let mut states: HashMap<Arc<str>, State> = HashMap::new();
    let (mut changed, mut decided, mut known): (HashSet<Arc<str>>, Vec<(CommandId, u64)>, u64) = Default::default();
    let mut read = 0;
    while read < events {
        for record in reader.read(1_024, Duration::ZERO).expect("the lane can be read") {
            let opened = open(&record.value).expect("as written");
            // What an owner says of itself is of no aggregate.
            if opened.is::<Event>() {
                let event: Event = opened.decode().expect("as written");
                if kept {
                    decided.push((opened.meta.command_id, record.lane_seq));
                    changed.insert(opened.meta.aggregate.clone());
                }
                let state = states.entry(opened.meta.aggregate).or_default();
                *state = Basket::evolve(std::mem::take(state), &event);
            }
            read += 1;
        }
        if let Some(down) = &down
            && (decided.len() >= WRITTEN_AT_ONCE || read >= events)
        {
            known += decided.len() as u64;
            down.write(changed.drain().map(|name| (name.clone(), &states[&name])), decided.drain(..));
        }
    }
    let took = began.elapsed();
    assert_eq!(states.values().map(|state| state.events).sum::<u64>(), events, "every event was folded");
    assert_eq!(known, if kept { events } else { 0 }, "every command is known");
    Round::of(events, took)
}

/// States and command ids as they are written down: in the order of their keys.
struct Down {
    database: Database,
    rows: Keyspace,
}

impl Down {
    fn open(folder: &Path) -> Self {
        let database = Database::builder(folder).open().expect("there is room");
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default).expect("there is room");
        Self { database, rows }
    }

    fn write<'a>(
        &self,
        states: impl Iterator<Item = (Arc<str>, &'a State)>,
        decided: impl Iterator<Item = (CommandId, u64)>,
    ) {
        let states = states.map(|(name, state)| {
            let state = serde_json::to_vec(state).expect("a state is JSON");
            ([b"s", name.as_bytes()].concat(), state)
        });
        let decided = decided.map(|(id, seq)| ([b"c", &id.0.0[..]].concat(), seq.to_be_bytes().to_vec()));
        let mut all: Vec<(Vec<u8>, Vec<u8>)> = states.chain(decided).collect();
        all.sort_unstable();
        let mut batch = self.database.batch();
        all.into_iter().for_each(|(key, value)| batch.insert(&self.rows, key, value));
        batch.commit().expect("there is room");
    }
}
