//! The gateway as its handlers and resolvers share it.

use std::sync::Arc;

use feira_ids::TenantId;
use feira_runtime::{Clocks, Commands};
use tokio::sync::OnceCell;

use crate::auth::{PlatformSecret, Verifier};
use crate::error::ApiError;
use crate::graphql::{GatewaySchema, Limits};
use crate::http::Documents;
use crate::live::{Live, Places};
use crate::notes::Notes;
use crate::operator::LogReader;
use crate::parts::{GatewayConfig, GatewayParts};
use crate::reads::{ScopedReads, store_error};

pub(crate) struct Gateway {
    pub commands: Arc<dyn Commands>,
    clocks: Clocks,
    clocks_made: OnceCell<()>,
    pub payments_lanes: u32,
    pub reads: ScopedReads,
    pub live: Live,
    pub sockets: Places,
    pub subscriptions: Places,
    pub notes: Notes,
    pub verifier: Verifier,
    pub secret: PlatformSecret,
    pub log: Option<Arc<dyn LogReader>>,
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    pub config: GatewayConfig,
    pub schema: GatewaySchema,
    pub limits: Limits,
    pub documents: Documents,
}

impl Gateway {
    pub(crate) fn new(parts: GatewayParts) -> Self {
        let GatewayParts {
            commands,
            store,
            payments_lanes,
            events,
            keyring,
            verifier,
            secret,
            log,
            ready,
            stop,
            config,
        } = parts;
        let schema = crate::graphql::schema(&config);
        let limits = Limits::new(&config);
        let live = Live::new(events, config.subscription_queue_max, config.heartbeat(), stop);
        let sockets = Places::new(config.sockets_per_caller_max, config.subscriptions_max);
        let subscriptions = Places::new(config.subscriptions_per_caller_max, config.subscriptions_max);
        let clocks = Clocks::new(store.clone());
        let (reads, notes, documents) = (ScopedReads::new(store), Notes::new(keyring), Documents::new());
        Self {
            commands,
            clocks,
            clocks_made: OnceCell::new(),
            payments_lanes,
            reads,
            live,
            sockets,
            subscriptions,
            notes,
            verifier,
            secret,
            log,
            ready,
            config,
            schema,
            limits,
            documents,
        }
    }

    /// How far a tenant's business time is ahead of everyone's, in milliseconds.
    pub(crate) async fn clock_offset_ms(&self, tenant: &TenantId) -> Result<i64, ApiError> {
        // The one who writes the clocks may not have come up yet.
        self.clocks_made.get_or_try_init(|| self.clocks.ensure()).await.map_err(store_error)?;
        self.clocks.offset_ms(tenant).await.map_err(store_error)
    }
}
