//! What is given to change stock and orders.

use async_graphql::{Enum, ID, InputObject};

use crate::graphql::money::MoneyInput;

/// How many units a business has.
#[derive(InputObject)]
pub(crate) struct StockSetInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// The product.
    pub(super) sku: String,
    /// How many there are, those put aside for orders included.
    pub(super) on_hand: i64,
}

/// A cart to check out.
#[derive(InputObject)]
pub(crate) struct CartCheckoutInput {
    /// The business; a member's own when none is given.
    pub(super) business: Option<String>,
    /// Whose cart; a customer's own when none is given.
    pub(super) customer: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// What the customer saw that it comes to; another total now is refused.
    pub(super) accept_total: Option<MoneyInput>,
}

/// An order to pay.
#[derive(InputObject)]
pub(crate) struct OrderPayInput {
    /// The business.
    pub(super) business: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Which.
    pub(super) order: ID,
}

/// An order to call off.
#[derive(InputObject)]
pub(crate) struct OrderCancelInput {
    /// The business; a member's own when none is given.
    pub(super) business: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Which.
    pub(super) order: ID,
    /// Why.
    #[graphql(default)]
    pub(super) reason: String,
}

/// Where an order can be led.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderStep {
    /// The business is at it.
    Processing,
    /// Part of it is on the way.
    PartiallyShipped,
    /// It is on the way.
    Shipped,
    /// It is done.
    Completed,
}

/// An order to go on with.
#[derive(InputObject)]
pub(crate) struct OrderAdvanceInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Which.
    pub(super) order: ID,
    /// Where it stands then.
    pub(super) to: OrderStep,
}

/// A payment to give back.
#[derive(InputObject)]
pub(crate) struct OrderRefundInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Of which order.
    pub(super) order: ID,
    /// How much; all that is left when none is given.
    pub(super) amount: Option<MoneyInput>,
    /// Why.
    #[graphql(default)]
    pub(super) reason: String,
}
