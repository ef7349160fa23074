//! A clock that a test turns.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::Clock;

/// Stands still until it is turned.
pub struct Turned(AtomicI64);

impl Turned {
    /// At so many milliseconds since 1970.
    pub fn at_ms(ms: i64) -> Self {
        Self(AtomicI64::new(ms * 1000))
    }

    /// Turns it by so many milliseconds, also back.
    pub fn turn_ms(&self, by: i64) {
        self.0.fetch_add(by * 1000, Ordering::SeqCst);
    }
}

impl Clock for Turned {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
