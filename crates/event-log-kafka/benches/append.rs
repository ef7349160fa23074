//! Appending to a lane beside the least that Kafka asks for the same: a bare loop of transactions, in the same run.
//!
//! `cargo bench -p feira-event-log-kafka` with a broker at `FEIRA_TEST_KAFKA` (127.0.0.1:19092 when that is not set).
//! Both sides append batches of 256 records with values of 300 bytes to one partition, one batch after another. The
//! bare side writes no headers, which are a good part of what the lane writes.

mod bare;

use std::process::ExitCode;
use std::time::Duration;

use bare::Bare;
use feira_bench::{Report, Round, Row, Unit, in_turns, turn};
use feira_event_log::{EventLog, Membership, Resume, Taken, suite};
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::{LaneId, ServiceName};

const BATCH: u64 = 256;
const VALUE: [u8; 300] = [b'x'; 300];

fn main() -> ExitCode {
    let turn = turn(3.0);
    let brokers = std::env::var("FEIRA_TEST_KAFKA").unwrap_or_else(|_| "127.0.0.1:19092".to_owned());
    let prefix = format!("bench{}.", uuid::Uuid::new_v4().simple());
    let config = KafkaConfig::new(&brokers, &prefix).with_service("cart", 1).with_service(bare::SERVICE, 1);
    let log = KafkaLog::connect(config.clone(), Duration::from_secs(10)).expect("run deploy/local/up.sh --kafka first");
    let service = ServiceName::new("cart");
    let membership = log.join(&service, "local").expect("joining works");
    while membership.assignment(0, Duration::from_millis(10)).lanes.is_empty() {}
    let mut taken = take(&*membership);
    let bare = Bare::new(&config);

    let (ours, theirs) = in_turns(
        || Round::repeat(turn, BATCH, || append(&mut taken)),
        || Round::repeat(turn, BATCH, || bare.append((0..BATCH).map(|_| &VALUE[..]))),
    );
    let last_seq = log.last_seq(&LaneId::new(&service, 0)).expect("the lane is there");
    assert_eq!(last_seq, taken.last_seq, "every append is on the log");
    let mut report = Report::new();
    let title = format!("Durable append to a Kafka lane, {} bytes a record", VALUE.len());
    report.table(&title, Unit::PerSecond, "bare loop of transactions with the same values");
    report.row(Row::new(format!("{BATCH} a batch"), &ours).beside(&theirs));
    report.end()
}

fn take(membership: &dyn Membership) -> Taken {
    membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).expect("the lane is taken")
}

fn append(taken: &mut Taken) {
    let next = taken.last_seq + 1;
    let batch: Vec<_> =
        (next..next + BATCH).map(|lane_seq| suite::record(0, lane_seq, taken.term, VALUE.to_vec())).collect();
    taken.writer.append(&batch, None).expect("the batch is taken");
    taken.last_seq += BATCH;
}
