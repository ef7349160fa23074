//! Reading a lane in order, for whoever follows it: projectors, process managers, live updates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_event_log::{Hint, LaneReader, LogError, Resume, StoredRecord};
use feira_ids::LaneId;
use rdkafka::error::KafkaError;

use crate::cursor::{Cursor, Step};
use crate::envelope::Continuity;
use crate::failure::unavailable;
use crate::log::Shared;
use crate::reach::SILENCE;

/// How long the question may take by which an outage is known to be over.
const ASK: Duration = Duration::from_secs(1);

/// How long the client has to bring what is there, once it is known to be.
const LAST_CHANCE: Duration = Duration::from_secs(2);
/// The longest silence after which it is asked, where asking again and again changed nothing.
const SILENCE_MAX: Duration = Duration::from_secs(160);

/// A lane being read.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    lane: LaneId,
    cursor: Cursor,
    continuity: Continuity,
    away: Option<(Instant, KafkaError)>,
    /// The place after the last record, or where reading began.
    place: u64,
    /// When something came last, or was asked for.
    heard: Instant,
    silence: Duration,
    /// A record that came while it was asked whether one would.
    came: Option<StoredRecord>,
    /// What failed after records that were yet to be given.
    pending: Option<LogError>,
    /// A damage once seen is told at every later call: what lies behind it is not to be trusted.
    damage: Option<(String, String)>,
}

impl Reader {
    pub(crate) fn open(shared: Arc<Shared>, lane: &LaneId, resume: Resume) -> Result<Self, LogError> {
        let cursor = Cursor::open(&shared, lane, resume.hint)?;
        let continuity = Continuity::from(resume.next_seq);
        Ok(Self {
            shared,
            lane: lane.clone(),
            cursor,
            continuity,
            away: None,
            place: resume.hint.0,
            heard: Instant::now(),
            silence: SILENCE,
            came: None,
            pending: None,
            damage: None,
        })
    }

    /// The next record that is wanted.
    fn next(&mut self, patience: Duration) -> Result<Option<StoredRecord>, LogError> {
        loop {
            match self.cursor.step(patience)? {
                Step::Record(record) => {
                    (self.away, self.place) = (None, record.hint.0 + 1);
                    (self.heard, self.silence) = (Instant::now(), SILENCE);
                    if self.continuity.follow(&self.lane, record.lane_seq, record.term)? {
                        return Ok(Some(record));
                    }
                }
                Step::Away(error) => {
                    let since = self.away.take().map_or_else(Instant::now, |(since, _)| since);
                    self.away = Some((since, error));
                    return Ok(None);
                }
                Step::Nothing => return Ok(None),
            }
        }
    }

    /// Begins anew where it stands when the lane has gone on and nothing of it came.
    fn check_silence(&mut self) -> Result<(), LogError> {
        if self.heard.elapsed() < self.silence {
            return Ok(());
        }
        self.heard = Instant::now();
        let Ok((_, end)) = self.cursor.committed_range(ASK) else {
            // When nobody is answered that is an outage, which is told elsewhere.
            if self.cursor.is_cut_off(&self.shared) {
                tracing::warn!(lane = %self.lane, place = self.place, "a reader has lost the cluster; it begins anew");
                self.begin_anew()?;
            }
            return Ok(());
        };
        let reached = |cursor: &Cursor| cursor.position().is_some_and(|position| position >= end);
        if reached(&self.cursor) || end <= self.place {
            return Ok(());
        }
        self.came = self.next(LAST_CHANCE)?;
        if self.came.is_none() && !reached(&self.cursor) {
            tracing::warn!(lane = %self.lane, place = self.place, end, "nothing came of what is there; reading begins anew");
            self.begin_anew()?;
        }
        Ok(())
    }

    fn begin_anew(&mut self) -> Result<(), LogError> {
        self.cursor = Cursor::open(&self.shared, &self.lane, Hint(self.place))?;
        self.silence = SILENCE_MAX.min(self.silence * 2);
        Ok(())
    }

    /// Tells the caller of an outage that has lasted. That no record comes is no sign of one, so it is asked about.
    fn check_outage(&mut self) -> Result<(), LogError> {
        let tolerated = Duration::from_millis(self.shared.config.outage_tolerated_ms);
        let Some((since, error)) = self.away.take_if(|(since, _)| since.elapsed() >= tolerated) else { return Ok(()) };
        if self.shared.high_watermark(&self.lane, ASK).is_ok() {
            return Ok(());
        }
        let told = unavailable(format!("reading lane {}", self.lane), error.clone());
        self.away = Some((since, error));
        Err(told)
    }
}

impl LaneReader for Reader {
    fn read(&mut self, max: usize, wait: Duration) -> Result<Vec<StoredRecord>, LogError> {
        if let Some((place, reason)) = &self.damage {
            return Err(LogError::Damaged { place: place.clone(), reason: reason.clone() });
        }
        let deadline = Instant::now() + wait;
        let mut records = Vec::from_iter(self.came.take());
        let mut failure = self.pending.take();
        while records.len() < max && failure.is_none() {
            // Once there is one, only what has come already.
            let left = deadline.saturating_duration_since(Instant::now());
            let patience = if records.is_empty() { left } else { Duration::ZERO };
            match self.next(patience) {
                Ok(Some(record)) => records.push(record),
                Ok(None) if records.is_empty() && Instant::now() < deadline => {}
                Ok(None) => break,
                Err(error) => failure = Some(error),
            }
        }
        if records.is_empty() && failure.is_none() {
            failure = self.check_outage().and_then(|()| self.check_silence()).err();
        }
        match failure {
            Some(error) if !records.is_empty() => self.pending = Some(error),
            Some(error) => {
                if let LogError::Damaged { place, reason } = &error {
                    self.damage = Some((place.clone(), reason.clone()));
                }
                return Err(error);
            }
            None => {}
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use feira_event_log::{EventLog, suite};
    use feira_ids::ServiceName;

    use super::*;
    use crate::reach::testing::{self, PATIENCE};

    /// A record is read, something befalls the reader, and the next record is read all the same.
    fn reads_on_after(befalls: impl FnOnce(&mut Reader)) {
        let log = testing::log();
        let (cart, lane) = (ServiceName::new("cart"), LaneId::new(&ServiceName::new("cart"), 0));
        let membership = log.join(&cart, "here").expect("a member");
        let mut taken = testing::comes(|| membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).ok());
        let mut reader = Reader::open(log.shared.clone(), &lane, Resume::START).expect("a reader");
        let mut append = |lane_seq| {
            taken.writer.append(&suite::batch(0, lane_seq, taken.term, 1), None).expect("it is appended");
        };
        append(1);
        suite::assert_written(&reader.read(10, PATIENCE).expect("it is read"), 0, 1);
        befalls(&mut reader);
        append(2);
        let records = testing::comes(|| {
            let records = reader.read(10, Duration::from_millis(500)).expect("it is read");
            (!records.is_empty()).then_some(records)
        });
        suite::assert_written(&records, 0, 2);
    }

    #[test]
    fn a_reader_whose_client_has_stopped_fetching_begins_anew() {
        // As a client does that waits for what never comes: it is asked for nothing, and says nothing.
        reads_on_after(|reader| reader.cursor.stop_fetching());
    }

    #[test]
    fn a_reader_whose_client_has_lost_the_cluster_begins_anew() {
        reads_on_after(|reader| reader.cursor.lose_the_cluster(&reader.shared));
    }
}
