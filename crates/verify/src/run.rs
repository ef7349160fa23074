//! The verification as a whole: pin, read, judge.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use feira_event_log::{EventLog, Hint, LogError, Resume};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Store, StoreError};
use feira_runtime::{Projection, process_checkpoint};
use tokio::runtime::Handle;

use crate::lanes::{Lane, Lanes};
use crate::ledger::Ledger;
use crate::pin::{Pinned, pin};
use crate::replay::{Replay, Share, Standing};
use crate::report::Report;
use crate::stock::Stock;
use crate::usage::Usage;
use crate::{Check, Fault, Place};

/// How many records are read at a time.
const READ_MAX: usize = 1_024;
/// How long a record that must be there may take to be read.
const READ_WAIT: Duration = Duration::from_secs(30);

/// What is verified.
pub struct Parts {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The live rows.
    pub store: Arc<dyn Store>,
    /// The services, each after those that follow its events: billing, which follows all others, is first.
    pub services: Vec<ServiceName>,
    /// Every projection of theirs.
    pub projections: Vec<Arc<dyn Projection>>,
    /// The process that enters usage, and its service; none where there is none.
    pub usage: Option<&'static str>,
}

/// What can be set.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long projections may take to come to the position.
    pub catch_up: Duration,
    /// For how many events' rows there is memory: a longer log is replayed in several passes.
    pub events_a_pass: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { catch_up: Duration::from_secs(10), events_a_pass: 250_000 }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records read so far, over all passes.
    pub read: u64,
    /// Records to read.
    pub of: u64,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log does not answer.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// The store does not answer.
    #[error("the rows cannot be read")]
    Store(#[from] StoreError),
    /// Whoever asked is gone.
    #[error("it was stopped")]
    Stopped,
}

/// Verifies. `tell` hears how far it is and says whether to go on.
///
/// # Errors
/// [`VerifyError`] when log or store do not answer; what is wrong with either is in the report.
///
/// # Panics
/// When a projection does: a mistake of the program.
pub async fn verify(
    parts: Parts,
    options: Options,
    tell: impl Fn(Progress) -> bool + Send + 'static,
) -> Result<Report, VerifyError> {
    let runtime = Handle::current();
    let run = Run { parts, options, runtime, tell: Box::new(tell), read: 0, of: 0 };
    tokio::task::spawn_blocking(move || run.run()).await.expect("a verification does not panic")
}

struct Run {
    parts: Parts,
    options: Options,
    runtime: Handle,
    tell: Box<dyn Fn(Progress) -> bool + Send>,
    read: u64,
    of: u64,
}

/// What is found out in the first pass.
#[derive(Default)]
struct Findings {
    lanes: Lanes,
    ledger: Ledger,
    usage: Usage,
    stock: Stock,
}

impl Run {
    fn run(mut self) -> Result<Report, VerifyError> {
        let mut report = Report::default();
        let tables: Vec<_> = self.parts.projections.iter().flat_map(|projection| projection.tables()).collect();
        self.runtime.block_on(self.parts.store.ensure(&tables))?;
        // What usage had followed before the position must be entered at it.
        let followed = self.followed()?;
        let pinned = pin(&*self.parts.log, &self.parts.services)?;
        report.position = pinned.iter().map(|lane| (lane.lane.to_string(), lane.last)).collect();
        let standing = Arc::new(self.standing(&pinned, &mut report)?);
        let events: u64 = pinned.iter().map(|lane| lane.last).sum();
        let passes = events.div_ceil(self.options.events_a_pass.max(1)).max(1);
        self.of = events * passes;
        for index in 0..passes {
            let mut findings = (index == 0).then(Findings::default);
            let mut replay = Replay::new(self.parts.projections.clone(), standing.clone(), Share { index, of: passes });
            for lane in &pinned {
                self.lane(lane, findings.as_mut(), &mut replay, &mut report)?;
            }
            if let Some(mut findings) = findings {
                if findings.ledger.lacks_decisions() {
                    self.later_decisions(&pinned, &mut findings.ledger)?;
                }
                findings.lanes.end(&mut report);
                findings.ledger.end(&mut report);
                findings.stock.end(&mut report);
                findings.usage.end(&|lane| followed.get(lane).copied().unwrap_or(0), &mut report);
            }
            let (store, runtime) = (self.parts.store.clone(), self.runtime.clone());
            let mut catch_up =
                |replay: &mut Replay, report: &mut Report| self.catch_up(&pinned, &standing, replay, report);
            replay.judge(&runtime, &*store, &mut report, &mut catch_up)?;
        }
        report.counted("projections", self.parts.projections.len() as u64);
        Ok(report)
    }

    /// How far usage was followed on each lane.
    fn followed(&self) -> Result<HashMap<String, u64>, VerifyError> {
        let mut followed = HashMap::new();
        let Some(process) = self.parts.usage else { return Ok(followed) };
        for service in &self.parts.services {
            for index in 0..self.parts.log.lanes(service)? {
                let lane = LaneId::new(service, index);
                let checkpoint = process_checkpoint(&*self.parts.store, process, &lane);
                followed.insert(lane.to_string(), self.runtime.block_on(checkpoint)?.lane_seq);
            }
        }
        Ok(followed)
    }

