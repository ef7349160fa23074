//! What an operator sets of processes on Kafka and CQL: one TOML file, and the environment over it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use feira_gateway::{GatewayConfig, VerifierConfig};
use feira_projection_store_cql::CqlConfig;
use serde::Deserialize;
use toml::{Table, Value};

use crate::failure::Failure;
use crate::services::{self, Seat};

pub use feira_event_log_kafka::KafkaConfig as Kafka;

/// The sections that the environment can reach into beside the services' own: `FEIRA_KAFKA_BROKERS` is `brokers` of
/// `[kafka]`.
const SECTIONS: [&str; 5] = ["kafka", "cql", "rpc", "auth", "gateway"];

/// Keys whose values are text whatever they look like.
const TEXTS: [&str; 3] = ["password", "user", "keyspace"];

/// All settings. Each process reads the sections it needs; unknown keys are errors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The folder for what a process keeps and can build again; no two processes share one.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// How long to wait at start for servers that do not answer, in milliseconds.
    #[serde(default = "ten_minutes")]
    pub start_wait_ms: u64,
    /// The log.
    pub kafka: Kafka,
    /// The rows and keys.
    pub cql: Cql,
    /// How processes know each other.
    #[serde(default)]
    pub rpc: Rpc,
    /// How callers are known.
    pub auth: Auth,
    /// The services that have a section, by name.
    #[serde(skip)]
    pub services: BTreeMap<&'static str, Seat>,
    /// The gateway.
    pub gateway: Option<Gateway>,
}

/// Where the CQL store is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cql {
    /// Nodes to begin with, `host:port`.
    pub nodes: Vec<String>,
    /// The keyspace; made where there is none.
    pub keyspace: String,
    /// How many nodes keep each row, when the keyspace is made.
    #[serde(default = "one")]
    pub replication_factor: u32,
    /// The datacenter to talk to.
    #[serde(default)]
    pub datacenter: Option<String>,
    /// The user, where the store asks for one; the password is best set as FEIRA_CQL_PASSWORD.
    #[serde(default)]
    pub user: Option<String>,
    /// The password.
    #[serde(default)]
    password: Option<String>,
}

/// How processes know each other.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rpc {
    /// A file with a secret of at least 32 characters, the same for all processes. Without one, the development folder
    /// holds it.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
}

/// How callers are known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// For development on one machine: the folder with a signing key and secrets, made where there are none. The same
    /// for all processes.
    #[serde(default)]
    pub development_folder: Option<PathBuf>,
    /// Whose tokens are accepted; without it, the development key's.
    #[serde(default)]
    pub tokens: Option<VerifierConfig>,
    /// A file with 64 hexadecimal digits, from which businesses' ids of their customers come; kept as long as the data.
    #[serde(default)]
    pub platform_secret_file: Option<PathBuf>,
}

/// The gateway.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Where clients are answered.
    pub listen: SocketAddr,
    /// Limits and waits.
    #[serde(default)]
    pub limits: GatewayConfig,
}

fn one() -> u32 {
    1
}

fn ten_minutes() -> u64 {
    600_000
}

impl Cql {
    /// What the store's client takes.
    pub fn config(&self, start_wait: Duration) -> CqlConfig {
        CqlConfig {
            replication_factor: self.replication_factor,
            datacenter: self.datacenter.clone(),
            credentials: self.user.clone().map(|user| (user, self.password.clone().unwrap_or_default())),
            start_wait,
            ..CqlConfig::new(self.nodes.clone(), self.keyspace.clone())
        }
    }
}

