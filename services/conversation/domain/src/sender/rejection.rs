//! Why a sender refuses.

use feira_commands::conversation::NAME_CHARS_MAX;
use feira_decider::Reject;

use super::SENDER_CHARS_MAX;

/// Why a sender refused a command. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Its business was not registered.
    #[error("the business is not registered: register it first")]
    BusinessUnknown,
    /// It is open and is something else.
    #[error("the sender is open already, with another name or channel: open another one")]
    AlreadyOpen,
    /// Its id is none.
    #[error("a sender's id is 1 to {SENDER_CHARS_MAX} lower-case letters, digits, hyphens and underscores")]
    BadId,
    /// Its name is none.
    #[error("the name is one line of 1 to {NAME_CHARS_MAX} characters")]
    BadName,
    /// There is no such channel.
    #[error("there is no such channel")]
    BadChannel,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BusinessUnknown => "BUSINESS_UNKNOWN",
            Self::AlreadyOpen => "SENDER_OPEN",
            Self::BadId => "BAD_SENDER",
            Self::BadName => "BAD_NAME",
            Self::BadChannel => "BAD_CHANNEL",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadId => Some("sender"),
            Self::BadName => Some("display_name"),
            Self::BadChannel => Some("channel"),
            Self::BusinessUnknown | Self::AlreadyOpen => None,
        }
    }
}
