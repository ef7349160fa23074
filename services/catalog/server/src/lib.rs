//! The catalog as a service: hosts products, and projects them into rows.
//!
//! No rule lives here: what a product may be is in the domain. Feeds come in through the gateway, one command a row.

mod config;
mod products;
pub mod projections;

pub use config::Config;
pub use products::Products;

use std::sync::Arc;

use feira_runtime::{Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "catalog";

/// What the service hosts.
pub fn host() -> ServiceHost {
    ServiceHost::builder(SERVICE).host(Products).build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(projections::ProductRows)]
}
