//! The thread of one lane: takes it when it is assigned, decides its commands, lets it go.
//!
//! Everything that waits for the log waits here. Nobody is answered before the batch stands; what the outcome of an
//! append does not say is asked of the log, by taking the lane anew.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feira_codec::EventSet;
use feira_event_log::{AppendError, EventLog, Hint, LaneWriter, LogError, Membership, TakeError};
use feira_events::lane::{Event, LaneTaken};
use feira_ids::{CommandId, Hash16, LaneId};
use feira_mutants::{Mutant, is};
use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::batch::{Batch, Repeat, answer, view};
use super::book::Book;
use super::cell::{Cell, Phase, Queued, Wanted, Work};
use super::recall::recall;
use super::snapshots::FolderFault;
use super::stamp::Stamp;
use super::states::{Limits, ReplayFault, panic_text};
use crate::chain::Chain;
use crate::kind::Kind;
use crate::{Answer, Metrics, Options, jitter, pace};

/// How long an unproved lane waits for its next assignment before it tries again all the same.
const UNPROVED_PATIENCE: Duration = Duration::from_secs(5);
/// How many answers are read back from the log at once.
const RECALLS_MAX: usize = 8;

/// What the thread of a lane needs.
pub(crate) struct LaneOwner {
    pub lane: LaneId,
    pub address: Arc<str>,
    pub cell: Arc<Cell>,
    pub log: Arc<dyn EventLog>,
    pub membership: Arc<dyn Membership>,
    pub kinds: Arc<[Arc<dyn Kind>]>,
    pub options: Options,
    pub metrics: Arc<Metrics>,
    pub folder: PathBuf,
    pub recalls: Arc<Semaphore>,
}

/// How a term ended, and what becomes of the book.
enum TermEnd {
    /// It was told to end.
    Told,
    /// The lane is not proved to be this process's.
    Unproved,
    /// Another owner has it, or the log failed: take it again, going on from the book.
    Again,
    /// The folder is damaged: build it anew.
    Rebuild,
    /// The disk under the folder refused.
    Disk,
}

/// A semaphore for [`LaneOwner::recalls`].
pub(crate) fn recalls() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(RECALLS_MAX))
}

impl LaneOwner {
    /// Serves the lane whenever it is assigned, until the process ends.
    pub async fn run(self) {
        let mut faults = 0;
        let mut unproved = None;
        let mut book = None;
        loop {
            let wanted = self.cell.wait_wanted(unproved.take(), UNPROVED_PATIENCE).await;
            let Wanted::Take { generation, epoch } = wanted else { return };
            // A fault of the program must not leave a lane that nobody serves and nobody else may take.
            let term = AssertUnwindSafe(self.term(&mut book, epoch, &mut faults)).catch_unwind().await;
            let end = term.unwrap_or_else(|panic| {
                tracing::error!(lane = %self.lane, error = panic_text(&*panic), "the lane failed and is built again");
                book = None;
                TermEnd::Again
            });
            match end {
                TermEnd::Told | TermEnd::Unproved => self.turn_away(&self.moved()),
                TermEnd::Again | TermEnd::Rebuild | TermEnd::Disk => self.turn_away(&Answer::NotReady),
            }
            match end {
                TermEnd::Told => {
                    book = None;
                    continue;
                }
                TermEnd::Unproved => {
                    unproved = Some(generation);
                    continue;
                }
                TermEnd::Again => {}
                TermEnd::Rebuild => {
                    self.metrics.rebuilds.add(1);
                    if let Some(Err(fault)) = book.take().map(Book::discard) {
                        tracing::warn!(lane = %self.lane, error = %Chain(&fault), "cannot throw snapshots away");
                    }
                }
                TermEnd::Disk => book = None,
            }
            faults += 1;
            let (shortest, longest) = self.options.retake_pause;
            self.cell.pause(jitter::pause(shortest, longest, faults), epoch).await;
        }
    }

