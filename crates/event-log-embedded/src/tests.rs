//! Disks that fail, and disks that are slow at the wrong moment.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use feira_event_log::suite::{self, batch, take};
use feira_event_log::{AppendError, EventLog, Hint, LogError, Membership, Resume, TakeError, Taken};
use feira_ids::{LaneId, ServiceName};
use tempfile::TempDir;

use crate::disk::Disk;
use crate::{EmbeddedLog, Options};

const LANES: u32 = 3;

/// A disk that does what a test says.
#[derive(Default)]
struct Bad {
    orders: Mutex<Orders>,
    changed: Condvar,
    syncs: AtomicUsize,
}

#[derive(Default)]
struct Orders {
    /// No file that grows finds room: a new one is there, and stays short.
    full: bool,
    /// The next write stops after so many bytes.
    stop_write_after: Option<usize>,
    /// Every write fails.
    no_writes: bool,
    /// Every sync fails.
    no_syncs: bool,
    /// The sync after a footer was written fails.
    no_seals: bool,
    /// Syncs wait until this is taken back.
    hold_syncs: bool,
    /// How many wait.
    held: usize,
    /// What was written where.
    written: Vec<(u64, Vec<u8>)>,
}

impl Bad {
    fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.orders.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until a sync is held.
    fn wait_for_held_sync(&self) {
        let waits = |orders: &mut Orders| orders.held == 0;
        let (orders, waited) =
            self.changed.wait_timeout_while(self.orders.lock().unwrap(), Duration::from_secs(60), waits).unwrap();
        drop(orders);
        assert!(!waited.timed_out(), "nothing was synced");
    }
}

impl Disk for Bad {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        let mut orders = self.orders.lock().unwrap();
        if orders.no_writes {
            return Err(io::Error::other("no writes"));
        }
        if orders.full && offset + bytes.len() as u64 > file.metadata()?.len() {
            file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        if let Some(length) = orders.stop_write_after.take() {
            file.write_all_at(&bytes[..length.min(bytes.len())], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        orders.written.push((offset, bytes.to_vec()));
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut orders = self.orders.lock().unwrap();
        orders.held += 1;
        self.changed.notify_all();
        orders = self.changed.wait_while(orders, |orders| orders.hold_syncs).unwrap();
        orders.held -= 1;
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let footer =
            |(_, bytes): &(u64, Vec<u8>)| bytes.len() > 64 && bytes[bytes.len() - 64..].starts_with(b"FeiraEnd");
        let fails = orders.no_syncs || (orders.no_seals && orders.written.last().is_some_and(footer));
        if fails { Err(io::Error::other("no syncs")) } else { file.sync_data() }
    }
}

fn service() -> ServiceName {
    ServiceName::new("cart")
}

fn lane(index: u32) -> LaneId {
    LaneId::new(&service(), index)
}

fn open(disk: &Arc<Bad>, folder: &Path) -> (Arc<EmbeddedLog>, Arc<dyn Membership>) {
    let options = Options { segment_bytes: 4 << 10 };
    let log = EmbeddedLog::open_on(disk.clone(), folder, &[(service(), LANES)], options).unwrap();
    let membership = log.join(&service(), "local").unwrap();
    (log, membership)
}

fn append(taken: &mut Taken, lane: u32, first_seq: u64) -> Result<Hint, AppendError> {
    taken.writer.append(&batch(lane, first_seq, taken.term, 2), None)
}

fn assert_holds(log: &EmbeddedLog, index: u32, last_seq: u64) {
    assert_eq!(log.last_seq(&lane(index)).unwrap(), last_seq);
    let mut reader = log.reader(&lane(index), Resume::START).unwrap();
    let mut records = Vec::new();
    while (records.len() as u64) < last_seq {
        records.extend(reader.read(100, Duration::ZERO).unwrap());
    }
    assert_eq!(reader.read(100, Duration::ZERO).unwrap(), []);
    suite::assert_written(&records, index, 1);
}

#[test]
fn a_full_disk_refuses_batches_until_there_is_room() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let mut taken = take(&membership, 0).0;
    let mut last_seq = 0;
    for _ in 0..3 {
        disk.order(|orders| orders.full = true);
        let refusal = loop {
            match append(&mut taken, 0, last_seq + 1) {
                Ok(_) => last_seq += 2,
                Err(refusal) => break refusal,
            }
        };
        assert!(matches!(&refusal, AppendError::Refused { reason } if reason.starts_with("disk full")), "{refusal:?}");
        assert!(matches!(append(&mut taken, 0, last_seq + 1), Err(AppendError::Refused { .. })));
        assert!(!folder.path().join("next.tmp").exists(), "what was begun takes room");
        assert_holds(&log, 0, last_seq);
        disk.order(|orders| orders.full = false);
        append(&mut taken, 0, last_seq + 1).unwrap();
        last_seq += 2;
    }
    drop((taken, membership, log));
    assert_holds(&open(&disk, folder.path()).0, 0, last_seq);
}

#[test]
fn a_write_that_stops_halfway_is_undone() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let mut taken = take(&membership, 0).0;
    let mut last_seq = 0;
    for written in [0, 1, 47, 48, 60, 10_000] {
        disk.order(|orders| orders.stop_write_after = Some(written));
        let refusal = append(&mut taken, 0, last_seq + 1);
        assert!(matches!(refusal, Err(AppendError::Refused { .. })), "{refusal:?}");
        assert_holds(&log, 0, last_seq);
        let bytes = fs::read(folder.path().join("0000000000000001.log")).unwrap();
        let magic = bytes.windows(4).filter(|window| window == b"FBat").count();
        assert_eq!(magic as u64, last_seq / 2, "after {written} bytes a refused batch is on the disk");
        append(&mut taken, 0, last_seq + 1).unwrap();
        last_seq += 2;
    }
    drop((taken, membership, log));
    assert_holds(&open(&disk, folder.path()).0, 0, last_seq);
}

