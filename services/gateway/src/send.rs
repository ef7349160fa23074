//! Commands on their way to their owners, and what their answers mean to a caller.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use feira_ids::{AggregateId, CommandId, Fingerprint, TenantId, client_key_is_valid};
use feira_runtime::{Accepted, Answer, Command, Position};
use serde::Serialize;

use crate::auth::Scope;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::graphql::{Asked, UserError};

/// The form of inputs sent now.
const INPUT_VERSION: u16 = 1;
/// How long an input is, a product's for instance; most are shorter.
const INPUT_BYTES: usize = 1024;

/// What is asked of whom.
pub(crate) struct Addressed<'a> {
    pub scope: &'a Scope,
    pub aggregate: AggregateId,
    pub operation: &'static str,
    pub expected_version: Option<u64>,
}

/// A command's id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub command_id: CommandId,
}

/// How a command ended for the caller.
pub(crate) enum Outcome {
    Accepted(Accepted),
    /// Refused, or not decided, for a reason that the caller can mend; with a position when the refusal stands.
    Refused {
        error: UserError,
        position: Option<Position>,
    },
}

impl Named {
    /// The id of what `scope` asks as `operation` of the aggregate with `aggregate_key`, under the client's `key`; one of
    /// its own when there is no key.
    pub(crate) fn new(
        scope: &Scope,
        operation: &str,
        aggregate_key: &str,
        key: Option<&str>,
    ) -> Result<Result<Self, UserError>, ApiError> {
        let made;
        let key = match key {
            Some(key) if client_key_is_valid(key) => key,
            Some(_) => {
                let message = "a command id is 1 to 255 printable ASCII characters";
                return Ok(Err(UserError::on("commandId", "INVALID_COMMAND_ID", message)));
            }
            None => {
                made = random_key()?;
                &made
            }
        };
        let principal = scope.principal().to_string();
        // Lanes remember ids each for itself: a key used for two aggregates must make two ids, or two lanes could decide
        // the same id and give two events one id.
        let asked = format!("{operation} {aggregate_key}");
        Ok(Ok(Self { command_id: CommandId::derive(scope.tenant(), &principal, &asked, key) }))
    }
}

fn random_key() -> Result<String, ApiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal("no randomness for a command id", &error))?;
    Ok(format!("gateway:{:032x}", u128::from_be_bytes(bytes)))
}

impl Gateway {
    /// Sends a command and waits for what came of it.
    pub(crate) async fn send(
        &self,
        addressed: Addressed<'_>,
        named: Named,
        input: &impl Serialize,
        asked: &Asked,
    ) -> Result<Outcome, ApiError> {
        let tenant = addressed.scope.tenant().clone();
        let command = self.command(addressed, named, input, asked.traceparent.clone())?;
        outcome(self.commands.ask(self.in_time_of(&tenant, command).await?).await)
    }

    /// The business time of a tenant, milliseconds since 1970.
    pub(crate) async fn now_ms(&self, tenant: &TenantId) -> Result<i64, ApiError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let offset_ms = self.clock_offset_ms(tenant).await?;
        Ok(i64::try_from(now.as_millis()).unwrap_or(i64::MAX).saturating_add(offset_ms))
    }

    /// A command with the business time of its tenant.
    pub(crate) async fn in_time_of(&self, tenant: &TenantId, command: Command) -> Result<Command, ApiError> {
        let clock_offset_ms = self.clock_offset_ms(tenant).await?;
        Ok(Command { clock_offset_ms, ..command })
    }

    pub(crate) fn command(
        &self,
        addressed: Addressed<'_>,
        named: Named,
        input: &impl Serialize,
        traceparent: Option<Arc<str>>,
    ) -> Result<Command, ApiError> {
        let Addressed { scope, aggregate, operation, expected_version } = addressed;
        let mut json = Vec::with_capacity(INPUT_BYTES);
        serde_json::to_writer(&mut json, input).map_err(|error| ApiError::internal("an input has no JSON", &error))?;
        let input = Bytes::from(json);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Command {
            tenant: scope.tenant().clone(),
            principal: scope.principal().clone(),
            aggregate,
            operation: operation.into(),
            version: INPUT_VERSION,
            command_id: named.command_id,
            fingerprint: Fingerprint::of(operation, &input),
            expected_version,
            deadline_ms: i64::try_from((now + self.config.command_timeout()).as_millis()).unwrap_or(i64::MAX),
            clock_offset_ms: 0,
            wants_view: true,
            causation_id: named.command_id.0,
            correlation_id: named.command_id.0,
            traceparent,
            input,
        })
    }
}

/// What an answer means to the caller.
pub(crate) fn outcome(answer: Answer) -> Result<Outcome, ApiError> {
    let mend = |error| Ok(Outcome::Refused { error, position: None });
    match answer {
        Answer::Accepted(accepted) => Ok(Outcome::Accepted(accepted)),
        Answer::Refused { position, code, field, message } => {
            let error = UserError::new(&code, field.map(|field| camel_case(&field)), message.to_string());
            Ok(Outcome::Refused { error, position: Some(position) })
        }
        Answer::Conflict { current } => mend(UserError::on(
            "expectedVersion",
            "CONFLICT",
            format!("it has version {current} by now: look at it again, then send with that version"),
        )),
        Answer::KeyReused => mend(UserError::on(
            "commandId",
            "IDEMPOTENCY_KEY_REUSED",
            "this command id was used for something else: take a fresh one for each command",
        )),
        Answer::Invalid { reason } => Err(ApiError::BadInput(reason.to_string())),
        Answer::Forbidden => Err(ApiError::Forbidden),
        Answer::FactsUnavailable { reason } => {
            tracing::warn!(%reason, "a command was not decided for want of a fact");
            Err(ApiError::Unavailable)
        }
        Answer::Moved { .. } | Answer::NotReady => Err(ApiError::Unavailable),
        Answer::Overloaded => Err(ApiError::Throttled),
        Answer::Poison { reason } => Err(ApiError::fault(&format!("a command was set aside: {reason}"))),
        Answer::TimedOut => Err(ApiError::Timeout),
    }
}

/// A field's name as GraphQL writes it: `sale_price` as `salePrice`.
fn camel_case(field: &str) -> String {
    let mut parts = field.split('_');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

impl Gateway {
    /// The shard in which an owner's account is opened.
    pub(crate) fn home_shard(&self, owner: &str) -> u32 {
        (xxhash_rust::xxh3::xxh3_64(owner.as_bytes()) % u64::from(self.payments_lanes.max(1))) as u32
    }
}
