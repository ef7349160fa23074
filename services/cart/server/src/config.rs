//! What an operator may set of carts.

use serde::Deserialize;

/// What an operator may set. Read once in `main`, then passed down by value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How many lanes the service has: a power of two, fixed once there are events.
    pub lanes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { lanes: 4 }
    }
}
