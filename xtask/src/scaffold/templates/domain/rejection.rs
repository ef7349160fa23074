//! Why a command is refused.

use feira_commands::__name__::TITLE_CHARS_MAX;
use feira_decider::Reject;

/// Why a command was refused. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It is no title.
    #[error("a title has 1 to {TITLE_CHARS_MAX} characters and no spaces around it")]
    BadTitle,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BadTitle => "BAD_TITLE",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadTitle => Some("title"),
        }
    }
}
