//! What a product remembers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Details, Pricing};

/// A product as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whether it is in the catalog.
    pub listed: bool,
    /// The business's own id of it; empty before it was ever listed.
    pub sku: Arc<str>,
    /// What it is, once it was ever listed.
    pub details: Option<Details>,
    /// What it costs, once it was ever listed.
    pub pricing: Option<Pricing>,
}
