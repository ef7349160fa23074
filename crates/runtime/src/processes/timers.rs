//! The timers of one process on one lane, in the order in which they come due.
//!
//! What stands here stands in the store: it changes when the rows have been written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use feira_decider::Ask;
use feira_ids::TenantId;
use feira_rows::timer::TimerRow;
use tokio::time::Instant;

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
    set: BTreeMap<TimerKey, Timer>,
    /// By the tenant whose clock they run on.
    due: BTreeMap<TenantId, BTreeSet<(i64, TimerKey)>>,
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

    /// What is to be stored of changes, in their order: the last of each timer. One that was never set need not be
    /// forgotten; one that was set by these changes is, lest whoever is behind stores it later.
    pub fn changed_by(&self, changes: impl IntoIterator<Item = (TimerKey, Change)>) -> BTreeMap<TimerKey, Change> {
        let mut stored = BTreeMap::new();
        for (key, change) in changes {
            let known = || self.set.contains_key(&key) || stored.contains_key(&key);
            if matches!(change, Change::Set(_)) || known() {
                stored.insert(key, change);
            }
        }
        stored
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

    /// At most `limit` timers of `tenant` that are due at its time `now` and do not rest, the earliest first; and when
    /// the next one will be due.
    pub fn due(&self, tenant: &TenantId, now: i64, limit: usize) -> (Vec<Timer>, Option<i64>) {
        let Some(due) = self.due.get(tenant) else { return (vec![], None) };
        let moment = Instant::now();
        let come = due.iter().take_while(|(due, _)| *due <= now).filter_map(|(_, key)| self.set.get(key));
        let awake = come.filter(|timer| timer.again.is_none_or(|again| again <= moment));
        let first = (now.saturating_add(1), ("".into(), "".into()));
        let next = due.range(first..).next().map(|(due, _)| *due).filter(|due| *due > now);
        (awake.take(limit).cloned().collect(), next)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use feira_ids::{AggregateId, Hash16};

    use super::*;

    fn tenant() -> TenantId {
        TenantId::new("feira-livre").unwrap()
    }

    fn timer(id: &str, due: i64) -> Timer {
        let order = AggregateId::new("order", "o-1").unwrap();
        let ask = Ask::new("out", &tenant(), order, "order.time_out", &());
        let asks = serde_json::to_string(&ask).unwrap().into();
        let (event, correlation) = (Hash16([1; 16]), Hash16([2; 16]));
        let row =
            TimerRow { tenant: "feira-livre".into(), timer: id.into(), due, set_hlc: 7, event, correlation, asks };
        Timer::read(row).unwrap()
    }

    fn names(timers: &[Timer]) -> Vec<&str> {
        timers.iter().map(|timer| &*timer.row.timer).collect()
    }

    #[test]
    fn timers_come_in_the_order_they_are_due_and_no_more_than_asked_for() {
        let mut timers = Timers::default();
        for (id, due) in [("late", 30), ("first", 10), ("second", 20), ("never", i64::MAX)] {
            timers.put(timer(id, due));
        }
        let (due, next) = timers.due(&tenant(), 20, 9);
        assert_eq!((names(&due), next), (vec!["first", "second"], Some(30)));
        assert_eq!(names(&timers.due(&tenant(), 30, 2).0), ["first", "second"]);
        assert_eq!(timers.due(&tenant(), i64::MAX, 9).1, None);
    }

    #[test]
    fn a_timer_is_set_once_whatever_its_time_was() {
        let mut timers = Timers::default();
        timers.put(timer("it", 10));
        timers.put(timer("it", 50));
        assert_eq!((timers.len(), timers.due(&tenant(), 40, 9).0.len()), (1, 0));
        assert_eq!(timers.take(&timer("it", 0).key()).map(|timer| timer.row.due), Some(50));
        assert!(timers.tenants().is_empty());
    }

    #[test]
    fn what_was_set_is_forgotten_and_what_was_not_needs_no_word() {
        let mut timers = Timers::default();
        timers.put(timer("stands", 10));
        let set = |id| (timer(id, 10).key(), Change::Set(Box::new(timer(id, 10))));
        let forget = |id| (timer(id, 10).key(), Change::Forget(9));
        let stored =
            timers.changed_by([forget("stands"), forget("unknown"), set("passing"), forget("passing"), set("new")]);
        let stored: Vec<_> = stored.iter().map(|(key, change)| (&*key.1, matches!(change, Change::Set(_)))).collect();
        assert_eq!(stored, [("new", true), ("passing", false), ("stands", false)]);
    }

    #[test]
    fn a_timer_that_rests_leaves_its_place_to_others() {
        let mut timers = Timers::default();
        timers.put(timer("first", 10));
        timers.put(timer("second", 20));
        timers.put_off(&timer("first", 10).key(), Instant::now() + Duration::from_secs(60));
        assert_eq!(names(&timers.due(&tenant(), 20, 1).0), ["second"]);
    }

    #[test]
    fn what_is_stored_and_is_no_ask_is_told_by_its_name() {
        let mut row = timer("it", 10).row;
        row.asks = "?".into();
        assert!(Timer::read(row).unwrap_err().to_string().contains("timer it "));
    }
}
