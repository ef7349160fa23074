//! A log in memory that does what a distributed log can do to its users, when a test says so.
//!
//! One [`Cluster`] holds the lanes; any number of processes join it, each through an [`EventLog`] of its own. It knows
//! transactions and their markers, the high watermark and the last stable offset before it, an epoch that fences, an
//! assignment that a process may not have heard of yet. Nothing happens by time or chance: what is late comes when
//! [`Cluster::deliver`] is called, and the same calls give the same log.
//!
//! A [`Weakness`] takes one protection away, so that a test can show that the protection is what keeps the harm off.

mod broker;
mod members;
mod process;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};

use feira_ids::{LaneId, ServiceName};

use crate::{EventLog, LogError};
use broker::Lane;
use members::Members;
use process::Process;

/// What goes wrong with one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The batch stands, its answer is lost: the outcome is unknown.
    LostAnswer,
    /// The batch lies in the log and is aborted; the outcome is unknown.
    Aborted,
    /// Nothing reaches the log; the outcome is unknown.
    TimedOut,
    /// The batch lies in the log, its end of transaction is under way until [`Cluster::deliver`]; the outcome is unknown.
    DelayedEnd,
    /// The batch is acknowledged, and its end of transaction comes once more with [`Cluster::deliver`].
    DuplicatedEnd,
    /// The batch is acknowledged, but readers do not get past it until its marker comes with [`Cluster::deliver`], or
    /// a take waits for it.
    DelayedMarker,
    /// The batch is refused and the writer is as before.
    Refused,
}

/// A protection that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakness {
    /// A take leaves the former owner's epoch valid.
    TakesWithoutFence,
    /// A take asks for no proof that the lane is still assigned.
    TakesWithoutProof,
    /// A take reads to the last stable offset, not to the high watermark.
    RecoversToLastStable,
    /// A take does not look whether the log ends before what was seen of it.
    AcceptsShorterLog,
    /// An end of transaction is applied whatever its epoch.
    AcceptsLateEnd,
    /// A repeated end of transaction ends the writer's next one in the middle.
    AcceptsDuplicatedEnd,
    /// Readers get what was aborted or is not decided.
    ReadsUncommitted,
}

/// Lanes in memory, and the processes that share them.
pub struct Cluster {
    services: Vec<(ServiceName, u32)>,
    state: Mutex<State>,
    changed: Condvar,
    tell: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// All that changes.
struct State {
    lanes: HashMap<LaneId, Lane>,
    members: Members,
    weaknesses: BTreeSet<Weakness>,
    available: bool,
}

impl Cluster {
    /// An empty log for `services`, each with its lanes.
    pub fn new(services: &[(ServiceName, u32)]) -> Arc<Self> {
        let ids = services.iter().flat_map(|(service, lanes)| (0..*lanes).map(|index| LaneId::new(service, index)));
        let state = State {
            lanes: ids.map(|id| (id, Lane::default())).collect(),
            members: Members::default(),
            weaknesses: BTreeSet::new(),
            available: true,
        };
        Arc::new(Self {
            services: services.to_vec(),
            state: Mutex::new(state),
            changed: Condvar::new(),
            tell: OnceLock::new(),
        })
    }

    /// The log as the process called `name` has it. A process that joins under a name takes the place of an earlier one
    /// of that name, as after a restart.
    pub fn process(self: &Arc<Self>, name: &str) -> Arc<dyn EventLog> {
        Arc::new(Process::new(self.clone(), name))
    }

    /// Calls `tell` whenever something changed: for those who do not wait on a thread. To be set once.
    pub fn on_change(&self, tell: impl Fn() + Send + Sync + 'static) {
        // Whoever came first is told.
        let _ = self.tell.set(Box::new(tell));
    }

    /// Gives a lane to a process that has joined; whoever had it loses it without loss of membership.
    ///
    /// # Panics
    /// When no such process has joined the lane's service.
    pub fn assign(&self, lane: &LaneId, process: &str) {
        self.change(|state| state.members.assign(lane, process));
    }

    /// Takes a lane from whoever has it; it has nobody until it is assigned.
    pub fn revoke(&self, lane: &LaneId) {
        self.change(|state| state.members.revoke(lane));
    }

    /// Whether a lane is assigned to somebody.
    pub fn is_assigned(&self, lane: &LaneId) -> bool {
        self.state().members.is_assigned(lane)
    }

    /// Ends a process's memberships without its doing: its lanes go to the others that have joined, the first before
    /// the later ones. A next [`Cluster::assign`] lets it in again.
    pub fn lose(&self, process: &str) {
        self.change(|state| state.members.lose(process));
    }

    /// Keeps from a process what changes in its assignments, as if it slept; until [`Cluster::thaw`].
    pub fn freeze(&self, process: &str) {
        self.change(|state| state.members.freeze(process));
    }

    /// Lets a process see its assignments as they are.
    pub fn thaw(&self, process: &str) {
        self.change(|state| state.members.thaw(process));
    }

    /// Lets `fault` happen to the next append to a lane that has no fault waiting before it.
    pub fn inject(&self, lane: &LaneId, fault: Fault) {
        self.change(|state| state.lane(lane).faults.push_back(fault));
    }

    /// Delivers everything that is late for a lane: ends of transactions and markers. Says how many were accepted.
    pub fn deliver(&self, lane: &LaneId) -> usize {
        self.change(|state| {
            let late = state.weaknesses.contains(&Weakness::AcceptsLateEnd);
            state.lane(lane).deliver(late)
        })
    }

    /// Cuts a lane's records after `last_seq`, acknowledged or not, as an unclean election does.
    pub fn truncate(&self, lane: &LaneId, last_seq: u64) {
        self.change(|state| state.lane(lane).truncate(last_seq));
    }

    /// Lets the log answer, or not.
    pub fn set_available(&self, available: bool) {
        self.change(|state| state.available = available);
    }

    /// Takes a protection away, for good.
    pub fn weaken(&self, weakness: Weakness) {
        self.change(|state| state.weaknesses.insert(weakness));
    }

    /// The offset after the last entry of a lane, decided or not.
    pub fn high_watermark(&self, lane: &LaneId) -> u64 {
        self.state().lane(lane).high_watermark() as u64
    }

    /// The offset of a lane's first entry that is not decided, or its high watermark.
    pub fn last_stable_offset(&self, lane: &LaneId) -> u64 {
        self.state().lane(lane).last_stable_offset() as u64
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the cluster, but for a misuse in a test")
    }

    /// Changes the state and tells everyone that waits.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.notify_all();
        if let Some(tell) = self.tell.get() {
            tell();
        }
        result
    }
}

impl State {
    /// A lane of which it is known that it is there.
    fn lane(&mut self, id: &LaneId) -> &mut Lane {
        self.lanes.get_mut(id).expect("the cluster was made with the lane")
    }

    fn weak(&self, weakness: Weakness) -> bool {
        self.weaknesses.contains(&weakness)
    }

    fn check_available(&self) -> Result<(), LogError> {
        let down = || LogError::Unavailable { what: "the simulated log was made unavailable".to_owned(), source: None };
        self.available.then_some(()).ok_or_else(down)
    }
}