#[test]
fn a_write_that_cannot_be_undone_is_unknown_and_stops_the_log() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let mut taken = take(&membership, 0).0;
    append(&mut taken, 0, 1).unwrap();
    disk.order(|orders| orders.no_writes = true);
    assert!(matches!(append(&mut taken, 0, 3), Err(AppendError::Unknown(_))));
    disk.order(|orders| orders.no_writes = false);
    assert!(matches!(append(&mut taken, 0, 3), Err(AppendError::Refused { .. })));
    assert_holds(&log, 0, 2);
    drop((taken, membership, log));
    assert_holds(&open(&disk, folder.path()).0, 0, 2);
}

#[test]
fn a_failed_sync_is_never_tried_again() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let (mut taken, mut other) = (take(&membership, 0).0, take(&membership, 1).0);
    append(&mut taken, 0, 1).unwrap();
    disk.order(|orders| orders.no_syncs = true);
    assert!(matches!(append(&mut taken, 0, 3), Err(AppendError::Unknown(_))));
    disk.order(|orders| orders.no_syncs = false);
    let syncs = disk.syncs.load(Ordering::Relaxed);
    assert!(matches!(append(&mut other, 1, 1), Err(AppendError::Refused { .. })));
    assert!(matches!(append(&mut taken, 0, 3), Err(AppendError::Refused { .. })));
    let result = suite::take_from(&membership, 0, Resume::START, &mut Vec::new());
    assert!(matches!(result, Err(TakeError::Log(LogError::Unavailable { .. }))), "{:?}", result.err());
    assert_eq!(disk.syncs.load(Ordering::Relaxed), syncs);
    assert_holds(&log, 0, 2);
}

#[test]
fn what_a_failed_sync_left_in_the_cache_is_written_anew_when_the_log_opens() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let mut taken = take(&membership, 0).0;
    append(&mut taken, 0, 1).unwrap();
    disk.order(|orders| orders.no_syncs = true);
    assert!(matches!(append(&mut taken, 0, 3), Err(AppendError::Unknown(_))));
    let doubtful = disk.orders.lock().unwrap().written.last().cloned().unwrap();
    drop((taken, membership, log));

    // A disk that still cannot sync does not open: nothing is given out that may not be there tomorrow.
    let options = || Options { segment_bytes: 4 << 10 };
    assert!(EmbeddedLog::open_on(disk.clone(), folder.path(), &[(service(), LANES)], options()).is_err());
    disk.order(|orders| {
        orders.no_syncs = false;
        orders.written.clear();
    });
    let syncs = disk.syncs.load(Ordering::Relaxed);
    let (log, _) = open(&disk, folder.path());
    assert!(disk.orders.lock().unwrap().written.contains(&doubtful));
    assert!(disk.syncs.load(Ordering::Relaxed) > syncs);
    assert_holds(&log, 0, 4);
}

