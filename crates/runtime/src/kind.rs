//! A hosted kind of aggregate without its types, so that one lane holds several.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use feira_decider::Decider;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::chain::Chain;
use crate::lane::{Prepared, States, StatesOf, panic_text};
use crate::{Answer, Command, Hosted};

/// What a lane and its intake need of a kind.
pub(crate) trait Kind: Send + Sync + 'static {
    /// How ids of this kind begin.
    fn name(&self) -> &'static str;

    /// The form of its states.
    fn state_version(&self) -> u32;

    /// Reads the input, gathers the facts, makes the domain's command.
    fn prepare<'a>(&'a self, command: &'a Command, wait: Duration) -> BoxFuture<'a, Result<Prepared, Answer>>;

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

    fn prepare<'a>(&'a self, command: &'a Command, wait: Duration) -> BoxFuture<'a, Result<Prepared, Answer>> {
        let prepared = async move {
            let input: H::Input = serde_json::from_slice(&command.input)
                .map_err(|error| Answer::Invalid { reason: error.to_string().into() })?;
            let facts = match tokio::time::timeout(wait, self.0.gather(command, &input)).await {
                Ok(Ok(facts)) => facts,
                Ok(Err(error)) => return Err(Answer::FactsUnavailable { reason: Chain(&error).to_string().into() }),
                Err(_) => {
                    let reason = format!("no answer within {} ms", wait.as_millis());
                    return Err(Answer::FactsUnavailable { reason: reason.into() });
                }
            };
            Ok(Box::new(self.0.command(&command.aggregate, input, facts)) as Prepared)
        };
        let guarded = AssertUnwindSafe(prepared).catch_unwind();
        guarded
            .map(|outcome| outcome.unwrap_or_else(|panic| Err(Answer::Poison { reason: panic_text(&*panic).into() })))
            .boxed()
    }

    fn states(&self, cache: usize) -> Box<dyn States> {
        Box::new(StatesOf::new(self.0.clone(), cache))
    }
}
