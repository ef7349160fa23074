//! What can be asked of a contact.

use std::sync::Arc;

use feira_events::conversation::Category;

/// Something asked of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// What is asked.
    pub what: What,
}

/// What can be asked of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Come to know the customer.
    Meet,
    /// Write down that the customer agreed.
    OptIn {
        /// To what.
        category: Category,
        /// Where it was said.
        source: Arc<str>,
        /// The words that were agreed to.
        shown: Arc<str>,
    },
    /// Write down that the customer wants no more.
    OptOut {
        /// Of what.
        category: Category,
        /// Where it was said.
        source: Arc<str>,
    },
}
