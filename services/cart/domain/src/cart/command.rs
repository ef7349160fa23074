//! What can be asked of a cart, with the facts it takes to answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_events::cart::CheckoutFailed;
use feira_events::catalog::Availability;
use feira_events::{FactPosition, Sealed};
use feira_ids::AccountId;
use feira_money::Amount;

/// What can be asked of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Put units of a product in, on top of those that are there.
    AddItem {
        /// The product.
        sku: Arc<str>,
        /// How many.
        quantity: i32,
        /// What the catalog says of it; none when it lists no such product.
        offer: Option<Offer>,
    },
    /// Set how many units a line has; 0 takes it out.
    SetQuantity {
        /// The product.
        sku: Arc<str>,
        /// How many.
        quantity: i32,
    },
    /// Take a line out.
    RemoveItem {
        /// The product.
        sku: Arc<str>,
    },
    /// Write the customer's note, or take it away.
    SetNote {
        /// The note, as sealed before it came here.
        note: Option<Sealed<String>>,
    },
    /// Let an order come of the cart.
    Checkout {
        /// Whose cart.
        customer: Arc<str>,
        /// The order's id.
        order: Arc<str>,
        /// The thread in which it is ordered.
        thread: Option<Arc<str>>,
        /// The business's account, which is to be paid.
        account: AccountId,
        /// What the customer saw that it comes to.
        accept_total: Option<Amount>,
        /// What the catalog says of the products in the cart; none of one that it does not list. A product that was
        /// added since this was looked up is not among them: its line has just taken its price from the catalog.
        offers: BTreeMap<Arc<str>, Option<Offer>>,
    },
    /// An order came of the cart.
    CompleteCheckout {
        /// The order.
        order: Arc<str>,
    },
    /// No order came of the cart.
    FailCheckout {
        /// Why.
        failure: CheckoutFailed,
    },
    /// Take an edit back.
    Undo {
        /// The version that the edit made; the latest edit not yet taken back when none is given.
        edit: Option<i64>,
    },
}

/// What the catalog says of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its title.
    pub title: Arc<str>,
    /// What one unit costs now.
    pub price: Amount,
    /// Whether it can be had.
    pub availability: Availability,
    /// Where the catalog said so.
    pub position: FactPosition,
}
