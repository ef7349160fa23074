//! The broker under test, names that no other test has, and clients of our own beside the log's.

use std::net::{TcpStream, ToSocketAddrs};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_event_log::suite;
use feira_event_log::{EventLog, Membership, Resume, StoredRecord, TakeError, Taken};
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::{LaneId, ServiceName};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// How long anything may take before a test counts as failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the broker is.
pub fn brokers() -> String {
    let brokers = std::env::var("FEIRA_TEST_KAFKA").unwrap_or_else(|_| "127.0.0.1:19092".to_owned());
    let first = brokers.split(',').next().unwrap().to_socket_addrs().unwrap().next().unwrap();
    if let Err(error) = TcpStream::connect_timeout(&first, Duration::from_secs(5)) {
        panic!("no Kafka at {brokers} ({error}): run deploy/local/up.sh --kafka, or set FEIRA_TEST_KAFKA");
    }
    brokers
}

/// A configuration with a prefix that nobody else has; its topics go when it is dropped.
pub struct Fresh(KafkaConfig);

/// A configuration for one test.
pub fn fresh() -> Fresh {
    let prefix = format!("t{}.", uuid::Uuid::new_v4().simple());
    Fresh(KafkaConfig::new(&brokers(), &prefix).with_service("cart", suite::LANES))
}

impl Deref for Fresh {
    type Target = KafkaConfig;

    fn deref(&self) -> &KafkaConfig {
        &self.0
    }
}

impl DerefMut for Fresh {
    fn deref_mut(&mut self) -> &mut KafkaConfig {
        &mut self.0
    }
}

impl Drop for Fresh {
    /// Thousands of partitions that nobody needs would make the broker's next start slow.
    fn drop(&mut self) {
        let topics = ["cart.events.v1", "catalog.events.v1", "lanes.v1"].map(|name| format!("{}{name}", self.0.prefix));
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

/// Connects as a process does.
pub fn connect(config: &KafkaConfig) -> Arc<KafkaLog> {
    KafkaLog::connect(config.clone(), PATIENCE).expect("the log is there")
}

/// The service of the tests.
pub fn cart() -> ServiceName {
    ServiceName::new("cart")
}

/// Its lane `index`.
pub fn lane(index: u32) -> LaneId {
    LaneId::new(&cart(), index)
}

/// Waits until `holds` does.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// Joins and waits until `enough` is said of the number of lanes assigned.
pub fn join(log: &Arc<KafkaLog>, enough: impl Fn(usize) -> bool) -> Arc<dyn Membership> {
    let membership = log.join(&cart(), "127.0.0.1:7001").expect("joining works");
    await_lanes(&membership, enough);
    membership
}

/// Waits until `enough` is said of the number of lanes assigned.
pub fn await_lanes(membership: &Arc<dyn Membership>, enough: impl Fn(usize) -> bool) {
    let mut assignment = membership.assignment(0, Duration::ZERO);
    eventually("an assignment", || {
        assignment = membership.assignment(assignment.generation, Duration::from_secs(1));
        enough(assignment.lanes.len())
    });
}

/// Takes a lane from its first record on.
pub fn take(membership: &Arc<dyn Membership>, lane: u32) -> Result<(Taken, Vec<StoredRecord>), TakeError> {
    let mut replayed = Vec::new();
    let taken = suite::take_from(membership, lane, Resume::START, &mut replayed)?;
    Ok((taken, replayed))
}

/// Reads `count` records of a lane from its first on.
pub fn read_all(log: &Arc<KafkaLog>, index: u32, count: usize) -> Vec<StoredRecord> {
    let mut reader = log.reader(&lane(index), Resume::START).expect("the lane can be read");
    let mut records = Vec::new();
    eventually("records", || {
        records.extend(reader.read(count - records.len(), Duration::from_secs(1)).expect("reading works"));
        records.len() == count
    });
    records
}

/// A producer beside the log's own, under any transactional id.
pub fn producer(transactional_id: &str, timeout_ms: u32) -> BaseProducer {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers())
        .set("transactional.id", transactional_id)
        .set("transaction.timeout.ms", timeout_ms.to_string())
        .create()
        .unwrap();
    producer.init_transactions(Duration::from_secs(20)).unwrap();
    producer
}

/// The transactional id of a lane's owner.
pub fn owner_id(config: &KafkaConfig, lane: u32) -> String {
    format!("{}cart.lane.{lane}", config.prefix)
}

/// Begins a transaction and leaves one record in it that has reached the broker.
pub fn leave_open(producer: &BaseProducer, config: &KafkaConfig, lane: u32) {
    producer.begin_transaction().unwrap();
    send(producer, config, lane, OwnedHeaders::new());
}

/// Sends one record and waits until the broker has it.
pub fn send(producer: &BaseProducer, config: &KafkaConfig, lane: u32, headers: OwnedHeaders) {
    let topic = format!("{}cart.events.v1", config.prefix);
    let record = BaseRecord::to(&topic).partition(lane as i32).key("k").payload("v").headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    eventually("a delivery", || {
        producer.poll(Duration::from_millis(5));
        producer.in_flight_count() == 0
    });
}

/// The headers that place a record.
pub fn place(lane_seq: u64, term: u64) -> OwnedHeaders {
    let number = |key, value: u64| (key, value.to_string());
    [number("ce_laneseq", lane_seq), number("ce_term", term)]
        .into_iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(&value) }))
}
