//! What a domain is: a pure function from state and command to events, and a fold of events into state.
//!
//! Nothing here waits, reads a clock or makes up a number: time and ids come in with the command. The same trait is
//! what the runtime drives in production and what [`given`] drives in a specification. A kind too large to be one state
//! is a [`Shard`] of entities; what follows from an event elsewhere is a [`Process`].

mod fixture;
mod process;
mod shard;

pub use fixture::{Given, Outcome, given};
pub use process::{Ask, Do, Process};
pub use shard::{Entities, EntitiesMut, Found, Memory, Shard, fold_shard};

use std::error::Error;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A moment of business time: milliseconds since 1970-01-01T00:00Z, as the lane's owner stamped it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct At(pub i64);

/// One kind of aggregate: how it answers commands and how its events add up.
pub trait Decider: 'static {
    /// How ids of this kind begin, as registered in `feira_ids::KINDS`.
    const KIND: &'static str;
    /// What the aggregate remembers; [`Default`] before its first event. Serialised for snapshots.
    type State: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + 'static;
    /// What can be asked of it, facts included.
    type Command: Debug + Send + 'static;
    /// What can happen to it.
    type Event: Clone + Debug + PartialEq + Send + 'static;
    /// Why it may say no.
    type Rejection: Reject;

    /// The events that answer `command` at business time `at`; none when nothing is to change.
    ///
    /// # Errors
    /// The rejection, when the aggregate refuses.
    fn decide(state: &Self::State, command: Self::Command, at: At) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after `event`. Total: an event that stands on the log is always taken in.
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;
}

/// A refusal that can be written down and read back by whoever asked.
pub trait Reject: Error + Debug + PartialEq + Send + 'static {
    /// What happened, as a stable code: `QUANTITY_LIMIT`.
    fn code(&self) -> &'static str;

    /// The path of the input field that the caller can mend, if there is one: `quantity`.
    fn field(&self) -> Option<&'static str> {
        None
    }
}

/// The state after all of `events`, from the beginning.
pub fn fold<'a, D: Decider>(events: impl IntoIterator<Item = &'a D::Event>) -> D::State {
    events.into_iter().fold(D::State::default(), D::evolve)
}
