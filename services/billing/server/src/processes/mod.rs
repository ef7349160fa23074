//! What follows in billing from events elsewhere, as the runtime runs it.

mod usage;

pub use usage::usage;
