//! What can go wrong with a store, by what the caller is to do.

use std::error::Error;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store does not answer now; it may later.
    #[error("the store is not available: {what}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// What is stored cannot be read: drop the projection and rebuild it from the log.
    #[error("the stored rows of {table} cannot be read: {reason}")]
    Damaged {
        /// The table.
        table: String,
        /// What is wrong.
        reason: String,
    },
    /// Values do not fit the table: a mistake of the program.
    #[error("values do not fit table {table}: {reason}")]
    Invalid {
        /// The table.
        table: String,
        /// What is wrong.
        reason: String,
    },
}
