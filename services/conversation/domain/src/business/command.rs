//! What can be asked of a business.

use std::sync::Arc;

use feira_events::conversation::Profile;

/// What can be asked of a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bring it to the platform.
    Register {
        /// Its name, as customers see it.
        name: Arc<str>,
        /// What it says of itself.
        profile: Profile,
        /// Where it is.
        country: Arc<str>,
        /// Whether it is there to try things out.
        sandbox: bool,
    },
    /// Change what it says of itself.
    SetProfile {
        /// Its name.
        name: Arc<str>,
        /// What it says of itself.
        profile: Profile,
    },
    /// Move its clock forwards: one of the two is given.
    MoveClock {
        /// By how much, in milliseconds.
        by_ms: Option<i64>,
        /// To when, milliseconds since 1970.
        to: Option<i64>,
    },
}
