//! The suite of every log, on the embedded one.

use std::sync::Arc;

use feira_event_log::EventLog;
use feira_event_log::suite::{Harness, LANES};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::ServiceName;
use tempfile::TempDir;

/// A log in a folder of its own, with segments so short that the larger rules fill several.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder can be made"))
    }
}

impl Harness for Folder {
    fn open(&self) -> Arc<dyn EventLog> {
        let services = [(ServiceName::new("catalog"), 2), (self.service(), LANES)];
        EmbeddedLog::open(self.0.path(), &services, Options { segment_bytes: 64 << 10 }).expect("the log opens")
    }
}

feira_event_log::conformance!(Folder::new());