impl Settings {
    /// Reads the file, and the environment over it.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        Self::read_with_table(path).map(|(settings, _)| settings)
    }

    /// [`Settings::read`], and what was read, before anything that is not set got its usual value.
    pub fn read_with_table(path: &Path) -> Result<(Self, Table), Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::because(format!("cannot read the settings in {}", path.display()), error))?;
        // What is not text is no setting of ours.
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::parse_with_table(&text, environment)
            .map_err(|error| Failure::because(format!("the settings in {} cannot be used", path.display()), error))
    }

    fn parse_with_table(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Table), Unusable> {
        let mut table: Table = toml::from_str(text).map_err(|error| Unusable::at(text, &error))?;
        for (name, value) in environment {
            if let Some((section, key)) = setting(&name) {
                let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                if let Some(section) = section.as_table_mut() {
                    // A password of digits is text all the same.
                    let value = if TEXTS.contains(&key.as_str()) { Value::String(value) } else { read_value(value) };
                    section.insert(key, value);
                }
            }
        }
        let password = table.get("cql").and_then(|cql| cql.get("password"));
        if password.is_some_and(|password| !password.is_str()) {
            return Err(Unusable("the password of [cql] is not text: put it in quotes".to_owned()));
        }
        let (mut rest, mut services) = (table.clone(), BTreeMap::new());
        for known in services::ALL {
            if let Some(section) = rest.remove(known.name) {
                let seat = (known.seat)(section);
                let seat = seat.map_err(|error| Unusable(format!("[{}]: {}", known.name, error.message())))?;
                services.insert(known.name, seat);
            }
        }
        let settings: Self = rest.try_into().map_err(|error: toml::de::Error| Unusable(error.message().to_owned()))?;
        Ok((Self { services, ..settings }, table))
    }
}

/// Why settings cannot be used. It never shows a line of the file, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(String);

impl Unusable {
    fn at(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        Self(format!("line {line}: {}", error.message()))
    }
}

/// The section and key that a variable of the environment sets.
fn setting(name: &str) -> Option<(String, String)> {
    let (section, key) = name.strip_prefix("FEIRA_")?.split_once('_')?;
    let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
    (SECTIONS.contains(&section.as_str()) || services::known(&section).is_some()).then_some((section, key))
}

/// A value as TOML writes it, such as `4`, `true` or `["a:1", "b:1"]`; anything else is text.
fn read_value(text: String) -> Value {
    let written = toml::from_str::<Table>(&format!("value = {text}")).ok();
    let read = written.and_then(|mut table| table.remove("value"));
    match read {
        Some(value @ (Value::Integer(_) | Value::Boolean(_) | Value::Array(_))) => value,
        Some(Value::String(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_)) | None => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
        [kafka]
        brokers = "127.0.0.1:19092"
        lanes = { catalog = 4, cart = 4 }
        [cql]
        nodes = ["127.0.0.1:19042"]
        keyspace = "feira"
        [auth]
        development_folder = "data"
        [cart]
        listen = "127.0.0.1:7102"
    "#;

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Settings, Unusable> {
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Settings::parse_with_table(text, environment).map(|(settings, _)| settings)
    }

    #[test]
    fn the_environment_stands_over_the_file() {
        let environment = [
            ("FEIRA_CQL_PASSWORD", "12345"),
            ("FEIRA_KAFKA_BROKERS", "kafka.example:9092"),
            ("FEIRA_CQL_NODES", r#"["a:9042", "b:9042"]"#),
            ("FEIRA_CART_CATCH_UP_MS", "250"),
            ("FEIRA_TEST_KAFKA", "not a setting"),
        ];
        let settings = parse(MINIMAL, &environment).unwrap();
        assert_eq!(settings.cql.password.as_deref(), Some("12345"));
        assert_eq!(settings.kafka.brokers, "kafka.example:9092");
        assert_eq!(settings.cql.nodes, ["a:9042", "b:9042"]);
        assert_eq!(settings.services["cart"].catch_up, Some(Duration::from_millis(250)));
    }

    #[test]
    fn a_key_that_nothing_reads_is_an_error_wherever_it_stands() {
        assert!(parse(&format!("{MINIMAL}\nlissten = 1"), &[]).is_err());
        assert!(parse(&format!("surprise = 1\n{MINIMAL}"), &[]).is_err());
        assert!(parse(MINIMAL, &[("FEIRA_CART_LISSTEN", "127.0.0.1:1")]).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_its_passwords() {
        for (password, said) in [("987654321", "password"), ("\"987654321", "line 7")] {
            let text = MINIMAL.replace("keyspace = ", &format!("password = {password}\nkeyspace = "));
            let error = parse(&text, &[]).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(said) && !shown.contains("987654321"), "{shown}");
        }
    }

    #[test]
    fn the_local_settings_of_the_repository_are_settings() {
        let text = include_str!("../../../deploy/local/feira.toml");
        let settings = parse(text, &[]).unwrap();
        assert!(settings.gateway.is_some());
        for service in services::names() {
            assert!(settings.services.contains_key(service), "[{service}] says where it listens");
            assert!(settings.kafka.lanes.contains_key(service), "[kafka.lanes] says how many lanes {service} has");
        }
    }
}
