//! The tables that projections write and the gateway reads, and the rows in them by name.
//!
//! Partition keys begin with the tenant. Products are spread over [`catalog::SHELVES`] partitions per tenant, so that a
//! million of them stay readable; a list goes shelf by shelf, by SKU within each.

pub mod cart;
pub mod catalog;
mod column;

pub use column::RowError;