#[test]
fn a_segment_that_cannot_be_sealed_stops_the_log() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let mut taken = take(&membership, 0).0;
    disk.order(|orders| orders.no_seals = true);
    let mut last_seq = 0;
    let refusal = loop {
        match append(&mut taken, 0, last_seq + 1) {
            Ok(_) => last_seq += 2,
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(&refusal, AppendError::Refused { reason } if reason.contains("sealed")), "{refusal:?}");
    disk.order(|orders| orders.no_seals = false);
    assert!(matches!(append(&mut taken, 0, last_seq + 1), Err(AppendError::Refused { .. })));
    assert_holds(&log, 0, last_seq);
    drop((taken, membership, log));
    let (log, membership) = open(&disk, folder.path());
    assert_holds(&log, 0, last_seq);
    append(&mut take(&membership, 0).0, 0, last_seq + 1).unwrap();
}

/// Waits for something that another thread does.
#[track_caller]
fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it never came about");
        thread::yield_now();
    }
}

#[test]
fn nothing_is_seen_before_it_is_durable_and_all_that_wait_share_a_sync() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let mut takens: Vec<Taken> = (0..LANES).map(|index| take(&membership, index).0).collect();
    let syncs = disk.syncs.load(Ordering::Relaxed);
    disk.order(|orders| orders.hold_syncs = true);
    thread::scope(|scope| {
        let mut rest = takens.iter_mut().zip(0..);
        let (first, index) = rest.next().unwrap();
        scope.spawn(move || append(first, index, 1).unwrap());
        disk.wait_for_held_sync();
        assert_eq!(log.last_seq(&lane(0)).unwrap(), 0);
        let mut reader = log.reader(&lane(0), Resume::START).unwrap();
        assert_eq!(reader.read(10, Duration::from_millis(1)).unwrap(), []);
        for (taken, index) in rest {
            scope.spawn(move || append(taken, index, 1).unwrap());
        }
        wait_until(|| log.shared.state().queue.len() == 2);
        disk.order(|orders| orders.hold_syncs = false);
    });
    assert_eq!(disk.syncs.load(Ordering::Relaxed), syncs + 2);
    (0..LANES).for_each(|index| assert_holds(&log, index, 2));
}

#[test]
fn a_take_waits_for_the_batch_that_is_being_written() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let mut former = take(&membership, 0).0;
    disk.order(|orders| orders.hold_syncs = true);
    thread::scope(|scope| {
        let late = scope.spawn(|| append(&mut former, 0, 1));
        disk.wait_for_held_sync();
        let owner = scope.spawn(|| take(&membership, 0));
        wait_until(|| log.shared.state().lanes[0].owner_term == 2);
        disk.order(|orders| orders.hold_syncs = false);
        late.join().unwrap().unwrap();
        let (owner, replayed) = owner.join().unwrap();
        assert_eq!((owner.last_seq, replayed.len()), (2, 2));
    });
}

#[test]
fn a_batch_that_still_waits_is_fenced() {
    let (disk, folder) = (Arc::new(Bad::default()), TempDir::new().unwrap());
    let (log, membership) = open(&disk, folder.path());
    let (mut former, mut other) = (take(&membership, 0).0, take(&membership, 1).0);
    disk.order(|orders| orders.hold_syncs = true);
    thread::scope(|scope| {
        scope.spawn(|| append(&mut other, 1, 1).unwrap());
        disk.wait_for_held_sync();
        let late = scope.spawn(|| append(&mut former, 0, 1));
        wait_until(|| log.shared.state().queue.len() == 1);
        let owner = scope.spawn(|| take(&membership, 0));
        wait_until(|| log.shared.state().lanes[0].owner_term == 2);
        disk.order(|orders| orders.hold_syncs = false);
        assert!(matches!(late.join().unwrap(), Err(AppendError::Fenced)));
        assert_eq!(owner.join().unwrap().0.last_seq, 0);
    });
    assert_holds(&log, 0, 0);
}
