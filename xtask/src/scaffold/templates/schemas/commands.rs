//! What __name__ can be asked, and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;

/// What can be asked. The aggregate is `__name__:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Input {
    /// Say what it is called.
    SetTitle {
        /// What it is to be called.
        title: Arc<str>,
    },
}

impl Input {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::SetTitle { .. } => "__name__.set_title",
        }
    }
}

/// One of what __name__ is about, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Which one.
    pub id: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// What it is called; nothing before its first title.
    pub title: Option<Arc<str>>,
}
