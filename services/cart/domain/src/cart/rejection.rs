//! Why a cart refuses.

use std::sync::Arc;

use feira_commands::cart::{LINES_MAX, QUANTITY_MAX, UNDO_VERSIONS};
use feira_decider::Reject;
use feira_money::{Amount, Currency};

/// Why a cart refused a command. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Fewer units than make sense.
    #[error("the quantity is at least {min}")]
    QuantityTooLow {
        /// The fewest.
        min: i32,
    },
    /// More units than a line holds.
    #[error("a line holds at most {QUANTITY_MAX} units; it would have {wanted}")]
    QuantityLimit {
        /// How many there would be.
        wanted: i64,
    },
    /// The business lists no such product.
    #[error("the business lists no such product")]
    UnknownProduct,
    /// The product cannot be had now.
    #[error("the product cannot be had now")]
    OutOfStock,
    /// The product's price is in another currency than the cart.
    #[error("the cart is in {cart}, the product's price in {product}")]
    CurrencyMismatch {
        /// The cart's.
        cart: Currency,
        /// The product's.
        product: Currency,
    },
    /// No further line fits.
    #[error("a cart holds at most {LINES_MAX} different products")]
    TooManyLines,
    /// The sum would be no amount any more.
    #[error("the cart's total would be too large")]
    AmountOverflow,
    /// The cart has no line of the product.
    #[error("the cart has no such product")]
    NotInCart,
    /// The note is longer than it may be.
    #[error("the note is too long")]
    NoteTooLong,
    /// Nothing is in the cart.
    #[error("the cart is empty: put something in first")]
    CartEmpty,
    /// What is in the cart costs nothing.
    #[error("the cart comes to nothing: only what costs something can be ordered")]
    NothingToPay,
    /// The order's id is none.
    #[error("the order's id can be no id")]
    BadOrderId,
    /// The thread is not between the business and this customer.
    #[error("the thread is another customer's, or none")]
    NotTheirThread,
    /// The business sells a product of the cart no longer.
    #[error("{sku} is no longer sold: take it out")]
    NoLongerSold {
        /// The product.
        sku: Arc<str>,
    },
    /// A product of the cart cannot be had now.
    #[error("{sku} cannot be had now: take it out, or come back later")]
    LineOutOfStock {
        /// The product.
        sku: Arc<str>,
    },
    /// The cart comes to something else than the customer saw.
    #[error("the cart comes to {} {} now: look at it again", .total.minor, .total.currency)]
    TotalChanged {
        /// What it comes to, in minor units.
        total: Amount,
    },
    /// No edit is left that could be taken back.
    #[error("there is no edit to take back")]
    NothingToUndo,
    /// The version is none that an edit made, or it lies too far back.
    #[error("version {edit} is no edit among the last {UNDO_VERSIONS} versions")]
    UnknownEdit {
        /// The version asked for.
        edit: i64,
    },
    /// A later edit touched the same line, or the note as well.
    #[error("edit {edit} cannot be taken back before edit {by}, which changed the same")]
    EditSuperseded {
        /// The version asked for.
        edit: i64,
        /// The latest edit that touched the same.
        by: i64,
    },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::QuantityTooLow { .. } => "QUANTITY_TOO_LOW",
            Self::QuantityLimit { .. } => "QUANTITY_LIMIT",
            Self::UnknownProduct => "UNKNOWN_PRODUCT",
            Self::OutOfStock => "OUT_OF_STOCK",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            Self::TooManyLines => "TOO_MANY_LINES",
            Self::AmountOverflow => "AMOUNT_OVERFLOW",
            Self::NotInCart => "NOT_IN_CART",
            Self::NoteTooLong => "NOTE_TOO_LONG",
            Self::CartEmpty => "CART_EMPTY",
            Self::NothingToPay => "NOTHING_TO_PAY",
            Self::BadOrderId => "BAD_ORDER_ID",
            Self::NotTheirThread => "NOT_THEIR_THREAD",
            Self::NoLongerSold { .. } => "NO_LONGER_SOLD",
            Self::LineOutOfStock { .. } => "OUT_OF_STOCK",
            Self::TotalChanged { .. } => "TOTAL_CHANGED",
            Self::NothingToUndo => "NOTHING_TO_UNDO",
            Self::UnknownEdit { .. } => "UNKNOWN_EDIT",
            Self::EditSuperseded { .. } => "EDIT_SUPERSEDED",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::QuantityTooLow { .. } | Self::QuantityLimit { .. } | Self::AmountOverflow => Some("quantity"),
            Self::UnknownProduct | Self::OutOfStock | Self::CurrencyMismatch { .. } | Self::NotInCart => Some("sku"),
            Self::NoteTooLong => Some("note"),
            Self::UnknownEdit { .. } | Self::EditSuperseded { .. } => Some("edit"),
            Self::TotalChanged { .. } => Some("accept_total"),
            Self::BadOrderId => Some("order"),
            Self::NotTheirThread => Some("thread"),
            Self::CartEmpty | Self::NothingToPay | Self::NoLongerSold { .. } | Self::LineOutOfStock { .. } => None,
            Self::TooManyLines | Self::NothingToUndo => None,
        }
    }
}
