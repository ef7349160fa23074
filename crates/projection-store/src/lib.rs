//! Rows that projections write and queries read, in a form that an embedded store and CQL both keep.
//!
//! A write is an idempotent upsert or delete with a timestamp; the later timestamp wins, cell by cell, so a repeat or a
//! replay changes nothing. There is no compare-and-set, no counter, no query across partitions: what the two stores do
//! not do alike, this trait does not have. Only a check of a store against the log reads whole tables.

mod check;
mod cql;
mod error;
mod model;
mod store;
pub mod suite;
mod table;
mod value;

pub use check::{CELL_BYTES_MAX, KEY_BYTES_MAX, LIMIT_MAX, name_is_valid};
pub use cql::{Violation, lint_cql};
pub use error::StoreError;
pub use model::ModelStore;
pub use store::{Checkpoint, Page, ProjectionId, Range, RowStream, Store};
pub use table::{Column, ColumnType, Order, Table, TableError};
pub use value::{Mutation, Row, Value};
