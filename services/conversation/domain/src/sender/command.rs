//! What can be asked of a sender, with the facts it takes to answer.

use std::sync::Arc;

use feira_events::conversation::Channel;

/// What can be asked of a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open it.
    Open {
        /// The sender.
        sender: Arc<str>,
        /// The name under which customers see it.
        display_name: Arc<str>,
        /// Where it talks.
        channel: Channel,
        /// Whether its business is registered.
        registered: bool,
    },
}
