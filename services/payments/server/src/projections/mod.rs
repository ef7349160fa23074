//! What is read of the ledger.

mod intents;
mod ledger;

pub use intents::IntentRows;
pub use ledger::LedgerRows;
