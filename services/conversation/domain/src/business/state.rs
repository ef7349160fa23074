//! What a business remembers.

use std::sync::Arc;

use feira_events::conversation::Profile;
use serde::{Deserialize, Serialize};

/// A business as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whether it came to the platform.
    pub registered: bool,
    /// Its name.
    pub name: Arc<str>,
    /// What it says of itself.
    pub profile: Profile,
    /// Where it is.
    pub country: Arc<str>,
    /// Whether it is there to try things out.
    pub sandbox: bool,
    /// How far its business time is ahead of the lanes' own, in milliseconds.
    pub clock_offset_ms: i64,
}
