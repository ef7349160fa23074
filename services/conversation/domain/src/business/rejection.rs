//! Why a business refuses.

use feira_commands::conversation::{
    CLOCK_OFFSET_MS_MAX, CLOCK_STEP_MS_MAX, NAME_CHARS_MAX, PROFILE_CHARS_MAX, WEBSITES_MAX,
};
use feira_decider::Reject;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why a business refused a command. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was not registered.
    #[error("the business is not registered: register it first")]
    Unknown,
    /// It was registered otherwise.
    #[error("the business is registered already: change its profile; its country and sandbox stay as they are")]
    AlreadyRegistered,
    /// The name is none.
    #[error("the name is one line of 1 to {NAME_CHARS_MAX} characters")]
    BadName,
    /// A text of the profile is none.
    #[error("a text of the profile is 1 to {PROFILE_CHARS_MAX} characters; leave out what is empty")]
    BadProfile,
    /// More pages than are shown.
    #[error("a profile has at most {WEBSITES_MAX} web pages")]
    TooManyWebsites,
    /// The country is none.
    #[error("the country is two capital letters, as BR")]
    BadCountry,
    /// It is there in earnest.
    #[error("only the clock of a sandbox business can be moved")]
    NotSandbox,
    /// Neither a span nor a moment, or both.
    #[error("give either the span to move the clock by or the moment to move it to")]
    OneStep,
    /// The moment lies behind.
    #[error("a clock moves forwards only")]
    Backwards,
    /// The step is longer than one may be.
    #[error("a step is at most {} days: take several", CLOCK_STEP_MS_MAX / DAY_MS)]
    StepTooLong,
    /// The clock would be further ahead than any may be.
    #[error("a clock can be at most {} days ahead", CLOCK_OFFSET_MS_MAX / DAY_MS)]
    TooFar,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "BUSINESS_UNKNOWN",
            Self::AlreadyRegistered => "BUSINESS_REGISTERED",
            Self::BadName => "BAD_NAME",
            Self::BadProfile => "BAD_PROFILE",
            Self::TooManyWebsites => "TOO_MANY_WEBSITES",
            Self::BadCountry => "BAD_COUNTRY",
            Self::NotSandbox => "NOT_SANDBOX",
            Self::OneStep => "ONE_STEP",
            Self::Backwards => "CLOCK_BACKWARDS",
            Self::StepTooLong => "CLOCK_STEP_TOO_LONG",
            Self::TooFar => "CLOCK_TOO_FAR",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadName => Some("name"),
            Self::BadProfile => Some("profile"),
            Self::TooManyWebsites => Some("websites"),
            Self::BadCountry => Some("country"),
            Self::Backwards | Self::StepTooLong | Self::TooFar => Some("by_ms"),
            Self::Unknown | Self::AlreadyRegistered | Self::NotSandbox | Self::OneStep => None,
        }
    }
}
