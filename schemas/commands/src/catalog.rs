//! What the catalog can be asked about a product, and what it answers.

use std::sync::Arc;

use feira_events::catalog::{Details, Pricing};
use feira_money::Amount;
use serde::{Deserialize, Serialize};

/// The most characters in a title.
pub const TITLE_CHARS_MAX: usize = 512;

/// The most characters in a description.
pub const DESCRIPTION_CHARS_MAX: usize = 10_000;

/// The most characters in a brand, a category, or the name of an item group.
pub const LABEL_CHARS_MAX: usize = 750;

/// The most characters in a link.
pub const LINK_CHARS_MAX: usize = 2_000;

/// The most pictures of a product.
pub const IMAGES_MAX: usize = 20;

/// What can be asked of a product. The aggregate is `product:<sku>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Input {
    /// Make the product as given, listing it where it is not; nothing happens when it already is so.
    Put {
        /// What it is.
        details: Details,
        /// What it costs.
        pricing: Pricing,
    },
    /// Change what a listed product costs.
    SetPrice {
        /// The regular price.
        price: Amount,
        /// The price while on sale; none ends the sale.
        sale_price: Option<Amount>,
    },
    /// Take the product out of the catalog.
    Withdraw,
}

impl Input {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Put { .. } => "catalog.put",
            Self::SetPrice { .. } => "catalog.set_price",
            Self::Withdraw => "catalog.withdraw",
        }
    }
}

/// A product as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The business's own id of the product.
    pub sku: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// Whether it is in the catalog.
    pub listed: bool,
    /// What it is, once it was ever listed.
    pub details: Option<Details>,
    /// What it costs, once it was ever listed.
    pub pricing: Option<Pricing>,
}
