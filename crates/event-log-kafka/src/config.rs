//! What an operator sets, and what each kind of client is made with.

use std::collections::BTreeMap;

use feira_event_log::LogError;
use feira_ids::{LaneId, SLOTS, ServiceName};
use rdkafka::ClientConfig;
use serde::Deserialize;

use crate::names::Names;
use crate::writer::RECORD_BYTES_MAX;

/// How to reach the cluster and what is on it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// Where to ask first: `host:port`, with commas between several.
    pub brokers: String,
    /// Heads every name on the cluster; of one installation alone.
    #[serde(default)]
    pub prefix: String,
    /// How many lanes each service has: a power of two, the same in every process, for ever.
    pub lanes: BTreeMap<String, u32>,
    /// How many brokers keep each record: 3 wherever there are three brokers.
    #[serde(default = "one")]
    pub replication_factor: u16,
    /// How the group of a service's processes is kept.
    #[serde(default)]
    pub protocol: GroupProtocol,
    /// The name of this process within its group, with the classic protocol only: whoever comes back under the same
    /// name within the session time-out gets the same lanes. No two processes may share it.
    #[serde(default)]
    pub instance: Option<String>,
    /// How long a member may be silent before its lanes go to others, in milliseconds, with the classic protocol. With
    /// the consumer protocol the brokers say (`group.consumer.session.timeout.ms`).
    #[serde(default = "six_seconds")]
    pub session_timeout_ms: u32,
    /// How long a writer may have been idle and still be trusted, in milliseconds. Brokers forget a transactional id in
    /// time (a week, unless set otherwise); a lane is taken anew well before.
    #[serde(default = "one_day")]
    pub writer_idle_max_ms: u64,
    /// How long a client may go without a broker before it says so, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub outage_tolerated_ms: u64,
    /// Settings for every client, as librdkafka names them: security, above all.
    #[serde(default)]
    pub client: BTreeMap<String, String>,
}

/// The protocol by which a group shares out lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupProtocol {
    /// The brokers share out, lane by lane: brokers from 4.3 on.
    #[default]
    Consumer,
    /// The members share out, all lanes at once: older brokers.
    Classic,
}

fn one() -> u16 {
    1
}

fn six_seconds() -> u32 {
    6_000
}

fn ten_seconds() -> u64 {
    10_000
}

fn one_day() -> u64 {
    24 * 60 * 60 * 1_000
}

