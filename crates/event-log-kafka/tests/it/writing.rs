//! What a batch is on Kafka: seen whole or never, with its envelope, and by one producer that is trusted only so far.

use std::sync::Arc;
use std::time::Duration;

use feira_event_log::{AppendError, EventLog, Hint, Resume, suite};
use feira_event_log_kafka::RECORD_BYTES_MAX;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::producer::Producer;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::cluster::{self, connect, eventually, fresh, join, lane, leave_open, owner_id, producer, read_all, take};

const ALL: fn(usize) -> bool = |lanes| lanes == suite::LANES as usize;

#[test]
fn any_consumer_finds_the_envelope_in_the_headers() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 1).unwrap();
    let mut record = suite::record(1, 1, taken.term, "value");
    record.meta.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    record.meta.at = 1_764_000_000_123;
    let meta = record.meta.clone();
    taken.writer.append(&[record], None).unwrap();

    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster::brokers())
        .set("group.id", format!("{}analytics", config.prefix))
        .set("isolation.level", "read_committed")
        .create()
        .unwrap();
    let mut place = TopicPartitionList::new();
    place.add_partition_offset(&format!("{}cart.events.v1", config.prefix), 1, Offset::Beginning).unwrap();
    consumer.assign(&place).unwrap();
    let mut found = None;
    eventually("the record", || {
        found = consumer.poll(Duration::from_millis(100)).map(|message| message.unwrap().detach());
        found.is_some()
    });
    let message = found.unwrap();
    assert_eq!(message.key(), Some("cart:BR.1".as_bytes()));
    assert_eq!(message.payload(), Some("value".as_bytes()));
    let headers = message.headers().unwrap();
    let text = |name: &str| {
        let header = headers.iter().find(|header| header.key == name).unwrap_or_else(|| panic!("no header {name}"));
        String::from_utf8(header.value.unwrap().to_vec()).unwrap()
    };
    for (name, value) in [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", meta.event_id.to_string()),
        ("ce_source", "/cart/1".to_owned()),
        ("ce_type", "feira.cart.v1.ItemAdded".to_owned()),
        ("ce_subject", "cart:BR.1".to_owned()),
        ("ce_time", "2025-11-24T16:00:00.123Z".to_owned()),
        ("ce_partitionkey", "cart:BR.1".to_owned()),
        ("content-type", "application/avro".to_owned()),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ("ce_aggregateseq", "1".to_owned()),
        ("ce_laneseq", "1".to_owned()),
        ("ce_term", taken.term.to_string()),
        ("ce_tenant", "feira-livre".to_owned()),
        ("ce_commandid", meta.command_id.to_string()),
        ("ce_causationid", meta.causation_id.to_string()),
        ("ce_correlationid", meta.correlation_id.to_string()),
        ("ce_hlc", meta.hlc.to_string()),
    ] {
        assert_eq!(text(name), value, "{name}");
    }
}

#[test]
fn a_record_that_is_too_large_is_refused_before_it_is_sent() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    let large = suite::record(0, 1, taken.term, vec![7; RECORD_BYTES_MAX + 1]);
    assert!(matches!(taken.writer.append(&[large], None), Err(AppendError::Refused { .. })));
    let largest = suite::record(0, 1, taken.term, vec![7; RECORD_BYTES_MAX]);
    taken.writer.append(&[largest], None).expect("the writer is as before");
    assert_eq!(read_all(&log, 0, 1)[0].value.len(), RECORD_BYTES_MAX);
}

#[test]
fn a_writer_that_was_idle_for_too_long_asks_to_be_taken_anew() {
    let mut config = fresh();
    config.writer_idle_max_ms = 50;
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    std::thread::sleep(Duration::from_millis(60));
    let late = taken.writer.append(&suite::batch(0, 1, taken.term, 1), None);
    assert!(matches!(late, Err(AppendError::Unknown(_))), "{late:?}");
    let late = taken.writer.append(&suite::batch(0, 1, taken.term, 1), None);
    assert!(matches!(late, Err(AppendError::Unknown(_))), "{late:?}");
    config.writer_idle_max_ms = 60_000;
    drop((taken, membership, log));
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    taken.writer.append(&suite::batch(0, 1, taken.term, 1), None).unwrap();
}

#[test]
fn what_was_aborted_is_never_seen_and_leaves_no_gap() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    for lane_seq in 1..4 {
        let former = producer(&owner_id(&config, 0), 10_000);
        for _ in 0..20 {
            leave_open(&former, &config, 0);
            former.abort_transaction(Duration::from_secs(10)).unwrap();
        }
        // The end of the lane is nothing but marks and aborted records.
        assert_eq!(log.last_seq(&lane(0)).unwrap(), lane_seq - 1);
        let (mut taken, replayed) = take(&membership, 0).unwrap();
        assert_eq!(replayed.len() as u64, lane_seq - 1);
        taken.writer.append(&suite::batch(0, lane_seq, taken.term, 1), None).unwrap();
    }
    let read = read_all(&log, 0, 3);
    suite::assert_written(&read, 0, 1);
    // Offsets have holes, and any of them at or before a record finds it.
    let hint = Hint(read[2].hint.0 - 5);
    let mut reader = log.reader(&lane(0), Resume { next_seq: 3, hint }).unwrap();
    suite::assert_written(&reader.read(9, cluster::PATIENCE).unwrap(), 0, 3);
}

#[test]
fn hints_of_batches_are_places_at_which_they_are_found() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 2).unwrap();
    let hints: Vec<Hint> = (0..5)
        .map(|n| taken.writer.append(&suite::batch(2, n * 3 + 1, taken.term, 3), Some("here")).unwrap())
        .collect();
    let read = read_all(&log, 2, 15);
    let firsts: Vec<Hint> = read.iter().step_by(3).map(|record| record.hint).collect();
    assert_eq!(hints, firsts);
}

#[test]
fn announcements_are_heard_by_other_processes() {
    let config = fresh();
    let log = connect(&config);
    let elsewhere = Arc::clone(&connect(&config)).owners();
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 3).unwrap();
    taken.writer.append(&suite::batch(3, 1, taken.term, 1), Some("10.0.0.7:7001")).unwrap();
    eventually("the announcement", || {
        elsewhere.owner(&lane(3)).is_some_and(|owner| owner.address == "10.0.0.7:7001" && owner.term == taken.term)
    });
}
