//! What follows in the catalog from its own events.

mod stock;

pub use stock::StockProcess;
