//! What happens to products.

use std::sync::Arc;

use feira_money::Amount;
use serde::{Deserialize, Serialize};

/// A product entered the catalog, or came back after it was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductListed {
    /// The business's own id of the product.
    pub sku: Arc<str>,
    /// What it is.
    pub details: Details,
    /// What it costs.
    pub pricing: Pricing,
}

/// What is said of a product changed; all of it is given anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDescribed {
    /// The business's own id of the product.
    pub sku: Arc<str>,
    /// What it is now.
    pub details: Details,
}

/// What a product costs changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductPriced {
    /// The business's own id of the product.
    pub sku: Arc<str>,
    /// What it costs now.
    pub pricing: Pricing,
}

/// A product left the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductWithdrawn {
    /// The business's own id of the product.
    pub sku: Arc<str>,
}

/// What a business says of a product. Texts are as given, in any script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Its name, 1 to 512 characters.
    pub title: Arc<str>,
    /// More about it; may be empty.
    pub description: Arc<str>,
    /// Whether it can be had.
    pub availability: Availability,
    /// New or used.
    pub condition: Condition,
    /// Its page.
    pub link: Option<Arc<str>>,
    /// Its pictures, the first one first.
    pub image_links: Vec<Arc<str>>,
    /// Who makes it.
    pub brand: Option<Arc<str>>,
    /// Its place in the business's or a public category tree.
    pub category: Option<Arc<str>>,
    /// What variants of one product share.
    pub item_group: Option<Arc<str>>,
}

/// What a product costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    /// The regular price.
    pub price: Amount,
    /// The price while it is on sale.
    pub sale_price: Option<Amount>,
}

impl Pricing {
    /// What a customer pays now: the sale price where there is one.
    pub fn current(&self) -> Amount {
        self.sale_price.unwrap_or(self.price)
    }
}

/// Whether a product can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Availability {
    /// It can be had now.
    InStock,
    /// Not now.
    OutOfStock,
    /// It can be ordered before it is there.
    Preorder,
    /// Never again.
    Discontinued,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// New or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Condition {
    /// New.
    New,
    /// Made good again.
    Refurbished,
    /// Used.
    Used,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// Any event of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// See [`ProductListed`].
    ProductListed(ProductListed),
    /// See [`ProductDescribed`].
    ProductDescribed(ProductDescribed),
    /// See [`ProductPriced`].
    ProductPriced(ProductPriced),
    /// See [`ProductWithdrawn`].
    ProductWithdrawn(ProductWithdrawn),
}
