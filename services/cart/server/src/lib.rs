//! Carts as a service: hosts them, gathers what they must know of products, and projects them into rows.
//!
//! No rule lives here: what a cart may hold is in the domain. What a product costs is read from the service's own
//! projection of the catalog's events, never asked of the catalog.

mod carts;
mod config;
mod offers;
pub mod projections;

pub use carts::Carts;
pub use config::Config;
pub use offers::{CatalogHead, Offers};

/// The service's name in topics and routes.
pub const SERVICE: &str = "cart";

/// The service whose events say what products cost.
pub const CATALOG: &str = "catalog";
