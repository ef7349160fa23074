//! What a business used in a month: messages that were delivered and fees of payments, each item once.
//!
//! An item is known by the lane that it comes from and its place there. Lanes are read in order and what they say may be
//! told again, so that the highest place heard would do; the latest places are remembered one by one besides, so that an
//! item that others overtook on the way is not taken for a repeat.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::billing::{UsageEvent as Event, UsageRecorded};
pub use rejection::Rejection;
pub use state::{Heard, State, WINDOW};

use feira_decider::{At, Decider};

/// The rules of usage.
#[derive(Debug)]
pub struct Usage;

impl Decider for Usage {
    const KIND: &'static str = "usage";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: Command, _at: At) -> Result<Vec<Event>, Rejection> {
        decide::decide(state, command)
    }

    fn evolve(state: State, event: &Event) -> State {
        evolve::evolve(state, event)
    }
}
