//! What a service counts. Plain numbers that only rise, to be read and published by whoever serves metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// The numbers of one service in one process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Commands that came in.
    pub commands: Counter,
    /// Commands decided with events or with nothing to change.
    pub accepted: Counter,
    /// Commands decided by a refusal.
    pub refused: Counter,
    /// Repeats answered with their first answer.
    pub repeated: Counter,
    /// Commands not decided because too much waited, or the log was full.
    pub overloaded: Counter,
    /// Commands the program failed on.
    pub poisoned: Counter,
    /// Batches committed.
    pub batches: Counter,
    /// Records committed.
    pub records: Counter,
    /// Microseconds spent in appends.
    pub append_us: Counter,
    /// Lanes taken over.
    pub takeovers: Counter,
    /// Times a lane was found to have another owner.
    pub fenced: Counter,
    /// Appends whose outcome was not known.
    pub unknown: Counter,
    /// Batches that the log refused.
    pub log_refused: Counter,
    /// Lane folders thrown away and built again from the log.
    pub rebuilds: Counter,
    /// Answers read back from the log.
    pub recalled: Counter,
    /// Records projected.
    pub projected: Counter,
    /// Times a projector had to try again.
    pub projector_faults: Counter,
}

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// What it has come to.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
