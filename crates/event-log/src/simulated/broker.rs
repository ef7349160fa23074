//! One lane as the cluster keeps it: entries, transactions, the epoch that fences.

use std::cell::Cell;
use std::collections::VecDeque;

use bytes::Bytes;

use super::Fault;
use crate::{AppendError, Hint, NewRecord, Owner, StoredRecord};

/// A lane in the cluster.
#[derive(Default)]
pub struct Lane {
    /// What happens to the next appends.
    pub faults: VecDeque<Fault>,
    /// Who was announced last, with a batch that stands.
    pub owner: Option<Owner>,
    entries: Vec<Entry>,
    /// Everything before it is decided: what is decided stays so, and need not be looked at again.
    decided: Cell<usize>,
    transactions: Vec<Transaction>,
    /// Whose appends are accepted.
    epoch: u64,
    /// Ends of transactions that are under way.
    late_ends: Vec<LateEnd>,
}

enum Entry {
    Record {
        lane_seq: u64,
        term: u64,
        value: Bytes,
        transaction: usize,
    },
    /// Takes an offset and carries nothing.
    Marker,
}

struct Transaction {
    status: Status,
    announced: Option<Owner>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Open,
    /// Decided and acknowledged; its marker is not written.
    Committing,
    Committed,
    Aborted,
}

#[derive(Clone, Copy)]
struct LateEnd {
    transaction: usize,
    epoch: u64,
    /// It was applied once.
    repeated: bool,
}

/// What an entry is to a reader.
pub enum Seen {
    /// A record that stands.
    Committed(StoredRecord),
    /// A record that was aborted, or is not decided.
    Uncommitted(StoredRecord),
    /// Nothing.
    Nothing,
}

/// An append as it came.
pub struct Append<'a> {
    /// The writer's epoch.
    pub epoch: u64,
    /// Its batch.
    pub batch: &'a [NewRecord],
    /// Who is announced with it.
    pub announced: Option<Owner>,
}

impl Lane {
    /// The offset after the last entry.
    pub fn high_watermark(&self) -> usize {
        self.entries.len()
    }

    /// The offset of the first entry that is not decided.
    pub fn last_stable_offset(&self) -> usize {
        let undecided = |entry: &Entry| match entry {
            Entry::Record { transaction, .. } => {
                matches!(self.transactions[*transaction].status, Status::Open | Status::Committing)
            }
            Entry::Marker => false,
        };
        let known = self.decided.get();
        let end = self.entries[known..].iter().position(undecided).map_or(self.entries.len(), |after| known + after);
        self.decided.set(end);
        end
    }

    /// The entry at an offset.
    pub fn entry(&self, offset: usize) -> Seen {
        match &self.entries[offset] {
            Entry::Marker => Seen::Nothing,
            Entry::Record { lane_seq, term, value, transaction } => {
                let hint = Hint(offset as u64);
                let record = StoredRecord { lane_seq: *lane_seq, term: *term, value: value.clone(), hint };
                match self.transactions[*transaction].status {
                    Status::Committed => Seen::Committed(record),
                    Status::Open | Status::Committing | Status::Aborted => Seen::Uncommitted(record),
                }
            }
        }
    }

