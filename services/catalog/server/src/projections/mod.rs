//! What is read of the catalog.

mod products;

pub use products::ProductRows;
