//! Where the database is and how it is asked.

use std::fmt;
use std::time::Duration;

/// What an operator sets for a CQL store.
#[derive(Clone)]
pub struct CqlConfig {
    /// Nodes to begin with, `host:port`; the driver finds the others.
    pub nodes: Vec<String>,
    /// The keyspace of this platform; made where there is none.
    pub keyspace: String,
    /// How many nodes of a datacenter keep each row, when the keyspace is made.
    pub replication_factor: u32,
    /// The datacenter to talk to, and the only one to keep rows when the keyspace is made; all where none is given.
    pub datacenter: Option<String>,
    /// User name and password, where the database asks for them.
    pub credentials: Option<(String, String)>,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How long to wait at start for a database that does not answer.
    pub start_wait: Duration,
}

impl CqlConfig {
    /// One copy of each row on whatever `nodes` belong to, in `keyspace`.
    pub fn new(nodes: impl IntoIterator<Item = impl Into<String>>, keyspace: impl Into<String>) -> Self {
        Self {
            nodes: nodes.into_iter().map(Into::into).collect(),
            keyspace: keyspace.into(),
            replication_factor: 1,
            datacenter: None,
            credentials: None,
            request_timeout: Duration::from_secs(3),
            start_wait: Duration::from_secs(60),
        }
    }
}

impl fmt::Debug for CqlConfig {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqlConfig")
            .field("nodes", &self.nodes)
            .field("keyspace", &self.keyspace)
            .field("replication_factor", &self.replication_factor)
            .field("datacenter", &self.datacenter)
            .field("user", &self.credentials.as_ref().map(|(user, _)| user))
            .field("request_timeout", &self.request_timeout)
            .field("start_wait", &self.start_wait)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let credentials = Some(("feira".to_owned(), "secret".to_owned()));
        let config = CqlConfig { credentials, ..CqlConfig::new(["a:9042"], "feira") };
        let shown = format!("{config:?}");
        assert!(shown.contains("feira") && !shown.contains("secret"), "{shown}");
    }
}
