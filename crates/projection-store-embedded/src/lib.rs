//! The projection store inside the process: rows on disk in clustering order, nothing to install.
//!
//! Rows and the checkpoint they belong to are one batch, so that after any stop the checkpoint is never ahead of its
//! rows. Nothing is synced to disk at each write: what a power cut takes away is built again from the log.

mod key;
mod record;
mod store;
mod write;

pub use store::{EmbeddedStore, Options};
