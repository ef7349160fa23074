//! The catalog as a service: hosts products, and projects them into rows.
//!
//! No rule lives here: what a product may be is in the domain. Feeds come in through the gateway, one command a row.

mod config;
mod products;
pub mod projections;

pub use config::Config;
pub use products::Products;

/// The service's name in topics and routes.
pub const SERVICE: &str = "catalog";
