//! Reads the topics as any outsider does: a client of Kafka's, the published schemas, and what was committed only.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use feira_codec::open;
use feira_events::{cart, lane};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::checker::{Body, Record};
use crate::history::Id;
use crate::load::TENANT;

/// How long one question may take.
const ASK: Duration = Duration::from_secs(10);
/// How long reading a topic may take.
const READ: Duration = Duration::from_secs(60);

/// A consumer that is a member of no group.
pub fn consumer(brokers: &str, isolation: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "chaos-outside")
        .set("isolation.level", isolation)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("reconnect.backoff.max.ms", "1000")
        .create()
        .expect("a consumer is made")
}

/// The records of each of a topic's lanes, up to the end that the topic has now: open transactions included, since what
/// was acknowledged before now lies before it.
pub fn read(brokers: &str, topic: &str) -> Vec<Vec<Record>> {
    let asking = consumer(brokers, "read_uncommitted");
    let metadata = asking.fetch_metadata(Some(topic), ASK).expect("the broker answers");
    let count = metadata.topics()[0].partitions().len();
    let end = |lane| asking.fetch_watermarks(topic, lane, ASK).expect("the broker answers").1;
    let mut open_lanes: BTreeMap<i32, i64> =
        (0..count as i32).map(|lane| (lane, end(lane))).filter(|(_, end)| *end > 0).collect();
    let reading = consumer(brokers, "read_committed");
    let mut places = TopicPartitionList::new();
    for lane in 0..count as i32 {
        places.add_partition_offset(topic, lane, Offset::Beginning).expect("a beginning is a place");
    }
    reading.assign(&places).expect("lanes are assigned");
    let until = Instant::now() + READ;
    let mut lanes = vec![Vec::new(); count];
    while !open_lanes.is_empty() {
        assert!(Instant::now() < until, "the ends of {open_lanes:?} of {topic} were not reached in time");
        match reading.poll(Duration::from_millis(20)) {
            Some(Ok(message)) => {
                let value = message.payload().expect("a record has a value");
                let place = format!("{topic}/{} at {}", message.partition(), message.offset());
                lanes[message.partition() as usize].push(record(value, message.partition(), &place));
            }
            // What goes wrong the library tries again by itself.
            Some(Err(_)) | None => {
                // The last marks of transactions are no records: the end is reached where the position is.
                let positions = reading.position().expect("a consumer knows its positions");
                for place in positions.elements() {
                    if let Offset::Offset(position) = place.offset()
                        && open_lanes.get(&place.partition()).is_some_and(|end| position >= *end)
                    {
                        open_lanes.remove(&place.partition());
                    }
                }
            }
        }
    }
    lanes
}

/// Whether no transaction is open on any lane of a topic: what is committed ends where everything does.
pub fn at_rest(brokers: &str, topic: &str) -> bool {
    let end = |isolation| {
        let asking = consumer(brokers, isolation);
        let metadata = asking.fetch_metadata(Some(topic), ASK).expect("the broker answers");
        let lanes = metadata.topics()[0].partitions().len();
        let end = |lane| asking.fetch_watermarks(topic, lane as i32, ASK).expect("the broker answers").1;
        (0..lanes).map(end).collect::<Vec<_>>()
    };
    end("read_committed") == end("read_uncommitted")
}

fn record(value: &[u8], partition: i32, place: &str) -> Record {
    let opened = open(&value.to_vec().into()).unwrap_or_else(|error| panic!("{place}: {error}"));
    let body = if opened.is::<lane::Event>() {
        match opened.decode::<lane::Event>().unwrap_or_else(|error| panic!("{place}: {error}")) {
            lane::Event::LaneTaken(_) => Body::Taken,
            lane::Event::CommandOutcome(outcome) => match outcome.outcome {
                lane::OutcomeKind::Refused => Body::Refused,
                lane::OutcomeKind::Nothing => Body::Nothing,
                lane::OutcomeKind::Unknown => panic!("{place}: an outcome that is not published"),
            },
        }
    } else if opened.is::<cart::Event>() {
        match opened.decode::<cart::Event>().unwrap_or_else(|error| panic!("{place}: {error}")) {
            cart::Event::ItemAdded(event) => Body::Added(event.line.sku.to_string(), event.added, event.line.quantity),
            cart::Event::QuantitySet(event) => Body::Set(event.sku.to_string(), event.quantity),
            cart::Event::ItemRemoved(_)
            | cart::Event::NoteSet(_)
            | cart::Event::EditUndone(_)
            | cart::Event::CheckedOut(_)
            | cart::Event::CheckoutCompleted(_)
            | cart::Event::CheckoutFailed(_) => Body::Other(opened.name.to_owned()),
        }
    } else {
        Body::Other(opened.name.to_owned())
    };
    let meta = opened.meta;
    assert_eq!(meta.lane, partition, "{place}: a record says that it is of another lane");
    Record {
        seq: meta.lane_seq,
        term: meta.term,
        hlc: meta.hlc,
        at: meta.at,
        ours: meta.tenant.as_str() == TENANT,
        aggregate: meta.aggregate.to_string(),
        aggregate_seq: meta.aggregate_seq,
        command: Id(meta.command_id.0.0),
        part: (meta.index, meta.count),
        body,
    }
}
