//! What the gateway is put together from.

use std::sync::Arc;
use std::time::Duration;

use feira_event_log::EventLog;
use feira_projection_store::Store;
use feira_runtime::Commands;
use feira_sealing::Keyring;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::auth::{PlatformSecret, Verifier};
use crate::operator::LogReader;

/// Everything the gateway needs from the process it runs in.
pub struct GatewayParts {
    /// Where commands are sent.
    pub commands: Arc<dyn Commands>,
    /// Where rows are read.
    pub store: Arc<dyn Store>,
    /// How many shards the ledger has: one for each lane of payments.
    pub payments_lanes: u32,
    /// Where what happens is read, for subscriptions.
    pub events: Arc<dyn EventLog>,
    /// The keys of personal content.
    pub keyring: Arc<dyn Keyring>,
    /// Checks tokens.
    pub verifier: Verifier,
    /// Behind business-scoped ids and cursors.
    pub secret: PlatformSecret,
    /// Reads the log for operators; none where this process has no log at hand.
    pub log: Option<Arc<dyn LogReader>>,
    /// Whether the process can serve now; if not, what it waits for.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// Cancelled when the process ends: subscriptions end first.
    pub stop: CancellationToken,
    /// Settings.
    pub config: GatewayConfig,
}

/// Who may ask for the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Introspection {
    /// Everybody: for development.
    Open,
    /// Whoever has a token.
    SignedIn,
    /// Nobody.
    Off,
}

/// What an operator may set. Every field has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// Who may ask for the schema.
    pub introspection: Introspection,
    /// How long a command is tried, in milliseconds.
    pub command_timeout_ms: u64,
    /// How long a request may take, its body included, in milliseconds.
    pub request_timeout_ms: u64,
    /// The largest cost of a query: one for each field, times the sizes of the lists it is in.
    pub complexity_max: usize,
    /// The deepest nesting of fields.
    pub depth_max: usize,
    /// How many sockets each caller may have open.
    pub sockets_per_caller_max: usize,
    /// How many subscriptions each caller may have at once.
    pub subscriptions_per_caller_max: usize,
    /// How many subscriptions there may be at once, and how many sockets.
    pub subscriptions_max: usize,
    /// How many events wait for one subscription before it is cut off.
    pub subscription_queue_max: usize,
    /// How long nothing happens before a subscription says that it is there, in milliseconds.
    pub heartbeat_ms: u64,
    /// How long a socket may take to say who it is, and to take what it is sent, in milliseconds.
    pub socket_patience_ms: u64,
    /// How many rows of an import are on their way to their owners at once.
    pub import_in_flight_max: usize,
    /// How long a feed may be silent, and its report unread, in milliseconds.
    pub import_silence_max_ms: u64,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            introspection: Introspection::SignedIn,
            command_timeout_ms: 10_000,
            request_timeout_ms: 15_000,
            complexity_max: 20_000,
            depth_max: 12,
            sockets_per_caller_max: 16,
            subscriptions_per_caller_max: 64,
            subscriptions_max: 10_000,
            subscription_queue_max: 256,
            heartbeat_ms: 15_000,
            socket_patience_ms: 10_000,
            import_in_flight_max: 768,
            import_silence_max_ms: 60_000,
        }
    }
}

impl GatewayConfig {
    pub(crate) fn command_timeout(&self) -> Duration {
        Duration::from_millis(self.command_timeout_ms)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms.max(1))
    }

    pub(crate) fn socket_patience(&self) -> Duration {
        Duration::from_millis(self.socket_patience_ms)
    }

    pub(crate) fn import_silence_max(&self) -> Duration {
        Duration::from_millis(self.import_silence_max_ms)
    }
}
