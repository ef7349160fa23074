//! Why a template refuses.

use feira_commands::conversation::TEMPLATE_CHARS_MAX;
use feira_decider::Reject;

use super::NAME_CHARS_MAX;

/// Why a template refused a command. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Its business was not registered.
    #[error("the business is not registered: register it first")]
    BusinessUnknown,
    /// It was never written.
    #[error("there is no such template: write it first")]
    Unknown,
    /// It was written otherwise.
    #[error("the template says something else already: write one with another name")]
    AlreadyWritten,
    /// Its name is none.
    #[error("a template's name is 1 to {NAME_CHARS_MAX} lower-case letters, digits and underscores")]
    BadName,
    /// Its language is none.
    #[error("the language is one as pt, or of a country as pt_BR")]
    BadLanguage,
    /// There are no templates for that.
    #[error("a template is for utility, marketing or authentication")]
    BadCategory,
    /// Its text is none.
    #[error("the text is 1 to {TEMPLATE_CHARS_MAX} characters")]
    BadBody,
    /// Its variables are not numbered.
    #[error("variables are numbered from 1 without a gap: {{{{1}}}}, {{{{2}}}}")]
    BadVariables,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BusinessUnknown => "BUSINESS_UNKNOWN",
            Self::Unknown => "TEMPLATE_UNKNOWN",
            Self::AlreadyWritten => "TEMPLATE_WRITTEN",
            Self::BadName => "BAD_NAME",
            Self::BadLanguage => "BAD_LANGUAGE",
            Self::BadCategory => "BAD_CATEGORY",
            Self::BadBody => "BAD_BODY",
            Self::BadVariables => "BAD_VARIABLES",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadName => Some("name"),
            Self::BadLanguage => Some("language"),
            Self::BadCategory => Some("category"),
            Self::BadBody | Self::BadVariables => Some("body"),
            Self::BusinessUnknown | Self::Unknown | Self::AlreadyWritten => None,
        }
    }
}
