//! An order: from a cart to goods on the way, with its payment beside it.
//!
//! Its units are put aside, then it is paid, then the units are taken; only then is it confirmed. Whatever fails on the
//! way calls it off, and the event says what is to be undone. What came in for an order that is off is given back.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::order::{
    Event, Order as Terms, OrderAdvanced, OrderAwaitingPayment, OrderCancelled, OrderConfirmed, OrderLine, OrderPaid,
    OrderPaidLate, OrderPlaced, OrderRefundFailed, OrderRefunded, OrderStatus, OrderStockHeld, OrderStockTaken,
    PaymentStatus,
};
pub use rejection::Rejection;
pub use state::{Off, State};

use feira_decider::{At, Decider};

/// The rules of an order.
#[derive(Debug)]
pub struct Order;

impl Decider for Order {
    const KIND: &'static str = "order";
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
