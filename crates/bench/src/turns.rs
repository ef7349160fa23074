//! Rounds: how many there are, how long one takes, and whose turn it is.

use std::time::Duration;

/// How often ours and the reference are measured.
pub const ROUNDS: usize = 5;

/// How long one round takes: `FEIRA_BENCH_SECONDS`, or `usual` seconds where that is not set.
///
/// # Panics
/// When it is set to what is no time.
pub fn turn(usual: f64) -> Duration {
    seconds(std::env::var("FEIRA_BENCH_SECONDS").ok().as_deref(), usual)
}

fn seconds(set: Option<&str>, usual: f64) -> Duration {
    let seconds = set.map_or(usual, |text| text.parse().expect("FEIRA_BENCH_SECONDS is a number"));
    assert!(seconds > 0.0, "FEIRA_BENCH_SECONDS is above 0");
    Duration::from_secs_f64(seconds)
}

/// Measures ours and theirs in turns. A first pair warms up what both rest on and does not count.
pub fn in_turns<T>(mut ours: impl FnMut() -> T, mut theirs: impl FnMut() -> T) -> (Vec<T>, Vec<T>) {
    drop((ours(), theirs()));
    (0..ROUNDS).map(|_| (ours(), theirs())).unzip()
}

/// Measures what has no reference. A first round does not count.
pub fn rounds<T>(mut ours: impl FnMut() -> T) -> Vec<T> {
    drop(ours());
    (0..ROUNDS).map(|_| ours()).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn rounds_go_in_turns_and_the_first_pair_is_forgotten() {
        let order = RefCell::new(String::new());
        let take = |who: char| {
            order.borrow_mut().push(who);
            order.borrow().len()
        };
        let (ours, theirs) = in_turns(|| take('o'), || take('t'));
        assert_eq!(order.borrow().as_str(), "ot".repeat(ROUNDS + 1));
        assert_eq!((ours, theirs), (vec![3, 5, 7, 9, 11], vec![4, 6, 8, 10, 12]));
    }

    #[test]
    fn rounds_are_as_long_as_is_asked() {
        assert_eq!(seconds(None, 2.0), Duration::from_secs(2));
        assert_eq!(seconds(Some("0.25"), 2.0), Duration::from_millis(250));
    }

    #[test]
    #[should_panic(expected = "FEIRA_BENCH_SECONDS")]
    fn what_is_no_time_is_refused() {
        seconds(Some("long"), 2.0);
    }
}
