//! Rules about taking a lane over: the fence, the term, the replay.

use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;

use super::{Harness, append, assert_written, batch, join, lane_id, read_all, record, take, take_from};
use crate::{AppendError, Hint, LogError, Resume, TakeError};

/// Once a successor has the lane, nothing of its former owner becomes visible.
pub fn taking_a_lane_fences_its_former_writer(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut former, _) = take(&membership, 0);
    append(&mut *former.writer, &batch(0, 1, former.term, 2)).expect("the batch is taken");
    let (mut owner, replayed) = take(&membership, 0);
    assert_eq!(replayed.len(), 2);
    let late = append(&mut *former.writer, &[record(0, 3, former.term, "of the former owner")]);
    assert!(matches!(late, Err(AppendError::Fenced)), "{late:?}");
    assert_eq!(log.last_seq(&lane_id(harness, 0)).expect("the lane is there"), 2);
    append(&mut *owner.writer, &batch(0, 3, owner.term, 2)).expect("the batch is taken");
    assert_written(&read_all(harness, &log, 0, 4), 0, 1);
}

/// A fence is for ever.
pub fn a_fenced_writer_stays_fenced(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut former, _) = take(&membership, 0);
    let (mut owner, _) = take(&membership, 0);
    for lane_seq in 1..4 {
        let late = append(&mut *former.writer, &batch(0, 1, former.term, 1));
        assert!(matches!(late, Err(AppendError::Fenced)), "{late:?}");
        append(&mut *owner.writer, &batch(0, lane_seq, owner.term, 1)).expect("the batch is taken");
    }
    assert_written(&read_all(harness, &log, 0, 3), 0, 1);
}

/// Whoever has the lane is told so; whoever had it is not.
pub fn a_fenced_writer_confirms_nothing(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut former, _) = take(&membership, 0);
    append(&mut *former.writer, &batch(0, 1, former.term, 1)).expect("the batch is taken");
    former.writer.confirm("former:1").expect("nobody else has the lane");
    append(&mut *former.writer, &batch(0, 2, former.term, 1)).expect("to confirm takes no sequence");
    let (mut owner, replayed) = take(&membership, 0);
    assert_eq!(replayed.len(), 2);
    let late = former.writer.confirm("former:1");
    assert!(matches!(late, Err(AppendError::Fenced)), "{late:?}");
    owner.writer.confirm("owner:1").expect("nobody else has the lane");
}

/// Each owner that wrote is followed by one of a higher term.
pub fn the_term_rises_with_each_take(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let mut former_term = 0;
    for lane_seq in 1..5 {
        let (mut taken, _) = take(&membership, 0);
        assert!(taken.term > former_term, "term {} does not rise above {former_term}", taken.term);
        former_term = taken.term;
        append(&mut *taken.writer, &batch(0, lane_seq, taken.term, 1)).expect("the batch is taken");
    }
}

/// An owner that starts from a snapshot at the lane's end still has a higher term.
pub fn the_term_rises_when_nothing_is_replayed(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let mut hint = append(&mut *taken.writer, &batch(0, 1, taken.term, 1)).expect("the batch is taken");
    let mut former_term = taken.term;
    for lane_seq in 2..6 {
        let resume = Resume::after(lane_seq - 1, if lane_seq % 2 == 0 { hint } else { Hint(0) });
        let mut replayed = Vec::new();
        let mut taken = take_from(&membership, 0, resume, &mut replayed).expect("the lane is taken");
        assert_eq!((taken.last_seq, replayed.len()), (lane_seq - 1, 0));
        assert!(taken.term > former_term, "term {} does not rise above {former_term}", taken.term);
        former_term = taken.term;
        hint = append(&mut *taken.writer, &batch(0, lane_seq, taken.term, 1)).expect("the batch is taken");
    }
}

/// A new owner sees the whole lane.
pub fn a_take_replays_every_record_in_order(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut first, _) = take(&membership, 0);
    for n in 0..10 {
        append(&mut *first.writer, &batch(0, n * 30 + 1, first.term, 30)).expect("the batch is taken");
    }
    let (mut second, replayed) = take(&membership, 0);
    assert_eq!((second.last_seq, replayed.len()), (300, 300));
    assert_written(&replayed, 0, 1);
    append(&mut *second.writer, &batch(0, 301, second.term, 1)).expect("the batch is taken");
    let (third, replayed) = take(&membership, 0);
    assert_eq!((third.last_seq, replayed.len()), (301, 301));
    assert_written(&replayed, 0, 1);
}

