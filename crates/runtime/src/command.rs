//! A command on its way to the owner of its lane.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use feira_ids::{AggregateId, CommandId, Fingerprint, Hash16, Principal, TenantId};
use serde::{Deserialize, Serialize};

use crate::Answer;

/// Something asked of one aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The business it concerns.
    pub tenant: TenantId,
    /// Who asks, as the gateway verified it. A person is named by the business-scoped id.
    pub principal: Principal,
    /// Of what; its kind says which service decides.
    pub aggregate: AggregateId,
    /// What, as named in `feira_commands::OPERATIONS`.
    pub operation: Arc<str>,
    /// The version of the input's form.
    pub version: u16,
    /// Its id: decided once, for ever.
    pub command_id: CommandId,
    /// The hash of operation and input.
    pub fingerprint: Fingerprint,
    /// Decide only if the aggregate has this many events.
    pub expected_version: Option<u64>,
    /// When the caller stops waiting, milliseconds since 1970.
    pub deadline_ms: i64,
    /// How far the tenant's business time is ahead of everyone's, in milliseconds: 0 but for a sandbox whose clock was
    /// moved ([`Clocks`](crate::Clocks)). The owner takes it as it takes the principal; it is no part of the fingerprint.
    pub clock_offset_ms: i64,
    /// Whether the caller looks at the aggregate as it is then: without, the view in the answer is empty.
    pub wants_view: bool,
    /// What caused it: an event's id, or the command's own.
    pub causation_id: Hash16,
    /// What began it all.
    pub correlation_id: Hash16,
    /// W3C trace context.
    pub traceparent: Option<Arc<str>>,
    /// The input as JSON (`feira_commands`).
    pub input: Bytes,
}

/// Where commands are sent.
#[async_trait]
pub trait Commands: Send + Sync + 'static {
    /// Sends `command` to the owner of its lane and waits for the answer, trying again with the same id for as long as
    /// its deadline allows. Never fails: what happens is an [`Answer`].
    async fn ask(&self, command: Command) -> Answer;
}
