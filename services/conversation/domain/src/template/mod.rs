//! A template: a text with gaps that may be sent when the service window is closed, once it is approved.
//!
//! Its variables are numbered from 1 without a gap, so that their number says all that a send must bring.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::conversation::{Category, TemplateApproved, TemplateCreated, TemplateEvent as Event};
pub use rejection::Rejection;
pub use state::State;

use feira_decider::{At, Decider};

/// The most characters in a template's name.
pub const NAME_CHARS_MAX: usize = 128;

/// The most characters in the name of a language.
pub const LANGUAGE_CHARS_MAX: usize = 6;

/// The rules of a template.
#[derive(Debug)]
pub struct Template;

impl Decider for Template {
    const KIND: &'static str = "template";
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
