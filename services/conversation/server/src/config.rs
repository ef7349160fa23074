//! What an operator may set of conversations.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

/// How long a command waits for the latest events that it must know where nothing else is set.
pub const CATCH_UP: Duration = Duration::from_secs(1);

/// What an operator may set. Read once in `main`, then passed down by value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the process takes commands for the lanes of conversations.
    pub listen: SocketAddr,
    /// The address under which other processes find it, `host:port`; what it listens on where none is given.
    #[serde(default)]
    pub advertise: Option<String>,
    /// How long a command waits for the latest events when what it names is not known, in milliseconds.
    #[serde(default = "catch_up_ms")]
    pub catch_up_ms: u64,
}

impl Config {
    /// How long a command waits for the latest events.
    pub fn catch_up(&self) -> Duration {
        Duration::from_millis(self.catch_up_ms)
    }
}

fn catch_up_ms() -> u64 {
    CATCH_UP.as_millis() as u64
}
