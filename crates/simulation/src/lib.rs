//! The platform in one thread on a made-up clock, with everything going wrong that may.
//!
//! Two processes serve all five services on one simulated log and store, clients buy, pay and write over a network that
//! delays, loses and doubles, and faults come as a seed draws them. At the end everything is let go well; what is on the
//! log then is judged from outside, against what clients were told. A seed gives the same run each time.
//!
//! The clients, the rest and the judgement know nothing of the simulation: they are also there for real processes on real
//! servers.

mod check;
mod dice;
mod faults;
mod history;
mod market;
mod mutants;
mod network;
mod process;
mod rest;
mod services;
mod store;
mod world;

use std::fmt;

pub use check::{Found, judge};
pub use dice::Dice;
#[cfg(feature = "mutants")]
pub use feira_mutants::{Mutant, choose};
pub use history::{History, Op, Seen, Tally};
pub use market::{Client, Crowd};
pub use rest::come_to_rest;
pub use services::names;

/// What came of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What was asked, answered and done to it.
    pub tally: Tally,
    /// A hash of all that happened, in order: the same for the same seed.
    pub trace: u64,
    /// What is wrong; nothing when all is as it must be.
    pub faults: Vec<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.tally)?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// Runs the platform under the faults of `seed`, and judges what came of it.
///
/// # Panics
/// When the simulation itself is wrong, not the platform: it has no way to go on.
pub fn simulate(seed: u64) -> Outcome {
    world::run(seed)
}
