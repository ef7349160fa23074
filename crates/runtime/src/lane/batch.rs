//! Commands decided together: their records, and the answers that wait until these stand on the log.

use std::sync::Arc;

use bytes::Bytes;
use feira_codec::EventSet;
use feira_decider::At;
use feira_event_log::{Hint, NewRecord};
use feira_events::lane::{CommandOutcome, Event, OutcomeKind};
use feira_ids::{AggregateId, CommandId, LaneId};
use feira_mutants::{Mutant, is};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use tokio::sync::oneshot;

use super::book::Book;
use super::cell::Queued;
use super::decided::First;
use super::snapshots::{Decided, FolderFault, content};
use super::stamp::Stamp;
use super::states::{Decision, Limits};
use crate::{Accepted, Answer, Clock, EventRef, Metrics, Position};

/// A batch in the making.
pub(crate) struct Batch {
    /// What is to be appended.
    pub records: Vec<NewRecord>,
    /// The bytes of their values.
    pub bytes: usize,
    decided: Vec<Fresh>,
    by_id: HashMap<CommandId, usize>,
    undecided: Vec<(oneshot::Sender<Answer>, Answer)>,
}

/// A command decided in this batch.
struct Fresh {
    id: CommandId,
    key: Arc<str>,
    aggregate: AggregateId,
    input: Bytes,
    wants_view: bool,
    decided: Decided,
    first: First,
    reply: oneshot::Sender<Answer>,
    /// Those who sent it again meanwhile.
    repeats: Vec<oneshot::Sender<Answer>>,
}

/// A command that an earlier batch decided.
pub(crate) struct Repeat {
    pub queued: Queued,
    pub decided: Decided,
}

impl Batch {
    /// An empty batch, with room for so many commands.
    pub fn sized(commands: usize) -> Self {
        Self {
            records: Vec::with_capacity(commands),
            bytes: 0,
            decided: Vec::with_capacity(commands),
            by_id: HashMap::with_capacity(commands),
            undecided: Vec::new(),
        }
    }

    /// Decides one command, or finds that it was decided before.
    pub fn add(
        &mut self,
        queued: Queued,
        book: &mut Book,
        stamp: &mut Stamp,
        limits: Limits,
        clock: &dyn Clock,
    ) -> Result<Option<Repeat>, FolderFault> {
        let id = queued.command.command_id;
        let content = content(queued.command.fingerprint, &queued.key);
        if let Entry::Occupied(earlier) = self.by_id.entry(id) {
            let fresh = &mut self.decided[*earlier.get()];
            if fresh.decided.content == content {
                fresh.wants_view |= queued.command.wants_view;
                fresh.repeats.push(queued.reply);
            } else {
                self.undecided.push((queued.reply, Answer::KeyReused));
            }
            return Ok(None);
        }
        if let Some(decided) = book.decided.get(id, &book.folder)? {
            if decided.content == content {
                return Ok(Some(Repeat { queued, decided }));
            }
            self.undecided.push((queued.reply, Answer::KeyReused));
            return Ok(None);
        }
        self.decide(queued, content, book, stamp, limits, clock)?;
        Ok(None)
    }

