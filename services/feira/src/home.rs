//! The two homes: where the log, the rows and the keys are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use feira_event_log::EventLog;
use feira_projection_store::Store;
use feira_sealing::Keyring;

use crate::failure::Failure;

/// Where everything is that the services keep.
pub struct Home {
    /// The events.
    pub log: Arc<dyn EventLog>,
    /// The rows.
    pub store: Arc<dyn Store>,
    folder: PathBuf,
}

impl Home {
    /// Where lanes keep what they can build again from the log.
    pub fn lanes(&self) -> PathBuf {
        self.folder.join("lanes")
    }
}

#[cfg(feature = "embedded")]
pub use embedded::{open_keys, open_log, open_store};

#[cfg(feature = "embedded")]
mod embedded {
    use feira_event_log::LogError;
    use feira_event_log_embedded::{EmbeddedLog, Options};
    use feira_ids::ServiceName;
    use feira_projection_store_embedded::EmbeddedStore;
    use feira_sealing::FileKeyring;

    use super::*;
    use crate::services;

    /// How many lanes each service has in a new folder.
    const LANES: u32 = 4;

    impl Home {
        /// Opens the home in `folder`, made where there is none. The log comes first: its lock guards all of the folder.
        pub fn embedded(folder: &Path) -> Result<Self, Failure> {
            let failed = |error| Failure::because(format!("cannot open the log in {}", folder.display()), error);
            let log = open_log(folder).map_err(failed)?;
            Ok(Self { log, store: open_store(folder)?, folder: folder.to_owned() })
        }
    }

    /// Opens the rows of the home in `folder`, whose log this process has open.
    pub fn open_store(folder: &Path) -> Result<Arc<dyn Store>, Failure> {
        let store = EmbeddedStore::open(folder.join("store"));
        let failed = |error| Failure::because(format!("cannot open the rows in {}", folder.display()), error);
        Ok(store.map_err(failed)?)
    }

    /// Opens the keys of personal content of the home in `folder`.
    pub fn open_keys(folder: &Path) -> Result<Arc<dyn Keyring>, Failure> {
        let keyring = FileKeyring::open(&folder.join("keys"))
            .map_err(|error| Failure::because(format!("cannot open the keys in {}", folder.display()), error))?;
        Ok(Arc::new(keyring))
    }

    /// Opens the log of the home in `folder`.
    pub fn open_log(folder: &Path) -> Result<Arc<dyn EventLog>, LogError> {
        let services: Vec<_> = services::names().map(|service| (ServiceName::new(service), LANES)).collect();
        Ok(EmbeddedLog::open(&folder.join("log"), &services, Options::default())?)
    }
}

#[cfg(feature = "deployed")]
pub use deployed::{Servers, connect_keys, connect_log};

#[cfg(feature = "deployed")]
mod deployed {
    use std::time::Duration;

    use feira_event_log::LogError;
    use feira_event_log_kafka::KafkaLog;
    use feira_projection_store_cql::{CqlKeyring, CqlStore};

    use super::*;
    use crate::settings::{Kafka, Settings};

    impl Home {
        /// Connects to the servers that `settings` name, waiting for each that is not there yet. What this process
        /// keeps beside them is in `folder`.
        pub async fn deployed(settings: &Settings, folder: &Path) -> Result<(Self, Servers), Failure> {
            let patience = Duration::from_millis(settings.start_wait_ms);
            let kafka = connect_kafka(settings.kafka.clone(), patience)
                .await
                .map_err(|error| Failure::because("cannot use Kafka", error))?;
            let cql = settings.cql.config(patience);
            let cql =
                CqlStore::connect(cql).await.map_err(|error| Failure::because("cannot use the CQL store", error))?;
            let home = Self { log: kafka.clone(), store: cql.clone(), folder: folder.to_owned() };
            Ok((home, Servers { kafka, cql }))
        }
    }

    /// The servers that a home stands on.
    pub struct Servers {
        /// The events are there.
        pub kafka: Arc<KafkaLog>,
        /// The rows and the keys are there.
        pub cql: Arc<CqlStore>,
    }

    /// Opens the keys of personal content beside `store`. Only who seals and opens asks for them.
    pub async fn connect_keys(store: &CqlStore) -> Result<Arc<dyn Keyring>, Failure> {
        let keyring = CqlKeyring::open(store).await;
        Ok(Arc::new(keyring.map_err(|error| Failure::because("cannot use the keys in the CQL store", error))?))
    }

    /// Connects to the log on Kafka.
    pub async fn connect_log(config: Kafka, patience: Duration) -> Result<Arc<dyn EventLog>, LogError> {
        Ok(connect_kafka(config, patience).await?)
    }

    async fn connect_kafka(config: Kafka, patience: Duration) -> Result<Arc<KafkaLog>, LogError> {
        let connecting = tokio::task::spawn_blocking(move || KafkaLog::connect(config, patience));
        connecting.await.expect("connecting does not panic")
    }
}
