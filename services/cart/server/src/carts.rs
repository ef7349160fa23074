//! Carts as the runtime hosts them.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_cart_domain::cart::{Cart, CheckoutFailed, Command, Offer, State};
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

/// What a cart must know of the catalog to answer.
pub enum Known {
    /// Nothing.
    Nothing,
    /// One product; none when it is not listed.
    Offer(Option<Offer>),
    /// The products in the cart.
    Offers(BTreeMap<Arc<str>, Option<Offer>>),
}

impl Known {
    fn offer(self) -> Option<Offer> {
        if let Self::Offer(offer) = self { offer } else { None }
    }

    fn offers(self) -> BTreeMap<Arc<str>, Option<Offer>> {
        if let Self::Offers(offers) = self { offers } else { BTreeMap::new() }
    }
}

impl Hosted for Carts {
    type Domain = Cart;
    type Input = Input;
    type Facts = Known;
    type View = View;

    fn operation(&self, input: &Input) -> &'static str {
        input.operation()
    }

    async fn gather(&self, command: &feira_runtime::Command, input: &Input) -> Result<Known, GatherError> {
        match input {
            Input::AddItem { sku, .. } => self.offers.find(&command.tenant, sku).await.map(Known::Offer),
            Input::Checkout { .. } => self.offers.of_cart(&command.tenant, &command.aggregate).await.map(Known::Offers),
            Input::SetQuantity { .. }
            | Input::RemoveItem { .. }
            | Input::SetNote { .. }
            | Input::CompleteCheckout { .. }
            | Input::FailCheckout { .. }
            | Input::Undo { .. } => Ok(Known::Nothing),
        }
    }

    fn command(&self, aggregate: &AggregateId, input: Input, known: Known) -> Command {
        match input {
            Input::AddItem { sku, quantity } => Command::AddItem { sku, quantity, offer: known.offer() },
            Input::Checkout { order, thread, account, accept_total } => Command::Checkout {
                customer: aggregate.key().into(),
                order,
                thread,
                account,
                accept_total,
                offers: known.offers(),
            },
            Input::CompleteCheckout { order } => Command::CompleteCheckout { order },
            Input::FailCheckout { order, code, sku, message } => {
                Command::FailCheckout { failure: CheckoutFailed { order, code, sku, message } }
            }
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
            checkout: cart.checkout.as_ref().map(|order| order.order.clone()),
            last_order: cart.last_order.clone(),
            failure: cart.failure.clone(),
        }
    }
}
