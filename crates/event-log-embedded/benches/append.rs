//! Durable appends at 1, 16 and 256 records a batch, beside a bare loop of write and `fdatasync` of as many bytes.
//!
//! Both run in turns in the same minute on the same disk, since disks differ more from hour to hour than programs do.
//! `FEIRA_BENCH_SECONDS` sets how long each is measured.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use feira_event_log::suite::record;
use feira_event_log::{EventLog, NewRecord, Resume};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::{LaneId, ServiceName};

/// The length of a record's value.
const VALUE_BYTES: usize = 312;
/// The length of the file that the bare loop writes to, again and again.
const BARE_BYTES: u64 = 64 << 20;
/// How many turns each takes.
const TURNS: u32 = 5;

fn main() {
    let seconds = std::env::var("FEIRA_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2.0);
    // Beside the project's own build, so that both are measured on a disk and not in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let service = ServiceName::new("bench");
    let log = EmbeddedLog::open(&folder.path().join("log"), &[(service.clone(), 1)], Options::default())
        .expect("the log can be made");
    let membership = log.join(&service, "local").expect("the service is there");
    let mut taken = membership
        .take(0, Resume::START, &mut |_| Ok(()), &|| false)
        .unwrap_or_else(|error| panic!("the lane cannot be taken: {error}"));
    let bare = bare_file(&folder.path().join("bare"));

    println!("durable append, {VALUE_BYTES} bytes a record");
    println!(
        "{:>8} {:>14} {:>14} {:>8} {:>8} {:>6}",
        "a batch", "log, rec/s", "bare, rec/s", "log p50", "bare p50", "ratio"
    );
    let mut next_seq = taken.last_seq + 1;
    for group in [1_u64, 16, 256] {
        let turn = Duration::from_secs_f64(seconds / f64::from(TURNS));
        let (mut log_times, mut bare_times) = (Vec::new(), Vec::new());
        let mut offset = 0;
        let bytes = vec![7; group as usize * VALUE_BYTES];
        for _ in 0..TURNS {
            measure(turn, &mut log_times, || {
                let batch = batch(next_seq, taken.term, group);
                let begun = Instant::now();
                taken.writer.append(&batch, None).expect("the batch is taken");
                next_seq += group;
                begun.elapsed()
            });
            measure(turn, &mut bare_times, || {
                let begun = Instant::now();
                bare.write_all_at(&bytes, offset).expect("the file can be written");
                bare.sync_data().expect("the file can be synced");
                offset = (offset + bytes.len() as u64) % (BARE_BYTES - bytes.len() as u64);
                begun.elapsed()
            });
        }
        let (log_rate, bare_rate) = (rate(&log_times, group), rate(&bare_times, group));
        println!(
            "{group:>8} {log_rate:>14.0} {bare_rate:>14.0} {:>6}us {:>6}us {:>6.2}",
            median(&mut log_times).as_micros(),
            median(&mut bare_times).as_micros(),
            log_rate / bare_rate
        );
    }

    let begun = Instant::now();
    let mut reader = log.reader(&LaneId::new(&service, 0), Resume::START).expect("the lane can be read");
    let mut read = 0;
    while read < next_seq - 1 {
        read += reader.read(1_024, Duration::ZERO).expect("the lane can be read").len() as u64;
    }
    println!("replay: {:.0} rec/s over {read} records", read as f64 / begun.elapsed().as_secs_f64());
}

fn bare_file(path: &std::path::Path) -> File {
    let file = File::create(path).expect("the file can be made");
    for offset in (0..BARE_BYTES).step_by(1 << 20) {
        file.write_all_at(&vec![0; 1 << 20], offset).expect("the file can be written");
    }
    file.sync_all().expect("the file can be synced");
    file
}

fn batch(first_seq: u64, term: u64, count: u64) -> Vec<NewRecord> {
    let value = Bytes::from_static(&[7; VALUE_BYTES]);
    (first_seq..first_seq + count).map(|lane_seq| record(0, lane_seq, term, value.clone())).collect()
}

/// Runs `step` until `turn` has passed, keeping how long each took by its own account.
fn measure(turn: Duration, times: &mut Vec<Duration>, mut step: impl FnMut() -> Duration) {
    let end = Instant::now() + turn;
    while Instant::now() < end {
        times.push(step());
    }
}

/// Records a second, counting only the time that the steps themselves took.
fn rate(times: &[Duration], group: u64) -> f64 {
    times.len() as f64 * group as f64 / times.iter().sum::<Duration>().as_secs_f64()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
