//! What is remembered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What the events add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What it is called; nothing before its first title.
    pub title: Option<Arc<str>>,
}
