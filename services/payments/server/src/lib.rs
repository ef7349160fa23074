//! The ledger as a service: hosts its shards, projects them by owner and by business, and carries transfers between
//! them.
//!
//! No rule lives here: who may be paid what is in the domain. Here it is only looked whose account a caller speaks for.

mod config;
pub mod processes;
pub mod projections;
mod shards;

pub use config::Config;
pub use shards::Shards;

use std::sync::Arc;

use feira_runtime::{ProcessManager, Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "payments";

/// What the service hosts.
pub fn host() -> ServiceHost {
    ServiceHost::builder(SERVICE).host_shard(Shards).build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(projections::LedgerRows), Arc::new(projections::IntentRows)]
}

/// What follows in this service from its own events.
pub fn processes() -> Vec<Arc<dyn ProcessManager>> {
    vec![processes::transfers()]
}
