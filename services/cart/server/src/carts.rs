//! Carts as the runtime hosts them.

use feira_cart_domain::cart::{Cart, Command, Offer, State};
use feira_commands::cart::{Input, View};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

use crate::Offers;

/// Hosts carts.
pub struct Carts {
    offers: Offers,
}

impl Carts {
    /// Hosts carts that take what they must know of products from `offers`.
    pub fn new(offers: Offers) -> Self {
        Self { offers }
    }
}

impl Hosted for Carts {
    type Domain = Cart;
    type Input = Input;
    type Facts = Option<Offer>;
    type View = View;

    fn operation(&self, input: &Input) -> &'static str {
        input.operation()
    }

    async fn gather(&self, command: &feira_runtime::Command, input: &Input) -> Result<Option<Offer>, GatherError> {
        match input {
            Input::AddItem { sku, .. } => self.offers.find(&command.tenant, sku).await,
            Input::SetQuantity { .. } | Input::RemoveItem { .. } | Input::SetNote { .. } | Input::Undo { .. } => {
                Ok(None)
            }
        }
    }

    fn command(&self, _aggregate: &AggregateId, input: Input, offer: Option<Offer>) -> Command {
        match input {
            Input::AddItem { sku, quantity } => Command::AddItem { sku, quantity, offer },
            Input::SetQuantity { sku, quantity } => Command::SetQuantity { sku, quantity },
            Input::RemoveItem { sku } => Command::RemoveItem { sku },
            Input::SetNote { note } => Command::SetNote { note },
            Input::Undo { edit } => Command::Undo { edit },
        }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, cart: &State) -> View {
        View {
            customer: aggregate.key().into(),
            version,
            lines: cart.lines.clone(),
            note: cart.note.clone(),
            subtotal: cart.subtotal(),
            undoable: cart.undoable(),
        }
    }
}
