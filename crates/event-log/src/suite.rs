//! What every log must pass: one function for each rule, run by every home as a test of that name.
//!
//! A home implements [`Harness`] and calls [`conformance!`](crate::conformance) in a test file. The rules speak of what
//! [`EventLog`] promises and of nothing else; what only one home can do wrong is tested there.

mod lanes;
mod reading;
mod taking;
mod writing;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use feira_events::Meta;
use feira_ids::{CommandId, Fingerprint, Hash16, LaneId, ServiceName, TenantId};

use crate::{
    AppendError, EventLog, Hint, LaneReader, LaneWriter, Membership, NewRecord, Resume, StoredRecord, TakeError, Taken,
};

pub use lanes::*;
pub use reading::*;
pub use taking::*;
pub use writing::*;

/// How many lanes the service of a [`Harness`] has at least.
pub const LANES: u32 = 4;

/// A home's log, made ready for one rule.
pub trait Harness: Sync {
    /// Opens the log as a starting process does. The first call finds it empty; a later one, made once everything from
    /// the former is dropped, finds what was left.
    fn open(&self) -> Arc<dyn EventLog>;

    /// The service whose lanes, [`LANES`] or more, are written to.
    fn service(&self) -> ServiceName {
        ServiceName::new("cart")
    }

    /// The largest value the home is made for.
    fn value_bytes_max(&self) -> usize {
        1 << 20
    }

    /// How long anything that happens by itself (an assignment, a wake-up) may take before a rule counts as broken.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// Runs every rule of the suite as a test of its own: `conformance!(MyHarness::new())`, the harness made anew for each.
#[macro_export]
macro_rules! conformance {
    ($harness:expr) => {
        $crate::conformance! { @tests $harness;
            a_lone_member_is_assigned_every_lane
            a_member_that_left_takes_no_lane
            a_lane_that_does_not_exist_is_named
            lanes_do_not_disturb_each_other
            lanes_are_written_side_by_side
            an_announced_owner_is_found
            a_log_opened_again_has_everything
            a_log_opened_again_goes_on_where_it_ended
            a_log_keeps_its_id
            what_was_appended_is_read_back
            a_batch_is_seen_whole_or_not_at_all
            a_batch_with_a_gap_is_invalid
            a_batch_that_begins_too_late_is_invalid
            a_batch_that_repeats_a_sequence_is_invalid
            a_batch_of_another_term_is_invalid
            an_empty_batch_is_invalid
            an_invalid_batch_leaves_the_writer_as_it_was
            a_large_record_is_read_back
            an_empty_value_is_read_back
            a_batch_of_512_records_is_read_back
            the_last_sequence_is_that_of_the_last_batch
            taking_a_lane_fences_its_former_writer
            a_fenced_writer_stays_fenced
            a_fenced_writer_confirms_nothing
            the_term_rises_with_each_take
            the_term_rises_when_nothing_is_replayed
            a_take_replays_every_record_in_order
            a_take_replays_from_where_it_is_told
            a_take_that_resumes_past_the_end_finds_damage
            a_take_misses_nothing_acknowledged_before_its_fence
            a_take_that_is_told_to_stop_stops
            a_stopped_take_can_be_made_again
            a_record_that_cannot_be_taken_in_ends_the_take
            a_reader_waits_for_the_next_record
            a_reader_that_waits_in_vain_gives_nothing
            a_reader_gives_no_more_than_it_is_asked_for
            a_reader_starts_at_any_record
            a_reader_starts_past_the_end_and_waits
            any_hint_at_or_before_is_right
            readers_do_not_disturb_each_other
        }
    };
    (@tests $harness:expr; $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::suite::$rule(&$harness);
            }
        )*
    };
}

/// A record of `lane` as the suites write it: an envelope with what a log looks at, and any bytes as the value.
pub fn record(lane: u32, lane_seq: u64, term: u64, value: impl Into<Bytes>) -> NewRecord {
    let tenant = TenantId::new("feira-livre").expect("the name has the form of a tenant's");
    let command_id = CommandId::derive(&tenant, "system:suite", "append", &format!("{lane}.{lane_seq}.{term}"));
    let meta = Meta {
        event_id: command_id.event(0),
        lane: lane as i32,
        lane_seq: lane_seq as i64,
        term: term as i64,
        aggregate: "cart:BR.1".into(),
        aggregate_seq: Some(lane_seq as i64),
        hlc: lane_seq as i64 * 2,
        at: 0,
        tenant,
        principal: "system:suite".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: Hash16::default(),
        correlation_id: Hash16::default(),
        traceparent: None,
    };
    NewRecord { meta, event_type: "feira.cart.v1.ItemAdded", value: value.into() }
}

/// A batch of `count` records from `first_seq` on, each with [`value`] as its value.
pub fn batch(lane: u32, first_seq: u64, term: u64, count: u64) -> Vec<NewRecord> {
    (first_seq..first_seq + count).map(|lane_seq| record(lane, lane_seq, term, value(lane, lane_seq, term))).collect()
}

