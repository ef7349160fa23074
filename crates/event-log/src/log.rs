//! The traits that every home's log fulfils. All calls may block: call them from a thread of one's own.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use feira_ids::{LaneId, ServiceName};

use crate::{AppendError, Hint, LogError, NewRecord, StoredRecord, TakeError};

/// A log of lanes.
pub trait EventLog: Send + Sync + 'static {
    /// Names this log for ever: what is kept beside a log (snapshots, checkpoints) belongs to one log only.
    fn log_id(&self) -> String;

    /// How many lanes `service` has.
    ///
    /// # Errors
    /// When the log does not answer, or has none for the service.
    fn lanes(&self, service: &ServiceName) -> Result<u32, LogError>;

    /// Enters this process among those that serve `service`'s lanes; `address` is where it takes commands.
    ///
    /// # Errors
    /// When the log does not answer.
    fn join(&self, service: &ServiceName, address: &str) -> Result<Arc<dyn Membership>, LogError>;

    /// Reads a lane's committed records from `resume` on.
    ///
    /// # Errors
    /// When the log does not answer or has no such lane.
    fn reader(&self, lane: &LaneId, resume: Resume) -> Result<Box<dyn LaneReader>, LogError>;

    /// The sequence of the lane's last committed record that can be read now; 0 for none.
    ///
    /// # Errors
    /// When the log does not answer or has no such lane.
    fn last_seq(&self, lane: &LaneId) -> Result<u64, LogError>;

    /// Who is said to own which lane.
    fn owners(&self) -> Arc<dyn OwnerHints>;
}

/// Where reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The first sequence wanted.
    pub next_seq: u64,
    /// A place at or before it.
    pub hint: Hint,
}

impl Resume {
    /// From the lane's first record.
    pub const START: Self = Self { next_seq: 1, hint: Hint(0) };

    /// After the record `seq` that lay at `hint`.
    pub fn after(seq: u64, hint: Hint) -> Self {
        Self { next_seq: seq + 1, hint }
    }
}

/// The lanes a process is to serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// Rises with every change.
    pub generation: u64,
    /// The lanes' numbers.
    pub lanes: BTreeSet<u32>,
    /// The membership was lost: lanes being served stop at once. (A mere revoke lets them go on until a next
    /// assignment says otherwise.)
    pub lost: bool,
}

/// A process among those that serve a service.
pub trait Membership: Send + Sync {
    /// The assignment, once its generation is above `seen` or `wait` has passed.
    fn assignment(&self, seen: u64, wait: Duration) -> Assignment;

    /// Takes an assigned lane over: proves the assignment, fences the former owner, gives every committed record from
    /// `resume` on to `on_record`, in order, and answers the writer of a new term. Asks `stop` between steps.
    ///
    /// The lane's end is judged after the fence, so that nothing a former owner got acknowledged is missed. A log whose
    /// end lies before `resume.next_seq - 1` has lost data: [`LogError::Damaged`].
    ///
    /// # Errors
    /// As the variants of [`TakeError`] say.
    fn take(
        &self,
        lane: u32,
        resume: Resume,
        on_record: &mut dyn FnMut(StoredRecord) -> Result<(), Box<dyn Error + Send + Sync>>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Taken, TakeError>;

    /// Leaves, so that others get the lanes at once. Writers must be dropped before.
    fn leave(&self);
}

/// A lane that was taken.
pub struct Taken {
    /// Appends to it.
    pub writer: Box<dyn LaneWriter>,
    /// The new term: above every term on the lane.
    pub term: u64,
    /// The sequence of the lane's last record.
    pub last_seq: u64,
}

/// The one writer of a lane in its term.
pub trait LaneWriter: Send {
    /// Appends a batch, whole or not at all; answers once it is durable and readable. The batch is not empty, its
    /// sequences continue the lane, its term is this writer's. With `announce`, the owner's address is published for
    /// whoever looks for the lane's owner, in the same act.
    ///
    /// # Errors
    /// As the variants of [`AppendError`] say.
    fn append(&mut self, batch: &[NewRecord], announce: Option<&str>) -> Result<Hint, AppendError>;

    /// Makes sure that no successor has the lane, without a record: what is said of the lane's state and not written to
    /// it rests on this. `address` is the owner's, which may be announced again.
    ///
    /// # Errors
    /// [`AppendError::Fenced`] when there is a successor, [`AppendError::Unknown`] when that cannot be found out; after
    /// either, drop the writer.
    fn confirm(&mut self, address: &str) -> Result<(), AppendError>;
}

/// Reads one lane, in order, without gaps, forward only.
pub trait LaneReader: Send {
    /// Up to `max` next records, at least one if any is there; else waits up to `wait` for one. Empty when none came.
    ///
    /// # Errors
    /// When the log does not answer, or a gap or a falling term shows that it is damaged.
    fn read(&mut self, max: usize, wait: Duration) -> Result<Vec<StoredRecord>, LogError>;
}

/// An owner as announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where it takes commands; `local` in one process.
    pub address: String,
    /// Its term.
    pub term: u64,
}

/// What has been announced of lane owners. Only ever a hint: the owner itself says whether it is.
pub trait OwnerHints: Send + Sync {
    /// The latest announcement for `lane`.
    fn owner(&self, lane: &LaneId) -> Option<Owner>;
}
