//! What happens to carts. Events say what the cart holds after them, so that a reader needs no other event to follow.

use std::sync::Arc;

use feira_money::Amount;
use serde::{Deserialize, Serialize};

use crate::order::Order;
use crate::{FactPosition, Sealed};

/// Units of a product were put into the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemAdded {
    /// How many were added.
    pub added: i32,
    /// The line as it is now.
    pub line: Line,
    /// Where the catalog stood when the price was taken.
    pub offer: FactPosition,
}

/// The number of units on a line was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantitySet {
    /// The product.
    pub sku: Arc<str>,
    /// How many there are now, at least 1.
    pub quantity: i32,
}

/// A line was taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRemoved {
    /// The product.
    pub sku: Arc<str>,
}

/// The customer's note was written, changed or taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteSet {
    /// The note now.
    pub note: Option<Sealed<String>>,
}

/// An earlier edit was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditUndone {
    /// The aggregate sequence of the edit.
    pub edit: i64,
    /// The product whose line is put back, when the edit was of a line.
    pub sku: Option<Arc<str>>,
    /// That line as it is now; none when there is no such line any more.
    pub line: Option<Line>,
    /// The note as it is now, when the edit was of the note; none also when there is no note any more.
    pub note: Option<Sealed<String>>,
}

/// The customer checked out: an order is to come of the cart. The cart is as it was until that has succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedOut {
    /// The order.
    pub order: Order,
}

/// An order came of the cart: what was ordered is no longer in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutCompleted {
    /// The order.
    pub order: Arc<str>,
    /// All lines that are left.
    pub lines: Vec<Line>,
    /// The products of the lines that are gone.
    pub gone: Vec<Arc<str>>,
}

/// No order came of the cart, which is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutFailed {
    /// The order.
    pub order: Arc<str>,
    /// Why, as a stable code.
    pub code: Arc<str>,
    /// The product that it failed for.
    pub sku: Option<Arc<str>>,
    /// Why, in words.
    pub message: Arc<str>,
}

/// One product in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product.
    pub sku: Arc<str>,
    /// Its title when it was last added.
    pub title: Arc<str>,
    /// How many units, 1 to 99.
    pub quantity: i32,
    /// What one unit cost when it was last added.
    pub unit_price: Amount,
    /// The version of the cart that first put it in; lines are shown in this order. A line taken out and put back by
    /// an undo keeps it, one that is added anew gets another.
    #[serde(default)]
    pub first_added: i64,
}

/// Any event of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// See [`ItemAdded`].
    ItemAdded(ItemAdded),
    /// See [`QuantitySet`].
    QuantitySet(QuantitySet),
    /// See [`ItemRemoved`].
    ItemRemoved(ItemRemoved),
    /// See [`NoteSet`].
    NoteSet(NoteSet),
    /// See [`EditUndone`].
    EditUndone(EditUndone),
    /// See [`CheckedOut`].
    CheckedOut(CheckedOut),
    /// See [`CheckoutCompleted`].
    CheckoutCompleted(CheckoutCompleted),
    /// See [`CheckoutFailed`].
    CheckoutFailed(CheckoutFailed),
}
