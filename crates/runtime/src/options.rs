//! What can be set of a service: sizes, waits, the clock, the watchdog.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, SystemClock};

/// The settings of one service in one process. The defaults serve both homes.
#[derive(Clone)]
pub struct Options {
    /// The most commands in one batch.
    pub batch_max: usize,
    /// The most bytes of records in one batch, overstepped by at most one command.
    pub batch_bytes_max: usize,
    /// The most commands that wait in a lane; more are answered `Overloaded`.
    pub queue_max: usize,
    /// The most events one command may leave.
    pub command_events_max: usize,
    /// The most bytes one record may have.
    pub record_bytes_max: usize,
    /// How many aggregates of each kind a lane keeps in memory beside those not yet written down.
    pub cache_aggregates: usize,
    /// How many command ids a lane keeps in memory; older ones are looked up in its folder. They are kept in two tables,
    /// which are full when they are seven eighths of a power of two.
    pub recent_commands: usize,
    /// How many first answers a lane keeps in memory; others are read back from the log.
    pub recent_answers: usize,
    /// How many records may be committed before what they changed is written to the lane's folder.
    pub flush_records: u64,
    /// How many aggregates may have changed before they are, eight entities of a shard counting as one. Where the same few
    /// change again and again, each is written once for all of it.
    pub flush_changes: usize,
    /// How long a lane is idle before it writes the rest to its folder.
    pub flush_idle: Duration,
    /// How long facts may take.
    pub gather_timeout: Duration,
    /// The pause before a lane is taken again after a fault: drawn between the two, the longer the more faults.
    pub retake_pause: (Duration, Duration),
    /// What ends a process that is stuck.
    pub watchdog: Watchdog,
    /// The clock of decisions.
    pub clock: Arc<dyn Clock>,
}

/// Ends the process when a lane has commands and makes no progress: a stuck owner would keep its lanes for ever.
#[derive(Clone)]
pub struct Watchdog {
    /// How long no progress may take.
    pub patience: Duration,
    /// What to do then; by default the process is aborted.
    pub bite: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_max: 512,
            batch_bytes_max: 4 << 20,
            queue_max: 2048,
            command_events_max: 1000,
            record_bytes_max: 900 << 10,
            cache_aggregates: 6_000,
            recent_commands: 57_344,
            recent_answers: 1024,
            flush_records: 8192,
            flush_changes: 1024,
            flush_idle: Duration::from_millis(200),
            gather_timeout: Duration::from_secs(2),
            retake_pause: (Duration::from_millis(20), Duration::from_secs(2)),
            watchdog: Watchdog::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { patience: Duration::from_secs(30), bite: Arc::new(|_| std::process::abort()) }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("batch_max", &self.batch_max).field("queue_max", &self.queue_max).finish()
    }
}
