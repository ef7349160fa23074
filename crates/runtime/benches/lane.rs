//! Commands through a lane, 256 in flight in this process, beside the bare append of the records they leave.
//!
//! Run with `cargo bench -p feira-runtime --bench lane`, with a broker at `FEIRA_TEST_KAFKA` (127.0.0.1:19092 when that
//! is not set). Each home is measured beside its own floor, in one run: the embedded log beside itself without a lane,
//! Kafka beside a bare loop of transactions that carry the same values.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use feira_commands::cart::Input;
use feira_event_log::{EventLog, NewRecord, Resume};
use feira_event_log_embedded::EmbeddedLog;
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::{LaneId, ServiceName};
use feira_runtime::suite::{Home, Shop, accepted, command, run};
use feira_runtime::{Command, Options};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tempfile::TempDir;

const COMMANDS: usize = 100_000;
const IN_FLIGHT: usize = 256;
const BASKETS: usize = 1_000;
const ROUNDS: usize = 3;

struct Embedded(TempDir);

impl Embedded {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
}

impl Home for Embedded {
    fn open(&self) -> Arc<dyn EventLog> {
        let services = [(ServiceName::new("cart"), 1)];
        EmbeddedLog::open(&self.0.path().join("log"), &services, Default::default()).expect("a log")
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("lanes")
    }
}

/// Topics of one round; they go with it.
struct Kafka(KafkaConfig, TempDir);

impl Kafka {
    fn new() -> Self {
        let brokers = std::env::var("FEIRA_TEST_KAFKA").unwrap_or_else(|_| "127.0.0.1:19092".to_owned());
        let prefix = format!("bench{}.", uuid::Uuid::new_v4().simple());
        let config = KafkaConfig::new(&brokers, &prefix).with_service("cart", 1).with_service("bare", 1);
        Self(config, tempfile::tempdir().expect("a folder"))
    }
}

impl Home for Kafka {
    fn open(&self) -> Arc<dyn EventLog> {
        KafkaLog::connect(self.0.clone(), self.patience()).expect("run deploy/local/up.sh --kafka first")
    }

    fn folder(&self) -> PathBuf {
        self.1.path().join("lanes")
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let topics = ["cart.events.v1", "bare.events.v1", "lanes.v1"].map(|name| format!("{}{name}", self.0.prefix));
        let admin: Result<AdminClient<DefaultClientContext>, _> =
            ClientConfig::new().set("bootstrap.servers", &self.0.brokers).create();
        if let Ok(admin) = admin {
            let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(5)));
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            // A topic that stays is in nobody's way.
            let _ = futures::executor::block_on(admin.delete_topics(&names, &options));
        }
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
    beside("embedded", Embedded::new, |home, batch| {
        let (records, other) = (records(home), Embedded::new());
        let membership = other.open().join(&ServiceName::new("cart"), "local").expect("a member");
        let taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false);
        let mut writer = taken.expect("the lane is free").writer;
        per_second(&records, batch, |batch| {
            writer.append(batch, None).expect("room for a batch");
        })
    });
    beside("kafka", Kafka::new, |home, batch| {
        let records = records(home);
        let bare = Bare::new(&home.0);
        per_second(&records[..records.len().min(batch * 20)], batch, |batch| bare.append(batch));
        per_second(&records, batch, |batch| bare.append(batch))
    });
}

/// Measures a lane in a home and the bare append of what it left, by turns, and prints the median of each.
fn beside<H: Home>(name: &str, home: impl Fn() -> H, bare: impl Fn(&H, usize) -> f64) {
    let mut rounds: Vec<(f64, f64)> = Vec::new();
    for round in 0..=ROUNDS {
        let home = home();
        let lane = Lane::measure(&home);
        println!("{name} lane, {IN_FLIGHT} in flight: {lane}");
        let bare = bare(&home, lane.batch.round().max(1.0) as usize);
        println!("{name} bare append of the same records: {bare:.0}/s");
        // The first round warms up what runs beside us: a broker is slow for a while.
        if round > 0 {
            rounds.push((lane.rate, bare));
        }
    }
    let median = |of: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let (lane, bare, ratio) = (median(|r| r.0), median(|r| r.1), median(|r| r.0 / r.1));
    println!("{name}: lane {lane:.0}/s, bare {bare:.0}/s, lane / bare {:.0} %", ratio * 100.0);
}

/// What a lane did with all the commands.
struct Lane {
    rate: f64,
    p50: Duration,
    p99: Duration,
    batch: f64,
    append_us: f64,
}

impl Lane {
    fn measure(home: &impl Home) -> Self {
        let (seconds, mut took, metrics) = run(home, async {
            let shop = Arc::new(Shop::open(home, Options::default()).await);
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
        let batches = metrics.batches.get().max(1) as f64;
        Self {
            rate: COMMANDS as f64 / seconds,
            p50: took[took.len() / 2],
            p99: took[took.len() * 99 / 100],
            batch: metrics.records.get() as f64 / batches,
            append_us: metrics.append_us.get() as f64 / batches,
        }
    }
}

impl std::fmt::Display for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(f, "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, ", self.rate, ms(self.p50), ms(self.p99))?;
        write!(f, "{:.0} records a batch, {:.0} us an append", self.batch, self.append_us)
    }
}

/// All that a lane has written, to be appended elsewhere.
fn records(home: &impl Home) -> Vec<NewRecord> {
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
    records
}

fn per_second(records: &[NewRecord], batch: usize, mut append: impl FnMut(&[NewRecord])) -> f64 {
    let began = Instant::now();
    records.chunks(batch).for_each(&mut append);
    records.len() as f64 / began.elapsed().as_secs_f64()
}

/// The least that Kafka asks for the same values: the same settings, no headers, no checks.
struct Bare {
    producer: BaseProducer,
    topic: String,
}

impl Bare {
    fn new(config: &KafkaConfig) -> Self {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &config.brokers)
            .set("transactional.id", format!("{}bare", config.prefix))
            .set("linger.ms", "0")
            .set("compression.type", "lz4")
            .set("retry.backoff.ms", "1")
            .set("retry.backoff.max.ms", "20")
            .create()
            .expect("a producer is made");
        producer.init_transactions(Duration::from_secs(10)).expect("the producer is let in");
        Self { producer, topic: format!("{}bare.events.v1", config.prefix) }
    }

    fn append(&self, batch: &[NewRecord]) {
        self.producer.begin_transaction().expect("a transaction begins");
        for record in batch {
            let record = BaseRecord::to(&self.topic).partition(0).key("cart:BR.1").payload(&record.value[..]);
            self.producer.send(record).map_err(|(error, _)| error).expect("the record is queued");
        }
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::ZERO);
            std::thread::sleep(Duration::from_micros(150));
        }
        self.producer.commit_transaction(Duration::from_secs(7)).expect("the transaction commits");
    }
}
