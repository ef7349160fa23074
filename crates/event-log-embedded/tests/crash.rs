//! What a crash, a bad disk or a careless hand leaves of a log: it opens with a prefix of what was acknowledged, or says
//! which byte of which file is wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use feira_event_log::suite::{self, batch};
use feira_event_log::{EventLog, LogError, Resume, StoredRecord};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::{LaneId, ServiceName};
use tempfile::TempDir;

const LANES: u32 = 3;
const SEGMENT_BYTES: u64 = 8 << 10;
/// The length of a segment's header, before which nothing is written.
const SEGMENT_HEADER_BYTES: usize = 64;

fn service() -> ServiceName {
    ServiceName::new("cart")
}

fn open(folder: &Path) -> Result<Arc<dyn EventLog>, LogError> {
    let options = Options { segment_bytes: SEGMENT_BYTES };
    EmbeddedLog::open(folder, &[(service(), LANES)], options).map(|log| log as Arc<dyn EventLog>)
}

fn read_lane(log: &Arc<dyn EventLog>, lane: u32) -> Result<Vec<StoredRecord>, LogError> {
    let mut reader = log.reader(&LaneId::new(&service(), lane), Resume::START)?;
    let mut records = Vec::new();
    loop {
        let more = reader.read(100, Duration::ZERO)?;
        if more.is_empty() {
            return Ok(records);
        }
        records.extend(more);
    }
}

/// Appends a batch of two records to a lane that nobody else writes to.
fn append_to(log: &Arc<dyn EventLog>, lane: u32) {
    let membership = log.join(&service(), "local").expect("the service is there");
    let (mut taken, _) = suite::take(&membership, lane);
    taken.writer.append(&batch(lane, taken.last_seq + 1, taken.term, 2), None).expect("the batch is taken");
}

/// A log of one segment that was written in `groups` groups, each of one batch in one lane; gives the folder, the
/// segment's file as it was left, and where each batch ends in it.
fn written(groups: u32) -> (TempDir, PathBuf, Vec<u8>, Vec<usize>) {
    let folder = TempDir::new().expect("a folder can be made");
    let log = open(folder.path()).expect("the log can be made");
    for group in 0..groups {
        append_to(&log, group % LANES);
    }
    drop(log);
    let file = folder.path().join("0000000000000001.log");
    let bytes = fs::read(&file).expect("the segment is there");
    let mut ends = vec![SEGMENT_HEADER_BYTES];
    for _ in 0..groups {
        let start = ends[ends.len() - 1];
        let length: [u8; 4] = bytes[start + 8..start + 12].try_into().expect("four bytes are four bytes");
        ends.push(start + u32::from_le_bytes(length) as usize);
    }
    assert!(bytes[ends[groups as usize]..].iter().all(|byte| *byte == 0));
    (folder, file, bytes, ends)
}

/// Opens the log with its segment changed. Either it opens with the first batches whole and nothing else, of which the
/// number is given, and takes more; or it refuses and names the file and a byte.
fn opens_with(folder: &Path, file: &Path, bytes: &[u8], groups: u32) -> Option<usize> {
    fs::write(file, bytes).expect("the segment can be changed");
    let log = match open(folder) {
        Ok(log) => log,
        Err(LogError::Damaged { place, reason }) => {
            assert!(place.contains("0000000000000001.log, byte "), "{place}");
            assert!(reason.contains("restore the folder from a copy"), "{reason}");
            return None;
        }
        Err(other) => panic!("neither open nor damaged: {other:?}"),
    };
    let mut lengths = Vec::new();
    for lane in 0..LANES {
        let records = read_lane(&log, lane).expect("what opened can be read");
        suite::assert_written(&records, lane, 1);
        lengths.push(records.len());
    }
    // Batch g has two records in lane g mod LANES: the lanes' lengths say how many batches there are.
    let whole = lengths.iter().sum::<usize>() / 2;
    let expected: Vec<usize> =
        (0..LANES).map(|lane| 2 * (0..whole as u32).filter(|group| group % LANES == lane).count()).collect();
    assert_eq!(lengths, expected, "not a prefix of {groups} batches");
    for lane in 0..LANES {
        append_to(&log, lane);
    }
    drop(log);
    let log = open(folder).expect("what was mended opens again");
    for lane in 0..LANES {
        let records = read_lane(&log, lane).expect("what was mended can be read");
        assert_eq!(records.len(), lengths[lane as usize] + 2);
        suite::assert_written(&records, lane, 1);
    }
    Some(whole)
}

