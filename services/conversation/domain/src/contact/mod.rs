//! A contact: a customer whom one business knows, and what the customer agreed to get from it.
//!
//! What was said last about a category stands; every word of it stays on the log.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Command, What};
pub use feira_events::conversation::{Category, ContactEvent as Event, ContactMet, OptedIn, OptedOut};
pub use rejection::Rejection;
pub use state::State;

use feira_decider::{At, Decider};

/// The rules of a contact.
#[derive(Debug)]
pub struct Contact;

impl Decider for Contact {
    const KIND: &'static str = "contact";
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