    /// How far each projection has come, at most to the position.
    fn standing(&self, pinned: &[Pinned], report: &mut Report) -> Result<Standing, VerifyError> {
        let mut standing = Standing::new();
        for projection in &self.parts.projections {
            let (id, sources) = (projection.id(), projection.sources());
            for Pinned { lane, last } in pinned.iter().filter(|lane| sources.contains(&lane.lane.service)) {
                let (store, name) = (&self.parts.store, lane.to_string());
                self.runtime.block_on(store.reached(id, &name, *last, self.options.catch_up))?;
                let stands = self.runtime.block_on(store.checkpoint(id, &name))?.lane_seq;
                if stands > *last && stands > self.parts.log.last_seq(lane)? {
                    let what = format!("the checkpoint of {id} is {stands}, but the lane ends at {last}");
                    report.fault(Fault::at(Check::Projections, Place::new(lane, *last), what));
                } else if stands < *last {
                    report.notes.push(format!(
                        "projection {id} has come to {name}:{stands}, {} before the position; it is compared there",
                        last - stands
                    ));
                }
                standing.insert((id, lane.clone()), stands.min(*last));
            }
        }
        Ok(standing)
    }

    /// Reads a lane up to its position.
    fn lane(
        &mut self,
        pinned: &Pinned,
        mut findings: Option<&mut Findings>,
        replay: &mut Replay,
        report: &mut Report,
    ) -> Result<(), VerifyError> {
        let id = Arc::new(pinned.lane.clone());
        let runtime = self.runtime.clone();
        let mut lane = Lane::new(&pinned.lane);
        let mut take = |seq: u64, opened: Result<feira_codec::Opened, feira_codec::CodecError>| {
            let record = match opened {
                Ok(record) => record,
                Err(error) => {
                    if findings.is_some() {
                        let what = format!("the record cannot be read: {error}");
                        report.fault(Fault::at(Check::Records, Place::new(&id, seq), what));
                    }
                    return Ok(());
                }
            };
            if let Some(findings) = findings.as_deref_mut() {
                lane.take(&mut findings.lanes, seq, &record, report);
                findings.ledger.take(&id, seq, &record, report);
                findings.usage.take(&id, seq, &record, report);
                findings.stock.take(&id, seq, &record, report);
            }
            replay.take(&runtime, &id, seq, &record, report)
        };
        let read = self.records(&pinned.lane, 1, pinned.last, &mut take);
        let first_pass = findings.is_some();
        match read {
            Err(VerifyError::Log(LogError::Damaged { place, reason })) => {
                if first_pass {
                    let what = format!("the log cannot be read on: damaged at {place}: {reason}");
                    report.fault(Fault { check: Check::Records, place: None, row: None, what });
                }
            }
            other => other?,
        }
        if first_pass {
            lane.end(report);
        }
        Ok(())
    }

    /// Gives every record of a lane from `from` to `to`.
    fn records(
        &mut self,
        lane: &LaneId,
        from: u64,
        to: u64,
        take: &mut dyn FnMut(u64, Result<feira_codec::Opened, feira_codec::CodecError>) -> Result<(), StoreError>,
    ) -> Result<(), VerifyError> {
        if from > to {
            return Ok(());
        }
        let mut reader = self.parts.log.reader(lane, Resume { next_seq: from, hint: Hint(0) })?;
        let mut at = from - 1;
        while at < to {
            let records = reader.read(READ_MAX, READ_WAIT)?;
            if records.is_empty() {
                let what = format!("record {} of lane {lane} did not come", at + 1);
                return Err(LogError::Unavailable { what, source: None }.into());
            }
            for record in records.into_iter().take_while(|record| record.lane_seq <= to) {
                at = record.lane_seq;
                self.read += 1;
                take(record.lane_seq, feira_codec::open(&record.value))?;
            }
            if !(self.tell)(Progress { read: self.read, of: self.of.max(self.read) }) {
                return Err(VerifyError::Stopped);
            }
        }
        Ok(())
    }

    /// Finds decisions that stand behind the position and on which something before it rests.
    fn later_decisions(&mut self, pinned: &[Pinned], ledger: &mut Ledger) -> Result<(), VerifyError> {
        for Pinned { lane, last } in pinned.iter().filter(|lane| lane.lane.service.as_str() == crate::ledger::SERVICE) {
            let end = self.parts.log.last_seq(lane)?;
            self.records(lane, last + 1, end, &mut |_, opened| {
                if let Ok(record) = opened {
                    ledger.take_later(&record);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Replays what came behind the position, and waits for the projections to have come there as well.
    fn catch_up(
        &mut self,
        pinned: &[Pinned],
        standing: &Standing,
        replay: &mut Replay,
        report: &mut Report,
    ) -> Result<(), VerifyError> {
        let runtime = self.runtime.clone();
        for Pinned { lane, .. } in pinned {
            let from = standing.iter().filter(|((_, of), _)| of == lane).map(|(_, stands)| *stands).min();
            let Some(from) = from else { continue };
            let end = self.parts.log.last_seq(lane)?;
            let id = Arc::new(lane.clone());
            self.records(lane, from + 1, end, &mut |seq, opened| match opened {
                Ok(record) => replay.take_later(&runtime, &id, seq, &record, report),
                Err(_) => Ok(()),
            })?;
            let name = lane.to_string();
            for ((projection, _), _) in standing.iter().filter(|((_, of), _)| of == lane) {
                let reached = self.parts.store.reached(*projection, &name, end, self.options.catch_up);
                runtime.block_on(reached)?;
            }
        }
        Ok(())
    }
}