#[test]
fn a_write_cut_short_at_any_byte_is_cut_from_the_log() {
    const GROUPS: u32 = 6;
    let (folder, file, bytes, ends) = written(GROUPS);
    for cut in ends[2]..=ends[6] {
        let mut changed = bytes.clone();
        changed[cut..].fill(0);
        // A batch may end in zeros: cutting those changes nothing.
        let whole = (0..=6).rev().find(|n| changed[..ends[*n]] == bytes[..ends[*n]]).unwrap_or_default();
        assert_eq!(opens_with(folder.path(), &file, &changed, GROUPS), Some(whole), "cut at {cut}");
    }
}

#[test]
fn a_changed_byte_is_cut_at_the_tail_and_refused_before_it() {
    const GROUPS: u32 = 5;
    let (folder, file, bytes, ends) = written(GROUPS);
    for at in ends[2]..ends[5] {
        for bits in [1, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= bits;
            let opened = opens_with(folder.path(), &file, &changed, GROUPS);
            // Before the last group, a later batch knew the place to be durable.
            let expected = if at < ends[4] { None } else { Some(4) };
            assert_eq!(opened, expected, "byte {at} changed by {bits:#x}");
        }
    }
}

#[test]
fn a_log_says_where_it_is_damaged() {
    let (folder, file, mut bytes, ends) = written(4);
    bytes[ends[1] + 60] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let Err(LogError::Damaged { place, .. }) = open(folder.path()) else { panic!("it opened") };
    assert_eq!(place, format!("{}, byte {}", file.display(), ends[1]));
}

#[test]
fn what_an_operator_gives_up_lets_the_log_open() {
    let (folder, file, mut bytes, ends) = written(4);
    bytes[ends[1] + 60] ^= 1;
    assert_eq!(opens_with(folder.path(), &file, &bytes, 4), None);
    // As the refusal says: zeros from the byte it named to the end.
    bytes[ends[1]..].fill(0);
    assert_eq!(opens_with(folder.path(), &file, &bytes, 4), Some(1));
}

#[test]
fn stale_bytes_behind_the_end_are_no_batches() {
    let (folder, file, bytes, ends) = written(4);
    // A batch of this log, but of another place; and one cut in the middle that left its rest behind.
    let mut changed = bytes.clone();
    let batch = bytes[ends[1]..ends[2]].to_vec();
    changed[ends[4]..ends[4] + batch.len()].copy_from_slice(&batch);
    assert_eq!(opens_with(folder.path(), &file, &changed, 4), Some(4));
    let mut changed = bytes;
    changed[ends[3]..ends[3] + 16].fill(0);
    changed[ends[4] + 64..ends[4] + 64 + batch.len()].copy_from_slice(&batch);
    assert_eq!(opens_with(folder.path(), &file, &changed, 4), Some(3));
}

#[test]
fn a_damaged_header_or_a_shortened_file_is_refused() {
    let (folder, file, bytes, ends) = written(2);
    for at in 0..SEGMENT_HEADER_BYTES {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert_eq!(opens_with(folder.path(), &file, &changed, 2), None, "byte {at}");
    }
    for length in [0, 10, SEGMENT_HEADER_BYTES, ends[1], ends[2], bytes.len() - 1] {
        assert_eq!(opens_with(folder.path(), &file, &bytes[..length], 2), None, "cut to {length} bytes");
    }
}

