//! Carts and orders as a service: hosts them, gathers what carts must know of products, projects both into rows, and
//! leads orders to their end.
//!
//! No rule lives here: what a cart may hold and how an order goes on is in the domain. What a product costs is read from
//! the service's own projection of the catalog's events, never asked of the catalog.

mod carts;
mod config;
mod offers;
mod orders;
pub mod processes;
pub mod projections;

pub use carts::Carts;
pub use config::{CATCH_UP, Config};
pub use offers::Offers;
pub use orders::Orders;

use std::sync::Arc;
use std::time::Duration;

use feira_projection_store::Store;
use feira_runtime::{Heads, ProcessManager, Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "cart";

/// The service whose events say what products cost.
pub const CATALOG: &str = "catalog";

/// The service whose events say what was paid.
pub const PAYMENTS: &str = "payments";

/// What the service hosts, with its rows in `store`. An add waits up to `catch_up` for the end of the catalog's log
/// when a product is not known, a checkout for the end of the cart's.
pub fn host(store: Arc<dyn Store>, heads: Arc<dyn Heads>, catch_up: Duration) -> ServiceHost {
    ServiceHost::builder(SERVICE).host(Carts::new(Offers::new(store, heads, catch_up))).host(Orders).build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(projections::CartRows), Arc::new(projections::OfferRows), Arc::new(projections::OrderRows)]
}

/// What follows from carts and orders, and from what is done for them elsewhere.
pub fn processes() -> Vec<Arc<dyn ProcessManager>> {
    vec![processes::order()]
}