    /// What stands before `bound`.
    pub fn committed(&self, bound: usize) -> impl DoubleEndedIterator<Item = StoredRecord> + '_ {
        (0..bound).filter_map(|offset| match self.entry(offset) {
            Seen::Committed(record) => Some(record),
            Seen::Uncommitted(_) | Seen::Nothing => None,
        })
    }

    /// The last record that can be read: 0 for none.
    pub fn last_seq(&self) -> u64 {
        self.committed(self.last_stable_offset()).next_back().map_or(0, |record| record.lane_seq)
    }

    /// Begins a new epoch: what is open is aborted, what is decided stays so. Gives the epoch.
    pub fn init(&mut self, fence: bool) -> u64 {
        if !fence && self.epoch > 0 {
            return self.epoch;
        }
        self.epoch += 1;
        for number in 0..self.transactions.len() {
            if self.transactions[number].status == Status::Open {
                self.end(number, Status::Aborted);
            }
        }
        self.epoch
    }

    /// Writes the markers that are late.
    pub fn write_markers(&mut self) -> usize {
        let committing = |transaction: &Transaction| transaction.status == Status::Committing;
        let late: Vec<usize> = (0..self.transactions.len()).filter(|n| committing(&self.transactions[*n])).collect();
        late.iter().for_each(|number| self.end(*number, Status::Committed));
        late.len()
    }

    /// Applies what is late. Says how much was accepted.
    pub fn deliver(&mut self, whatever_its_epoch: bool) -> usize {
        let mut accepted = self.write_markers();
        for late in std::mem::take(&mut self.late_ends) {
            let transaction = &self.transactions[late.transaction];
            let timely = transaction.status == Status::Open && late.epoch == self.epoch;
            let revived = whatever_its_epoch && transaction.status == Status::Aborted;
            if timely || revived {
                self.end(late.transaction, Status::Committed);
                accepted += 1;
            }
        }
        accepted
    }

    /// Whether nobody took the lane after the writer of `epoch`.
    pub fn is_of(&self, epoch: u64) -> bool {
        self.epoch == epoch
    }

    /// Appends a batch and lets the waiting fault happen to it. Gives where it lies.
    pub fn append(&mut self, append: Append<'_>, fenced: bool, torn_by_repeat: bool) -> Result<u64, AppendError> {
        if fenced && append.epoch != self.epoch {
            return Err(AppendError::Fenced);
        }
        let unknown = |why: &str| AppendError::Unknown(why.to_owned().into());
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::Refused) => return Err(AppendError::Refused { reason: "as the test asked".to_owned() }),
            Some(Fault::TimedOut) => return Err(unknown("the batch did not reach the log")),
            Some(
                Fault::LostAnswer | Fault::Aborted | Fault::DelayedEnd | Fault::DuplicatedEnd | Fault::DelayedMarker,
            )
            | None => {}
        }
        let offset = self.entries.len() as u64;
        let epoch = append.epoch;
        if torn_by_repeat && self.late_ends.iter().any(|late| late.repeated) {
            self.late_ends.retain(|late| !late.repeated);
            let (before, after) = append.batch.split_at(append.batch.len() / 2);
            let ended = self.begin(before, append.announced);
            self.end(ended, Status::Committed);
            self.begin(after, None);
            return Err(unknown("an end of transaction came that was not meant"));
        }
        let transaction = self.begin(append.batch, append.announced);
        match fault {
            None => self.end(transaction, Status::Committed),
            Some(Fault::DelayedMarker) => self.transactions[transaction].status = Status::Committing,
            Some(Fault::DuplicatedEnd) => {
                self.end(transaction, Status::Committed);
                self.late_ends.push(LateEnd { transaction, epoch, repeated: true });
            }
            Some(Fault::LostAnswer) => {
                self.end(transaction, Status::Committed);
                return Err(unknown("the answer was lost"));
            }
            Some(Fault::Aborted) => {
                self.end(transaction, Status::Aborted);
                return Err(unknown("the transaction was aborted and the answer lost"));
            }
            Some(Fault::DelayedEnd) => {
                self.late_ends.push(LateEnd { transaction, epoch, repeated: false });
                return Err(unknown("the end of the transaction is under way"));
            }
            Some(Fault::Refused | Fault::TimedOut) => {}
        }
        Ok(offset)
    }

    /// Cuts the entries from the first record after `last_seq` on.
    pub fn truncate(&mut self, last_seq: u64) {
        let later = |entry: &Entry| matches!(entry, Entry::Record { lane_seq, .. } if *lane_seq > last_seq);
        if let Some(offset) = self.entries.iter().position(later) {
            self.entries.truncate(offset);
            self.decided.set(self.decided.get().min(offset));
        }
    }

    fn begin(&mut self, batch: &[NewRecord], announced: Option<Owner>) -> usize {
        let transaction = self.transactions.len();
        self.transactions.push(Transaction { status: Status::Open, announced });
        self.entries.extend(batch.iter().map(|record| Entry::Record {
            lane_seq: record.meta.lane_seq as u64,
            term: record.meta.term as u64,
            value: record.value.clone(),
            transaction,
        }));
        transaction
    }

    fn end(&mut self, transaction: usize, status: Status) {
        let ended = &mut self.transactions[transaction];
        ended.status = status;
        if status == Status::Committed
            && let Some(owner) = ended.announced.take()
        {
            self.owner = Some(owner);
        }
        self.entries.push(Entry::Marker);
    }
}
