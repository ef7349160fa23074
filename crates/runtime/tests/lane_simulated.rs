//! The rules of lanes on the simulated log.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;
use std::sync::Arc;

use feira_event_log::EventLog;
use feira_event_log::simulated::Cluster;
use feira_ids::ServiceName;
use feira_runtime::lane_rules;
use feira_runtime::suite::Home;
use tempfile::TempDir;

struct Simulated(Arc<Cluster>, TempDir);

impl Simulated {
    fn new() -> Self {
        Self(Cluster::new(&[(ServiceName::new("cart"), 2)]), tempfile::tempdir().unwrap())
    }
}

impl Home for Simulated {
    fn open(&self) -> Arc<dyn EventLog> {
        self.0.process("one")
    }

    fn folder(&self) -> PathBuf {
        self.1.path().join("lanes")
    }
}

lane_rules!(Simulated::new());
