//! The catalog: what a business sells and what it costs.
//!
//! Nothing here waits or reads a clock. Collections and search are not here yet.

pub mod processes;
pub mod product;
pub mod stock;
