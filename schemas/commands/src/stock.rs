//! What stock can be asked, and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The most units that stock counts.
pub const UNITS_MAX: i64 = 1_000_000_000;

/// The most reservations of one product at a time.
pub const RESERVATIONS_MAX: usize = 10_000;

/// What can be asked of stock. The aggregate is `stock:<sku>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Input {
    /// Say how many units there are, reserved ones included.
    Set {
        /// How many.
        on_hand: i64,
    },
    /// Put units aside for an order.
    Reserve {
        /// The order.
        order: Arc<str>,
        /// How many.
        quantity: i32,
        /// Until when, milliseconds since 1970.
        until: i64,
    },
    /// Sell what an order has reserved.
    Commit {
        /// The order.
        order: Arc<str>,
    },
    /// Let others have what an order has reserved.
    Release {
        /// The order.
        order: Arc<str>,
    },
    /// Take back what was sold to an order.
    Return {
        /// The order.
        order: Arc<str>,
        /// How many.
        quantity: i32,
    },
    /// The time of a reservation has passed.
    Expire {
        /// The order.
        order: Arc<str>,
    },
}

impl Input {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Set { .. } => "stock.set",
            Self::Reserve { .. } => "stock.reserve",
            Self::Commit { .. } => "stock.commit",
            Self::Release { .. } => "stock.release",
            Self::Return { .. } => "stock.return",
            Self::Expire { .. } => "stock.expire",
        }
    }
}

/// The stock of a product as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The product.
    pub sku: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// How many units there are; none when the product is not counted.
    pub on_hand: Option<i64>,
    /// How many are reserved.
    pub reserved: i64,
    /// How many can still be reserved; none when the product is not counted.
    pub available: Option<i64>,
}