    /// Takes the lane and serves it until something ends the term.
    async fn term(&self, kept: &mut Option<Book>, epoch: u64, faults: &mut u32) -> TermEnd {
        self.cell.enter(Phase::Taking);
        let began = Instant::now();
        if kept.is_none() {
            match Book::open(&self.folder, &self.log.log_id(), &self.kinds, &self.options, &self.metrics) {
                Ok(book) => *kept = Some(book),
                Err(fault) => return self.folder_fault(&fault),
            }
        }
        let book = kept.as_mut().expect("it was just opened");
        let from = book.standing.lane_seq;
        let cell = self.cell.clone();
        let stop = move || cell.epoch() != epoch;
        pace::step().await;
        let taken = self.membership.take(self.lane.index, book.resume(), &mut |record| book.take_in(&record), &stop);
        let mut taken = match taken {
            Ok(taken) => taken,
            Err(TakeError::Stopped) => return TermEnd::Told,
            Err(TakeError::NotAssigned) => {
                tracing::info!(lane = %self.lane, "the lane is not proved to be assigned here; waiting for the next assignment");
                return TermEnd::Unproved;
            }
            Err(TakeError::Replay { lane_seq, source }) => return self.replay_fault(lane_seq, &*source),
            Err(TakeError::Log(error)) => return self.log_fault(&error),
        };
        if taken.last_seq != book.standing.lane_seq {
            let (log, book) = (taken.last_seq, book.standing.lane_seq);
            tracing::error!(lane = %self.lane, log, book, "the lane was not replayed to its end");
            return TermEnd::Rebuild;
        }
        if stop() {
            return TermEnd::Told;
        }
        if let Err(end) = self.announce(book, taken.writer.as_mut(), taken.term).await {
            return end;
        }
        self.metrics.takeovers.add(1);
        self.cell.set_trouble(None);
        *faults = 0;
        let (lane, term, records, duration_ms) =
            (&self.lane, taken.term, book.standing.lane_seq - from, began.elapsed().as_millis() as u64);
        tracing::info!(%lane, term, records, duration_ms, "took lane {lane}");
        self.cell.enter(Phase::Serving { term });
        let end = self.serve(book, taken.writer.as_mut(), taken.term, epoch).await;
        if let Err(fault) = book.flush() {
            tracing::warn!(lane = %self.lane, error = %Chain(&fault), "snapshots could not be written");
        }
        end
    }

    /// Begins the term on the log.
    async fn announce(&self, book: &mut Book, writer: &mut dyn LaneWriter, term: u64) -> Result<(), TermEnd> {
        let body = Event::LaneTaken(LaneTaken { address: self.address.clone() })
            .encode_body()
            .expect("an address can be encoded");
        let id =
            CommandId::derive(&super::platform(), "service:runtime", "lane.take", &format!("{}:{term}", self.lane));
        let record = Stamp::after(&book.standing, self.lane.index, term)
            .lane_record(
                |mut meta| {
                    meta.command_id = id;
                    meta.event_id = id.event(0);
                    meta.causation_id = id.0;
                    meta.correlation_id = Hash16(id.0.0);
                    meta
                },
                &body,
                self.options.clock.as_ref(),
            )
            .expect("an address can be framed");
        let batch = [record];
        pace::step().await;
        match writer.append(&batch, Some(&self.address)) {
            Ok(hint) => {
                book.advance(&batch[0].meta, hint);
                Ok(())
            }
            Err(error) => Err(self.append_fault(&error).1),
        }
    }

    /// Decides commands until something ends the term.
    async fn serve(&self, book: &mut Book, writer: &mut dyn LaneWriter, term: u64, epoch: u64) -> TermEnd {
        loop {
            let patience = (book.unflushed() > 0).then_some(self.options.flush_idle);
            match self.cell.next(self.options.batch_max, patience, epoch).await {
                Work::End => return TermEnd::Told,
                Work::Idle => {
                    if let Err(fault) = book.flush() {
                        return self.folder_fault(&fault);
                    }
                }
                // One that has another owner is asked nothing any more, and would not hear of it from an append.
                Work::Doubt => {
                    pace::step().await;
                    if let Err(error) = writer.confirm(&self.address) {
                        return self.append_fault(&error).1;
                    }
                }
                Work::Commands(mut commands) => {
                    while !commands.is_empty() {
                        if let Err(end) = self.batch(&mut commands, book, writer, term).await {
                            book.drop_batch();
                            // The rest was not touched.
                            for queued in commands {
                                let _ = queued.reply.send(Answer::NotReady);
                            }
                            return end;
                        }
                    }
                }
            }
        }
    }

