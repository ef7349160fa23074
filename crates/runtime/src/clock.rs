//! The clock of a lane's owner, given from outside so that a test can turn it back.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::pace;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since 1970, as this machine has it. It may jump, also backwards: lanes see to their own order.
    fn now_us(&self) -> i64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        if let Some(made_up) = pace::simulated_us() {
            return made_up;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// Milliseconds since 1970 by the machine's clock: what deadlines are measured with.
pub(crate) fn wall_ms() -> i64 {
    SystemClock.now_us() / 1000
}
