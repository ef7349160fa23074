//! Waiting for a cluster that is not there yet, within a bound, saying what is waited for.

use std::error::Error;
use std::time::{Duration, Instant};

use feira_event_log::LogError;

/// The shortest and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Tries `attempt` until it succeeds, fails for good, or `wait` is over; then its last error stands.
pub(crate) fn until<T>(
    what: &str,
    wait: Duration,
    mut attempt: impl FnMut() -> Result<T, LogError>,
) -> Result<T, LogError> {
    let deadline = Instant::now() + wait;
    let mut pause = PAUSES.0;
    loop {
        let error = match attempt() {
            Err(error @ LogError::Unavailable { .. }) => error,
            other => return other,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(error);
        }
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(left_ms = left.as_millis() as u64, cause, "waiting for {what}: {error}");
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(PAUSES.1);
    }
}
