//! What a service's shell gives the runtime for each kind of aggregate.

use std::future::Future;

use feira_codec::EventSet;
use feira_decider::{Decider, Entities, Shard};
use feira_ids::{AggregateId, Principal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Command;

/// A kind of aggregate as a service hosts it: its domain, and what stands around it.
pub trait Hosted: Send + Sync + 'static {
    /// The rules.
    type Domain: Decider<Event: EventSet>;
    /// What clients send, as JSON (`feira_commands`).
    type Input: DeserializeOwned + Send + Sync + 'static;
    /// What the decision must know from elsewhere; gathered before the command is queued.
    type Facts: Send + 'static;
    /// What clients get back, as JSON (`feira_commands`).
    type View: Serialize;

    /// The form of the state in snapshots. Raised when an older snapshot would be read wrongly or not at all: the lanes
    /// are then built again from the log. A field added with a serde default needs no new number.
    const STATE_VERSION: u32 = 1;

    /// Whether what clients see depends on what they asked. Where it does not, one view is for all who asked in a batch.
    const VIEW_IS_OF_INPUT: bool = false;

    /// The operation that `input` is, as the table of operations names it. A command that says it is another is not
    /// decided: who may ask is judged by that name.
    fn operation(&self, input: &Self::Input) -> &'static str;

    /// Whether what `input` asks of `aggregate` is the caller's own. Asked only of callers who may do no more than that:
    /// of those who hold no role but consumer, and, for what reaches the platform's own aggregates, of everyone who
    /// neither runs the platform nor is a part of it. Unless a kind says otherwise an aggregate is its key's.
    fn owns(&self, principal: &Principal, aggregate: &AggregateId, input: &Self::Input) -> bool {
        let _ = input;
        aggregate.key() == &*principal.id
    }

    /// Gathers the facts that `input` needs, from this service's own projections.
    fn gather(
        &self,
        command: &Command,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Self::Facts, GatherError>> + Send;

    /// The domain's command for an input and its facts.
    fn command(
        &self,
        aggregate: &AggregateId,
        input: Self::Input,
        facts: Self::Facts,
    ) -> <Self::Domain as Decider>::Command;

    /// The aggregate as clients see it, once what came of a command is committed; `version` is the number of its events.
    fn view(&self, aggregate: &AggregateId, version: u64, state: &<Self::Domain as Decider>::State) -> Self::View;

    /// The same as clients see it who asked `input`. Used instead of the other where
    /// [`VIEW_IS_OF_INPUT`](Self::VIEW_IS_OF_INPUT): only there the input is read once more for it.
    fn view_of_asked(
        &self,
        aggregate: &AggregateId,
        version: u64,
        state: &<Self::Domain as Decider>::State,
        input: &Self::Input,
    ) -> Self::View {
        let _ = input;
        self.view(aggregate, version, state)
    }
}

/// A kind of aggregate that holds entities, as a service hosts it. What is said of [`Hosted`] holds here too.
pub trait HostedShard: Send + Sync + 'static {
    /// The rules.
    type Domain: Shard<Event: EventSet>;
    /// What clients send, as JSON (`feira_commands`).
    type Input: DeserializeOwned + Send + Sync + 'static;
    /// What the decision must know from elsewhere; gathered before the command is queued.
    type Facts: Send + 'static;
    /// What clients get back, as JSON (`feira_commands`).
    type View: Serialize;

    /// The form of the entities in snapshots.
    const STATE_VERSION: u32 = 1;

    /// How many entities of each shard a lane keeps in memory beside those not yet written down.
    const CACHE_ENTITIES: usize = 50_000;

    /// The operation that `input` is, as the table of operations names it. A command that says it is another is not
    /// decided: who may ask is judged by that name.
    fn operation(&self, input: &Self::Input) -> &'static str;

    /// Whether what `input` asks of the shard is the caller's own; asked as [`Hosted::owns`] is. A shard holds what many
    /// own, so it is the input that says.
    fn owns(&self, principal: &Principal, aggregate: &AggregateId, input: &Self::Input) -> bool;

    /// Gathers the facts that `input` needs, from this service's own projections.
    fn gather(
        &self,
        command: &Command,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Self::Facts, GatherError>> + Send;

    /// The domain's command for an input and its facts.
    fn command(
        &self,
        aggregate: &AggregateId,
        input: Self::Input,
        facts: Self::Facts,
    ) -> <Self::Domain as Shard>::Command;

    /// What came of `input`, as clients see it, once it is committed; `version` is the number of the shard's events.
    fn view(
        &self,
        aggregate: &AggregateId,
        version: u64,
        input: &Self::Input,
        entities: &dyn Entities<<Self::Domain as Shard>::Entity>,
    ) -> Self::View;
}

/// Why a fact could not be gathered. Nobody's fault; the caller may ask again.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct GatherError {
    /// What was looked for.
    pub what: String,
    /// Why it was not had.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
