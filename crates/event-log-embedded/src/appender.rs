//! How batches get onto the disk: all that wait, in one write, with one sync.
//!
//! Whoever has a batch to append queues it; the first who finds nobody writing writes for all that wait, judging each
//! batch against its lane's owner under the lock. So there is one appender at any time, nothing is delayed to fill a
//! group, and a lone caller pays for no change of thread. A batch becomes visible once it is durable.

use std::sync::MutexGuard;

use feira_event_log::{AppendError, Owner};

use crate::disk::refusal;
use crate::segment::{self, Entry};
use crate::state::{Live, Pending, Shared, State};

/// How much is written with one sync at most: what comes then need not wait for more.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// What to do once the log has stopped.
const AGAIN: &str = "nothing is appended until the process starts again";

/// What became of a write.
enum Written {
    Durable,
    /// Nothing of it is on the disk.
    Undone(String),
    /// It may be on the disk or not, and so may whatever is written after it.
    Unknown(String),
}

impl State {
    fn settle(&mut self, ticket: u64, outcome: Result<u64, AppendError>) {
        self.outcomes.insert(ticket, outcome);
    }

    /// Why a waiting batch is not to be written, if so.
    fn objection(&self, pending: &Pending) -> Option<AppendError> {
        let lane = &self.lanes[pending.lane];
        if pending.header.term != lane.owner_term {
            return Some(AppendError::Fenced);
        }
        if pending.header.base_seq != lane.last_seq + 1 {
            let (base_seq, last_seq) = (pending.header.base_seq, lane.last_seq);
            return Some(AppendError::Invalid {
                reason: format!("it begins at {base_seq}, the lane ends at {last_seq}"),
            });
        }
        self.stopped.clone().map(|reason| AppendError::Refused { reason })
    }

    /// Takes from the queue what is to be written together; what may not be written is settled at once. An error is the
    /// length of a batch for which the live segment has no room.
    fn next_group(&mut self) -> Result<Vec<Pending>, u64> {
        let mut group: Vec<Pending> = Vec::new();
        let mut bytes = 0;
        while let Some(pending) = self.queue.pop_front() {
            if let Some(objection) = self.objection(&pending) {
                self.settle(pending.ticket, Err(objection));
                continue;
            }
            let length = pending.bytes.len();
            let footer = segment::footer_bytes(self.live.batches + group.len() as u64 + 1, self.lanes.len());
            let fits = self.live.end + (bytes + length) as u64 + footer <= self.live.capacity;
            if !fits && group.is_empty() {
                self.queue.push_front(pending);
                return Err(length as u64);
            }
            if !fits || (bytes + length > GROUP_BYTES_MAX && !group.is_empty()) {
                self.queue.push_front(pending);
                break;
            }
            bytes += length;
            group.push(pending);
        }
        Ok(group)
    }
}

impl Shared {
    /// Appends a batch; answers its position once it is durable.
    pub fn append(&self, mut pending: Pending) -> Result<u64, AppendError> {
        let mut state = self.state();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        pending.ticket = ticket;
        state.queue.push_back(pending);
        loop {
            if let Some(outcome) = state.outcomes.remove(&ticket) {
                return outcome;
            }
            if state.writing {
                state = self.turn.wait(state).expect("nothing panics while it holds the state");
            } else {
                state.writing = true;
                state = self.write_group(state);
                state.writing = false;
                state.groups += 1;
                self.turn.notify_all();
            }
        }
    }

    /// Writes one group of what waits. Only whoever set `writing` is here.
    fn write_group<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let mut group = loop {
            let bytes = match state.next_group() {
                Ok(group) if group.is_empty() => return state,
                Ok(group) => break group,
                Err(bytes) => bytes,
            };
            drop(state);
            let rolled = self.roll(bytes);
            state = self.state();
            if let Err(failure) = rolled {
                if failure.stops {
                    tracing::error!("{}", failure.reason);
                    state.stopped = Some(failure.reason.clone());
                }
                if let Some(pending) = state.queue.pop_front() {
                    state.settle(pending.ticket, Err(AppendError::Refused { reason: failure.reason }));
                }
                return state;
            }
        };
        let live = state.live.clone();
        drop(state);
        let written = self.write(&live, &mut group);
        state = self.state();
        match written {
            Written::Durable => self.publish(&mut state, group),
            Written::Undone(reason) => {
                for pending in group {
                    state.settle(pending.ticket, Err(AppendError::Refused { reason: reason.clone() }));
                }
            }
            Written::Unknown(reason) => {
                tracing::error!("{reason}");
                for pending in group {
                    state.settle(pending.ticket, Err(AppendError::Unknown(reason.clone().into())));
                }
                state.stopped = Some(reason);
            }
        }
        state
    }

    fn write(&self, live: &Live, group: &mut [Pending]) -> Written {
        let mut offset = live.end;
        for pending in group.iter_mut() {
            pending.header.durable_before = live.base + live.end;
            pending.header.encode(self.id, live.base + offset, &mut pending.bytes);
            offset += pending.bytes.len() as u64;
        }
        let mut joined = Vec::new();
        let bytes = match group {
            [one] => &one.bytes,
            many => {
                many.iter().for_each(|pending| joined.extend_from_slice(&pending.bytes));
                &joined
            }
        };
        if let Err(error) = self.disk.write(&live.file, bytes, live.end) {
            // A part may be there, whole batches among it. Only once that is gone for certain is it refused.
            let undo = || {
                self.disk.write(&live.file, &vec![0; bytes.len()], live.end)?;
                self.disk.sync(&live.file)
            };
            return match undo() {
                Ok(()) => Written::Undone(refusal(&error, &self.folder)),
                Err(undo) => {
                    Written::Unknown(format!("a write failed ({error}) and could not be undone ({undo}); {AGAIN}"))
                }
            };
        }
        match self.disk.sync(&live.file) {
            Ok(()) => Written::Durable,
            // After a failed sync the system may drop what it had to write and report success the next time: it is
            // never tried again.
            Err(error) => Written::Unknown(format!("the disk failed to make a write durable ({error}); {AGAIN}")),
        }
    }

    fn publish(&self, state: &mut State, group: Vec<Pending>) {
        for pending in group {
            let (header, offset) = (pending.header, state.live.end);
            let lane = &mut state.lanes[pending.lane];
            lane.last_seq = header.last_seq();
            lane.last_term = header.term;
            lane.live.push(Entry { base_seq: header.base_seq, offset: offset as u32, bytes: header.bytes });
            if pending.announce {
                lane.owner = Some(Owner { address: "local".to_owned(), term: header.term });
            }
            let position = state.live.base + offset;
            state.live.end += u64::from(header.bytes);
            state.live.batches += 1;
            state.settle(pending.ticket, Ok(position));
            self.lanes[pending.lane].wake.notify_all();
        }
        if state.live.end > state.live.capacity / 2 {
            self.prepare();
        }
    }
}
