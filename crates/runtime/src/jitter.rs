//! Pauses before something is tried again: longer with each try, and never the same for two who wait.

use std::time::Duration;

use crate::pace;

/// A pause between `shortest` and `longest` for try number `tries`, drawn anew each time.
pub(crate) fn pause(shortest: Duration, longest: Duration, tries: u32) -> Duration {
    let most = shortest.saturating_mul(1 << tries.min(16)).clamp(shortest, longest);
    let span = most.saturating_sub(shortest);
    shortest + span.mul_f64(fraction())
}

/// A random number from 0 up to 1.
fn fraction() -> f64 {
    if let Some(drawn) = pace::drawn() {
        return drawn;
    }
    let mut bytes = [0; 4];
    // Without randomness everyone waits the same: worse, not wrong.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}