/// Writes from all lanes at once until several batches lie in one group, and gives the bytes of the segment, the place
/// where that group begins, and where its first batch ends.
fn written_together() -> (TempDir, PathBuf, Vec<u8>, usize, usize) {
    let folder = TempDir::new().expect("a folder can be made");
    let file = folder.path().join("0000000000000001.log");
    for attempt in 1.. {
        let log = open(folder.path()).expect("the log opens");
        let barrier = Barrier::new(LANES as usize);
        thread::scope(|scope| {
            for lane in 0..LANES {
                let (log, barrier) = (&log, &barrier);
                scope.spawn(move || {
                    let membership = log.join(&service(), "local").expect("the service is there");
                    let (mut taken, _) = suite::take(&membership, lane);
                    for n in 0..4 {
                        let batch = batch(lane, taken.last_seq + n + 1, taken.term, 1);
                        barrier.wait();
                        taken.writer.append(&batch, None).expect("the batch is taken");
                    }
                });
            }
        });
        drop(log);
        let bytes = fs::read(&file).expect("the segment is there");
        let (mut at, mut groups) = (SEGMENT_HEADER_BYTES, Vec::new());
        while bytes[at..at + 4] == *b"FBat" {
            let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().expect("four bytes are four bytes"));
            let durable = u64::from_le_bytes(bytes[at + 40..at + 48].try_into().expect("eight bytes are eight bytes"));
            groups.push((at, at + length as usize, durable as usize));
            at += length as usize;
        }
        let together = groups.windows(2).find(|pair| pair[0].2 == pair[1].2).map(|pair| pair[0]);
        if let Some((start, end, _)) = together {
            // What followed the group is taken away, as if the process had ended while it was being written.
            let last = groups.iter().filter(|(_, _, durable)| *durable == start).map(|(_, end, _)| *end).max();
            let mut bytes = bytes;
            bytes[last.unwrap_or(end)..].fill(0);
            return (folder, file, bytes, start, end);
        }
        assert!(attempt < 12, "no two batches were ever written together");
    }
    unreachable!("the attempts are bounded")
}

#[test]
fn what_was_written_together_is_cut_together() {
    let (folder, file, bytes, start, end) = written_together();
    for at in (start..end).step_by(5) {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        fs::write(&file, &changed).unwrap();
        let log = open(folder.path()).expect("a group that was never acknowledged is cut");
        let mut records = 0;
        for lane in 0..LANES {
            let lane_records = read_lane(&log, lane).unwrap();
            suite::assert_written(&lane_records, lane, 1);
            records += lane_records.len();
        }
        drop(log);
        let mended = fs::read(&file).unwrap();
        assert!(mended[start..].iter().all(|byte| *byte == 0), "intact batches behind the cut were left");
        assert!(records > 0 || start == SEGMENT_HEADER_BYTES);
    }
}

/// A log of several sealed segments; gives its folder and how many records lane 0 has.
fn sealed() -> (TempDir, u64) {
    let folder = TempDir::new().expect("a folder can be made");
    let log = open(folder.path()).expect("the log can be made");
    let membership = log.join(&service(), "local").expect("the service is there");
    let (mut taken, _) = suite::take(&membership, 0);
    for n in 0..100 {
        taken.writer.append(&batch(0, n * 10 + 1, taken.term, 10), None).expect("the batch is taken");
    }
    (folder, 1_000)
}

#[test]
fn damage_in_a_sealed_segment_is_found_where_it_is_met() {
    let (folder, records) = sealed();
    let file = folder.path().join("0000000000000002.log");
    let bytes = fs::read(&file).unwrap();
    let trailer_at = bytes.len() - 64;
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 2;
        fs::write(&file, &changed).unwrap();
        // The footer is looked at when the log opens, a batch and its index when they are read.
        let result = open(folder.path()).and_then(|log| read_lane(&log, 0));
        match result {
            Err(LogError::Damaged { place, .. }) => assert!(place.contains("0000000000000002.log, byte "), "{place}"),
            other => panic!("byte {at} (trailer at {trailer_at}) changed unseen: {:?}", other.map(|read| read.len())),
        }
    }
    fs::write(&file, &bytes).unwrap();
    assert_eq!(read_lane(&open(folder.path()).unwrap(), 0).unwrap().len() as u64, records);
}

