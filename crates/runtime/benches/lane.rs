//! Commands through a lane, 256 in flight in this process, beside the bare append of the records they leave.
//!
//! Run with `cargo bench -p feira-runtime --bench lane`. Both are durable on the embedded log, in one run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use feira_commands::cart::Input;
use feira_event_log::{EventLog, NewRecord, Resume};
use feira_event_log_embedded::EmbeddedLog;
use feira_ids::{LaneId, ServiceName};
use feira_runtime::suite::{Home, Shop, accepted, command, run};
use feira_runtime::{Command, Options};
use tempfile::TempDir;

const COMMANDS: usize = 100_000;
const IN_FLIGHT: usize = 256;
const BASKETS: usize = 1_000;

struct Embedded(TempDir);

impl Home for Embedded {
    fn open(&self) -> Arc<dyn EventLog> {
        let services = [(ServiceName::new("cart"), 1)];
        EmbeddedLog::open(&self.0.path().join("log"), &services, Default::default()).expect("a log")
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("lanes")
    }
}

/// Commands that each leave one event.
fn commands() -> Vec<Command> {
    let one = |i: usize| {
        let input = Input::SetQuantity { sku: "mango".into(), quantity: (i / BASKETS % 99) as i32 };
        let mut command = command(&format!("BR.{}", i % BASKETS), input, &format!("k{i}"));
        command.deadline_ms += 600_000;
        command
    };
    (0..COMMANDS).map(one).collect()
}

fn main() {
    let home = Embedded(tempfile::tempdir().expect("a folder"));
    let (seconds, mut took, metrics) = run(&home, async {
        let shop = Arc::new(Shop::open(&home, Options::default()).await);
        let commands = Arc::new(commands());
        let next = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let senders: Vec<_> = (0..IN_FLIGHT)
            .map(|_| {
                let (shop, commands, next) = (shop.clone(), commands.clone(), next.clone());
                tokio::spawn(async move {
                    let mut took = Vec::new();
                    while let Some(command) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let began = Instant::now();
                        accepted(shop.ask(command.clone()).await);
                        took.push(began.elapsed());
                    }
                    took
                })
            })
            .collect();
        let mut took = Vec::new();
        for sender in senders {
            took.extend(sender.await.expect("no sender fails"));
        }
        let seconds = began.elapsed().as_secs_f64();
        let metrics = shop.running.metrics();
        Arc::into_inner(shop).expect("nobody else has it").close().await;
        (seconds, took, metrics)
    });
    took.sort_unstable();
    let lane = COMMANDS as f64 / seconds;
    let batch = metrics.records.get() as f64 / metrics.batches.get().max(1) as f64;
    let quantile = |share: f64| took[(took.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("lane, {IN_FLIGHT} in flight: {lane:.0}/s, p50 {:.2} ms, p99 {:.2} ms", quantile(0.5), quantile(0.99));
    println!(
        "  {batch:.0} records a batch, {:.0} us an append",
        metrics.append_us.get() as f64 / metrics.batches.get() as f64
    );
    let bare = bare_append(&home, batch.round().max(1.0) as usize);
    println!("bare append of the same records: {bare:.0}/s");
    println!("lane / bare append: {:.0} %", lane / bare * 100.0);
}

/// Appends the records of the lane again, to another log, in batches of the same size.
fn bare_append(home: &Embedded, batch: usize) -> f64 {
    let lane = LaneId::new(&ServiceName::new("cart"), 0);
    let log = home.open();
    let last = log.last_seq(&lane).expect("a lane");
    let mut reader = log.reader(&lane, Resume::START).expect("a reader");
    let mut records = Vec::new();
    while (records.len() as u64) < last {
        for stored in reader.read(1_000, Duration::from_secs(10)).expect("records") {
            let mut meta = feira_codec::decode_meta(&stored.value).expect("an envelope");
            meta.term = 1;
            records.push(NewRecord { meta, event_type: "feira.cart.v1.QuantitySet", value: stored.value });
        }
    }
    let other = Embedded(tempfile::tempdir().expect("a folder"));
    let membership = other.open().join(&lane.service, "local").expect("a member");
    let taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false);
    let mut writer = taken.expect("the lane is free").writer;
    let began = Instant::now();
    for batch in records.chunks(batch) {
        writer.append(batch, None).expect("room for a batch");
    }
    records.len() as f64 / began.elapsed().as_secs_f64()
}
