//! What a figure should reach, and whether it does.

use std::time::Duration;

use crate::report::{number, time};

/// A goal. One that is missed is told; only a reference makes a benchmark fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// The figure is at least this.
    AtLeast(f64),
    /// The figure is at most this.
    AtMost(f64),
    /// Half of all take at most this long.
    P50(Duration),
    /// 99 of 100 take at most this long.
    P99(Duration),
    /// The share of the reference is at least this.
    Share(f64),
}

/// What a row came to, as goals are held against it.
pub(crate) struct Reached {
    pub figure: f64,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    pub share: Option<f64>,
}

impl Goal {
    /// Whether the row reached it. What was not measured is not reached.
    pub(crate) fn is_met(self, reached: &Reached) -> bool {
        let quick = |took: Option<Duration>, most| took.is_some_and(|took| took <= most);
        match self {
            Self::AtLeast(least) => reached.figure >= least,
            Self::AtMost(most) => reached.figure <= most,
            Self::P50(most) => quick(reached.p50, most),
            Self::P99(most) => quick(reached.p99, most),
            Self::Share(least) => reached.share.is_some_and(|share| share >= least),
        }
    }

    /// The goal in words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", number(least)),
            Self::AtMost(most) => format!("≤ {}", number(most)),
            Self::P50(most) => format!("p50 ≤ {}", time(most)),
            Self::P99(most) => format!("p99 ≤ {}", time(most)),
            Self::Share(least) => format!("ratio ≥ {least:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_at_its_very_figure_and_never_without_one() {
        let ms = Duration::from_millis;
        let reached = Reached { figure: 10.0, p50: Some(ms(1)), p99: None, share: Some(0.5) };
        let met = [Goal::AtLeast(10.0), Goal::AtMost(10.0), Goal::P50(ms(1)), Goal::Share(0.5)];
        assert!(met.iter().all(|goal| goal.is_met(&reached)));
        let missed =
            [Goal::AtLeast(10.1), Goal::AtMost(9.9), Goal::P50(ms(1) / 2), Goal::P99(ms(9)), Goal::Share(0.51)];
        assert!(!missed.iter().any(|goal| goal.is_met(&reached)));
    }

    #[test]
    fn a_goal_reads_as_it_is_written() {
        assert_eq!(Goal::AtLeast(1_000_000.0).words(), "≥ 1,000,000");
        assert_eq!(Goal::P50(Duration::from_micros(600)).words(), "p50 ≤ 0.60 ms");
    }
}
