//! Commands through a lane, 256 in flight in this process, each home beside the least that does the same on its log.
//!
//! `cargo bench -p feira-runtime --bench lane`, with a broker at `FEIRA_TEST_KAFKA`. The embedded log's reference is one
//! thread that decides, encodes and appends the same commands of the same callers (`straight.rs`); Kafka's is a bare loop
//! of transactions that carry the lane's values, in batches as large as the lane's.

#[path = "../../../event-log-kafka/benches/bare/mod.rs"]
mod bare;
#[path = "../callers/mod.rs"]
mod callers;
#[path = "../homes/mod.rs"]
mod homes;
mod straight;

use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bare::Bare;
use callers::{IN_FLIGHT, call, commands};
use feira_bench::{Goal, Report, Round, Row, Unit, in_turns, turn};
use feira_event_log::{EventLog, Resume, StoredRecord};
use feira_ids::{LaneId, ServiceName};
use feira_runtime::suite::{Home, Shop, accepted, run};
use feira_runtime::{Metrics, Options};
use homes::{Embedded, Kafka};
use straight::Straight;

/// How many of a lane's values the bare loop appends in turn.
const VALUES: usize = 1_000;

fn main() -> ExitCode {
    let mut report = Report::new();
    let at_once = format!("{IN_FLIGHT} in flight");

    let last = RefCell::new(String::new());
    let (ours, theirs) = in_turns(
        || {
            let (round, metrics) = through_a_lane(&Embedded::new());
            last.replace(batches(&metrics));
            round
        },
        || straight(&Embedded::new()),
    );
    let reference = "one thread that decides, encodes and appends all that waits, then answers the same callers";
    report.table("Commands through a lane on the embedded log, durable", Unit::PerSecond, reference);
    report.row(Row::new(&at_once, &ours).beside(&theirs));
    println!("{}", last.take());

    let left = RefCell::new(None);
    let (ours, theirs) = in_turns(
        || {
            let home = Kafka::new();
            let (round, metrics) = through_a_lane(&home);
            last.replace(batches(&metrics));
            let a_batch = (metrics.records.get() as f64 / metrics.batches.get() as f64).round() as usize;
            left.replace(Some((home, a_batch)));
            round
        },
        || {
            let (home, a_batch) = left.take().expect("the lane was just measured");
            transactions(&home, a_batch)
        },
    );
    let reference = "bare loop of transactions with the same values, as many a batch";
    report.table("Commands through a lane on Kafka, durable", Unit::PerSecond, reference);
    report.row(Row::new(&at_once, &ours).beside(&theirs).goal(Goal::Share(0.6)));
    println!("{}", last.take());
    report.end()
}

/// All commands through a lane in a fresh home.
fn through_a_lane(home: &impl Home) -> (Round, Arc<Metrics>) {
    let commands = commands();
    run(home, async {
        let shop = Arc::new(Shop::open(home, Options::default()).await);
        let asked = shop.commands.clone();
        let round = call(&commands, move |command| {
            let asked = asked.clone();
            async move { drop(accepted(feira_runtime::Commands::ask(&asked, command).await)) }
        })
        .await;
        let metrics = shop.running.metrics();
        assert_eq!(on_the_log(&*shop.log), commands.len() as u64 + 1, "each command left an event, the owner one");
        Arc::into_inner(shop).expect("nobody else has it").close().await;
        (round, metrics)
    })
}

/// The same commands of the same callers, decided by one thread without a lane.
fn straight(home: &impl Home) -> Round {
    let commands = commands();
    run(home, async {
        let log = home.open();
        let straight = Straight::start(&*log);
        let asked = straight.clone();
        let round = call(&commands, move |command| {
            let asked = asked.clone();
            async move { assert!(!asked.ask(command).await.is_empty(), "a view comes back") }
        })
        .await;
        assert_eq!(on_the_log(&*log), commands.len() as u64, "each command left an event");
        round
    })
}

/// Values of a lane appended again without one.
fn transactions(home: &Kafka, a_batch: usize) -> Round {
    let mut reader = home.open().reader(&cart(), Resume::START).expect("the lane can be read");
    let mut records: Vec<StoredRecord> = vec![];
    while records.len() < VALUES {
        records.extend(reader.read(VALUES, Duration::from_secs(10)).expect("the lane can be read"));
    }
    let bare = Bare::new(&home.0);
    let mut values = records.iter().map(|record| &record.value[..]).cycle();
    let mut append = || bare.append(values.by_ref().take(a_batch));
    // A producer's first transactions are slow.
    (0..20).for_each(|_| append());
    Round::repeat(turn(1.0), a_batch as u64, append)
}

fn cart() -> LaneId {
    LaneId::new(&ServiceName::new("cart"), 0)
}

fn on_the_log(log: &dyn EventLog) -> u64 {
    log.last_seq(&cart()).expect("the lane is there")
}

/// How the lane used its log.
fn batches(metrics: &Metrics) -> String {
    let batches = metrics.batches.get().max(1) as f64;
    let (records, append_us) = (metrics.records.get() as f64 / batches, metrics.append_us.get() as f64 / batches);
    format!("in the last round {records:.0} records a batch, {append_us:.0} µs an append")
}
