//! A record's envelope as Kafka headers, and what makes a run of records whole.
//!
//! The headers are a public contract: CloudEvents in Kafka's binary mode, with our extensions. The value holds the same
//! and is what everyone else decodes; here the headers are enough.

use feira_event_log::{AppendError, LogError, NewRecord};
use feira_ids::LaneId;
use rdkafka::message::{Header, Headers, OwnedHeaders};

use crate::writer::RECORD_BYTES_MAX;

const LANE_SEQ: &str = "ce_laneseq";
const TERM: &str = "ce_term";

/// A record's headers.
pub(crate) fn headers(lane: &LaneId, record: &NewRecord, key: &str) -> OwnedHeaders {
    let meta = &record.meta;
    // What we read ourselves comes first, so that we need not look at the rest.
    let mut headers = Building(OwnedHeaders::new_with_capacity(19));
    headers.add(LANE_SEQ, &meta.lane_seq.to_string());
    headers.add(TERM, &meta.term.to_string());
    headers.add("ce_specversion", "1.0");
    headers.add("ce_id", &meta.event_id.to_string());
    headers.add("ce_source", &format!("/{lane}"));
    headers.add("ce_type", record.event_type);
    if !meta.aggregate.is_empty() {
        headers.add("ce_subject", &meta.aggregate);
    }
    if let Ok(at) = jiff::Timestamp::from_millisecond(meta.at) {
        headers.add("ce_time", &at.to_string());
    }
    headers.add("ce_partitionkey", key);
    headers.add("content-type", "application/avro");
    if let Some(seq) = meta.aggregate_seq {
        headers.add("ce_aggregateseq", &seq.to_string());
    }
    headers.add("ce_tenant", meta.tenant.as_str());
    headers.add("ce_commandid", &meta.command_id.to_string());
    headers.add("ce_causationid", &meta.causation_id.to_string());
    headers.add("ce_correlationid", &meta.correlation_id.to_string());
    headers.add("ce_hlc", &meta.hlc.to_string());
    if let Some(traceparent) = &meta.traceparent {
        headers.add("traceparent", traceparent);
    }
    headers.0
}

/// Headers while they are added to.
struct Building(OwnedHeaders);

impl Building {
    fn add(&mut self, key: &str, value: &str) {
        let so_far = std::mem::replace(&mut self.0, OwnedHeaders::new_with_capacity(0));
        self.0 = so_far.insert(Header { key, value: Some(value) });
    }
}

/// The lane sequence and the term that a record's headers tell; none when they do not.
pub(crate) fn place(headers: &impl Headers) -> Option<(u64, u64)> {
    let (mut lane_seq, mut term) = (None, None);
    for header in headers.iter() {
        match header.key {
            LANE_SEQ => lane_seq = header.value.and_then(number),
            TERM => term = header.value.and_then(number),
            _ => {}
        }
        if let (Some(lane_seq), Some(term)) = (lane_seq, term) {
            return Some((lane_seq, term));
        }
    }
    None
}

fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Checks that `batch` is what comes after `last_seq` in `term` on `lane`, and small enough to be taken.
pub(crate) fn check_batch(lane: &LaneId, last_seq: u64, term: u64, batch: &[NewRecord]) -> Result<(), AppendError> {
    let invalid = |reason: String| Err(AppendError::Invalid { reason });
    if batch.is_empty() {
        // An empty transaction commits even when its owner is fenced: it would acknowledge nothing as if it were something.
        return invalid("it is empty".into());
    }
    for (record, expected) in batch.iter().zip(last_seq + 1..) {
        let meta = &record.meta;
        if u64::try_from(meta.lane_seq) != Ok(expected) {
            return invalid(format!("sequence {} where {expected} comes next", meta.lane_seq));
        }
        if u64::try_from(meta.term) != Ok(term) {
            return invalid(format!("term {} by the writer of term {term}", meta.term));
        }
        if u32::try_from(meta.lane) != Ok(lane.index) {
            return invalid(format!("a record of lane {} on lane {lane}", meta.lane));
        }
        if record.value.len() > RECORD_BYTES_MAX {
            return Err(AppendError::Refused {
                reason: format!(
                    "record {expected} has {} bytes and at most {RECORD_BYTES_MAX} can be taken; write less in one event",
                    record.value.len()
                ),
            });
        }
    }
    Ok(())
}

