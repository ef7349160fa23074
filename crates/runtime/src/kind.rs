//! A hosted kind of aggregate without its types, so that one lane holds several.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use feira_decider::{Decider, Shard};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use crate::chain::Chain;
use crate::intake::Permit;
use crate::lane::{Prepared, ShardStates, States, StatesOf, panic_text};
use crate::{Answer, Command, GatherError, Hosted, HostedShard};

/// What a lane and its intake need of a kind.
pub(crate) trait Kind: Send + Sync + 'static {
    /// How ids of this kind begin.
    fn name(&self) -> &'static str;

    /// The form of its states.
    fn state_version(&self) -> u32;

    /// Reads the input, sees that it is the caller's own where only that may be asked, gathers the facts, makes the
    /// domain's command.
    fn prepare<'a>(
        &'a self,
        command: &'a Command,
        permit: Permit,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Prepared, Answer>>;

    /// The aggregates of this kind on one lane.
    fn states(&self, cache: usize) -> Box<dyn States>;
}

/// The kind that `H` hosts.
pub(crate) struct KindOf<H>(pub Arc<H>);

impl<H: Hosted> Kind for KindOf<H> {
    fn name(&self) -> &'static str {
        H::Domain::KIND
    }

    fn state_version(&self) -> u32 {
        H::STATE_VERSION
    }

    fn prepare<'a>(
        &'a self,
        command: &'a Command,
        permit: Permit,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Prepared, Answer>> {
        guarded(async move {
            let owns = |input: &H::Input| self.0.owns(&command.principal, &command.aggregate, input);
            let input = admitted(command, permit, |input| self.0.operation(input), owns)?;
            let facts = gathered(self.0.gather(command, &input), wait).await?;
            Ok(Box::new(self.0.command(&command.aggregate, input, facts)) as Prepared)
        })
    }

    fn states(&self, cache: usize) -> Box<dyn States> {
        Box::new(StatesOf::new(self.0.clone(), cache))
    }
}

/// The kind of shards that `H` hosts.
pub(crate) struct ShardKindOf<H>(pub Arc<H>);

impl<H: HostedShard> Kind for ShardKindOf<H> {
    fn name(&self) -> &'static str {
        H::Domain::KIND
    }

    fn state_version(&self) -> u32 {
        H::STATE_VERSION
    }

    fn prepare<'a>(
        &'a self,
        command: &'a Command,
        permit: Permit,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Prepared, Answer>> {
        guarded(async move {
            let owns = |input: &H::Input| self.0.owns(&command.principal, &command.aggregate, input);
            let input = admitted(command, permit, |input| self.0.operation(input), owns)?;
            let facts = gathered(self.0.gather(command, &input), wait).await?;
            Ok(Box::new(self.0.command(&command.aggregate, input, facts)) as Prepared)
        })
    }

    fn states(&self, _cache: usize) -> Box<dyn States> {
        Box::new(ShardStates::new(self.0.clone()))
    }
}

/// The input, once it is what the command is called and, where only that may be asked, the caller's own.
fn admitted<I: DeserializeOwned>(
    command: &Command,
    permit: Permit,
    operation: impl FnOnce(&I) -> &'static str,
    owns: impl FnOnce(&I) -> bool,
) -> Result<I, Answer> {
    let input: I =
        serde_json::from_slice(&command.input).map_err(|error| Answer::Invalid { reason: error.to_string().into() })?;
    let operation = operation(&input);
    if *command.operation != *operation {
        let reason = format!("the input is of {operation}, not of {}", command.operation);
        return Err(Answer::Invalid { reason: reason.into() });
    }
    if permit == Permit::Own && !owns(&input) {
        return Err(Answer::Forbidden);
    }
    Ok(input)
}

/// The facts, unless they take longer than `wait`.
async fn gathered<F>(gather: impl Future<Output = Result<F, GatherError>>, wait: Duration) -> Result<F, Answer> {
    match tokio::time::timeout(wait, gather).await {
        Ok(Ok(facts)) => Ok(facts),
        Ok(Err(error)) => Err(Answer::FactsUnavailable { reason: Chain(&error).to_string().into() }),
        Err(_) => {
            let reason = format!("no answer within {} ms", wait.as_millis());
            Err(Answer::FactsUnavailable { reason: reason.into() })
        }
    }
}

/// What the program fails on is an answer too.
fn guarded<'a>(
    prepared: impl Future<Output = Result<Prepared, Answer>> + Send + 'a,
) -> BoxFuture<'a, Result<Prepared, Answer>> {
    let guarded = AssertUnwindSafe(prepared).catch_unwind();
    guarded
        .map(|outcome| outcome.unwrap_or_else(|panic| Err(Answer::Poison { reason: panic_text(&*panic).into() })))
        .boxed()
}
