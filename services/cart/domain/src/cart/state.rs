//! What a cart remembers.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use feira_events::Sealed;
use feira_events::cart::{CheckoutFailed, Line};
use feira_events::order::Order;
use feira_money::Amount;
use serde::{Deserialize, Serialize};

/// A cart as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How many events it has.
    pub version: i64,
    /// Its lines, in the order they were first put in.
    pub lines: Vec<Line>,
    /// The customer's note.
    pub note: Option<Sealed<String>>,
    /// The edits among its latest versions, in order.
    pub edits: VecDeque<Edit>,
    /// The order that is to come of it, while a checkout is under way.
    #[serde(default)]
    pub checkout: Option<Order>,
    /// The order that the last checkout came to.
    #[serde(default)]
    pub last_order: Option<Arc<str>>,
    /// Why the last checkout failed, until the next one.
    #[serde(default)]
    pub failure: Option<CheckoutFailed>,
}

/// An edit that may still be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The version it made.
    pub version: i64,
    /// What it changed, as that was before.
    pub before: Before,
    /// Whether it was taken back.
    pub undone: bool,
}

/// What an edit changed, as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Before {
    /// A line.
    Line {
        /// The product.
        sku: Arc<str>,
        /// The line before the edit; none when there was no such line.
        line: Option<Line>,
    },
    /// The note.
    Note(Option<Sealed<String>>),
}

impl State {
    /// The line of the product `sku`.
    pub fn line(&self, sku: &str) -> Option<&Line> {
        self.lines.iter().find(|line| &*line.sku == sku)
    }

    /// The sum of the lines; none while the cart is empty.
    pub fn subtotal(&self) -> Option<Amount> {
        subtotal(&self.lines)
    }

    /// The versions of the edits that can be taken back, the latest first.
    pub fn undoable(&self) -> Vec<i64> {
        let mut covered = BTreeSet::new();
        let standing = self.edits.iter().rev().filter(|edit| !edit.undone);
        standing.filter(|edit| covered.insert(edit.before.place())).map(|edit| edit.version).collect()
    }

    /// The latest edit that changed the same as `edit` after it and still stands.
    pub(super) fn superseded_by(&self, edit: &Edit) -> Option<i64> {
        let latest =
            self.edits.iter().rev().find(|other| !other.undone && other.before.place() == edit.before.place())?;
        (latest.version > edit.version).then_some(latest.version)
    }
}

impl Before {
    /// What the edit was of: a line by its product, or the note.
    fn place(&self) -> Option<&str> {
        match self {
            Self::Line { sku, .. } => Some(sku),
            Self::Note(_) => None,
        }
    }
}

/// The sum of `lines`; none when there are none, or when it is no amount.
pub fn subtotal<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Option<Amount> {
    let mut currency = None;
    let mut sum = 0i128;
    for line in lines {
        currency.get_or_insert(line.unit_price.currency);
        sum += i128::from(line.unit_price.minor) * i128::from(line.quantity);
    }
    Some(Amount::new(i64::try_from(sum).ok()?, currency?))
}
