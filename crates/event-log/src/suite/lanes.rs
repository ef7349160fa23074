//! Rules about lanes as a whole: who gets them, that they stand apart, what outlives a process.

use std::thread;
use std::time::{Duration, Instant};

use feira_ids::ServiceName;

use super::{Harness, LANES, append, assert_written, batch, join, lane_id, read_all, take, take_from};
use crate::{LogError, Owner, Resume, TakeError};

/// A member that is alone gets all lanes of its service.
pub fn a_lone_member_is_assigned_every_lane(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let assignment = membership.assignment(0, Duration::ZERO);
    let all = (0..log.lanes(&harness.service()).unwrap_or_default()).collect();
    assert_eq!(assignment.lanes, all);
    assert!(assignment.generation > 0 && !assignment.lost);
}

/// Leaving ends the right to take lanes.
pub fn a_member_that_left_takes_no_lane(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    membership.leave();
    let result = take_from(&membership, 0, Resume::START, &mut Vec::new());
    assert!(matches!(result, Err(TakeError::NotAssigned)), "{:?}", result.err());
}

/// What is asked of a lane that is not there is answered by its name.
pub fn a_lane_that_does_not_exist_is_named(harness: &dyn Harness) {
    let log = harness.open();
    let none = lane_id(harness, 4_000);
    assert!(matches!(log.reader(&none, Resume::START).err(), Some(LogError::NoSuchLane(lane)) if lane == none));
    assert!(matches!(log.last_seq(&none), Err(LogError::NoSuchLane(lane)) if lane == none));
    let nobody = ServiceName::new("nobody");
    assert!(log.lanes(&nobody).is_err());
    let membership = join(harness, &log);
    match take_from(&membership, 4_000, Resume::START, &mut Vec::new()).err() {
        Some(TakeError::NotAssigned | TakeError::Log(LogError::NoSuchLane(_))) => {}
        other => panic!("a lane that does not exist was taken: {other:?}"),
    }
}

/// A lane's records, sequences and terms are its own.
pub fn lanes_do_not_disturb_each_other(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let mut takens: Vec<_> = (0..LANES).map(|lane| take(&membership, lane).0).collect();
    for round in 0..5 {
        for lane in 0..LANES {
            let count = u64::from(lane) + 1;
            let taken = &mut takens[lane as usize];
            append(&mut *taken.writer, &batch(lane, round * count + 1, taken.term, count)).expect("the batch is taken");
        }
    }
    for lane in 0..LANES {
        let count = 5 * (lane as usize + 1);
        assert_eq!(log.last_seq(&lane_id(harness, lane)).expect("the lane is there"), count as u64);
        assert_written(&read_all(harness, &log, lane, count), lane, 1);
    }
}

/// Writers of different lanes do not wait for, or mix with, each other.
pub fn lanes_are_written_side_by_side(harness: &dyn Harness) {
    const BATCHES: u64 = 25;
    let log = harness.open();
    let membership = join(harness, &log);
    thread::scope(|scope| {
        for lane in 0..LANES {
            let membership = &membership;
            scope.spawn(move || {
                let (mut taken, _) = take(membership, lane);
                for n in 0..BATCHES {
                    append(&mut *taken.writer, &batch(lane, n * 3 + 1, taken.term, 3)).expect("the batch is taken");
                }
            });
        }
    });
    for lane in 0..LANES {
        assert_written(&read_all(harness, &log, lane, BATCHES as usize * 3), lane, 1);
    }
}

/// Whoever looks for a lane's owner finds the last one announced.
pub fn an_announced_owner_is_found(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let owners = log.owners();
    assert_eq!(owners.owner(&lane_id(harness, 1)), None);
    for lane_seq in 1..3 {
        let (mut taken, _) = take(&membership, 0);
        taken.writer.append(&batch(0, lane_seq, taken.term, 1), Some("local")).expect("the batch is taken");
        let wanted = Some(Owner { address: "local".to_owned(), term: taken.term });
        let deadline = Instant::now() + harness.patience();
        while owners.owner(&lane_id(harness, 0)) != wanted {
            assert!(Instant::now() < deadline, "the owner is not found: {:?}", owners.owner(&lane_id(harness, 0)));
            thread::yield_now();
        }
    }
    assert_eq!(owners.owner(&lane_id(harness, 1)), None);
}

/// A restart loses nothing.
pub fn a_log_opened_again_has_everything(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    for lane in 0..2 {
        let (mut taken, _) = take(&membership, lane);
        for n in 0..4 {
            append(&mut *taken.writer, &batch(lane, n * 5 + 1, taken.term, 5)).expect("the batch is taken");
        }
    }
    membership.leave();
    drop((membership, log));
    let log = harness.open();
    for lane in 0..2 {
        assert_eq!(log.last_seq(&lane_id(harness, lane)).expect("the lane is there"), 20);
        assert_written(&read_all(harness, &log, lane, 20), lane, 1);
    }
    assert_eq!(log.last_seq(&lane_id(harness, 2)).expect("the lane is there"), 0);
}

/// After a restart sequences and terms continue.
pub fn a_log_opened_again_goes_on_where_it_ended(harness: &dyn Harness) {
    let mut former_term = 0;
    for start in 0..3 {
        let log = harness.open();
        let membership = join(harness, &log);
        let (mut taken, replayed) = take(&membership, 0);
        assert_eq!((taken.last_seq, replayed.len()), (start * 2, start as usize * 2));
        assert!(taken.term > former_term, "term {} does not rise above {former_term}", taken.term);
        former_term = taken.term;
        append(&mut *taken.writer, &batch(0, start * 2 + 1, taken.term, 2)).expect("the batch is taken");
        drop(taken);
        membership.leave();
        assert_written(&read_all(harness, &log, 0, start as usize * 2 + 2), 0, 1);
    }
}

/// The name of a log is the same for ever.
pub fn a_log_keeps_its_id(harness: &dyn Harness) {
    let id = harness.open().log_id();
    assert!(!id.is_empty());
    assert_eq!(harness.open().log_id(), id);
}
