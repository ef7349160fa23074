//! Durable appends at 1, 16 and 256 records a batch, beside a bare loop of write and `fdatasync` of as many bytes, and
//! reading them again, beside reading the bytes of as large a file.
//!
//! `cargo bench -p feira-event-log-embedded`. `FEIRA_BENCH_SECONDS` sets how long a round takes.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use feira_bench::{Report, Round, Row, Unit, in_turns, turn};
use feira_event_log::suite::record;
use feira_event_log::{EventLog, NewRecord, Resume, Taken};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::{LaneId, ServiceName};

/// The length of a record's value.
const VALUE_BYTES: usize = 312;
/// The length of the file that the bare loop writes to, again and again.
const BARE_BYTES: u64 = 64 << 20;
/// How much of a lane is read again in a round.
const READ_RECORDS: u64 = 150_000;

fn main() -> ExitCode {
    let turn = turn(0.5);
    // Beside the project's own build, so that both are measured on a disk and not in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let service = ServiceName::new("bench");
    let log = EmbeddedLog::open(&folder.path().join("log"), &[(service.clone(), 1)], Options::default())
        .expect("the log can be made");
    let membership = log.join(&service, "local").expect("the service is there");
    let mut taken = membership
        .take(0, Resume::START, &mut |_| Ok(()), &|| false)
        .unwrap_or_else(|error| panic!("the lane cannot be taken: {error}"));
    let path = folder.path().join("bare");
    let bare = bare_file(&path);
    let lane = LaneId::new(&service, 0);
    let mut report = Report::new();

    let title = format!("Durable append to one lane, records of {VALUE_BYTES} bytes");
    report.table(&title, Unit::PerSecond, "bare loop of write and fdatasync of as many bytes");
    for group in [1_u64, 16, 256] {
        let (bytes, mut offset) = (vec![7; group as usize * VALUE_BYTES], 0);
        let (ours, theirs) = in_turns(
            || Round::timed(turn, group, || append(&mut taken, group)),
            || {
                Round::repeat(turn, group, || {
                    bare.write_all_at(&bytes, offset).expect("the file can be written");
                    bare.sync_data().expect("the file can be synced");
                    offset = (offset + bytes.len() as u64) % (BARE_BYTES - bytes.len() as u64);
                })
            },
        );
        report.row(Row::new(format!("{group} a batch"), &ours).beside(&theirs));
    }
    assert_eq!(log.last_seq(&lane).expect("the lane is there"), taken.last_seq, "every append is on the log");

    while taken.last_seq < READ_RECORDS {
        append(&mut taken, 1_024);
    }
    report.table(
        "Reading a lane from the page cache, undecoded",
        Unit::PerSecond,
        "as many bytes read from a file, checked and cut up",
    );
    let (ours, theirs) = in_turns(|| read_log(&log, &lane), || read_file(&path));
    report.row(Row::new("1,024 records at a time", &ours).beside(&theirs));
    report.end()
}

fn bare_file(path: &Path) -> File {
    let file = File::create(path).expect("the file can be made");
    for offset in (0..BARE_BYTES).step_by(1 << 20) {
        file.write_all_at(&vec![0; 1 << 20], offset).expect("the file can be written");
    }
    file.sync_all().expect("the file can be synced");
    file
}

/// Appends a batch that was made before the clock runs.
fn append(taken: &mut Taken, group: u64) -> Duration {
    let value = Bytes::from_static(&[7; VALUE_BYTES]);
    let next = taken.last_seq + 1;
    let batch: Vec<NewRecord> = (next..next + group).map(|seq| record(0, seq, taken.term, value.clone())).collect();
    let began = Instant::now();
    taken.writer.append(&batch, None).expect("the batch is taken");
    taken.last_seq += group;
    began.elapsed()
}

fn read_log(log: &EmbeddedLog, lane: &LaneId) -> Round {
    let began = Instant::now();
    let mut reader = log.reader(lane, Resume::START).expect("the lane can be read");
    let mut read = 0;
    while read < READ_RECORDS {
        read += reader.read(1_024, Duration::ZERO).expect("the lane can be read").len() as u64;
    }
    Round::of(read, began.elapsed())
}

/// Reads a file of the length of so many records, in blocks of 1,024 of them, each checked and cut into values.
fn read_file(path: &Path) -> Round {
    let began = Instant::now();
    let mut file = File::open(path).expect("the file is there");
    let mut read = 0;
    while read < READ_RECORDS {
        let mut block = vec![0; 1_024 * VALUE_BYTES];
        file.read_exact(&mut block).expect("the file is long enough");
        std::hint::black_box(crc32c::crc32c(&block));
        let block = Bytes::from(block);
        let values: Vec<Bytes> = (0..1_024).map(|at| block.slice(at * VALUE_BYTES..(at + 1) * VALUE_BYTES)).collect();
        read += std::hint::black_box(values).len() as u64;
    }
    Round::of(read, began.elapsed())
}
