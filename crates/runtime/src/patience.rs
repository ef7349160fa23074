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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io;

    use super::*;

    #[tokio::test]
    async fn what_comes_late_is_waited_for() {
        let tries = Cell::new(0);
        let came = wait_until("a server", None, || {
            tries.set(tries.get() + 1);
            let here = tries.get() == 3;
            async move { if here { Ok(7) } else { Err(io::Error::other("not yet")) } }
        });
        assert_eq!(came.await.unwrap(), 7);
        assert_eq!(tries.get(), 3);
    }

    #[tokio::test]
    async fn what_does_not_come_is_given_up_with_its_reason() {
        let never = || async { Err::<(), _>(io::Error::other("nobody there")) };
        let given_up = wait_until("a server", Some(Duration::from_millis(300)), never).await;
        assert_eq!(given_up.unwrap_err().to_string(), "nobody there");
    }
}