    /// Decides as many of `commands` as go into one batch, and sees it onto the log.
    async fn batch(
        &self,
        commands: &mut std::collections::VecDeque<Queued>,
        book: &mut Book,
        writer: &mut dyn LaneWriter,
        term: u64,
    ) -> Result<(), TermEnd> {
        let limits = self.limits();
        let clock = self.options.clock.as_ref();
        let mut stamp = Stamp::after(&book.standing, self.lane.index, term);
        let mut batch = Batch::sized(commands.len());
        while batch.bytes < self.options.batch_bytes_max
            && let Some(queued) = commands.pop_front()
        {
            let repeat = match batch.add(queued, book, &mut stamp, limits, clock) {
                Ok(repeat) => repeat,
                Err(fault) => {
                    batch.fails(&Answer::NotReady);
                    return Err(self.folder_fault(&fault));
                }
            };
            if let Some(repeat) = repeat
                && let Err(fault) = self.repeat(repeat, book)
            {
                batch.fails(&Answer::NotReady);
                return Err(self.folder_fault(&fault));
            }
        }
        pace::step().await;
        if batch.records.is_empty() {
            // What is told without a record rests on the state here. A process that was stopped and wakes up has an old
            // one, and must not call final what it only believes.
            if batch.tells_of_state()
                && !is(Mutant::RefusalWithoutRecord)
                && let Err(error) = writer.confirm(&self.address)
            {
                let (answer, end) = self.append_fault(&error);
                batch.fails(&answer);
                return Err(end);
            }
            batch.nothing_written(&self.metrics);
            return Ok(());
        }
        if is(Mutant::AnswerBeforeCommit) {
            batch.tell_early(&self.lane);
        }
        if is(Mutant::SnapshotAhead) {
            batch.keep(Hint(book.standing.hint), book);
            book.flush().map_err(|fault| self.folder_fault(&fault))?;
        }
        let began = Instant::now();
        let appended = writer.append(&batch.records, None);
        // Whoever dies here dies with an answer that nobody hears.
        pace::step().await;
        match appended {
            Ok(hint) => {
                self.metrics.append_us.add(began.elapsed().as_micros() as u64);
                if !is(Mutant::SnapshotAhead) {
                    batch.keep(hint, book);
                }
                batch.tell(&self.lane, book, &self.metrics).map_err(|fault| self.folder_fault(&fault))?;
                if book.flush_is_due() {
                    book.flush().map_err(|fault| self.folder_fault(&fault))?;
                }
                Ok(())
            }
            Err(AppendError::Refused { reason }) => {
                self.metrics.log_refused.add(1);
                tracing::error!(lane = %self.lane, error = reason, "the log takes nothing in; commands are turned away");
                batch.fails(&Answer::Overloaded);
                book.drop_batch();
                Ok(())
            }
            Err(error) => {
                let (answer, end) = self.append_fault(&error);
                batch.fails(&answer);
                Err(end)
            }
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            events: self.options.command_events_max,
            body_bytes: self.options.record_bytes_max,
            bytes: self.options.batch_bytes_max,
        }
    }

    /// Answers a command that was decided before: from memory, or by reading the log where no batch waits for it.
    fn repeat(&self, repeat: Repeat, book: &mut Book) -> Result<(), FolderFault> {
        let Repeat { queued: Queued { command, key, reply, .. }, decided } = repeat;
        let view = match command.wants_view {
            true => view(book, &key, &command.aggregate, &command.input)?,
            false => Bytes::new(),
        };
        let id = command.command_id;
        self.metrics.repeated.add(1);
        if let Some(first) = book.answers.get(id) {
            let _ = reply.send(answer(first, &self.lane, view, true));
            return Ok(());
        }
        let Ok(permit) = self.recalls.clone().try_acquire_owned() else {
            let _ = reply.send(Answer::Overloaded);
            return Ok(());
        };
        let (log, lane, answers, metrics) =
            (self.log.clone(), self.lane.clone(), book.answers.clone(), self.metrics.clone());
        pace::detach(move || {
            let _permit = permit;
            let found = answers.get(id).map_or_else(|| recall(log.as_ref(), &lane, id, &decided), Ok);
            match found {
                Ok(first) => {
                    metrics.recalled.add(1);
                    answers.put(id, first.clone());
                    let _ = reply.send(answer(first, &lane, view, true));
                }
                Err(fault) => {
                    tracing::error!(%lane, command.id = %id, error = %Chain(&fault), "a first answer cannot be read back");
                    let _ = reply.send(Answer::TimedOut);
                }
            }
        });
        Ok(())
    }

