//! How benchmarks measure and how they say it, so that all of them do it alike.
//!
//! Ours and the reference are measured in turns, a round each, [`ROUNDS`] times: a minute in which the machine is slow is
//! slow for both. What is told is the median of the rounds with the least and the most, beside the reference of the same
//! run. A benchmark that reaches less than [`SHARE_MIN`] of its reference fails; one that misses a goal says so.
//!
//! Only benchmarks are built with this. It measures nothing by itself, and knows nothing of what is measured.

mod goal;
mod report;
mod round;
mod spread;
mod turns;

pub use goal::Goal;
pub use report::{Report, Row, Unit};
pub use round::{Latencies, Round};
pub use spread::Spread;
pub use turns::{ROUNDS, in_turns, rounds, turn};

/// The least share of its reference that a benchmark may reach.
pub const SHARE_MIN: f64 = 0.4;
