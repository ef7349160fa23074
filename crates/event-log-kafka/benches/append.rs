//! Appending to a lane beside the least that Kafka asks for the same: a bare loop of transactions, in the same run.
//!
//! `cargo bench -p feira-event-log-kafka` with a broker at `FEIRA_TEST_KAFKA` (127.0.0.1:19092 when that is not set).
//! Both sides append batches of 256 records with values of 300 bytes to one partition, one batch after another. The
//! bare side writes no headers, which are a good part of what the lane writes.

use std::time::{Duration, Instant};

use feira_event_log::{EventLog, Membership, Resume, suite};
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::ServiceName;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const BATCH: u64 = 256;
const VALUE: [u8; 300] = [b'x'; 300];
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 4;

fn main() {
    let brokers = std::env::var("FEIRA_TEST_KAFKA").unwrap_or_else(|_| "127.0.0.1:19092".to_owned());
    let prefix = format!("bench{}.", uuid::Uuid::new_v4().simple());
    let config = KafkaConfig::new(&brokers, &prefix).with_service("cart", 1).with_service("bare", 1);
    let log = KafkaLog::connect(config, Duration::from_secs(10)).expect("run deploy/local/up.sh --kafka first");
    let membership = log.join(&ServiceName::new("cart"), "local").expect("joining works");
    while membership.assignment(0, Duration::from_millis(10)).lanes.is_empty() {}
    let mut lane = Lane::take(&*membership);
    let bare = Bare::new(&brokers, &prefix);

    println!("warming up");
    round(|| bare.append());
    round(|| lane.append());
    let (mut of_bare, mut of_lane) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_bare.push(round(|| bare.append()));
        of_lane.push(round(|| lane.append()));
    }
    let (bare, lane) = (Figures::of(of_bare), Figures::of(of_lane));
    println!("bare transactions: {bare}");
    println!("lane:              {lane}");
    println!("the lane does {:.0} % of the bare loop", 100.0 * lane.rate / bare.rate);
}

/// How long each batch of a round took.
fn round(mut append: impl FnMut()) -> Vec<Duration> {
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < ROUND {
        let one = Instant::now();
        append();
        times.push(one.elapsed());
    }
    times
}

struct Figures {
    rate: f64,
    median: Duration,
    p99: Duration,
}

impl Figures {
    fn of(rounds: Vec<Vec<Duration>>) -> Self {
        let mut times: Vec<Duration> = rounds.into_iter().flatten().collect();
        times.sort();
        let total: Duration = times.iter().sum();
        Self {
            rate: (times.len() as u64 * BATCH) as f64 / total.as_secs_f64(),
            median: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        write!(f, "{:.0} records/s, a batch p50 {:.1} ms, p99 {:.1} ms", self.rate, ms(self.median), ms(self.p99))
    }
}

/// The lane under test.
struct Lane {
    taken: feira_event_log::Taken,
}

impl Lane {
    fn take(membership: &dyn Membership) -> Self {
        Self { taken: membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).expect("the lane is taken") }
    }

    fn append(&mut self) {
        let next = self.taken.last_seq + 1;
        let batch: Vec<_> =
            (next..next + BATCH).map(|lane_seq| suite::record(0, lane_seq, self.taken.term, VALUE.to_vec())).collect();
        self.taken.writer.append(&batch, None).expect("the batch is taken");
        self.taken.last_seq += BATCH;
    }
}

/// The least that Kafka asks: the same settings, no envelope, no checks.
struct Bare {
    producer: BaseProducer,
    topic: String,
}

impl Bare {
    fn new(brokers: &str, prefix: &str) -> Self {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("transactional.id", format!("{prefix}bare"))
            .set("linger.ms", "0")
            .set("compression.type", "lz4")
            .set("retry.backoff.ms", "1")
            .set("retry.backoff.max.ms", "20")
            .create()
            .expect("a producer is made");
        producer.init_transactions(Duration::from_secs(10)).expect("the producer is let in");
        Self { producer, topic: format!("{prefix}bare.events.v1") }
    }

    fn append(&self) {
        self.producer.begin_transaction().expect("a transaction begins");
        for _ in 0..BATCH {
            let record = BaseRecord::to(&self.topic).partition(0).key("cart:BR.1").payload(&VALUE[..]);
            self.producer.send(record).map_err(|(error, _)| error).expect("the record is queued");
        }
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::ZERO);
            std::thread::sleep(Duration::from_micros(150));
        }
        self.producer.commit_transaction(Duration::from_secs(7)).expect("the transaction commits");
    }
}
