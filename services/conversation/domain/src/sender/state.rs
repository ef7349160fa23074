//! What a sender remembers.

use feira_events::conversation::SenderOpened;
use serde::{Deserialize, Serialize};

/// A sender as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What it is; none before it is opened.
    pub opened: Option<SenderOpened>,
}
