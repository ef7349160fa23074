//! What an operator may set of __name__.

use std::net::SocketAddr;

use serde::Deserialize;

/// What an operator may set. Read once in `main`, then passed down by value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the process takes commands for the lanes of __name__.
    pub listen: SocketAddr,
    /// The address under which other processes find it, `host:port`; what it listens on where none is given.
    #[serde(default)]
    pub advertise: Option<String>,
}