    fn decide(
        &mut self,
        queued: Queued,
        content: u128,
        book: &mut Book,
        stamp: &mut Stamp,
        limits: Limits,
        clock: &dyn Clock,
    ) -> Result<(), FolderFault> {
        let Queued { command, key, prepared, reply } = queued;
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(answer) => {
                self.undecided.push((reply, answer));
                return Ok(());
            }
        };
        let Some(states) = book.kinds.get_mut(command.aggregate.kind_name()) else {
            let reason = format!("{} is of no kind that this service hosts", command.aggregate).into();
            self.undecided.push((reply, Answer::Invalid { reason }));
            return Ok(());
        };
        if let Some(expected) = command.expected_version {
            let current = states.version(&key, &book.folder)?;
            if current != expected {
                self.undecided.push((reply, Answer::Conflict { current }));
                return Ok(());
            }
        }
        let at = At(stamp.decide_at(clock, &command, &book.standing));
        let (bodies, before, version, outcome) = match states.decide(&key, prepared, at, limits, &book.folder)? {
            Decision::Events { bodies, before } => {
                let version = before + bodies.len() as u64;
                (bodies, Some(before), version, None)
            }
            Decision::Nothing { version } => {
                let outcome =
                    CommandOutcome { outcome: OutcomeKind::Nothing, code: "".into(), field: None, message: "".into() };
                (vec![], None, version, Some(outcome))
            }
            Decision::Refused { code, field, message, .. } if is(Mutant::RefusalWithoutRecord) => {
                self.undecided.push((reply, Answer::Refused { position: Position::default(), code, field, message }));
                return Ok(());
            }
            Decision::Refused { code, field, message, version } => {
                let outcome = CommandOutcome { outcome: OutcomeKind::Refused, code, field, message };
                (vec![], None, version, Some(outcome))
            }
            Decision::TooMuch(reason) => {
                self.undecided.push((reply, Answer::Invalid { reason: reason.into() }));
                return Ok(());
            }
            Decision::Poison(reason) => {
                tracing::error!(
                    tenant.id = %command.tenant, aggregate = %command.aggregate, command.id = %command.command_id,
                    operation = %command.operation, error = reason, "a command failed in the program and is set aside"
                );
                let reason = format!("command {} failed", command.command_id).into();
                self.undecided.push((reply, Answer::Poison { reason }));
                return Ok(());
            }
        };
        let first_seq = stamp.next_seq();
        let principal: Arc<str> = command.principal.to_string().into();
        let bodies = match &outcome {
            None => bodies,
            Some(outcome) => {
                vec![Event::CommandOutcome(outcome.clone()).encode_body().expect("an outcome is a few texts")]
            }
        };
        let records = stamp
            .records(&command, &principal, &bodies, before, clock)
            .expect("bodies within the limits can be framed");
        let count = records.len() as u64;
        let first = match outcome {
            Some(CommandOutcome { outcome: OutcomeKind::Refused, code, field, message }) => {
                First::Refused { lane_seq: first_seq, code, field, message }
            }
            Some(_) => First::Accepted { lane_seq: first_seq, version, events: vec![] },
            None => First::Accepted { lane_seq: first_seq + count - 1, version, events: event_refs(&records) },
        };
        let decided = Decided { content, lane_seq: first_seq, hint: 0, count: records.len() as u32, version };
        self.bytes += records.iter().map(|record| record.value.len()).sum::<usize>();
        self.records.extend(records);
        self.by_id.insert(command.command_id, self.decided.len());
        self.decided.push(Fresh {
            id: command.command_id,
            key,
            aggregate: command.aggregate,
            input: command.input,
            wants_view: command.wants_view,
            decided,
            first,
            reply,
            repeats: vec![],
        });
        Ok(())
    }

    /// The batch stands from `hint` on: the book moves forward.
    pub fn keep(&self, hint: Hint, book: &mut Book) {
        book.keep_batch();
        for record in &self.records {
            book.advance(&record.meta, hint);
        }
        for fresh in &self.decided {
            book.decided.insert(fresh.id, Decided { hint: hint.0, ..fresh.decided });
            book.answers.put(fresh.id, fresh.first.clone());
        }
    }

    /// What it decided is in the book: answers everyone.
    pub fn tell(self, lane: &LaneId, book: &mut Book, metrics: &Metrics) -> Result<(), FolderFault> {
        metrics.batches.add(1);
        metrics.records.add(self.records.len() as u64);
        let mut views: HashMap<Arc<str>, Bytes> = HashMap::with_capacity(self.decided.len());
        for fresh in self.decided {
            let shared = views.get(&fresh.key);
            let view = match (&fresh.first, shared) {
                (First::Refused { .. }, _) => Bytes::new(),
                (First::Accepted { .. }, _) if !fresh.wants_view => Bytes::new(),
                (First::Accepted { .. }, Some(view)) => view.clone(),
                (First::Accepted { .. }, None) => {
                    let view = view(book, &fresh.key, &fresh.aggregate, &fresh.input)?;
                    if !book.view_is_of_input(&fresh.aggregate) {
                        views.insert(fresh.key.clone(), view.clone());
                    }
                    view
                }
            };
            match &fresh.first {
                First::Accepted { .. } => metrics.accepted.add(1),
                First::Refused { .. } => metrics.refused.add(1),
            }
            metrics.repeated.add(fresh.repeats.len() as u64);
            for repeat in fresh.repeats {
                let _ = repeat.send(answer(fresh.first.clone(), lane, view.clone(), true));
            }
            // Who asked may have gone: the command is decided all the same.
            let _ = fresh.reply.send(answer(fresh.first, lane, view, false));
        }
        tell(self.undecided, metrics);
        Ok(())
    }

    /// Answers everyone, whatever becomes of the batch.
    pub fn tell_early(&mut self, lane: &LaneId) {
        for fresh in &mut self.decided {
            let (unheard, _) = oneshot::channel();
            let reply = std::mem::replace(&mut fresh.reply, unheard);
            let _ = reply.send(answer(fresh.first.clone(), lane, Bytes::from_static(b"null"), false));
        }
    }

    /// Whether something that was not decided is told from the state of an aggregate. An id that was used before stays
    /// used, whoever owns the lane.
    pub fn tells_of_state(&self) -> bool {
        self.undecided.iter().any(|(_, answer)| !matches!(answer, Answer::KeyReused))
    }

    /// Nothing was to be written: what was not decided rests on what is committed, and can be told.
    pub fn nothing_written(self, metrics: &Metrics) {
        tell(self.undecided, metrics);
    }

    /// The batch does not stand, or may not: everyone in it gets `answer`.
    pub fn fails(self, answer: &Answer) {
        for fresh in self.decided {
            for reply in fresh.repeats.into_iter().chain([fresh.reply]) {
                let _ = reply.send(answer.clone());
            }
        }
        // What they were to be told rested on a batch that is not there.
        for (reply, _) in self.undecided {
            let _ = reply.send(answer.clone());
        }
    }
}

