//! Specifications of shards by example, as `given` makes them for other aggregates.

use crate::{At, Memory, Shard, fold_shard};

/// A history to start from.
pub struct GivenShard<S: Shard> {
    events: Vec<S::Event>,
    at: At,
    wire: fn(S::Event) -> S::Event,
}

/// What came of a command.
pub struct ShardOutcome<S: Shard> {
    history: Vec<S::Event>,
    result: Result<Vec<S::Event>, S::Rejection>,
    at: At,
    wire: fn(S::Event) -> S::Event,
}

/// Starts a specification of a shard from `events`.
pub fn given_shard<S: Shard>(events: impl IntoIterator<Item = S::Event>) -> GivenShard<S> {
    GivenShard { events: events.into_iter().collect(), at: At(1_700_000_000_000), wire: |event| event }
}

impl<S: Shard> GivenShard<S> {
    /// Sets the business time of the next command.
    pub fn at(mut self, at: At) -> Self {
        self.at = at;
        self
    }

    /// Passes every event, given or decided, through `wire` before it is folded: encode, decode, upcast.
    pub fn through(mut self, wire: fn(S::Event) -> S::Event) -> Self {
        self.wire = wire;
        self
    }

    /// The entities that the history adds up to.
    pub fn entities(&self) -> Memory<S::Entity> {
        let wired: Vec<_> = self.events.iter().cloned().map(self.wire).collect();
        fold_shard::<S>(&wired)
    }

    /// Decides `command`.
    pub fn when(self, command: S::Command) -> ShardOutcome<S> {
        let result = S::decide(&self.entities(), command, self.at);
        ShardOutcome { history: self.events, result, at: self.at, wire: self.wire }
    }
}

impl<S: Shard> ShardOutcome<S> {
    /// Asserts the events decided, and that each of them survives the wire.
    ///
    /// # Panics
    /// When they differ, or the command was refused.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = S::Event>) -> GivenShard<S> {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.result {
            Ok(events) => {
                assert_eq!(events, expected, "decided other events");
                let wired: Vec<_> = events.iter().cloned().map(self.wire).collect();
                assert_eq!(wired, events, "the wire changed an event");
                let history = self.history.into_iter().chain(events).collect();
                GivenShard { events: history, at: self.at, wire: self.wire }
            }
            Err(rejection) => panic!("expected {expected:?}, but it was refused: {rejection:?}"),
        }
    }

    /// Asserts the refusal.
    ///
    /// # Panics
    /// When it was another, or the command was accepted.
    #[track_caller]
    pub fn then_refused(self, expected: S::Rejection) {
        match self.result {
            Ok(events) => panic!("expected {expected:?}, but it was accepted: {events:?}"),
            Err(rejection) => assert_eq!(rejection, expected, "refused for another reason"),
        }
    }

    /// What was decided, for whoever asserts more than equality.
    pub fn result(self) -> Result<Vec<S::Event>, S::Rejection> {
        self.result
    }
}
