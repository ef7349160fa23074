//! Clients that have lost the cluster for good.
//!
//! A cluster whose brokers were all away for a moment may answer that it has none. The library then forgets those that it
//! knew, and now and then never looks for others again: <https://github.com/confluentinc/librdkafka/issues/5301>, seen
//! with 2.12.1 after a broker had stood still for longer than its session. Such a client says nothing of it, and is to be
//! made anew.

use std::time::Duration;

use rdkafka::client::{Client, ClientContext};

use crate::log::Shared;

/// After how long without a sign of life it is asked whether a client still reaches the cluster.
pub(crate) const SILENCE: Duration = Duration::from_secs(10);
/// How long such a question may take.
const ASK: Duration = Duration::from_secs(1);

/// Whether `client` has lost the cluster, while others reach it.
pub(crate) fn is_cut_off<C: ClientContext>(client: &Client<C>, shared: &Shared) -> bool {
    client.fetch_metadata(Some(&shared.names.lanes()), ASK).is_err() && shared.answers(ASK).is_ok()
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::{KafkaConfig, KafkaLog};

    /// How long a test waits for anything.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

    /// A log of carts with one lane, of a test's own.
    pub(crate) fn log() -> Arc<KafkaLog> {
        let brokers = std::env::var("FEIRA_TEST_KAFKA").unwrap_or_else(|_| "127.0.0.1:19092".to_owned());
        let prefix = format!("t{}.", uuid::Uuid::new_v4().simple());
        let config = KafkaConfig::new(&brokers, &prefix).with_service("cart", 1);
        KafkaLog::connect(config, PATIENCE).expect("run deploy/local/up.sh --kafka first")
    }

    /// What makes clients that never reach the cluster.
    pub(crate) fn lost(config: &KafkaConfig) -> KafkaConfig {
        KafkaConfig { brokers: "127.0.0.1:1".to_owned(), ..config.clone() }
    }

    /// Waits until there is something.
    pub(crate) fn comes<T>(mut look: impl FnMut() -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < until, "waited in vain");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
