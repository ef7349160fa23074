//! What a reader does where Kafka differs from a file: outages, foreign records, gaps, topics that are not as configured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_event_log::{EventLog, Hint, LogError, Resume, TakeError, suite};
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::Producer;

use crate::cluster::{self, connect, eventually, fresh, join, lane, place, producer, send, take};

const ALL: fn(usize) -> bool = |lanes| lanes == suite::LANES as usize;

#[test]
fn a_record_is_read_soon_after_it_is_acknowledged() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    let mut reader = log.reader(&lane(0), Resume::START).unwrap();
    let mut waits = Vec::new();
    for lane_seq in 1..=50 {
        taken.writer.append(&suite::batch(0, lane_seq, taken.term, 1), None).unwrap();
        let acknowledged = Instant::now();
        let records = reader.read(10, cluster::PATIENCE).unwrap();
        suite::assert_written(&records, 0, lane_seq);
        waits.push(acknowledged.elapsed());
    }
    waits.sort();
    println!("read after acknowledged: median {:?}, longest {:?}", waits[25], waits[49]);
    assert!(waits[25] < Duration::from_millis(200), "median {:?}", waits[25]);
}

#[test]
fn a_record_of_somebody_else_is_damage_to_readers_and_takers() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    taken.writer.append(&suite::batch(0, 1, taken.term, 3), None).unwrap();
    let stranger = producer(&format!("{}stranger", config.prefix), 10_000);
    stranger.begin_transaction().unwrap();
    send(&stranger, &config, 0, OwnedHeaders::new());
    stranger.commit_transaction(Duration::from_secs(10)).unwrap();
    damage_after(&log, 3);
    let result = take(&membership, 0);
    assert!(matches!(result, Err(TakeError::Log(LogError::Damaged { .. }))), "{:?}", result.err());
}

#[test]
fn a_gap_a_repeat_or_a_falling_term_is_damage_and_stays_so() {
    for wrong in [place(5, 1), place(3, 1), place(4, 0)] {
        let config = fresh();
        let log = connect(&config);
        let membership = join(&log, ALL);
        let (mut taken, _) = take(&membership, 0).unwrap();
        taken.writer.append(&suite::batch(0, 1, taken.term, 3), None).unwrap();
        let stranger = producer(&format!("{}stranger", config.prefix), 10_000);
        stranger.begin_transaction().unwrap();
        send(&stranger, &config, 0, wrong);
        send(&stranger, &config, 0, place(4, 1));
        stranger.commit_transaction(Duration::from_secs(10)).unwrap();
        damage_after(&log, 3);
        let result = take(&membership, 0);
        assert!(matches!(result, Err(TakeError::Log(LogError::Damaged { .. }))), "{:?}", result.err());
    }
}

/// Reads `count` good records of lane 0, then damage, and damage again.
fn damage_after(log: &Arc<KafkaLog>, count: usize) {
    let mut reader = log.reader(&lane(0), Resume::START).unwrap();
    let mut records = Vec::new();
    let mut failure = None;
    eventually("the damage", || match reader.read(100, Duration::from_secs(1)) {
        Ok(more) => {
            records.extend(more);
            false
        }
        Err(error) => {
            failure = Some(error);
            true
        }
    });
    assert_eq!(records.len(), count);
    assert!(matches!(failure, Some(LogError::Damaged { .. })), "{failure:?}");
    let again = reader.read(100, Duration::from_millis(100));
    assert!(matches!(again, Err(LogError::Damaged { .. })), "{again:?}");
}

#[test]
fn a_place_beyond_the_end_of_the_topic_is_damage() {
    let config = fresh();
    let log = connect(&config);
    let mut reader = log.reader(&lane(0), Resume { next_seq: 9, hint: Hint(1_000) }).unwrap();
    let mut failure = None;
    eventually("the damage", || {
        failure = reader.read(1, Duration::from_secs(1)).err();
        failure.is_some()
    });
    assert!(matches!(failure, Some(LogError::Damaged { .. })), "{failure:?}");
}

#[test]
fn a_cluster_that_is_not_there_is_waited_for_and_then_named() {
    // The discard port: nobody answers there.
    let config = KafkaConfig::new("127.0.0.1:9", "t.").with_service("cart", 4);
    let began = Instant::now();
    let result = KafkaLog::connect(config, Duration::from_secs(3));
    assert!(matches!(&result, Err(LogError::Unavailable { what, .. }) if what.contains("127.0.0.1:9")));
    assert!((Duration::from_secs(3)..Duration::from_secs(20)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[test]
fn a_topic_with_another_number_of_lanes_is_not_served() {
    let config = fresh();
    drop(connect(&config));
    let result = KafkaLog::connect(config.clone().with_service("cart", 8), cluster::PATIENCE);
    assert!(matches!(result, Err(LogError::Damaged { .. })), "{:?}", result.err());
}

#[test]
fn processes_that_start_at_once_make_the_topics_once() {
    let config = fresh();
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(|| connect(&config).log_id())).collect();
        let ids: Vec<String> = starting.into_iter().map(|start| start.join().unwrap()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
    });
    // A service that comes later, with more lanes, finds room for its announcements.
    let wider = config.clone().with_service("catalog", 8);
    let log = connect(&wider);
    assert_eq!(log.lanes(&feira_ids::ServiceName::new("catalog")).unwrap(), 8);
}
