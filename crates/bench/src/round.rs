//! One round of measuring: how much was done in how long, and how long each part of it took.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// How long each of many things took, to three digits.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Latencies {
    /// Something took so long.
    pub fn record(&mut self, took: Duration) {
        self.0.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)).expect("it grows with what it is given");
    }

    /// Takes in what another has counted.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both count alike");
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// What so large a share of them took at most: 0.5 is the median.
    pub fn at(&self, share: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(share))
    }
}

/// One round.
#[derive(Clone, Debug)]
pub struct Round {
    /// How much was done.
    pub count: u64,
    /// In how long.
    pub took: Duration,
    /// How long each part took, where that was looked at.
    pub latencies: Option<Latencies>,
}

impl Round {
    /// `count` things in `took`.
    pub const fn of(count: u64, took: Duration) -> Self {
        Self { count, took, latencies: None }
    }

    /// What several did side by side in `took`, each with its own account of how long things took.
    pub fn side_by_side(each: impl IntoIterator<Item = Latencies>, took: Duration) -> Self {
        let mut all = Latencies::default();
        each.into_iter().for_each(|one| all.add(&one));
        Self { count: all.count(), took, latencies: Some(all) }
    }

    /// Repeats a step that does `each` things until `turn` has passed.
    pub fn repeat(turn: Duration, each: u64, mut step: impl FnMut()) -> Self {
        Self::timed(turn, each, || {
            let began = Instant::now();
            step();
            began.elapsed()
        })
    }

    /// The same with steps that say themselves how long they took: what they prepare does not count.
    pub fn timed(turn: Duration, each: u64, mut step: impl FnMut() -> Duration) -> Self {
        let (mut took, mut latencies) = (Duration::ZERO, Latencies::default());
        let end = Instant::now() + turn;
        while latencies.count() == 0 || Instant::now() < end {
            let one = step();
            took += one;
            latencies.record(one);
        }
        Self { count: latencies.count() * each, took, latencies: Some(latencies) }
    }

    /// `count` things that `work` does on this thread, by how long that had a processor: on a machine that others use,
    /// only this says what they cost a core.
    pub fn on_one_core(count: u64, work: impl FnOnce()) -> Self {
        let (clock, before) = (Instant::now(), on_processor());
        work();
        let took = on_processor().zip(before).map(|(after, before)| after.saturating_sub(before));
        Self::of(count, took.filter(|took| !took.is_zero()).unwrap_or_else(|| clock.elapsed()))
    }

    /// Repeats a step that does `each` things on this thread until `turn` has passed, measured in the same way.
    pub fn repeat_on_one_core(turn: Duration, each: u64, mut step: impl FnMut()) -> Self {
        let (mut steps, end) = (0, Instant::now() + turn);
        let round = Self::on_one_core(1, || {
            while steps == 0 || Instant::now() < end {
                step();
                steps += 1;
            }
        });
        Self::of(steps * each, round.took)
    }

    /// Things a second.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64()
    }

    /// How long one thing took, when one is done after the other.
    pub fn each(&self) -> Duration {
        Duration::from_secs_f64(self.took.as_secs_f64() / self.count as f64)
    }
}

/// How long this thread has had a processor; nothing where the system does not say.
fn on_processor() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_rate_is_what_was_done_by_how_long_it_took() {
        let round = Round::of(500, 250 * MS);
        assert_eq!((round.rate(), round.each()), (2_000.0, MS / 2));
    }

    #[test]
    fn steps_count_by_their_own_account() {
        let round = Round::timed(MS, 8, || 10 * MS);
        assert!((round.rate() - 800.0).abs() < 0.01, "{}", round.rate());
        let p50 = round.latencies.unwrap().at(0.5).as_secs_f64();
        assert!((p50 - 0.01).abs() < 0.000_1, "{p50}");
    }

    #[test]
    fn a_step_longer_than_its_turn_is_taken_once() {
        let mut steps = 0;
        let round = Round::repeat(Duration::ZERO, 1, || steps += 1);
        assert_eq!((steps, round.count), (1, 1));
    }

    #[test]
    fn waiting_costs_no_core() {
        let waited = Round::on_one_core(1, || std::thread::sleep(200 * MS));
        assert!(waited.took < 150 * MS, "{:?}", waited.took);
        let worked = Round::repeat_on_one_core(50 * MS, 10, || drop(std::hint::black_box(vec![0; 1_000])));
        assert!(worked.count.is_multiple_of(10) && worked.count > 0 && worked.took <= 80 * MS, "{worked:?}");
    }

    #[test]
    fn what_is_done_side_by_side_adds_up() {
        let of = |ms: &[u32]| {
            let mut latencies = Latencies::default();
            ms.iter().for_each(|ms| latencies.record(*ms * MS));
            latencies
        };
        let round = Round::side_by_side([of(&[1, 2, 3]), of(&[9])], 2 * MS);
        assert_eq!((round.count, round.rate()), (4, 2_000.0));
        assert!(round.latencies.unwrap().at(1.0) >= 9 * MS);
    }
}
