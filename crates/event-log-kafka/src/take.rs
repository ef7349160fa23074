//! Taking a lane over: proof, fence, the lane's records up to its end, a new term.

use std::error::Error;
use std::time::{Duration, Instant};

use feira_event_log::{LogError, Resume, StoredRecord, TakeError, Taken};
use feira_ids::LaneId;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;

use crate::cursor::{Cursor, Step};
use crate::envelope::Continuity;
use crate::failure::{no_answer, unavailable};
use crate::log::Shared;
use crate::writer::{Appender, Writer};

/// How long one try to fence the former owner may take. The membership is proved anew before each.
const FENCE: Duration = Duration::from_secs(5);
/// How many tries there are, before the caller is told that the cluster does not answer.
const FENCE_TRIES: u32 = 4;
/// How long one question may take.
const ASK: Duration = Duration::from_secs(5);
/// How long to wait for a record before looking where one stands and whether to stop.
const GLANCE: Duration = Duration::from_millis(5);
/// How long reading may stand still.
const STALL_MAX: Duration = Duration::from_secs(30);

/// What a caller takes records in with.
pub(crate) type OnRecord<'a> = &'a mut dyn FnMut(StoredRecord) -> Result<(), Box<dyn Error + Send + Sync>>;

/// Takes `lane`; `prove` answers whether it is still assigned to this process.
pub(crate) fn take(
    shared: &Shared,
    lane: &LaneId,
    resume: Resume,
    on_record: OnRecord<'_>,
    stop: &dyn Fn() -> bool,
    prove: &dyn Fn() -> Result<(), TakeError>,
) -> Result<Taken, TakeError> {
    let began = Instant::now();
    let go_on = || if stop() { Err(TakeError::Stopped) } else { Ok(()) };
    go_on()?;
    let appender = fence(shared, lane, &go_on, prove)?;
    let fenced_ms = began.elapsed().as_millis() as u64;
    go_on()?;
    let (last_seq, last_term) = replay(shared, lane, resume, on_record, &go_on)?;
    go_on()?;
    let term = last_term + 1;
    tracing::info!(
        lane = %lane, term, last_seq, fenced_ms, duration_ms = began.elapsed().as_millis() as u64,
        "took lane {lane} in term {term}"
    );
    Ok(Taken { writer: Box::new(Writer::new(shared, lane, appender, term, last_seq)), term, last_seq })
}

/// Makes every earlier owner unable to commit, and ends the transaction one may have left open.
fn fence(
    shared: &Shared,
    lane: &LaneId,
    go_on: &dyn Fn() -> Result<(), TakeError>,
    prove: &dyn Fn() -> Result<(), TakeError>,
) -> Result<Appender, TakeError> {
    let mut appender = None;
    let mut tries = 0;
    loop {
        // A process that was stopped and wakes up must not fence the owner that came after it: that owner would let go,
        // and nobody would have the lane.
        prove()?;
        go_on()?;
        tries += 1;
        let trying = match appender.take() {
            Some(trying) => trying,
            None => Appender::open(shared, lane)?,
        };
        match trying.producer().init_transactions(FENCE) {
            Ok(()) => return Ok(trying),
            Err(KafkaError::Transaction(error)) if error.is_retriable() && tries < FENCE_TRIES => {
                tracing::warn!(lane = %lane, error = %error, "fencing the former owner of lane {lane} takes long");
                appender = Some(trying);
            }
            Err(error) => return Err(unavailable(format!("fencing the former owner of lane {lane}"), error).into()),
        }
    }
}

/// Gives the lane's records from `resume` on to `on_record`; answers the last record's sequence and term.
fn replay(
    shared: &Shared,
    lane: &LaneId,
    resume: Resume,
    on_record: OnRecord<'_>,
    go_on: &dyn Fn() -> Result<(), TakeError>,
) -> Result<(u64, u64), TakeError> {
    // The high watermark, asked for after the fence. What is committed only shows up to the first open transaction,
    // and a reader that stopped there could miss what a former owner has acknowledged.
    let end = shared.high_watermark(lane, ASK)?;
    let mut continuity = Continuity::from(resume.next_seq);
    let cursor = Cursor::open(shared, lane, resume.hint)?;
    if resume.hint.0 < end {
        let mut moved = Instant::now();
        loop {
            go_on()?;
            if let Step::Record(record) = cursor.step(GLANCE)? {
                moved = Instant::now();
                let place = record.hint.0;
                if continuity.follow(lane, record.lane_seq, record.term)? {
                    let lane_seq = record.lane_seq;
                    on_record(record).map_err(|source| TakeError::Replay { lane_seq, source })?;
                }
                if place + 1 < end {
                    continue;
                }
            }
            if cursor.position().is_some_and(|position| position >= end) {
                break;
            }
            if moved.elapsed() > STALL_MAX {
                return Err(stalled(shared, lane, end).into());
            }
        }
    }
    let last = match continuity.last() {
        Some(last) => last,
        // Nothing from the hint on: what the lane ends with lies before it.
        None => last_record(&cursor)?.map_or((0, 0), |record| (record.lane_seq, record.term)),
    };
    let known = resume.next_seq.saturating_sub(1);
    let complaint = if last.0 < known {
        format!(
            "it ends with record {} and record {known} was seen before: the topic was cut short, or made anew",
            last.0
        )
    } else if continuity.last().is_none() && last.0 > known {
        format!("record {} lies before the place where record {} was looked for", last.0, resume.next_seq)
    } else {
        return Ok(last);
    };
    Err(LogError::Damaged { place: format!("lane {lane}"), reason: complaint }.into())
}

fn last_record(cursor: &Cursor) -> Result<Option<StoredRecord>, LogError> {
    let (low, end) = cursor.committed_range(ASK)?;
    cursor.last_before(low, end)
}

/// Why reading does not reach the end that the lane had.
fn stalled(shared: &Shared, lane: &LaneId, end: u64) -> LogError {
    match shared.high_watermark(lane, ASK) {
        Ok(now) if now < end => LogError::Damaged {
            place: format!("lane {lane}"),
            reason: format!(
                "it reached to offset {end} and now reaches to {now}: a broker has lost acknowledged records"
            ),
        },
        Ok(_) => no_answer(format!(
            "reading lane {lane} to offset {end}: a transaction that nobody ends hides its records; see \
             kafka-transactions.sh find-hanging"
        )),
        Err(error) => error,
    }
}
