//! Why a product refuses.

use feira_commands::catalog::{DESCRIPTION_CHARS_MAX, IMAGES_MAX, LABEL_CHARS_MAX, LINK_CHARS_MAX, TITLE_CHARS_MAX};
use feira_decider::Reject;
use feira_money::{Amount, Currency};

/// Why a product refused a command. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It is not in the catalog.
    #[error("the product is not listed")]
    NotListed,
    /// No title, or one of blanks only.
    #[error("a product has a title")]
    TitleMissing,
    /// A text is longer than it may be.
    #[error("{field} has {given} characters; at most {} fit", chars_max(.field))]
    TextTooLong {
        /// Which text.
        field: &'static str,
        /// How long it is.
        given: usize,
    },
    /// A text has characters that cannot be shown.
    #[error("{field} has control characters")]
    TextUnreadable {
        /// Which text.
        field: &'static str,
    },
    /// A link that is no address on the web.
    #[error("{field} is an address that begins with http:// or https:// and has no blanks")]
    BadLink {
        /// Which link.
        field: &'static str,
    },
    /// More pictures than a product has.
    #[error("{given} pictures were given; a product has at most {IMAGES_MAX}")]
    TooManyImages {
        /// How many were given.
        given: usize,
    },
    /// A word that this release does not know.
    #[error("{field} has a value that is not known")]
    UnknownValue {
        /// Of which field.
        field: &'static str,
    },
    /// A price of nothing, or less.
    #[error("the price is above zero, not {price}")]
    PriceNotPositive {
        /// The price given.
        price: Amount,
    },
    /// A sale price of nothing, or less.
    #[error("the sale price is above zero, not {sale_price}")]
    SalePriceNotPositive {
        /// The sale price given.
        sale_price: Amount,
    },
    /// A sale that is none.
    #[error("the sale price {sale_price} is above the price {price}")]
    SaleAbovePrice {
        /// The regular price.
        price: Amount,
        /// The sale price given.
        sale_price: Amount,
    },
    /// Price and sale price in two currencies.
    #[error("the price is in {price}, the sale price in {sale_price}")]
    CurrencyMismatch {
        /// The currency of the price.
        price: Currency,
        /// The currency of the sale price.
        sale_price: Currency,
    },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotListed => "NOT_LISTED",
            Self::TitleMissing => "TITLE_MISSING",
            Self::TextTooLong { .. } => "TEXT_TOO_LONG",
            Self::TextUnreadable { .. } => "TEXT_UNREADABLE",
            Self::BadLink { .. } => "BAD_LINK",
            Self::TooManyImages { .. } => "TOO_MANY_IMAGES",
            Self::UnknownValue { .. } => "UNKNOWN_VALUE",
            Self::PriceNotPositive { .. } | Self::SalePriceNotPositive { .. } => "PRICE_NOT_POSITIVE",
            Self::SaleAbovePrice { .. } => "SALE_ABOVE_PRICE",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotListed => None,
            Self::TitleMissing => Some("title"),
            Self::TextTooLong { field, .. }
            | Self::TextUnreadable { field }
            | Self::BadLink { field }
            | Self::UnknownValue { field } => Some(field),
            Self::TooManyImages { .. } => Some("image_links"),
            Self::PriceNotPositive { .. } => Some("price"),
            Self::SalePriceNotPositive { .. } | Self::SaleAbovePrice { .. } | Self::CurrencyMismatch { .. } => {
                Some("sale_price")
            }
        }
    }
}

/// The most characters that fit into `field`.
pub(super) fn chars_max(field: &str) -> usize {
    match field {
        "title" => TITLE_CHARS_MAX,
        "description" => DESCRIPTION_CHARS_MAX,
        "link" | "image_links" => LINK_CHARS_MAX,
        _ => LABEL_CHARS_MAX,
    }
}