impl KafkaConfig {
    /// A configuration with what is usual; services are added with [`KafkaConfig::with_service`].
    pub fn new(brokers: &str, prefix: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            prefix: prefix.to_owned(),
            lanes: BTreeMap::new(),
            replication_factor: one(),
            protocol: GroupProtocol::default(),
            instance: None,
            session_timeout_ms: six_seconds(),
            writer_idle_max_ms: one_day(),
            outage_tolerated_ms: ten_seconds(),
            client: BTreeMap::new(),
        }
    }

    /// The same with `service` and its number of lanes.
    pub fn with_service(mut self, service: &str, lanes: u32) -> Self {
        self.lanes.insert(service.to_owned(), lanes);
        self
    }

    /// The services with their numbers of lanes.
    pub(crate) fn services(&self) -> impl Iterator<Item = (ServiceName, u32)> {
        self.lanes.iter().map(|(service, lanes)| (ServiceName::new(service), *lanes))
    }

    /// What is wrong with the configuration, if anything is.
    pub(crate) fn fault(&self) -> Option<String> {
        if !Names::fits(&self.prefix) {
            return Some(format!(
                "prefix {:?}: use at most 100 letters, digits, dots, hyphens and underscores",
                self.prefix
            ));
        }
        if self.instance.is_some() && self.protocol == GroupProtocol::Consumer {
            return Some(
                "instance: only the classic protocol has one; leave it out or set protocol = \"classic\"".into(),
            );
        }
        self.lanes.iter().find_map(|(service, lanes)| {
            if service.is_empty() || !service.bytes().all(|b| b.is_ascii_lowercase()) {
                return Some(format!("lanes: a service is named by lower-case letters, not {service:?}"));
            }
            let fits = lanes.is_power_of_two() && *lanes <= SLOTS;
            (!fits).then(|| format!("lanes of {service}: a power of two up to {SLOTS}, not {lanes}"))
        })
    }

    /// A client that only asks: metadata, watermarks. It sees what is not yet committed, because a lane's end must be
    /// judged by the high watermark.
    pub(crate) fn asking(&self) -> ClientConfig {
        let mut client = self.any();
        client.set("isolation.level", "read_uncommitted");
        client
    }

    /// A client that reads committed records of partitions that it names itself.
    pub(crate) fn reading(&self, names: &Names) -> ClientConfig {
        let mut client = self.any();
        client
            // The library wants a group's name even of a client that is a member of none.
            .set("group.id", names.readers())
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // A place that is not there is a finding, not a reason to begin elsewhere.
            .set("auto.offset.reset", "error")
            .set("fetch.error.backoff.ms", "20")
            .set("fetch.queue.backoff.ms", "5")
            // One client for each lane: what each keeps ready is bounded.
            .set("queued.min.messages", "20000")
            .set("queued.max.messages.kbytes", "8192")
            .set("fetch.message.max.bytes", "2097152")
            .set("receive.message.max.bytes", (RECORD_BYTES_MAX * 4).to_string());
        client
    }

    /// A member of a service's group.
    pub(crate) fn member(&self, names: &Names, service: &ServiceName) -> ClientConfig {
        let mut client = self.any();
        client
            .set("group.id", names.members(service))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "latest")
            .set("queued.max.messages.kbytes", "64")
            .set("fetch.message.max.bytes", "1024");
        match self.protocol {
            GroupProtocol::Consumer => {
                client.set("group.protocol", "consumer");
            }
            GroupProtocol::Classic => {
                client
                    .set("group.protocol", "classic")
                    // Cooperative assignment would let a lane's former owner see a fence where none was meant.
                    .set("partition.assignment.strategy", "range")
                    .set("session.timeout.ms", self.session_timeout_ms.to_string())
                    .set("heartbeat.interval.ms", (self.session_timeout_ms / 6).max(1).to_string());
                if let Some(instance) = &self.instance {
                    client.set("group.instance.id", instance);
                }
            }
        }
        client
    }

    /// The appending client of a lane's owner.
    pub(crate) fn appending(&self, names: &Names, lane: &LaneId) -> ClientConfig {
        let mut client = self.any();
        client
            .set("transactional.id", names.transactional_id(lane))
            .set("transaction.timeout.ms", "10000")
            .set("request.timeout.ms", "5000")
            .set("linger.ms", "0")
            // The next transaction meets the last one's marks being written. With the usual 100 ms between tries every
            // transaction would take so long.
            .set("retry.backoff.ms", "1")
            .set("retry.backoff.max.ms", "20")
            .set("queue.buffering.max.messages", "1000000")
            .set("message.max.bytes", (RECORD_BYTES_MAX * 2).to_string())
            // The envelope is the same words in every record.
            .set("compression.type", "lz4");
        client
    }

    fn any(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "feira")
            // Below the time-out of a transaction: its fate is known to us no later than to the broker.
            .set("socket.timeout.ms", "6000")
            .set("socket.nagle.disable", "true")
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "1000")
            .set("allow.auto.create.topics", "false");
        for (name, value) in &self.client {
            client.set(name, value);
        }
        client
    }

    /// The error for a configuration that cannot be used.
    pub(crate) fn unusable(reason: String) -> LogError {
        LogError::Unavailable { what: format!("the configuration of Kafka: {reason}"), source: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_that_do_not_divide_the_slots_are_refused() {
        for lanes in [0, 3, 2048] {
            assert!(KafkaConfig::new("h:1", "").with_service("cart", lanes).fault().is_some(), "{lanes}");
        }
        assert_eq!(KafkaConfig::new("h:1", "").with_service("cart", 1024).fault(), None);
    }

    #[test]
    fn an_instance_needs_the_classic_protocol() {
        let mut config = KafkaConfig::new("h:1", "");
        config.instance = Some("a".into());
        assert!(config.fault().is_some());
        config.protocol = GroupProtocol::Classic;
        assert_eq!(config.fault(), None);
    }
}
