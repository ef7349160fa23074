//! The rules of lanes on the embedded log.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;
use std::sync::Arc;

use feira_event_log::EventLog;
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::ServiceName;
use feira_runtime::lane_rules;
use feira_runtime::suite::Home;
use tempfile::TempDir;

struct Embedded(TempDir);

impl Embedded {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Home for Embedded {
    fn open(&self) -> Arc<dyn EventLog> {
        let options = Options { segment_bytes: 1 << 20 };
        EmbeddedLog::open(&self.0.path().join("log"), &[(ServiceName::new("cart"), 2)], options).unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("lanes")
    }
}

lane_rules!(Embedded::new());
