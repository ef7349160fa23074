//! What follows between shards, as the runtime runs it.

mod transfers;

pub use transfers::transfers;
