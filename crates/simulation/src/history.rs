//! What clients asked and were told, as they saw it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use feira_ids::CommandId;
use feira_runtime::{Answer, Clock, SystemClock};
use serde::Serialize;

/// A command as its client saw it.
#[derive(Clone, Debug)]
pub struct Op {
    /// Its id on the log.
    pub id: CommandId,
    /// What it was asked of, across tenants: `feira-livre/cart:BR.1`.
    pub aggregate: String,
    /// When it was first sent, microseconds.
    pub began: i64,
    /// The answers that stand, and when each came.
    pub answers: Vec<(i64, Answer)>,
}

/// How much happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Commands that clients sent.
    pub commands: u64,
    /// Of them, those that were accepted,
    pub accepted: u64,
    /// refused,
    pub refused: u64,
    /// or never answered.
    pub unknown: u64,
    /// Commands that were acknowledged and are not on the log.
    pub lost: u64,
    /// Commands that are on the log twice.
    pub twice: u64,
    /// Records on the log.
    pub records: u64,
    /// What was done to the platform, and how often.
    pub faults: BTreeMap<&'static str, u64>,
    /// The longest that a command waited for its answer, in milliseconds of the made-up clock.
    pub longest_ms: u64,
    /// How long it all took, in seconds of the made-up clock.
    pub seconds: u64,
}

impl Tally {
    /// This and another run together.
    pub fn add(&mut self, other: &Self) {
        self.commands += other.commands;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.lost += other.lost;
        self.twice += other.twice;
        self.records += other.records;
        for (kind, count) in &other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        self.seconds += other.seconds;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commands, accepted, refused, unknown, lost, twice, records, faults, longest_ms, seconds } = self;
        let faults: u64 = faults.values().sum();
        write!(
            f,
            "{commands} commands ({accepted} accepted, {refused} refused, {unknown} unknown, {lost} lost, {twice} twice), \
             {records} records, {faults} faults, longest wait {longest_ms} ms, {seconds} s"
        )
    }
}

/// All of it, in the order in which it happened.
#[derive(Default)]
pub struct History {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    ops: Vec<Op>,
    /// Those whose clients wait.
    under_way: BTreeSet<usize>,
    trace: DefaultHasher,
    wrong: Vec<String>,
    faults: BTreeMap<&'static str, u64>,
}

/// What was seen of a run.
pub struct Seen {
    /// The commands.
    pub ops: Vec<Op>,
    /// What was wrong of it.
    pub wrong: Vec<String>,
    /// The hash of it all.
    pub trace: u64,
    /// What was done to the platform, and how often.
    pub faults: BTreeMap<&'static str, u64>,
}

impl History {
    /// A command is sent for the first time. Gives its number.
    pub fn sent(&self, id: CommandId, aggregate: String) -> usize {
        let mut inner = self.lock();
        inner.ops.push(Op { id, aggregate, began: now(), answers: vec![] });
        let op = inner.ops.len() - 1;
        inner.under_way.insert(op);
        op
    }

    /// An answer that stands came.
    pub fn answered(&self, op: usize, answer: Answer) {
        let mut inner = self.lock();
        (now(), op, format!("{answer:?}")).hash(&mut inner.trace);
        inner.ops[op].answers.push((now(), answer));
    }

    /// Its client waits no longer.
    pub fn ended(&self, op: usize) {
        self.lock().under_way.remove(&op);
    }

    /// Whether nobody waits for an answer to what was sent before `moment`, in microseconds since 1970.
    pub fn ended_before(&self, moment: i64) -> bool {
        let inner = self.lock();
        inner.under_way.iter().all(|op| inner.ops[*op].began >= moment)
    }

    /// Something of a kind was done to the platform.
    pub fn struck(&self, kind: &'static str, what: &str) {
        let mut inner = self.lock();
        (now(), kind, what).hash(&mut inner.trace);
        *inner.faults.entry(kind).or_default() += 1;
    }

    /// Something was seen that must not be.
    pub fn wrong(&self, what: String) {
        self.lock().wrong.push(what);
    }

    /// All that was seen.
    pub fn take(&self) -> Seen {
        let Inner { ops, trace, wrong, faults, .. } = std::mem::take(&mut *self.lock());
        Seen { ops, wrong, trace: trace.finish(), faults }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time, made up in a simulation, microseconds since 1970.
pub fn now() -> i64 {
    SystemClock.now_us()
}
