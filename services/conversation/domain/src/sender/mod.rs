//! A sender: an account on a channel from which a business talks. What it is stands once it is open.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::conversation::{Channel, SenderEvent as Event, SenderOpened};
pub use rejection::Rejection;
pub use state::State;

use feira_decider::{At, Decider};

/// The most characters in a sender's id.
pub const SENDER_CHARS_MAX: usize = 64;

/// The rules of a sender.
#[derive(Debug)]
pub struct Sender;

impl Decider for Sender {
    const KIND: &'static str = "sender";
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
