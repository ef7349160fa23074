//! The service __name__: hosts its aggregates, and projects them into rows.
//!
//! No rule lives here: those are in the domain.

mod __name__;
mod config;
pub mod projections;

pub use __name__::Hosted__Name__;
pub use config::Config;

use std::sync::Arc;

use feira_runtime::{Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "__name__";

/// What the service hosts.
pub fn host() -> ServiceHost {
    ServiceHost::builder(SERVICE).host(Hosted__Name__).build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(projections::__Name__Rows)]
}