fn tell(undecided: Vec<(oneshot::Sender<Answer>, Answer)>, metrics: &Metrics) {
    for (reply, answer) in undecided {
        if matches!(answer, Answer::Poison { .. }) {
            metrics.poisoned.add(1);
        }
        let _ = reply.send(answer);
    }
}

/// An aggregate as clients see it who asked `input`, as committed.
pub(crate) fn view(
    book: &mut Book,
    key: &Arc<str>,
    aggregate: &AggregateId,
    input: &[u8],
) -> Result<Bytes, FolderFault> {
    match book.kinds.get_mut(aggregate.kind_name()) {
        Some(states) => states.view(key, aggregate, input, &book.folder),
        None => Ok(Bytes::from_static(b"null")),
    }
}

/// The answer to whoever sent a command, first or again.
pub(crate) fn answer(first: First, lane: &LaneId, view: Bytes, repeated: bool) -> Answer {
    match first {
        First::Accepted { lane_seq, version, events } => {
            let position = Position::at(lane.clone(), lane_seq);
            Answer::Accepted(Accepted { position, version, events, view, repeated })
        }
        First::Refused { lane_seq, code, field, message } => {
            Answer::Refused { position: Position::at(lane.clone(), lane_seq), code, field, message }
        }
    }
}

fn event_refs(records: &[NewRecord]) -> Vec<EventRef> {
    records
        .iter()
        .map(|record| EventRef {
            id: record.meta.event_id,
            event_type: record.event_type.into(),
            lane_seq: record.meta.lane_seq as u64,
        })
        .collect()
}
