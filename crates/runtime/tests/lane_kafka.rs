//! The rules of lanes on a real Kafka.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use feira_event_log::EventLog;
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_runtime::lane_rules;
use feira_runtime::suite::Home;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use tempfile::TempDir;

/// Topics that no other test has; they go when the test has ended.
struct Kafka(KafkaConfig, TempDir);

impl Kafka {
    fn new() -> Self {
        let brokers = std::env::var("FEIRA_TEST_KAFKA").unwrap_or_else(|_| "127.0.0.1:19092".to_owned());
        let first = brokers.split(',').next().unwrap().to_socket_addrs().unwrap().next().unwrap();
        if let Err(error) = TcpStream::connect_timeout(&first, Duration::from_secs(5)) {
            panic!("no Kafka at {brokers} ({error}): run deploy/local/up.sh --kafka, or set FEIRA_TEST_KAFKA");
        }
        let folder = tempfile::tempdir().unwrap();
        // The folder's name is as unique as the prefix is to be.
        let name = folder.path().file_name().unwrap().to_string_lossy().replace(|c: char| !c.is_alphanumeric(), "");
        Self(KafkaConfig::new(&brokers, &format!("l{name}{}.", std::process::id())).with_service("cart", 2), folder)
    }
}

impl Home for Kafka {
    fn open(&self) -> Arc<dyn EventLog> {
        KafkaLog::connect(self.0.clone(), self.patience()).unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.1.path().join("lanes")
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let topics = ["cart.events.v1", "lanes.v1"].map(|name| format!("{}{name}", self.0.prefix));
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

lane_rules!(Kafka::new());
