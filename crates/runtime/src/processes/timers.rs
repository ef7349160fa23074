//! The timers of one process on one lane, in the order in which they come due.
//!
//! What stands here stands in the store: it changes when the rows have been written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use feira_decider::Ask;
use feira_ids::TenantId;
use feira_rows::timer::TimerRow;

use super::Fault;

/// A timer within its process and lane: the tenant whose event set it, and its id.
pub(crate) type TimerKey = (Arc<str>, Arc<str>);

/// A timer that is set.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    pub row: TimerRow,
    /// What is asked when it is due.
    pub ask: Ask,
    /// Not before then; it was due before and nobody answered.
    pub again: Option<Instant>,
}

/// What becomes of a timer.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// It is set, in place of another of its id.
    Set(Box<Timer>),
    /// It is forgotten, by the event of this hybrid time.
    Forget(i64),
}

/// Timers that are set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: HashMap<TimerKey, Timer>,
    /// By the tenant whose clock they run on.
    due: HashMap<TenantId, BTreeSet<(i64, TimerKey)>>,
}

impl Timer {
    /// As it is stored.
    pub fn read(row: TimerRow) -> Result<Self, Fault> {
        let ask = serde_json::from_str(&row.asks)
            .map_err(|error| Fault::Timer { timer: row.timer.to_string(), reason: error.to_string() })?;
        Ok(Self { row, ask, again: None })
    }

    pub fn key(&self) -> TimerKey {
        (self.row.tenant.clone(), self.row.timer.clone())
    }
}

impl Timers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Takes changes in that are stored.
    pub fn take_in(&mut self, changes: BTreeMap<TimerKey, Change>) {
        for (key, change) in changes {
            match change {
                Change::Set(timer) => self.put(*timer),
                Change::Forget(_) => drop(self.take(&key)),
            }
        }
    }

    /// Sets a timer, in place of another of its id.
    pub fn put(&mut self, timer: Timer) {
        let key = timer.key();
        self.take(&key);
        self.due.entry(timer.ask.tenant.clone()).or_default().insert((timer.row.due, key.clone()));
        self.set.insert(key, timer);
    }

    /// Takes a timer away.
    pub fn take(&mut self, key: &TimerKey) -> Option<Timer> {
        let timer = self.set.remove(key)?;
        if let Some(due) = self.due.get_mut(&timer.ask.tenant) {
            due.remove(&(timer.row.due, key.clone()));
            if due.is_empty() {
                self.due.remove(&timer.ask.tenant);
            }
        }
        Some(timer)
    }

    /// A timer that is to be tried again.
    pub fn put_off(&mut self, key: &TimerKey, until: Instant) {
        if let Some(timer) = self.set.get_mut(key) {
            timer.again = Some(until);
        }
    }

    /// The tenants whose clocks matter.
    pub fn tenants(&self) -> Vec<TenantId> {
        self.due.keys().cloned().collect()
    }

    /// The timers of `tenant` that are due at its time `now`, the earliest first; and when the next one will be.
    pub fn due(&self, tenant: &TenantId, now: i64) -> (Vec<Timer>, Option<i64>) {
        let Some(due) = self.due.get(tenant) else { return (vec![], None) };
        let come = due.iter().take_while(|(due, _)| *due <= now);
        let ready = come.filter_map(|(_, key)| self.set.get(key).cloned()).collect();
        let next = due.iter().map(|(due, _)| *due).find(|due| *due > now);
        (ready, next)
    }
}
