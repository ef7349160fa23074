//! Rules about appending: whole batches, dense sequences, one term.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;

use super::{Harness, append, assert_written, batch, join, lane_id, read_all, record, take};
use crate::{AppendError, NewRecord};

/// An acknowledged batch can be read, value for value.
pub fn what_was_appended_is_read_back(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, replayed) = take(&membership, 0);
    assert_eq!((taken.last_seq, replayed.len()), (0, 0));
    let records = batch(0, 1, taken.term, 3);
    append(&mut *taken.writer, &records).expect("the batch is taken");
    append(&mut *taken.writer, &batch(0, 4, taken.term, 1)).expect("the batch is taken");
    let stored = read_all(harness, &log, 0, 4);
    assert_written(&stored, 0, 1);
    assert!(stored.iter().all(|record| record.term == taken.term));
}

/// Nobody ever sees a part of a batch.
pub fn a_batch_is_seen_whole_or_not_at_all(harness: &dyn Harness) {
    const SIZE: u64 = 7;
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..40 {
                append(&mut *taken.writer, &batch(0, n * SIZE + 1, taken.term, SIZE)).expect("the batch is taken");
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let last_seq = log.last_seq(&lane_id(harness, 0)).expect("the lane is there");
            assert_eq!(last_seq % SIZE, 0, "a part of a batch is visible");
        }
    });
    assert_written(&read_all(harness, &log, 0, 40 * SIZE as usize), 0, 1);
}

/// Sequences within a batch are dense.
pub fn a_batch_with_a_gap_is_invalid(harness: &dyn Harness) {
    refused(harness, |term| vec![record(0, 3, term, "3"), record(0, 5, term, "5")]);
}

/// A batch begins where the lane ends.
pub fn a_batch_that_begins_too_late_is_invalid(harness: &dyn Harness) {
    refused(harness, |term| batch(0, 4, term, 1));
}

/// What stands is not written again.
pub fn a_batch_that_repeats_a_sequence_is_invalid(harness: &dyn Harness) {
    refused(harness, |term| batch(0, 2, term, 2));
}

/// A writer writes in its own term only.
pub fn a_batch_of_another_term_is_invalid(harness: &dyn Harness) {
    refused(harness, |term| batch(0, 3, term + 1, 1));
    refused(harness, |term| vec![record(0, 3, term, "3"), record(0, 4, term - 1, "4")]);
}

/// There is no batch of nothing: a commit that writes nothing would prove nothing about the fence.
pub fn an_empty_batch_is_invalid(harness: &dyn Harness) {
    refused(harness, |_| Vec::new());
}

/// Being refused does not cost the lane.
pub fn an_invalid_batch_leaves_the_writer_as_it_was(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    for lane_seq in 1..6 {
        let invalid = append(&mut *taken.writer, &batch(0, lane_seq + 7, taken.term, 2));
        assert!(matches!(invalid, Err(AppendError::Invalid { .. })), "{invalid:?}");
        append(&mut *taken.writer, &batch(0, lane_seq, taken.term, 1)).expect("the batch is taken");
    }
    assert_written(&read_all(harness, &log, 0, 5), 0, 1);
}

/// A value as large as the home allows comes back byte for byte.
pub fn a_large_record_is_read_back(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    // No two kilobytes alike, so that a mixed-up block shows.
    let large: Bytes = (0..harness.value_bytes_max()).map(|i| (i ^ (i >> 10)) as u8).collect();
    let around = [record(0, 1, taken.term, "before"), record(0, 2, taken.term, large.clone())];
    append(&mut *taken.writer, &around).expect("the batch is taken");
    append(&mut *taken.writer, &[record(0, 3, taken.term, "after")]).expect("the batch is taken");
    let stored = read_all(harness, &log, 0, 3);
    assert_eq!(stored[0].value, "before");
    assert!(stored[1].value == large, "the large value came back changed");
    assert_eq!(stored[2].value, "after");
}

/// A record may carry nothing.
pub fn an_empty_value_is_read_back(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let records = [record(0, 1, taken.term, ""), record(0, 2, taken.term, "x"), record(0, 3, taken.term, "")];
    append(&mut *taken.writer, &records).expect("the batch is taken");
    let stored = read_all(harness, &log, 0, 3);
    assert_eq!(stored.iter().map(|record| record.value.len()).collect::<Vec<_>>(), [0, 1, 0]);
}

/// The largest batch a lane makes is one batch.
pub fn a_batch_of_512_records_is_read_back(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    for n in 0..4 {
        append(&mut *taken.writer, &batch(0, n * 512 + 1, taken.term, 512)).expect("the batch is taken");
    }
    assert_written(&read_all(harness, &log, 0, 2_048), 0, 1);
}

/// The end of a lane moves with each acknowledged batch.
pub fn the_last_sequence_is_that_of_the_last_batch(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let lane = lane_id(harness, 0);
    assert_eq!(log.last_seq(&lane).expect("the lane is there"), 0);
    let (mut taken, _) = take(&membership, 0);
    for n in 0..5 {
        append(&mut *taken.writer, &batch(0, n * 2 + 1, taken.term, 2)).expect("the batch is taken");
        assert_eq!(log.last_seq(&lane).expect("the lane is there"), n * 2 + 2);
    }
}

/// A lane of two records is offered the batch that `make` gives for a term, and stays as it was.
fn refused(harness: &dyn Harness, make: impl Fn(u64) -> Vec<NewRecord>) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, replayed) = take(&membership, 0);
    if replayed.is_empty() {
        append(&mut *taken.writer, &batch(0, 1, taken.term, 2)).expect("the batch is taken");
    }
    let result = append(&mut *taken.writer, &make(taken.term));
    assert!(matches!(result, Err(AppendError::Invalid { .. })), "{result:?}");
    assert_eq!(log.last_seq(&lane_id(harness, 0)).expect("the lane is there"), 2);
    assert_written(&read_all(harness, &log, 0, 2), 0, 1);
    drop(taken);
    membership.leave();
}
