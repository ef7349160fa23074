//! What an operator may set of carts.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

/// How long an add waits for the catalog's latest events, a checkout for the cart's, where nothing else is set.
pub const CATCH_UP: Duration = Duration::from_secs(1);

/// What an operator may set. Read once in `main`, then passed down by value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the process takes commands for the carts' lanes.
    pub listen: SocketAddr,
    /// The address under which other processes find it, `host:port`; what it listens on where none is given.
    #[serde(default)]
    pub advertise: Option<String>,
    /// How long an add waits for the catalog's latest events when a product is not known, a checkout for the cart's, in
    /// milliseconds.
    #[serde(default = "catch_up_ms")]
    pub catch_up_ms: u64,
}

impl Config {
    /// How long an add waits for the catalog's latest events, a checkout for the cart's.
    pub fn catch_up(&self) -> Duration {
        Duration::from_millis(self.catch_up_ms)
    }
}

fn catch_up_ms() -> u64 {
    CATCH_UP.as_millis() as u64
}
