//! Why a contact refuses.

use feira_commands::conversation::OPT_IN_CHARS_MAX;
use feira_decider::Reject;

/// Why a contact refused a command. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The customer's id is none.
    #[error("a customer is named by country and number, as BR.1234")]
    BadCustomer,
    /// Nobody can agree to it.
    #[error("one opts in to and out of utility, marketing or authentication")]
    BadCategory,
    /// Where it was said is missing.
    #[error("say where the customer said so, in 1 to {OPT_IN_CHARS_MAX} characters")]
    BadSource,
    /// The words are missing.
    #[error("give the words that the customer agreed to, 1 to {OPT_IN_CHARS_MAX} characters")]
    BadShown,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BadCustomer => "BAD_CUSTOMER",
            Self::BadCategory => "BAD_CATEGORY",
            Self::BadSource => "BAD_SOURCE",
            Self::BadShown => "BAD_SHOWN",
        }
    }

    fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::BadCustomer => "customer",
            Self::BadCategory => "category",
            Self::BadSource => "source",
            Self::BadShown => "shown",
        })
    }
}
