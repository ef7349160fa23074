//! What happens to orders. Events say all that a follower needs, so that no other event must be known.

use std::sync::Arc;

use feira_ids::AccountId;
use feira_money::Amount;
use serde::{Deserialize, Serialize};

/// What is bought by whom, on which terms. Given with every event of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub order: Arc<str>,
    /// How the business knows who ordered.
    pub customer: Arc<str>,
    /// The thread in which it was ordered, `sender/customer`; none when it was ordered elsewhere.
    pub thread: Option<Arc<str>>,
    /// The business's account, which is to be paid.
    pub account: AccountId,
    /// What is bought.
    pub lines: Vec<OrderLine>,
    /// What it comes to.
    pub total: Amount,
    /// Until when it must be paid, milliseconds since 1970.
    pub until: i64,
}

/// One product of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The product.
    pub sku: Arc<str>,
    /// Its title when it was ordered.
    pub title: Arc<str>,
    /// How many units.
    pub quantity: i32,
    /// What one unit cost when it was ordered.
    pub unit_price: Amount,
}

/// An order came of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// It.
    pub order: Order,
}

/// The units of one line are put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStockHeld {
    /// The order.
    pub order: Arc<str>,
    /// The product.
    pub sku: Arc<str>,
}

/// All units are put aside; the customer is asked to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAwaitingPayment {
    /// The order.
    pub order: Order,
}

/// The order was paid; its units are being taken from stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPaid {
    /// The order.
    pub order: Order,
    /// How much was paid.
    pub amount: Amount,
    /// What the business was charged for it.
    pub fee: Amount,
}

/// The units of one line are taken from stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStockTaken {
    /// The order.
    pub order: Arc<str>,
    /// The product.
    pub sku: Arc<str>,
}

/// The order is paid and all its units are taken: the business can go on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// The order.
    pub order: Order,
}

/// The business went on with the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAdvanced {
    /// The order.
    pub order: Order,
    /// Where it stands now.
    pub status: OrderStatus,
}

/// The order is off. What had been done for it is to be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// The order.
    pub order: Order,
    /// Why, as a stable code.
    pub code: Arc<str>,
    /// The product that it failed for.
    pub sku: Option<Arc<str>>,
    /// Why, in words.
    pub message: Arc<str>,
    /// The products whose units may be put aside.
    pub release: Vec<Arc<str>>,
    /// The products whose units were taken from stock already.
    pub give_back: Vec<Arc<str>>,
    /// Whether the customer may have been asked to pay.
    pub payment_asked: bool,
    /// What was paid and is to be refunded.
    pub refund: Option<Amount>,
}

/// Money came in for an order that is off: it is to be refunded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPaidLate {
    /// The order.
    pub order: Order,
    /// How much.
    pub amount: Amount,
}

/// Money was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRefunded {
    /// The order.
    pub order: Arc<str>,
    /// How much, in all.
    pub refunded: Amount,
    /// How the payment stands now.
    pub payment: PaymentStatus,
}

/// Money could not be given back: somebody must see to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRefundFailed {
    /// The order.
    pub order: Arc<str>,
    /// Why, as a stable code.
    pub code: Arc<str>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// It waits for its units and its payment.
    #[default]
    Placed,
    /// It is paid and its units are taken.
    Confirmed,
    /// The business is at it.
    Processing,
    /// Part of it is on the way.
    PartiallyShipped,
    /// It is on the way.
    Shipped,
    /// It is done.
    Completed,
    /// It is off.
    Cancelled,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// How the payment of an order stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// Nobody was asked to pay yet.
    #[default]
    Unpaid,
    /// The customer is asked to pay.
    Pending,
    /// It is paid.
    Captured,
    /// Part of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// It could not be paid, or not be given back.
    Failed,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// Any event of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// See [`OrderPlaced`].
    OrderPlaced(OrderPlaced),
    /// See [`OrderStockHeld`].
    OrderStockHeld(OrderStockHeld),
    /// See [`OrderAwaitingPayment`].
    OrderAwaitingPayment(OrderAwaitingPayment),
    /// See [`OrderPaid`].
    OrderPaid(OrderPaid),
    /// See [`OrderStockTaken`].
    OrderStockTaken(OrderStockTaken),
    /// See [`OrderConfirmed`].
    OrderConfirmed(OrderConfirmed),
    /// See [`OrderAdvanced`].
    OrderAdvanced(OrderAdvanced),
    /// See [`OrderCancelled`].
    OrderCancelled(OrderCancelled),
    /// See [`OrderPaidLate`].
    OrderPaidLate(OrderPaidLate),
    /// See [`OrderRefunded`].
    OrderRefunded(OrderRefunded),
    /// See [`OrderRefundFailed`].
    OrderRefundFailed(OrderRefundFailed),
}
