//! Waiting for a server that is not there yet: said once, and said when it came.

use std::error::Error;
use std::future::Future;
use std::time::{Duration, Instant};

use crate::chain::Chain;
use crate::jitter;

/// Tries until it succeeds, or until `deadline` has passed; tells the log of the process once what it waits for.
///
/// # Errors
/// The last failure, when the deadline passed.
pub async fn wait_until<T, E, F>(
    what: &str,
    deadline: Option<Duration>,
    mut try_once: impl FnMut() -> F,
) -> Result<T, E>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let began = Instant::now();
    let mut tries = 0;
    loop {
        let error = match try_once().await {
            Ok(value) => {
                if tries > 0 {
                    tracing::info!(duration_ms = began.elapsed().as_millis() as u64, "{what} is there");
                }
                return Ok(value);
            }
            Err(error) => error,
        };
        if tries == 0 {
            tracing::warn!(error = %Chain(&error), "waiting for {what}");
        }
        tries += 1;
        let pause = jitter::pause(Duration::from_millis(100), Duration::from_secs(2), tries);
        if deadline.is_some_and(|deadline| began.elapsed() + pause > deadline) {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
    }
}
