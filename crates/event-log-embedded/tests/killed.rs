//! A process that is killed while it writes loses nothing that it acknowledged; one that the system stops from making
//! files any longer goes on once it may.
//!
//! Each test starts this very binary again as the process that suffers; an environment variable tells it so.

use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use feira_event_log::suite::{self, batch, record};
use feira_event_log::{AppendError, EventLog, LogError, Resume};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::{LaneId, ServiceName};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

const LANES: u32 = 3;
const FOLDER: &str = "FEIRA_TEST_LOG_FOLDER";

fn service() -> ServiceName {
    ServiceName::new("cart")
}

fn open(folder: &Path) -> Arc<dyn EventLog> {
    let options = Options { segment_bytes: 64 << 10 };
    EmbeddedLog::open(folder, &[(service(), LANES)], options).expect("the log opens")
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    if let Some(folder) = env::var_os(FOLDER) {
        return write_until_killed(Path::new(&folder));
    }
    let folder = TempDir::new().unwrap();
    let mut acknowledged: HashMap<u32, u64> = HashMap::new();
    for round in 1..=6 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_killed_process_loses_nothing_it_acknowledged", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut heard = 0;
        let note = |line: String, acknowledged: &mut HashMap<u32, u64>| {
            let (lane, seq) = line.strip_prefix("ack ")?.split_once(' ')?;
            acknowledged.insert(lane.parse().ok()?, seq.parse().ok()?);
            Some(())
        };
        while heard < 150 * round {
            let line = lines.next().expect("the process writes until it is killed");
            heard += note(line, &mut acknowledged).map_or(0, |()| 1);
        }
        child.kill().unwrap();
        // What it said before it died counts.
        lines.for_each(|line| {
            note(line, &mut acknowledged);
        });
        child.wait().unwrap();

        let log = open(folder.path());
        for lane in 0..LANES {
            let last_seq = log.last_seq(&LaneId::new(&service(), lane)).unwrap();
            let heard = acknowledged.get(&lane).copied().unwrap_or_default();
            assert!(last_seq >= heard, "lane {lane}: {heard} was acknowledged, the log ends at {last_seq}");
            let mut reader = log.reader(&LaneId::new(&service(), lane), Resume::START).unwrap();
            let mut records = Vec::new();
            while (records.len() as u64) < last_seq {
                records.extend(reader.read(1_000, Duration::ZERO).unwrap());
            }
            suite::assert_written(&records, lane, 1);
        }
    }
}

/// Appends to all lanes at once and says of each batch that it was acknowledged.
fn write_until_killed(folder: &Path) {
    let log = open(folder);
    thread::scope(|scope| {
        for lane in 0..LANES {
            let log = &log;
            scope.spawn(move || {
                let membership = log.join(&service(), "local").expect("the service is there");
                let (mut taken, _) = suite::take(&membership, lane);
                let mut next_seq = taken.last_seq + 1;
                loop {
                    taken.writer.append(&batch(lane, next_seq, taken.term, 3), None).expect("the batch is taken");
                    next_seq += 3;
                    let said = format!("ack {lane} {}\n", next_seq - 1);
                    if std::io::stdout().write_all(said.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

#[test]
fn a_folder_in_use_by_another_process_is_left_alone() {
    if let Some(folder) = env::var_os(FOLDER) {
        let result = EmbeddedLog::open(Path::new(&folder), &[(service(), LANES)], Options::default());
        assert!(matches!(result.err(), Some(LogError::Locked { .. })));
        return;
    }
    let folder = TempDir::new().unwrap();
    let log = open(folder.path());
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_folder_in_use_by_another_process_is_left_alone"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    drop(log);
    open(folder.path());
}

#[test]
fn a_system_that_gives_no_room_is_outlived() {
    if let Some(folder) = env::var_os(FOLDER) {
        return meet_the_limit(Path::new(&folder));
    }
    let folder = TempDir::new().unwrap();
    // The system kills a process that goes over its limit, unless the process ignores being told.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "a_system_that_gives_no_room_is_outlived", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let log = open(folder.path());
    assert_eq!(log.last_seq(&LaneId::new(&service(), 0)).unwrap(), 4);
}

/// A batch too large for any file that may be made is refused; smaller ones go on, and so does it once it may.
fn meet_the_limit(folder: &Path) {
    let log = open(folder);
    let membership = log.join(&service(), "local").expect("the service is there");
    let (mut taken, _) = suite::take(&membership, 0);
    let small = |lane_seq| [record(0, lane_seq, taken.term, "small")];
    let large = [record(0, 2, taken.term, vec![1; 200 << 10])];
    let unlimited = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(100 << 10), ..unlimited }).expect("a limit can be lowered");
    taken.writer.append(&small(1), None).expect("there is room in the segment");
    for _ in 0..3 {
        match taken.writer.append(&large, None) {
            Err(AppendError::Refused { reason }) => assert!(reason.starts_with("disk full"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    setrlimit(Resource::Fsize, unlimited).expect("the limit can be raised again");
    taken.writer.append(&large, None).expect("there is room again");
    taken.writer.append(&small(3), None).expect("there is room again");
    taken.writer.append(&small(4), None).expect("there is room again");
}
