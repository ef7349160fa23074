//! The rules of money: the ledger's shards, the regimes they are under, and what follows between them.

pub mod processes;
pub mod regime;
pub mod shard;
