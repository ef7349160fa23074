//! Specifications by example: given these events, when this command, then these events or this refusal.
//!
//! A fixture can send every event through a codec on its way to the fold ([`Given::through`]), so that a schema that
//! drifts from its type fails the rule's own test.

use crate::{At, Decider, fold};

/// A history to start from.
pub struct Given<D: Decider> {
    events: Vec<D::Event>,
    at: At,
    wire: fn(D::Event) -> D::Event,
}

/// What came of a command.
pub struct Outcome<D: Decider> {
    history: Vec<D::Event>,
    result: Result<Vec<D::Event>, D::Rejection>,
    at: At,
    wire: fn(D::Event) -> D::Event,
}

/// Starts a specification from `events`.
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given { events: events.into_iter().collect(), at: At(1_700_000_000_000), wire: |event| event }
}

impl<D: Decider> Given<D> {
    /// Sets the business time of the next command.
    pub fn at(mut self, at: At) -> Self {
        self.at = at;
        self
    }

    /// Passes every event, given or decided, through `wire` before it is folded: encode, decode, upcast.
    pub fn through(mut self, wire: fn(D::Event) -> D::Event) -> Self {
        self.wire = wire;
        self
    }

    /// The state that the history adds up to.
    pub fn state(&self) -> D::State {
        let wired: Vec<_> = self.events.iter().cloned().map(self.wire).collect();
        fold::<D>(&wired)
    }

    /// Decides `command`.
    pub fn when(self, command: D::Command) -> Outcome<D> {
        let result = D::decide(&self.state(), command, self.at);
        Outcome { history: self.events, result, at: self.at, wire: self.wire }
    }
}

impl<D: Decider> Outcome<D> {
    /// Asserts the events decided, and that each of them survives the wire.
    ///
    /// # Panics
    /// When they differ, or the command was refused.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.result {
            Ok(events) => {
                assert_eq!(events, expected, "decided other events");
                let wired: Vec<_> = events.iter().cloned().map(self.wire).collect();
                assert_eq!(wired, events, "the wire changed an event");
                let history = self.history.into_iter().chain(events).collect();
                Given { events: history, at: self.at, wire: self.wire }
            }
            Err(rejection) => panic!("expected {expected:?}, but it was refused: {rejection:?}"),
        }
    }

    /// Asserts the refusal.
    ///
    /// # Panics
    /// When it was another, or the command was accepted.
    #[track_caller]
    pub fn then_refused(self, expected: D::Rejection) {
        match self.result {
            Ok(events) => panic!("expected {expected:?}, but it was accepted: {events:?}"),
            Err(rejection) => assert_eq!(rejection, expected, "refused for another reason"),
        }
    }
}
