//! The stock of one product: how many units there are, and for whom they are put aside.
//!
//! What is put aside is never more than there is. A reservation ends by being sold, by being released, or by time, which
//! is judged by the moment of whatever comes next. A product that was never counted can be reserved without end.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::stock::{Event, ReleaseReason, StockCommitted, StockReleased, StockReserved, StockSet};
pub use rejection::Rejection;
pub use state::{Reservation, State};

use feira_decider::{At, Decider};

/// The rules of stock.
#[derive(Debug)]
pub struct Stock;

impl Decider for Stock {
    const KIND: &'static str = "stock";
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
