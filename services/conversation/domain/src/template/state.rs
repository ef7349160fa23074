//! What a template remembers.

use feira_events::conversation::TemplateCreated;
use serde::{Deserialize, Serialize};

/// A template as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What it says; none before it is written.
    pub created: Option<TemplateCreated>,
    /// Whether it may be sent.
    pub approved: bool,
}
