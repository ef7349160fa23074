//! The logs that lanes are measured on, each empty when it is made, and the allocator that a process of them has.

#![allow(dead_code, reason = "each benchmark takes those that it needs")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use feira_event_log::EventLog;
use feira_event_log::simulated::Cluster;
use feira_event_log_embedded::EmbeddedLog;
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::ServiceName;
use feira_runtime::suite::Home;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use tempfile::TempDir;

/// That of `feira`: lanes, their callers and their references have the same.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A second service with a lane, for what is appended without one of ours.
pub const BARE: &str = "bare";

/// A log of one process, on a disk and not in memory.
pub struct Embedded(TempDir);

impl Embedded {
    pub fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made"))
    }
}

impl Home for Embedded {
    fn open(&self) -> Arc<dyn EventLog> {
        let services = [(ServiceName::new("cart"), 1)];
        EmbeddedLog::open(&self.0.path().join("log"), &services, Default::default()).expect("a log")
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("lanes")
    }
}

/// A log in memory: what is measured is what stands around it.
pub struct Simulated(Arc<Cluster>, TempDir);

impl Simulated {
    pub fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
        Self(Cluster::new(&[(ServiceName::new("cart"), 1)]), folder)
    }
}

impl Home for Simulated {
    fn open(&self) -> Arc<dyn EventLog> {
        self.0.process("owner")
    }

    fn folder(&self) -> PathBuf {
        self.1.path().join("lanes")
    }
}

/// Topics of a broker at `FEIRA_TEST_KAFKA` (127.0.0.1:19092 when that is not set); they go with it.
pub struct Kafka(pub KafkaConfig, TempDir);

impl Kafka {
    pub fn new() -> Self {
        let brokers = std::env::var("FEIRA_TEST_KAFKA").unwrap_or_else(|_| "127.0.0.1:19092".to_owned());
        let prefix = format!("bench{}.", uuid::Uuid::new_v4().simple());
        let config = KafkaConfig::new(&brokers, &prefix).with_service("cart", 1).with_service(BARE, 1);
        Self(config, tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made"))
    }
}

impl Home for Kafka {
    fn open(&self) -> Arc<dyn EventLog> {
        KafkaLog::connect(self.0.clone(), self.patience()).expect("run deploy/local/up.sh --kafka first")
    }

    fn folder(&self) -> PathBuf {
        self.1.path().join("lanes")
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let topics = ["cart.events.v1", "bare.events.v1", "lanes.v1"].map(|name| format!("{}{name}", self.0.prefix));
        let admin: Result<AdminClient<DefaultClientContext>, _> =
            ClientConfig::new().set("bootstrap.servers", &self.0.brokers).create();
        if let Ok(admin) = admin {
            let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(5)));
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            // A topic that stays is in nobody's way.
            let _ = futures::executor::block_on(admin.delete_topics(&names, &options));
        }
    }
}
