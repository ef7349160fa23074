//! What a cart can be asked, and what it answers.

use std::sync::Arc;

use feira_events::Sealed;
use feira_events::cart::{CheckoutFailed, Line};
use feira_ids::AccountId;
use feira_money::Amount;
use serde::{Deserialize, Serialize};

/// The most units of one product in a cart.
pub const QUANTITY_MAX: i32 = 99;

/// The most lines in a cart.
pub const LINES_MAX: usize = 250;

/// The most characters in a note, before it is sealed.
pub const NOTE_CHARS_MAX: usize = 2_000;

/// How many of a cart's latest versions can be taken back.
pub const UNDO_VERSIONS: i64 = 50;

/// What can be asked of a cart. The aggregate is `cart:<customer>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Input {
    /// Put units of a product in, on top of those that are there.
    AddItem {
        /// The product.
        sku: Arc<str>,
        /// How many, 1 to 99.
        quantity: i32,
    },
    /// Set how many units a line has; 0 takes it out.
    SetQuantity {
        /// The product.
        sku: Arc<str>,
        /// How many, 0 to 99.
        quantity: i32,
    },
    /// Take a line out.
    RemoveItem {
        /// The product.
        sku: Arc<str>,
    },
    /// Write the customer's note, or take it away. Sealed by the gateway: the owner never sees it open.
    SetNote {
        /// The note.
        note: Option<Sealed<String>>,
    },
    /// Check out: an order is to come of the cart. Asked while one is under way, it stays that one.
    Checkout {
        /// The order's id, made up by who asks.
        order: Arc<str>,
        /// The thread in which it is ordered, `sender/customer`.
        thread: Option<Arc<str>>,
        /// The business's account, which is to be paid.
        account: AccountId,
        /// What the customer saw that it comes to; another total now is refused.
        accept_total: Option<Amount>,
    },
    /// An order came of the cart.
    CompleteCheckout {
        /// The order.
        order: Arc<str>,
    },
    /// No order came of the cart.
    FailCheckout {
        /// The order.
        order: Arc<str>,
        /// Why, as a stable code.
        code: Arc<str>,
        /// The product that it failed for.
        sku: Option<Arc<str>>,
        /// Why, in words.
        message: Arc<str>,
    },
    /// Take an edit back.
    Undo {
        /// The version that the edit made; the latest edit not yet taken back when none is given.
        edit: Option<i64>,
    },
}

impl Input {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::AddItem { .. } => "cart.add_item",
            Self::SetQuantity { .. } => "cart.set_quantity",
            Self::RemoveItem { .. } => "cart.remove_item",
            Self::SetNote { .. } => "cart.set_note",
            Self::Checkout { .. } => "cart.checkout",
            Self::CompleteCheckout { .. } => "cart.complete_checkout",
            Self::FailCheckout { .. } => "cart.fail_checkout",
            Self::Undo { .. } => "cart.undo",
        }
    }
}

/// A cart as its owner sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Whose cart: the business-scoped id of the customer.
    pub customer: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// Its lines, in the order they were first put in.
    pub lines: Vec<Line>,
    /// The customer's note.
    pub note: Option<Sealed<String>>,
    /// The sum of the lines; none while the cart is empty.
    pub subtotal: Option<Amount>,
    /// The versions of the edits that can be taken back, the latest first.
    pub undoable: Vec<i64>,
    /// The order that is to come of it, while a checkout is under way.
    #[serde(default)]
    pub checkout: Option<Arc<str>>,
    /// The order that the last checkout came to.
    #[serde(default)]
    pub last_order: Option<Arc<str>>,
    /// Why the last checkout failed, until the next one.
    #[serde(default)]
    pub failure: Option<CheckoutFailed>,
}
