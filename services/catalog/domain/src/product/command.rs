//! What can be asked of a product.

use std::sync::Arc;

use super::{Details, Pricing};

/// What can be asked of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make it as given, listing it where it is not.
    Put {
        /// The business's own id of it: the aggregate's key.
        sku: Arc<str>,
        /// What it is.
        details: Details,
        /// What it costs.
        pricing: Pricing,
    },
    /// Change what it costs.
    SetPrice {
        /// What it costs from now on.
        pricing: Pricing,
    },
    /// Take it out of the catalog.
    Withdraw,
}
