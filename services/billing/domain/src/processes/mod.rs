//! What follows in billing from events elsewhere.

mod usage;

pub use usage::{UsageProcess, UsageSource};
