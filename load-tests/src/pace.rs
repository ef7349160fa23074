//! The open loop: what begins when does not wait for what began before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hdrhistogram::Histogram;

use crate::scenario::Scenario;

/// The longest delay that is told apart from longer ones.
const LONGEST_US: u64 = 120_000_000;

/// When things begin.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many a second.
    pub rate: f64,
    /// For how long.
    pub lasts: Duration,
}

/// What came of it.
pub struct Taken {
    /// Delays from the intended start to the end, in microseconds, of those that succeeded.
    pub delays: Histogram<u64>,
    /// How much later than intended they began, in microseconds: above a millisecond the generator itself is too slow.
    pub late: Histogram<u64>,
    /// How many succeeded.
    pub done: u64,
    /// Why others did not.
    pub failures: Vec<String>,
    /// From the first intended start to the last end.
    pub lasted: Duration,
}

impl Pace {
    /// When number `place` is to begin, from the first on.
    pub fn intended(&self, place: u64) -> Duration {
        Duration::from_secs_f64(place as f64 / self.rate)
    }

    /// How many begin.
    pub fn count(&self) -> u64 {
        (self.rate * self.lasts.as_secs_f64()) as u64
    }
}

/// Begins everything when it is to begin, and waits for all of it.
pub async fn run(pace: Pace, scenario: Arc<dyn Scenario>) -> Taken {
    let began = Instant::now();
    let mut tasks = Vec::new();
    for place in 0..pace.count() {
        let intended = began + pace.intended(place);
        tokio::time::sleep_until(intended.into()).await;
        let scenario = scenario.clone();
        tasks.push(tokio::spawn(async move {
            let late = intended.elapsed();
            let ended = scenario.once(place).await;
            // From when it was to begin: a stall before it is part of what whoever waits has to bear.
            (late, ended.map(|()| intended.elapsed()))
        }));
    }
    let histogram = || Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are in order");
    let mut taken = Taken { delays: histogram(), late: histogram(), done: 0, failures: vec![], lasted: Duration::ZERO };
    for task in join_all(tasks).await {
        let (late, ended) = match task {
            Ok(ended) => ended,
            Err(error) => {
                taken.failures.push(error.to_string());
                continue;
            }
        };
        taken.late.saturating_record(micros(late));
        match ended {
            Ok(delay) => {
                taken.done += 1;
                taken.delays.saturating_record(micros(delay));
            }
            Err(why) => taken.failures.push(why),
        }
    }
    taken.lasted = began.elapsed();
    taken
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(LONGEST_US)
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;

    use super::*;
    use crate::scenario::Claims;

    /// Stands still for a while at one place.
    struct Stall;

    impl Scenario for Stall {
        fn name(&self) -> &'static str {
            "stall"
        }

        fn once(&self, place: u64) -> BoxFuture<'_, Result<(), String>> {
            Box::pin(async move {
                if place == 0 {
                    // All that begin meanwhile begin late, and are measured from when they should have.
                    std::thread::sleep(Duration::from_millis(300));
                }
                if place == 19 { Err("refused".to_owned()) } else { Ok(()) }
            })
        }

        fn claims(&self) -> Claims {
            Claims::default()
        }
    }

    #[tokio::test]
    async fn a_stall_is_not_hidden() {
        let pace = Pace { rate: 100.0, lasts: Duration::from_millis(200) };
        let taken = run(pace, Arc::new(Stall)).await;
        assert_eq!((taken.done, taken.failures.len()), (19, 1));
        // One that waits for its answer would have seen one long delay among short ones.
        assert!(taken.delays.value_at_quantile(0.5) > 150_000, "{}", taken.delays.value_at_quantile(0.5));
    }
}
