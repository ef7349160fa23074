//! Conversations as a service: hosts them, gathers what they must know, and projects them into rows.
//!
//! No rule lives here: who may write what, and what it costs, is in the domain. What a template says and which products
//! are listed is read from the service's own projections, never asked of anyone.

mod businesses;
mod config;
mod contacts;
mod facts;
pub mod processes;
pub mod projections;
mod senders;
mod templates;
mod threads;

pub use businesses::Businesses;
pub use config::{CATCH_UP, Config};
pub use contacts::Contacts;
pub use facts::Facts;
pub use senders::Senders;
pub use templates::Templates;
pub use threads::{ThreadFacts, Threads};

use std::sync::Arc;
use std::time::Duration;

use feira_projection_store::Store;
use feira_runtime::{Heads, ProcessManager, Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "conversation";

/// The service whose events say which products are listed.
pub const CATALOG: &str = "catalog";

/// What the service hosts, with its rows in `store`. A command waits up to `catch_up` for the end of the log, as `heads`
/// tell it, when what it names is not known.
pub fn host(store: Arc<dyn Store>, heads: Arc<dyn Heads>, catch_up: Duration) -> ServiceHost {
    let facts = Facts::new(store, heads, catch_up);
    ServiceHost::builder(SERVICE)
        .host(Businesses)
        .host(Senders::new(facts.clone()))
        .host(Contacts)
        .host(Templates::new(facts.clone()))
        .host(Threads::new(facts))
        .build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(projections::BusinessRows),
        Arc::new(projections::ContactRows),
        Arc::new(projections::ThreadRows),
        Arc::new(projections::ListedRows),
    ]
}

/// What follows from conversations.
pub fn processes() -> Vec<Arc<dyn ProcessManager>> {
    vec![processes::contacts()]
}
