//! Reading a lane in order, for whoever follows it: projectors, process managers, live updates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_event_log::{LaneReader, LogError, Resume, StoredRecord};
use feira_ids::LaneId;
use rdkafka::error::KafkaError;

use crate::cursor::{Cursor, Step};
use crate::envelope::Continuity;
use crate::failure::unavailable;
use crate::log::Shared;

/// How long the question may take by which an outage is known to be over.
const ASK: Duration = Duration::from_secs(1);

/// A lane being read.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    lane: LaneId,
    cursor: Cursor,
    continuity: Continuity,
    away: Option<(Instant, KafkaError)>,
    /// What failed after records that were yet to be given.
    pending: Option<LogError>,
    /// A damage once seen is told at every later call: what lies behind it is not to be trusted.
    damage: Option<(String, String)>,
}

impl Reader {
    pub(crate) fn open(shared: Arc<Shared>, lane: &LaneId, resume: Resume) -> Result<Self, LogError> {
        let cursor = Cursor::open(&shared, lane, resume.hint)?;
        let continuity = Continuity::from(resume.next_seq);
        Ok(Self { shared, lane: lane.clone(), cursor, continuity, away: None, pending: None, damage: None })
    }

    /// The next record that is wanted.
    fn next(&mut self, patience: Duration) -> Result<Option<StoredRecord>, LogError> {
        loop {
            match self.cursor.step(patience)? {
                Step::Record(record) => {
                    self.away = None;
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
        let mut records = Vec::new();
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
            self.check_outage()?;
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