    /// What the commands of a failed batch are told, and how the term goes on.
    fn append_fault(&self, error: &AppendError) -> (Answer, TermEnd) {
        match error {
            AppendError::Fenced => {
                self.metrics.fenced.add(1);
                tracing::warn!(lane = %self.lane, "the lane has another owner");
                (self.moved(), TermEnd::Again)
            }
            AppendError::Unknown(source) => {
                self.metrics.unknown.add(1);
                tracing::warn!(lane = %self.lane, error = %Chain(source.as_ref()), "an append has no known outcome; asking the log");
                (Answer::TimedOut, TermEnd::Again)
            }
            AppendError::Refused { reason } => {
                self.metrics.log_refused.add(1);
                tracing::error!(lane = %self.lane, error = reason, "the log takes nothing in");
                (Answer::Overloaded, TermEnd::Again)
            }
            AppendError::Invalid { reason } => {
                tracing::error!(lane = %self.lane, error = reason, "the log does not know the lane as it is here");
                (Answer::NotReady, TermEnd::Rebuild)
            }
        }
    }

    /// Where the lane is said to be, if it is elsewhere.
    fn moved(&self) -> Answer {
        let owner = self.log.owners().owner(&self.lane).filter(|owner| *owner.address != *self.address);
        let term = owner.as_ref().map_or(0, |owner| owner.term);
        Answer::Moved { owner: owner.map(|owner| owner.address), term }
    }

    fn folder_fault(&self, fault: &FolderFault) -> TermEnd {
        match fault {
            FolderFault::Damaged { .. } => {
                tracing::warn!(lane = %self.lane, error = %Chain(fault), "snapshots are damaged and are built again");
                TermEnd::Rebuild
            }
            FolderFault::Io { .. } => {
                tracing::error!(lane = %self.lane, error = %Chain(fault), "the lane's folder cannot be used");
                TermEnd::Disk
            }
        }
    }

    /// Tells the first of a row of like failures; the ones that follow say nothing new.
    fn log_fault(&self, error: &LogError) -> TermEnd {
        let trouble = Chain(error).to_string();
        if self.cell.trouble().as_deref() != Some(&*trouble) {
            match error {
                LogError::Damaged { .. } => {
                    tracing::error!(lane = %self.lane, error = trouble, "the lane is not served: its log is damaged");
                }
                _ => tracing::warn!(lane = %self.lane, error = trouble, "the lane cannot be taken yet"),
            }
        }
        self.cell.set_trouble(Some(trouble.into()));
        TermEnd::Again
    }

    fn replay_fault(&self, lane_seq: u64, source: &(dyn Error + Send + Sync + 'static)) -> TermEnd {
        let folder = source.downcast_ref::<FolderFault>().or_else(|| match source.downcast_ref::<ReplayFault>() {
            Some(ReplayFault::Folder(fault)) => Some(fault),
            _ => None,
        });
        if let Some(fault) = folder {
            return self.folder_fault(fault);
        }
        let trouble = Chain(source).to_string();
        tracing::error!(lane = %self.lane, lane_seq, error = trouble, "the lane cannot be replayed and is not served");
        self.cell.set_trouble(Some(trouble.into()));
        match source.downcast_ref::<ReplayFault>() {
            // It may be the folder that is wrong, not the log: the next try goes without it.
            Some(ReplayFault::Gap { .. } | ReplayFault::LaneGap { .. }) => TermEnd::Rebuild,
            _ => TermEnd::Again,
        }
    }

    /// Tells those who wait in the queue that the lane is not served here now.
    fn turn_away(&self, answer: &Answer) {
        for queued in self.cell.enter(Phase::Away) {
            let _ = queued.reply.send(answer.clone());
        }
    }
}
