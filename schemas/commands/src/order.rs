//! What an order can be asked, and what it answers.

use std::sync::Arc;

use feira_events::order::{Order, OrderStatus, PaymentStatus};
use feira_money::Amount;
use serde::{Deserialize, Serialize};

/// How long a customer has to pay an order, in milliseconds, where a business says nothing else.
pub const PAYMENT_TIME_MS: i64 = 30 * 60 * 1000;

/// What can be asked of an order. The aggregate is `order:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Input {
    /// Begin the order.
    Place {
        /// It.
        order: Order,
    },
    /// The units of a line are put aside.
    StockHeld {
        /// The product.
        sku: Arc<str>,
    },
    /// The units of a line cannot be had.
    StockRefused {
        /// The product.
        sku: Arc<str>,
        /// Why, as a stable code.
        code: Arc<str>,
        /// Why, in words.
        message: Arc<str>,
    },
    /// The customer cannot be asked to pay.
    PaymentRefused {
        /// Why, as a stable code.
        code: Arc<str>,
        /// Why, in words.
        message: Arc<str>,
    },
    /// The order was paid.
    Paid {
        /// How much.
        amount: Amount,
        /// What the business was charged for it.
        fee: Amount,
    },
    /// The units of a line are taken from stock.
    StockTaken {
        /// The product.
        sku: Arc<str>,
    },
    /// The units of a line were no longer there when they were to be taken.
    StockLost {
        /// The product.
        sku: Arc<str>,
        /// Why, as a stable code.
        code: Arc<str>,
        /// Why, in words.
        message: Arc<str>,
    },
    /// The time to pay has passed.
    TimeOut,
    /// Call the order off. Until it is paid.
    Cancel {
        /// Whose order it is, as the business knows them.
        customer: Arc<str>,
        /// Why, in words.
        reason: Arc<str>,
    },
    /// Go on with the order.
    Advance {
        /// Where it stands then.
        status: OrderStatus,
    },
    /// Money was given back.
    Refunded {
        /// How much, in all.
        refunded: Amount,
    },
    /// Money could not be given back.
    RefundFailed {
        /// Why, as a stable code.
        code: Arc<str>,
    },
}

impl Input {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Place { .. } => "order.place",
            Self::StockHeld { .. } => "order.stock_held",
            Self::StockRefused { .. } => "order.stock_refused",
            Self::PaymentRefused { .. } => "order.payment_refused",
            Self::Paid { .. } => "order.paid",
            Self::StockTaken { .. } => "order.stock_taken",
            Self::StockLost { .. } => "order.stock_lost",
            Self::TimeOut => "order.time_out",
            Self::Cancel { .. } => "order.cancel",
            Self::Advance { .. } => "order.advance",
            Self::Refunded { .. } => "order.refunded",
            Self::RefundFailed { .. } => "order.refund_failed",
        }
    }
}

/// An order as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// How many events it has.
    pub version: u64,
    /// What is bought by whom; none before it was placed.
    pub order: Option<Order>,
    /// Where it stands.
    pub status: OrderStatus,
    /// How its payment stands.
    pub payment: PaymentStatus,
    /// What was given back, once it was paid.
    pub refunded: Option<Amount>,
    /// Why it is off, as a stable code.
    pub code: Option<Arc<str>>,
    /// Why it is off, in words.
    pub message: Option<Arc<str>>,
}