#[test]
fn a_missing_file_is_named() {
    let (folder, _) = sealed();
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    names.push(folder.path().join("manifest"));
    names.sort();
    assert!(names.len() > 4, "{names:?}");
    for name in &names {
        let aside = name.with_extension("aside");
        fs::rename(name, &aside).unwrap();
        match open(folder.path()).err() {
            Some(LogError::Damaged { place, .. }) => assert_eq!(place, format!("{}, byte 0", name.display())),
            other => panic!("{} is missing and the log opened: {other:?}", name.display()),
        }
        fs::rename(&aside, name).unwrap();
    }
    open(folder.path()).unwrap();
}

#[test]
fn a_crash_while_a_segment_is_sealed_loses_nothing() {
    let (folder, file, bytes, _) = written(6);
    // The next segment is made, the full one is not sealed yet, or its footer was cut short.
    append_until_sealed(folder.path());
    let sealed = fs::read(&file).unwrap();
    let next = folder.path().join("0000000000000002.log");
    let fresh = {
        let mut fresh = fs::read(&next).unwrap();
        fresh[SEGMENT_HEADER_BYTES..].fill(0);
        fresh
    };
    let footer = sealed.windows(8).position(|window| window == b"FeiraEnd").unwrap();
    for cut in [footer - 40, footer, footer + 8, footer + 63] {
        let mut torn = sealed.clone();
        torn[cut..].fill(0);
        torn.resize(bytes.len(), 0);
        fs::write(&file, &torn).unwrap();
        for later in 3..10 {
            let _ = fs::remove_file(folder.path().join(format!("{later:016}.log")));
        }
        fs::write(&next, &fresh).unwrap();
        let log = open(folder.path()).expect("a crash here is no damage");
        for lane in 0..LANES {
            suite::assert_written(&read_lane(&log, lane).unwrap(), lane, 1);
        }
        assert!(read_lane(&log, 0).unwrap().len() >= 4);
        append_to(&log, 0);
    }
}

fn append_until_sealed(folder: &Path) {
    let log = open(folder).expect("the log opens");
    while !folder.join("0000000000000002.log").exists() {
        append_to(&log, 0);
    }
}

#[test]
fn a_folder_is_one_logs_at_a_time() {
    let folder = TempDir::new().unwrap();
    let log = open(folder.path()).unwrap();
    match open(folder.path()).err() {
        Some(LogError::Locked { folder: named }) => assert_eq!(named, folder.path()),
        other => panic!("opened twice: {other:?}"),
    }
    drop(log);
    open(folder.path()).unwrap();
}

#[test]
fn a_log_keeps_the_lanes_it_was_made_with_and_learns_new_services() {
    let folder = TempDir::new().unwrap();
    append_to(&open(folder.path()).unwrap(), 1);
    let catalog = ServiceName::new("catalog");
    let services = [(catalog.clone(), 2), (service(), 64)];
    let log = EmbeddedLog::open(folder.path(), &services, Options { segment_bytes: SEGMENT_BYTES }).unwrap();
    assert_eq!((log.lanes(&service()).unwrap(), log.lanes(&catalog).unwrap()), (LANES, 2));
    assert_eq!(log.last_seq(&LaneId::new(&service(), 1)).unwrap(), 2);
    assert_eq!(log.last_seq(&LaneId::new(&catalog, 1)).unwrap(), 0);
}

#[test]
fn a_value_that_looks_like_a_batch_is_none() {
    let (folder, file, mut bytes, ends) = written(5);
    // The lane's fourth batch has a value that holds the bytes of a later batch; then its own header is lost.
    let later = bytes[ends[4]..ends[5]].to_vec();
    bytes[ends[3]..].fill(0);
    fs::write(&file, &bytes).unwrap();
    let log = open(folder.path()).unwrap();
    let membership = log.join(&service(), "local").unwrap();
    let (mut taken, _) = suite::take(&membership, 0);
    let value = [b"....".as_slice(), &later].concat();
    let record = suite::record(0, taken.last_seq + 1, taken.term, value);
    taken.writer.append(&[record], None).unwrap();
    drop((taken, membership, log));
    let mut changed = fs::read(&file).unwrap();
    assert_eq!(changed[ends[3] + 56..][..later.len()], later);
    changed[ends[3]] ^= 1;
    assert_eq!(opens_with(folder.path(), &file, &changed, 3), Some(3));
}
