//! The gateway as its handlers and resolvers share it.

use std::sync::Arc;

use feira_runtime::Commands;

use crate::auth::{PlatformSecret, Verifier};
use crate::graphql::GatewaySchema;
use crate::http::Documents;
use crate::notes::Notes;
use crate::operator::LogReader;
use crate::parts::{GatewayConfig, GatewayParts};
use crate::reads::ScopedReads;

pub(crate) struct Gateway {
    pub commands: Arc<dyn Commands>,
    pub reads: ScopedReads,
    pub notes: Notes,
    pub verifier: Verifier,
    pub secret: PlatformSecret,
    pub log: Option<Arc<dyn LogReader>>,
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    pub config: GatewayConfig,
    pub schema: GatewaySchema,
    pub documents: Documents,
}

impl Gateway {
    pub(crate) fn new(parts: GatewayParts) -> Self {
        let GatewayParts { commands, store, keyring, verifier, secret, log, ready, config } = parts;
        let schema = crate::graphql::schema(&config);
        let (reads, notes, documents) = (ScopedReads::new(store), Notes::new(keyring), Documents::new());
        Self { commands, reads, notes, verifier, secret, log, ready, config, schema, documents }
    }
}
