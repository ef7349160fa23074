//! Carts as a service: hosts them, gathers what they must know of products, and projects them into rows.
//!
//! No rule lives here: what a cart may hold is in the domain. What a product costs is read from the service's own
//! projection of the catalog's events, never asked of the catalog.

mod carts;
mod config;
mod offers;
pub mod projections;

pub use carts::Carts;
pub use config::{CATCH_UP, Config};
pub use offers::{CatalogHead, Offers};

use std::sync::Arc;
use std::time::Duration;

use feira_projection_store::Store;
use feira_runtime::{Projection, ServiceHost};

/// The service's name in topics and routes.
pub const SERVICE: &str = "cart";

/// The service whose events say what products cost.
pub const CATALOG: &str = "catalog";

/// What the service hosts, with its rows in `store`. An add waits up to `catch_up` for the end of the `catalog`'s log
/// when a product is not known.
pub fn host(store: Arc<dyn Store>, catalog: Arc<dyn CatalogHead>, catch_up: Duration) -> ServiceHost {
    ServiceHost::builder(SERVICE).host(Carts::new(Offers::new(store, catalog, catch_up))).build()
}

/// What the service projects.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(projections::CartRows), Arc::new(projections::OfferRows)]
}