/// Follows a run of records: their sequences rise by one, their terms never fall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Continuity {
    wanted: u64,
    last: Option<(u64, u64)>,
}

impl Continuity {
    /// Of a run that is to have `wanted` in it, and may begin before.
    pub(crate) fn from(wanted: u64) -> Self {
        Self { wanted, last: None }
    }

    /// The last record that was followed: sequence and term.
    pub(crate) fn last(&self) -> Option<(u64, u64)> {
        self.last
    }

    /// Follows the next record; tells whether it is among those wanted.
    pub(crate) fn follow(&mut self, lane: &LaneId, lane_seq: u64, term: u64) -> Result<bool, LogError> {
        let damaged = |reason: String| LogError::Damaged {
            place: format!("lane {lane}, record {lane_seq}"),
            reason: format!("{reason}; nothing of this lane is served until an operator has looked at the topic"),
        };
        match self.last {
            None if lane_seq > self.wanted => {
                return Err(damaged(format!("records {} to {} are missing", self.wanted, lane_seq - 1)));
            }
            Some((before, _)) if lane_seq != before + 1 => {
                return Err(damaged(format!("it follows record {before}")));
            }
            Some((_, before)) if term < before => {
                return Err(damaged(format!("its term {term} is below the term {before} of the record before it")));
            }
            None | Some(_) => {}
        }
        self.last = Some((lane_seq, term));
        Ok(lane_seq >= self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use feira_ids::ServiceName;
    use proptest::prelude::*;

    use super::*;

    fn lane() -> LaneId {
        LaneId::new(&ServiceName::new("cart"), 0)
    }

    proptest! {
        #[test]
        fn a_whole_run_is_followed_from_any_place_at_or_before_the_one_wanted(
            start in 1u64..50, before in 0u64..20, terms in proptest::collection::vec(0u64..3, 1..60),
        ) {
            let wanted = start + before;
            let mut continuity = Continuity::from(wanted);
            let mut term = 1;
            for (seq, more) in (start..).zip(terms) {
                term += more;
                prop_assert_eq!(continuity.follow(&lane(), seq, term).unwrap(), seq >= wanted);
                prop_assert_eq!(continuity.last(), Some((seq, term)));
            }
        }

        #[test]
        fn a_run_with_one_record_taken_out_doubled_or_of_a_lower_term_is_damaged(
            length in 3u64..40, at in 1u64..39, fault in 0u8..3,
        ) {
            let at = 1 + at % (length - 1);
            let mut run: Vec<(u64, u64)> = (1..=length).map(|seq| (seq, 2)).collect();
            match fault {
                0 => { run.remove(at as usize - 1); }
                1 => run.insert(at as usize, (at, 2)),
                _ => run[at as usize].1 = 1,
            }
            let mut continuity = Continuity::from(1);
            prop_assert!(run.into_iter().any(|(seq, term)| continuity.follow(&lane(), seq, term).is_err()));
        }

        #[test]
        fn headers_of_any_bytes_are_read_or_told_apart_never_a_panic(
            keys in proptest::collection::vec(0usize..3, 0..6), value in proptest::collection::vec(any::<u8>(), 0..24),
        ) {
            let mut headers = OwnedHeaders::new();
            for key in &keys {
                headers = headers.insert(Header { key: [LANE_SEQ, TERM, "other"][*key], value: Some(&value) });
            }
            let expected = number(&value).filter(|_| keys.contains(&0) && keys.contains(&1));
            prop_assert_eq!(place(&headers), expected.map(|number| (number, number)));
        }
    }

    #[test]
    fn a_run_that_begins_after_the_record_wanted_is_damaged() {
        assert!(Continuity::from(5).follow(&lane(), 6, 1).is_err());
    }
}
