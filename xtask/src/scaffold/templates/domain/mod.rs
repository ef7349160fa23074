//! One of what __name__ is about: so far it has a title.
//!
//! A title is never empty, never longer than a line, and has no spaces around it.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::__name__::{Event, __Name__Titled};
pub use rejection::Rejection;
pub use state::State;

use feira_decider::{At, Decider};

/// The rules.
#[derive(Debug)]
pub struct __Name__;

impl Decider for __Name__ {
    const KIND: &'static str = "__name__";
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
