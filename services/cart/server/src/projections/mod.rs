//! What is read of carts, and what carts must know of the catalog.

mod carts;
mod offers;

pub use carts::CartRows;
pub use offers::OfferRows;
