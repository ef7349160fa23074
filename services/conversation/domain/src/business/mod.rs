//! A business: what it says of itself, and the clock of one that is there to try things out.
//!
//! A sandbox's clock moves forwards only, in bounded steps; nobody else's moves at all. Country and sandbox are for ever.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::conversation::{BusinessEvent as Event, BusinessRegistered, ClockMoved, Profile, ProfileSet};
pub use rejection::Rejection;
pub use state::State;

use feira_decider::{At, Decider};

/// The rules of a business.
#[derive(Debug)]
pub struct Business;

impl Decider for Business {
    const KIND: &'static str = "business";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
        decide::decide(state, command, at)
    }

    fn evolve(state: State, event: &Event) -> State {
        evolve::evolve(state, event)
    }
}
