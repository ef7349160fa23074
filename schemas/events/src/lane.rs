//! What concerns a lane itself: who took it over, and how a command ended that left no event.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An owner began a new term on the lane. The first record of every term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneTaken {
    /// Where the owner takes commands: `host:port`, or `local` in one process.
    pub address: Arc<str>,
}

/// A command was decided and left no event: refused, or nothing to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOutcome {
    /// Which of the two.
    pub outcome: OutcomeKind,
    /// The refusal's stable code; empty when nothing was to change.
    pub code: Arc<str>,
    /// The input field that the caller can mend.
    pub field: Option<Arc<str>>,
    /// The refusal in words, without personal data.
    pub message: Arc<str>,
}

/// How a command ended without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OutcomeKind {
    /// The aggregate refused.
    Refused,
    /// The aggregate was already as asked.
    Nothing,
    /// An outcome that a later release writes and this one does not know.
    #[serde(other)]
    Unknown,
}

/// Any record that concerns the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// See [`LaneTaken`].
    LaneTaken(LaneTaken),
    /// See [`CommandOutcome`].
    CommandOutcome(CommandOutcome),
}
