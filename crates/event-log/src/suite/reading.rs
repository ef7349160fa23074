//! Rules about readers: from anywhere, in order, waiting at the end.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Harness, append, assert_written, batch, join, lane_id, read, read_all, take};
use crate::{Hint, Resume};

/// A reader at the end gets the next record when it comes, not when its wait is over.
pub fn a_reader_waits_for_the_next_record(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let mut reader = log.reader(&lane_id(harness, 0), Resume::START).expect("the lane can be read");
    for lane_seq in 1..4 {
        let (waiting, reads) = mpsc::channel();
        thread::scope(|scope| {
            let reader = &mut reader;
            let read = scope.spawn(move || {
                waiting.send(()).expect("the test listens");
                let begun = Instant::now();
                let records = reader.read(10, harness.patience() * 10).expect("reading works");
                (records, begun.elapsed())
            });
            reads.recv().expect("the reader starts");
            append(&mut *taken.writer, &batch(0, lane_seq, taken.term, 1)).expect("the batch is taken");
            let (records, waited) = read.join().expect("the reader does not panic");
            assert_eq!(records.len(), 1);
            assert_written(&records, 0, lane_seq);
            assert!(waited < harness.patience(), "the reader was woken only after {waited:?}");
        });
    }
}

/// A wait that ends without a record is no error, and the reader goes on from where it was.
pub fn a_reader_that_waits_in_vain_gives_nothing(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let mut reader = log.reader(&lane_id(harness, 0), Resume::START).expect("the lane can be read");
    for lane_seq in 1..4 {
        assert_eq!(reader.read(10, Duration::from_millis(5)).expect("reading works"), []);
        assert_eq!(reader.read(10, Duration::ZERO).expect("reading works"), []);
        append(&mut *taken.writer, &batch(0, lane_seq, taken.term, 1)).expect("the batch is taken");
        assert_written(&read(harness, &mut *reader, 1), 0, lane_seq);
    }
}

/// A small bite of a large batch leaves the rest for the next.
pub fn a_reader_gives_no_more_than_it_is_asked_for(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    append(&mut *taken.writer, &batch(0, 1, taken.term, 50)).expect("the batch is taken");
    let mut reader = log.reader(&lane_id(harness, 0), Resume::START).expect("the lane can be read");
    let mut records = Vec::new();
    for max in (1..10).cycle() {
        if records.len() == 50 {
            break;
        }
        let more = reader.read(max, harness.patience()).expect("reading works");
        assert!((1..=max).contains(&more.len()), "{} records were given, {max} asked for", more.len());
        records.extend(more);
    }
    assert_written(&records, 0, 1);
}

/// A reader begins in the middle of a batch as well as at its head.
pub fn a_reader_starts_at_any_record(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    for n in 0..4 {
        append(&mut *taken.writer, &batch(0, n * 5 + 1, taken.term, 5)).expect("the batch is taken");
    }
    for next_seq in 1..=20 {
        let resume = Resume { next_seq, hint: Hint(0) };
        let mut reader = log.reader(&lane_id(harness, 0), resume).expect("the lane can be read");
        assert_written(&read(harness, &mut *reader, 21 - next_seq as usize), 0, next_seq);
    }
}

/// A reader that asks for the record after the last one gets it once it is written.
pub fn a_reader_starts_past_the_end_and_waits(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let hint = append(&mut *taken.writer, &batch(0, 1, taken.term, 3)).expect("the batch is taken");
    let mut reader = log.reader(&lane_id(harness, 0), Resume::after(3, hint)).expect("the lane can be read");
    assert_eq!(reader.read(10, Duration::ZERO).expect("reading works"), []);
    append(&mut *taken.writer, &batch(0, 4, taken.term, 2)).expect("the batch is taken");
    assert_written(&read(harness, &mut *reader, 2), 0, 4);
}

/// A hint saves searching and changes nothing else.
pub fn any_hint_at_or_before_is_right(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let mut hints = Vec::new();
    for n in 0..4 {
        let hint = append(&mut *taken.writer, &batch(0, n * 3 + 1, taken.term, 3)).expect("the batch is taken");
        hints.push((n * 3 + 1, hint));
    }
    let stored = read_all(harness, &log, 0, 12);
    hints.extend(stored.iter().map(|record| (record.lane_seq, record.hint)));
    for next_seq in 1..=12 {
        for &(_, hint) in hints.iter().filter(|(at, _)| *at <= next_seq) {
            let resume = Resume { next_seq, hint };
            let mut reader = log.reader(&lane_id(harness, 0), resume).expect("the lane can be read");
            assert_written(&read(harness, &mut *reader, 13 - next_seq as usize), 0, next_seq);
        }
    }
}

/// Each reader has a place of its own.
pub fn readers_do_not_disturb_each_other(harness: &dyn Harness) {
    let log = harness.open();
    let membership = join(harness, &log);
    let (mut taken, _) = take(&membership, 0);
    let lane = lane_id(harness, 0);
    let mut readers: Vec<_> = (0..3).map(|_| log.reader(&lane, Resume::START).expect("the lane can be read")).collect();
    append(&mut *taken.writer, &batch(0, 1, taken.term, 10)).expect("the batch is taken");
    assert_written(&read(harness, &mut *readers[0], 10), 0, 1);
    assert_written(&read(harness, &mut *readers[1], 4), 0, 1);
    append(&mut *taken.writer, &batch(0, 11, taken.term, 5)).expect("the batch is taken");
    assert_written(&read(harness, &mut *readers[0], 5), 0, 11);
    assert_written(&read(harness, &mut *readers[1], 11), 0, 5);
    assert_written(&read(harness, &mut *readers[2], 15), 0, 1);
}