/// What [`batch`] writes at a place: it names the place, and its length varies.
pub fn value(lane: u32, lane_seq: u64, term: u64) -> Bytes {
    let filler = "x".repeat((lane_seq % 23) as usize);
    format!("{lane}/{lane_seq} in term {term} {filler}").into()
}

/// Joins and waits until every lane of the harness's service is assigned.
///
/// # Panics
/// When that does not happen.
pub fn join(harness: &dyn Harness, log: &Arc<dyn EventLog>) -> Arc<dyn Membership> {
    let service = harness.service();
    let membership = log.join(&service, "local").expect("joining works");
    let lanes = log.lanes(&service).expect("the service has lanes");
    assert!(lanes >= LANES, "the suite needs {LANES} lanes");
    let deadline = Instant::now() + harness.patience();
    let mut seen = 0;
    loop {
        let assignment = membership.assignment(seen, Duration::from_secs(1));
        if assignment.lanes.len() == lanes as usize {
            return membership;
        }
        assert!(Instant::now() < deadline, "not all lanes were assigned: {assignment:?}");
        seen = assignment.generation;
    }
}

/// Takes `lane` from its first record on and gives what was replayed.
///
/// # Panics
/// When the lane is not taken.
pub fn take(membership: &Arc<dyn Membership>, lane: u32) -> (Taken, Vec<StoredRecord>) {
    let mut replayed = Vec::new();
    let taken = take_from(membership, lane, Resume::START, &mut replayed).expect("the lane is taken");
    (taken, replayed)
}

/// Takes `lane` from `resume` on, collecting what is replayed.
///
/// # Errors
/// As [`Membership::take`].
pub fn take_from(
    membership: &Arc<dyn Membership>,
    lane: u32,
    resume: Resume,
    replayed: &mut Vec<StoredRecord>,
) -> Result<Taken, TakeError> {
    let mut keep = |record: StoredRecord| -> Result<(), Box<dyn Error + Send + Sync>> {
        replayed.push(record);
        Ok(())
    };
    membership.take(lane, resume, &mut keep, &|| false)
}

/// Reads exactly `count` records.
///
/// # Panics
/// When they do not come, or more than they are given at once.
pub fn read(harness: &dyn Harness, reader: &mut dyn LaneReader, count: usize) -> Vec<StoredRecord> {
    let deadline = Instant::now() + harness.patience();
    let mut records = Vec::new();
    while records.len() < count {
        let left = count - records.len();
        let more = reader.read(left, Duration::from_secs(1)).expect("reading works");
        assert!(more.len() <= left, "{} records were given, {left} asked for", more.len());
        records.extend(more);
        assert!(Instant::now() < deadline, "only {} of {count} records came", records.len());
    }
    records
}

/// Reads `count` records of a lane from its first on, with a reader of its own.
///
/// # Panics
/// When they do not come.
pub fn read_all(harness: &dyn Harness, log: &Arc<dyn EventLog>, lane: u32, count: usize) -> Vec<StoredRecord> {
    let mut reader = log.reader(&lane_id(harness, lane), Resume::START).expect("the lane can be read");
    read(harness, &mut *reader, count)
}

/// Checks that `records` are those that [`batch`] writes from `first_seq` on, whatever their terms.
///
/// # Panics
/// When they are not.
pub fn assert_written(records: &[StoredRecord], lane: u32, first_seq: u64) {
    for (record, lane_seq) in records.iter().zip(first_seq..) {
        assert_eq!(record.lane_seq, lane_seq, "the sequences have a gap or a repeat");
        assert_eq!(record.value, value(lane, lane_seq, record.term), "record {lane_seq} has another value");
    }
    assert!(records.is_sorted_by_key(|record| record.term), "the term falls along the lane");
}

fn lane_id(harness: &dyn Harness, lane: u32) -> LaneId {
    LaneId::new(&harness.service(), lane)
}

fn append(writer: &mut dyn LaneWriter, batch: &[NewRecord]) -> Result<Hint, AppendError> {
    writer.append(batch, None)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rule_is_run() {
        let this = include_str!("suite.rs");
        let (_, after) = this.split_once("@tests $harness;").unwrap();
        let (list, _) = after.split_once('}').unwrap();
        let run: Vec<&str> = list.split_whitespace().collect();
        let files = [
            include_str!("suite/lanes.rs"),
            include_str!("suite/reading.rs"),
            include_str!("suite/taking.rs"),
            include_str!("suite/writing.rs"),
        ];
        let mut rules = 0;
        for line in files.iter().flat_map(|file| file.lines()) {
            if let Some((rule, _)) = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once("(harness: ")) {
                assert!(run.contains(&rule), "{rule} is not in the list of conformance!");
                rules += 1;
            }
        }
        assert_eq!(rules, run.len());
    }
}
