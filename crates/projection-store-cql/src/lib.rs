//! The projection store on ScyllaDB or Cassandra: typed columns, prepared statements, writes with our own timestamps.
//!
//! A write is repeated as often as it takes, because repeating it changes nothing. Reads and writes are at
//! LOCAL_QUORUM, and the checkpoint is written after the rows are acknowledged, so that whoever sees it sees them.

mod checkpoint;
mod config;
mod keyring;
mod schema;
mod segment;
mod session;
mod statement;
mod store;
mod value;

pub use config::CqlConfig;
pub use keyring::CqlKeyring;
pub use store::CqlStore;
