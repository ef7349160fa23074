//! A customer's cart at one business: lines of products, a note, and the latest edits, which can be taken back.
//!
//! Every line holds 1 to 99 units, all lines are of one currency, and their sum is an amount. An add comes on top of
//! what is there, so that two devices adding at once lose nothing. The cart never looks a price up: what it must know
//! of a product comes in with the command and is kept with the line.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Command, Offer};
pub use feira_events::FactPosition;
pub use feira_events::cart::{
    CheckedOut, CheckoutCompleted, CheckoutFailed, EditUndone, Event, ItemAdded, ItemRemoved, Line, NoteSet,
    QuantitySet,
};
pub use rejection::Rejection;
pub use state::{Before, Edit, State, subtotal};

use feira_decider::{At, Decider};

/// The most bytes of a sealed note: its characters at four bytes each, and the cipher's tag.
pub const NOTE_BYTES_MAX: usize = feira_commands::cart::NOTE_CHARS_MAX * 4 + 16;

/// The rules of a cart.
#[derive(Debug)]
pub struct Cart;

impl Decider for Cart {
    const KIND: &'static str = "cart";
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
