//! The suite that every log passes.

use std::sync::Arc;

use feira_event_log::EventLog;
use feira_event_log::suite::Harness;
use feira_event_log_kafka::KafkaConfig;

use crate::cluster;

struct Kafka(KafkaConfig);

impl Harness for Kafka {
    fn open(&self) -> Arc<dyn EventLog> {
        cluster::connect(&self.0)
    }
}

feira_event_log::conformance!(Kafka(cluster::fresh()));
