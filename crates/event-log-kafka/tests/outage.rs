//! A broker that dies and comes back: nothing acknowledged is lost, and whoever waits is told.
//!
//! A binary of its own, because it takes the broker away from everybody: cargo runs one test binary after another. The
//! broker must be the one that `deploy/local/up.sh --kafka` started.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_event_log::{
    AppendError, EventLog, LaneReader, LogError, Membership, Resume, StoredRecord, TakeError, suite,
};
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::{LaneId, ServiceName};

const PATIENCE: Duration = Duration::from_secs(90);
/// How long who looks whether the broker answers waits for it.
const SOON: Duration = Duration::from_secs(2);

#[test]
fn a_broker_that_is_killed_and_comes_back_has_lost_nothing() {
    local("up.sh", &["--kafka"]);
    let mut config = KafkaConfig::new("127.0.0.1:19092", &format!("t{}.", uuid::Uuid::new_v4().simple()))
        .with_service("cart", suite::LANES);
    config.outage_tolerated_ms = 2_000;
    let log = KafkaLog::connect(config, PATIENCE).unwrap();
    let (cart, id) = (ServiceName::new("cart"), log.log_id());
    let membership = log.join(&cart, "local").unwrap();
    let (mut taken, _) = retake(&membership);
    let mut reader = log.reader(&LaneId::new(&cart, 0), Resume::START).unwrap();
    taken.writer.append(&suite::batch(0, 1, taken.term, 5), None).unwrap();
    suite::assert_written(&read(&mut *reader, 5), 0, 1);
    log.answers(SOON).unwrap();

    local("down.sh", &["--kafka", "--kill"]);
    let began = Instant::now();
    let silent = log.answers(SOON);
    assert!(matches!(silent, Err(LogError::Unavailable { .. })), "{silent:?}");
    assert!(began.elapsed() < SOON * 2, "{:?}", began.elapsed());
    let began = Instant::now();
    let late = taken.writer.append(&suite::batch(0, 6, taken.term, 1), None);
    assert!(matches!(late, Err(AppendError::Unknown(_))), "{late:?}");
    println!("the writer was told after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let (told, calls) = outage(&mut *reader);
    println!("the reader was told after {told:?} and {calls} calls");
    let refused = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).err();
    assert!(
        matches!(refused, Some(TakeError::Log(LogError::Unavailable { .. }) | TakeError::NotAssigned)),
        "{refused:?}"
    );

    local("up.sh", &["--kafka"]);
    let back = Instant::now();
    let next = loop {
        let (mut taken, replayed) = retake(&membership);
        // A batch in doubt may stand or not; what was acknowledged does.
        assert!(replayed.len() >= 5, "{}", replayed.len());
        suite::assert_written(&replayed, 0, 1);
        let next = taken.last_seq + 1;
        match taken.writer.append(&suite::batch(0, next, taken.term, 2), None) {
            Ok(_) => break next,
            Err(AppendError::Unknown(error)) => println!("in doubt after the outage: {error}"),
            Err(other) => panic!("{other}"),
        }
        assert!(back.elapsed() < PATIENCE, "the lane is not served again");
    };
    println!("the lane was served again {:?} after the broker was ready", back.elapsed());
    log.answers(SOON).unwrap();
    suite::assert_written(&read(&mut *reader, next as usize + 1 - 5), 0, 6);
    assert_eq!(log.log_id(), id);
}

/// Runs one of the scripts in `deploy/local`.
fn local(script: &str, arguments: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local").join(script);
    let outcome = Command::new(&path).args(arguments).status().unwrap();
    assert!(outcome.success(), "{} failed", path.display());
}

/// Takes lane 0 as soon as that can be done.
fn retake(membership: &Arc<dyn Membership>) -> (feira_event_log::Taken, Vec<StoredRecord>) {
    let deadline = Instant::now() + PATIENCE;
    let mut seen = 0;
    loop {
        let mut replayed = Vec::new();
        match suite::take_from(membership, 0, Resume::START, &mut replayed) {
            Ok(taken) => return (taken, replayed),
            Err(TakeError::NotAssigned | TakeError::Log(LogError::Unavailable { .. })) => {}
            Err(other) => panic!("{other}"),
        }
        assert!(Instant::now() < deadline, "the lane was not to be had");
        seen = membership.assignment(seen, Duration::from_millis(200)).generation;
    }
}

/// Reads `count` records, across whatever outage remains.
fn read(reader: &mut dyn LaneReader, count: usize) -> Vec<StoredRecord> {
    let deadline = Instant::now() + PATIENCE;
    let mut records = Vec::new();
    while records.len() < count {
        match reader.read(count - records.len(), Duration::from_secs(1)) {
            Ok(more) => records.extend(more),
            Err(LogError::Unavailable { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        assert!(Instant::now() < deadline, "only {} of {count} records came", records.len());
    }
    records
}

/// Reads until the reader says that the broker is away: how long that took, and how many calls.
fn outage(reader: &mut dyn LaneReader) -> (Duration, u32) {
    let began = Instant::now();
    let mut calls = 0;
    loop {
        calls += 1;
        match reader.read(10, Duration::from_millis(500)) {
            Ok(records) => assert_eq!(records, []),
            Err(LogError::Unavailable { .. }) => return (began.elapsed(), calls),
            Err(other) => panic!("{other}"),
        }
        assert!(began.elapsed() < PATIENCE, "the reader says nothing of the outage");
    }
}
