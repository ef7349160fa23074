//! What a contact remembers.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_events::conversation::Category;
use serde::{Deserialize, Serialize};

/// A contact as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The customer's country; empty before the business came to know the customer.
    pub country: Arc<str>,
    /// What was said last about each category: agreed, or no more.
    pub agreed: BTreeMap<Category, bool>,
}

impl State {
    /// The categories about which the customer last said `agreed`.
    pub fn categories(&self, agreed: bool) -> Vec<Category> {
        self.agreed.iter().filter(|(_, said)| **said == agreed).map(|(category, _)| *category).collect()
    }
}