/// A new owner sees only what its snapshot lacks.
pub fn a_take_replays_from_where_it_is_told(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    for n in 0..5 {
        append(&mut *taken.writer, &batch(0, n * 4 + 1, taken.term, 4)).expect("the batch is taken");
    }
    let stored = read_all(harness, &log, 0, 20);
    for next_seq in [2, 4, 5, 6, 19, 20, 21] {
        for hint in [Hint(0), stored[next_seq as usize - 2].hint] {
            let mut replayed = Vec::new();
            let taken = take_from(&membership, 0, Resume { next_seq, hint }, &mut replayed).expect("the lane is taken");
            assert_eq!((taken.last_seq, replayed.len() as u64), (20, 21 - next_seq));
            assert_written(&replayed, 0, next_seq);
        }
    }
}

/// A log that ends before what was seen of it has lost acknowledged records.
pub fn a_take_that_resumes_past_the_end_finds_damage(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    append(&mut *taken.writer, &batch(0, 1, taken.term, 3)).expect("the batch is taken");
    let result = take_from(&membership, 0, Resume { next_seq: 5, hint: Hint(0) }, &mut Vec::new());
    assert!(matches!(result, Err(TakeError::Log(LogError::Damaged { .. }))), "{:?}", result.err());
}

/// However a take and the former owner's appends fall together, what was acknowledged is replayed and nothing follows.
pub fn a_take_misses_nothing_acknowledged_before_its_fence(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let mut former = take(&membership, 0).0;
    let mut last_seq = 0;
    for _ in 0..5 {
        let acknowledged = Mutex::new(last_seq);
        let (started, appending) = mpsc::channel();
        let (owner, replayed) = thread::scope(|scope| {
            let acknowledged = &acknowledged;
            let former = &mut former;
            scope.spawn(move || {
                for lane_seq in last_seq + 1.. {
                    match append(&mut *former.writer, &batch(0, lane_seq, former.term, 1)) {
                        Ok(_) => *acknowledged.lock().expect("nobody panics with it") = lane_seq,
                        // A time-out beside a fence leaves it open whether the batch stands: the successor knows.
                        Err(AppendError::Fenced | AppendError::Unknown(_)) => return,
                        Err(other) => panic!("neither taken nor fenced: {other}"),
                    }
                    // Nobody listens after the first: that is not the writer's concern.
                    let _ = started.send(());
                }
            });
            appending.recv().expect("a first batch is taken");
            take(&membership, 0)
        });
        let acknowledged = *acknowledged.lock().expect("nobody panics with it");
        assert!(owner.last_seq >= acknowledged, "{acknowledged} was acknowledged, {} replayed", owner.last_seq);
        assert_eq!(replayed.len() as u64, owner.last_seq);
        assert_written(&replayed, 0, 1);
        assert_eq!(log.last_seq(&lane_id(harness, 0)).expect("the lane is there"), owner.last_seq);
        last_seq = owner.last_seq;
        former = owner;
    }
}

/// Shutdown does not wait for a replay.
pub fn a_take_that_is_told_to_stop_stops(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    append(&mut *taken.writer, &batch(0, 1, taken.term, 5)).expect("the batch is taken");
    let mut replayed = 0;
    let mut count = |_| {
        replayed += 1;
        Ok(())
    };
    let result = membership.take(0, Resume::START, &mut count, &|| true);
    assert!(matches!(result, Err(TakeError::Stopped)), "{:?}", result.err());
    assert_eq!(replayed, 0);
}

/// A take that was stopped leaves the lane to be taken.
pub fn a_stopped_take_can_be_made_again(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let result = membership.take(0, Resume::START, &mut |_| Ok(()), &|| true);
    assert!(matches!(result, Err(TakeError::Stopped)), "{:?}", result.err());
    let (mut taken, _) = take(&membership, 0);
    append(&mut *taken.writer, &batch(0, 1, taken.term, 1)).expect("the batch is taken");
    assert_written(&read_all(harness, &log, 0, 1), 0, 1);
}

/// What the caller cannot take in is named by its sequence.
pub fn a_record_that_cannot_be_taken_in_ends_the_take(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    append(&mut *taken.writer, &batch(0, 1, taken.term, 5)).expect("the batch is taken");
    let mut seen = Vec::new();
    let result = membership.take(
        0,
        Resume::START,
        &mut |record| {
            seen.push(record.lane_seq);
            if record.lane_seq == 3 { Err("unknown schema".into()) } else { Ok(()) }
        },
        &|| false,
    );
    assert!(matches!(result, Err(TakeError::Replay { lane_seq: 3, .. })), "{:?}", result.err());
    assert_eq!(seen, [1, 2, 3]);
    let (_, replayed) = take(&membership, 0);
    assert_eq!(replayed.len(), 5);
}
