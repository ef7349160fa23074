//! What happens to stock. Events say how much is left after them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A business said how many units it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockSet {
    /// The product.
    pub sku: Arc<str>,
    /// How many there are, reserved ones included.
    pub on_hand: i64,
    /// How many can still be reserved.
    pub available: i64,
}

/// Units were put aside for an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReserved {
    /// The product.
    pub sku: Arc<str>,
    /// The order.
    pub order: Arc<str>,
    /// How many.
    pub quantity: i32,
    /// Until when, milliseconds since 1970.
    pub until: i64,
    /// How many can still be reserved; none when the product is not counted.
    pub available: Option<i64>,
}

/// Reserved units were sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockCommitted {
    /// The product.
    pub sku: Arc<str>,
    /// The order.
    pub order: Arc<str>,
    /// How many.
    pub quantity: i32,
    /// How many there are now; none when the product is not counted.
    pub on_hand: Option<i64>,
    /// How many can still be reserved; none when the product is not counted.
    pub available: Option<i64>,
}

/// Reserved units can be had by others again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReleased {
    /// The product.
    pub sku: Arc<str>,
    /// The order.
    pub order: Arc<str>,
    /// How many.
    pub quantity: i32,
    /// Why.
    pub reason: ReleaseReason,
    /// How many can be reserved now; none when the product is not counted.
    pub available: Option<i64>,
}

/// Why reserved units were released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReleaseReason {
    /// The order does not need them any more.
    Released,
    /// Their time passed.
    Expired,
    /// They had been sold and came back.
    Returned,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// Any event of stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// See [`StockSet`].
    StockSet(StockSet),
    /// See [`StockReserved`].
    StockReserved(StockReserved),
    /// See [`StockCommitted`].
    StockCommitted(StockCommitted),
    /// See [`StockReleased`].
    StockReleased(StockReleased),
}
