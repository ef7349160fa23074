//! What can be asked of a template, with the facts it takes to answer.

use std::sync::Arc;

use feira_events::conversation::Category;

/// What can be asked of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Write it.
    Create {
        /// Its name.
        name: Arc<str>,
        /// The language of its text.
        language: Arc<str>,
        /// What it is for.
        category: Category,
        /// Its text.
        body: Arc<str>,
        /// Whether its business is a sandbox; none when there is no such business.
        sandbox: Option<bool>,
    },
    /// Let it be sent.
    Approve,
}
