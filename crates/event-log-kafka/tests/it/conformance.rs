//! The suite that every log passes.

use std::sync::Arc;

use feira_event_log::EventLog;
use feira_event_log::suite::Harness;

use crate::cluster;

struct Kafka(cluster::Fresh);

impl Harness for Kafka {
    fn open(&self) -> Arc<dyn EventLog> {
        cluster::connect(&self.0)
    }
}

feira_event_log::conformance!(Kafka(cluster::fresh()));
