//! The first answer to a command, read back from the log.

use std::time::{Duration, Instant};

use feira_event_log::{EventLog, Hint, LogError, Resume};
use feira_events::lane::{Event, OutcomeKind};
use feira_ids::{CommandId, LaneId};

use super::decided::First;
use super::snapshots::Decided;
use crate::{EventRef, pace};

/// How long the log may take.
const RECALL_WAIT: Duration = Duration::from_secs(2);

/// Why an answer could not be read back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecallFault {
    /// The log failed.
    #[error("the log could not be read")]
    Log(#[from] LogError),
    /// A record cannot be read.
    #[error("record {lane_seq} cannot be read")]
    Unreadable {
        lane_seq: u64,
        #[source]
        source: feira_codec::CodecError,
    },
    /// The record is not there in time.
    #[error("record {lane_seq} was not found within {} ms", RECALL_WAIT.as_millis())]
    Missing { lane_seq: u64 },
    /// The record is another command's.
    #[error("record {lane_seq} is not of command {id}: the lane's folder is not of this log")]
    OtherCommand { lane_seq: u64, id: CommandId },
}

/// Reads the records that `decided` speaks of.
pub(crate) fn recall(
    log: &dyn EventLog,
    lane: &LaneId,
    id: CommandId,
    decided: &Decided,
) -> Result<First, RecallFault> {
    let until = Instant::now() + RECALL_WAIT;
    let mut reader = log.reader(lane, Resume { next_seq: decided.lane_seq, hint: Hint(decided.hint) })?;
    let count = decided.count.max(1) as usize;
    let mut records = Vec::with_capacity(count);
    while records.len() < count {
        let left = until.saturating_duration_since(Instant::now());
        // Where nothing can be waited for, what cannot be read now is not there.
        let wait = if pace::is_simulated() { Duration::ZERO } else { left };
        let more = reader.read(count - records.len(), wait)?;
        if left.is_zero() || more.is_empty() && wait.is_zero() {
            return Err(RecallFault::Missing { lane_seq: decided.lane_seq });
        }
        records.extend(more);
    }
    let mut events = Vec::with_capacity(count);
    let mut last = decided.lane_seq;
    for record in &records[..count] {
        let lane_seq = record.lane_seq;
        let unreadable = |source| RecallFault::Unreadable { lane_seq, source };
        let opened = feira_codec::open(&record.value).map_err(unreadable)?;
        if opened.meta.command_id != id {
            return Err(RecallFault::OtherCommand { lane_seq, id });
        }
        last = lane_seq;
        if opened.meta.aggregate_seq.is_some() {
            events.push(EventRef { id: opened.meta.event_id, event_type: opened.name.into(), lane_seq });
            continue;
        }
        if let Event::CommandOutcome(outcome) = opened.decode::<Event>().map_err(unreadable)?
            && outcome.outcome == OutcomeKind::Refused
        {
            let (code, field, message) = (outcome.code, outcome.field, outcome.message);
            return Ok(First::Refused { lane_seq, code, field, message });
        }
    }
    Ok(First::Accepted { lane_seq: last, version: decided.version, events })
}
