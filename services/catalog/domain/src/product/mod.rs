//! A product of a business: listed, described, priced, withdrawn.
//!
//! What is listed always has a title and a price, and a sale price never above the price in the same currency. A
//! command that changes nothing leaves no event, so that a feed can be sent again and again.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::catalog::{
    Availability, Condition, Details, Event, Pricing, ProductDescribed, ProductListed, ProductPriced, ProductWithdrawn,
};
pub use rejection::Rejection;
pub use state::State;

use feira_decider::{At, Decider};

/// The rules of a product.
#[derive(Debug)]
pub struct Product;

impl Decider for Product {
    const KIND: &'static str = "product";
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
