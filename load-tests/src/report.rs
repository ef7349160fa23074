//! What came of a load test, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::check::Held;
use crate::pace::{Pace, Taken};

/// What must be met.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// The 99th of 100 delays.
    pub p99: Duration,
    /// So many of 1,000 may fail.
    pub failed_permille: u64,
}

/// The outcome.
pub struct Report {
    scenario: &'static str,
    pace: Pace,
    taken: Taken,
    thresholds: Thresholds,
    held: Held,
}

impl Report {
    /// What came of `scenario`.
    pub fn new(scenario: &'static str, pace: Pace, taken: Taken, thresholds: Thresholds, held: Held) -> Self {
        Self { scenario, pace, taken, thresholds, held }
    }

    /// What was not met.
    fn broken(&self) -> Vec<String> {
        let mut broken = self.held.broken.clone();
        let p99 = self.ms(0.99);
        if p99 > self.thresholds.p99.as_secs_f64() * 1_000.0 {
            broken.push(format!("the 99th of 100 delays is {p99:.1} ms, above {} ms", self.thresholds.p99.as_millis()));
        }
        let (failed, count) = (self.taken.failures.len() as u64, self.pace.count());
        if failed * 1_000 > self.thresholds.failed_permille * count.max(1) {
            broken.push(format!("{failed} of {count} failed"));
        }
        broken
    }

    /// Whether everything was met.
    pub fn is_good(&self) -> bool {
        self.broken().is_empty()
    }

    fn ms(&self, quantile: f64) -> f64 {
        self.taken.delays.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let late = self.taken.late.value_at_quantile(0.99) as f64 / 1_000.0;
        json!({
            "scenario": self.scenario,
            "intended_rate": self.pace.rate,
            "seconds": self.pace.lasts.as_secs_f64(),
            "begun": self.pace.count(),
            "done": self.taken.done,
            "failed": self.taken.failures.len(),
            "done_rate": self.taken.done as f64 / self.taken.lasted.as_secs_f64(),
            "delay_ms": {
                "p50": self.ms(0.5), "p90": self.ms(0.9), "p99": self.ms(0.99), "p999": self.ms(0.999), "max": self.ms(1.0),
            },
            "begun_late_p99_ms": late,
            "checked": self.held.checked,
            "broken": self.broken(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} begun at {} a second, {} done",
            self.scenario,
            self.pace.count(),
            self.pace.rate,
            self.taken.done
        )?;
        let delays = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
        for (name, quantile) in delays {
            writeln!(f, "  {name:<6} {:>10.1} ms from the intended start", self.ms(quantile))?;
        }
        writeln!(
            f,
            "  late   {:>10.1} ms p99: what the generator itself was behind",
            self.taken.late.value_at_quantile(0.99) as f64 / 1_000.0
        )?;
        let mut why: BTreeMap<&str, u64> = BTreeMap::new();
        self.taken.failures.iter().for_each(|failure| *why.entry(failure).or_default() += 1);
        for (why, count) in why.iter().take(10) {
            writeln!(f, "  failed {count:>10} {why}")?;
        }
        for checked in &self.held.checked {
            writeln!(f, "  held   {checked}")?;
        }
        for broken in self.broken() {
            writeln!(f, "  BROKEN {broken}")?;
        }
        write!(f, "{}", if self.is_good() { "good" } else { "not good" })
    }
}
