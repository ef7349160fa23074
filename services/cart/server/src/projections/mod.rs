//! What is read of carts and orders, and what carts must know of the catalog.

mod carts;
mod offers;
mod orders;

pub use carts::CartRows;
pub use offers::OfferRows;
pub use orders::OrderRows;
