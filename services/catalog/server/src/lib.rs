//! The catalog as a service: hosts products and their stock, and projects both into rows.
//!
//! No rule lives here: what a product may be is in the domain. Feeds come in through the gateway, one command a row.

mod config;
pub mod processes;
mod products;
pub mod projections;
mod stocks;

pub use config::Config;
pub use products::Products;
pub use stocks::Stocks;

use std::sync::Arc;

use feira_runtime::{ProcessManager, Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "catalog";

/// What the service hosts.
pub fn host() -> ServiceHost {
    ServiceHost::builder(SERVICE).host(Products).host(Stocks).build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(projections::ProductRows), Arc::new(projections::StockRows)]
}

/// What follows in this service from its own events.
pub fn processes() -> Vec<Arc<dyn ProcessManager>> {
    vec![processes::stock()]
}
