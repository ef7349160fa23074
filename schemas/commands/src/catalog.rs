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
#[serde(tag = "ask", rename_all = "snake_case", try_from = "Asked")]
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

/// An [`Input`] as it is read: straight into its fields. Read as the enum it is, all of it would first be put aside until
/// its tag is known, and a feed has a million of them.
#[derive(Deserialize)]
struct Asked {
    ask: Ask,
    details: Option<Details>,
    pricing: Option<Pricing>,
    price: Option<Amount>,
    sale_price: Option<Amount>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    Put,
    SetPrice,
    Withdraw,
}

impl TryFrom<Asked> for Input {
    type Error = &'static str;

    fn try_from(asked: Asked) -> Result<Self, Self::Error> {
        match asked.ask {
            Ask::Put => Ok(Self::Put {
                details: asked.details.ok_or("missing field `details`")?,
                pricing: asked.pricing.ok_or("missing field `pricing`")?,
            }),
            Ask::SetPrice => {
                Ok(Self::SetPrice { price: asked.price.ok_or("missing field `price`")?, sale_price: asked.sale_price })
            }
            Ask::Withdraw => Ok(Self::Withdraw),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const PUT: &str = r#"{"ask":"put","details":{"title":"Café","description":"","availability":"in_stock","condition":"new",
        "link":null,"image_links":[],"brand":null,"category":null,"item_group":null},
        "pricing":{"price":{"minor":1990,"currency":"BRL"},"sale_price":null}}"#;

    #[test]
    fn what_is_asked_is_read_as_it_was_written() {
        let put: Input = serde_json::from_str(PUT).unwrap();
        let Input::Put { details, pricing } = &put else { panic!("{put:?}") };
        assert_eq!((&*details.title, pricing.sale_price), ("Café", None));
        let (price, sale_price) = (pricing.price, Some(pricing.price));
        let set = |sale_price| Input::SetPrice { price, sale_price };
        for asked in [put.clone(), set(None), set(sale_price), Input::Withdraw] {
            let text = serde_json::to_string(&asked).unwrap();
            assert_eq!(serde_json::from_str::<Input>(&text).unwrap(), asked, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, missing) in [
            (r#"{"ask":"put","pricing":{"price":{"minor":1,"currency":"BRL"},"sale_price":null}}"#, "`details`"),
            (r#"{"ask":"set_price","sale_price":null}"#, "`price`"),
            (r#"{"details":null}"#, "`ask`"),
            (r#"{"ask":"give_away"}"#, "`give_away`"),
        ] {
            let error = serde_json::from_str::<Input>(text).unwrap_err().to_string();
            assert!(error.contains(missing), "{text}: {error}");
        }
    }
}
