//! Billing as a service: hosts usage and invoices, gathers a month's usage for an invoice, and projects both into rows.
//!
//! No rule lives here: what is entered, what it comes to and when it is issued is in the domain. Usage comes from other
//! services' events by a process manager, never by asking them.

mod config;
mod invoices;
mod month_usage;
pub mod processes;
pub mod projections;
mod usages;

pub use config::{CATCH_UP, Config};
pub use invoices::{Gathered, Invoices};
pub use month_usage::MonthUsage;
pub use usages::Usages;

use std::sync::Arc;
use std::time::Duration;

use feira_projection_store::Store;
use feira_runtime::{Heads, ProcessManager, Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "billing";

/// The service whose messages are charged.
pub const CONVERSATION: &str = "conversation";

/// The service whose payments bear fees.
pub const PAYMENTS: &str = "payments";

/// What the service hosts, with its rows in `store`. An invoice waits up to `catch_up` until all that was used is entered
/// and in rows; where the logs end that say so, `heads` knows.
pub fn host(store: Arc<dyn Store>, heads: Arc<dyn Heads>, catch_up: Duration) -> ServiceHost {
    let usage = MonthUsage::new(store, heads, catch_up);
    ServiceHost::builder(SERVICE).host(Usages).host(Invoices::new(usage)).build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(projections::UsageRows), Arc::new(projections::InvoiceRows)]
}

/// What follows in this service from events elsewhere.
pub fn processes() -> Vec<Arc<dyn ProcessManager>> {
    vec![processes::usage()]
}
