//! What is read of the catalog.

mod products;
mod stock;

pub use products::ProductRows;
pub use stock::StockRows;
