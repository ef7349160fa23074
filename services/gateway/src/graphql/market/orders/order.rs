//! An order as clients see it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use feira_commands::order::View;
use feira_events::order::{Order as Terms, OrderLine, OrderStatus, PaymentStatus};
use feira_money::Amount;
use feira_rows::ORDERS_PROJECTION;
use feira_rows::order::OrderRow;

use crate::auth::Scope;
use crate::error::ApiError;
use crate::graphql::market::mirrors::PaymentState;
use crate::graphql::money::Money as Shown;
use crate::graphql::scalars::{DateTime, PositionText};
use crate::graphql::together::{Share, in_their_places};
use crate::graphql::{catch_up, gateway, node};

/// About how many lines an order has, for the cost of a query.
const LINES_COST: usize = 10;

/// Where an order stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderState {
    /// Its units are being put aside.
    Placed,
    /// It waits to be paid.
    AwaitingPayment,
    /// It is paid, and its units are being taken from stock.
    Paid,
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
    Unknown,
}

impl OrderState {
    pub(crate) fn of(status: OrderStatus, payment: PaymentStatus) -> Self {
        match (status, payment) {
            (OrderStatus::Placed, PaymentStatus::Pending) => Self::AwaitingPayment,
            (OrderStatus::Placed, PaymentStatus::Captured) => Self::Paid,
            (OrderStatus::Placed, _) => Self::Placed,
            (OrderStatus::Confirmed, _) => Self::Confirmed,
            (OrderStatus::Processing, _) => Self::Processing,
            (OrderStatus::PartiallyShipped, _) => Self::PartiallyShipped,
            (OrderStatus::Shipped, _) => Self::Shipped,
            (OrderStatus::Completed, _) => Self::Completed,
            (OrderStatus::Cancelled, _) => Self::Cancelled,
            (OrderStatus::Unknown, _) => Self::Unknown,
        }
    }
}

/// An order.
pub(crate) struct Order {
    scope: Scope,
    id: Arc<str>,
    customer: Arc<str>,
    total: Amount,
    until: i64,
    placed_at: Option<i64>,
    status: OrderStatus,
    payment: PaymentStatus,
    refunded: Option<i64>,
    code: Option<Arc<str>>,
    message: Option<Arc<str>>,
    lines: Share<Arc<str>, Vec<OrderLine>>,
}

impl Order {
    /// An order by its key; none when there is no such order that the caller may see.
    pub(crate) async fn find(
        ctx: &Context<'_>,
        scope: Scope,
        key: &str,
        position: Option<&PositionText>,
    ) -> Result<Option<Self>, ApiError> {
        catch_up(ctx, position, ORDERS_PROJECTION).await?;
        let row = gateway(ctx).reads.order(&scope, key).await?;
        Ok(row.map(|row| Self::of_row(scope, row)))
    }

    /// Many orders by their keys, in the order asked: none in place of what the caller may not see.
    pub(crate) async fn find_many(
        ctx: &Context<'_>,
        scope: &Scope,
        keys: &[Arc<str>],
    ) -> Result<Vec<Option<Self>>, ApiError> {
        catch_up(ctx, None, ORDERS_PROJECTION).await?;
        let rows = gateway(ctx).reads.orders_by_id(scope, keys.iter().map(|key| &**key)).await?;
        Ok(in_their_places(rows, |rows| Self::of_rows(scope, rows)))
    }

    /// An order that was read alone.
    pub(crate) fn of_row(scope: Scope, row: OrderRow) -> Self {
        let lines = Share::alone(row.order.clone());
        Self::with_lines(scope, row, lines)
    }

    /// Orders that were read together.
    pub(crate) fn of_rows(scope: &Scope, rows: Vec<OrderRow>) -> Vec<Self> {
        let lines = Share::each(rows.iter().map(|row| row.order.clone()).collect());
        rows.into_iter().zip(lines).map(|(row, lines)| Self::with_lines(scope.clone(), row, lines)).collect()
    }

    fn with_lines(scope: Scope, row: OrderRow, lines: Share<Arc<str>, Vec<OrderLine>>) -> Self {
        Self {
            scope,
            id: row.order,
            customer: row.customer,
            total: row.total,
            until: row.until,
            placed_at: Some(row.placed_at),
            status: row.status,
            payment: row.payment,
            refunded: row.refunded,
            code: row.code,
            message: row.message,
            lines,
        }
    }

    fn of_terms(scope: Scope, terms: Terms, status: OrderStatus, payment: PaymentStatus) -> Self {
        Self {
            scope,
            lines: Share::known(terms.order.clone(), terms.lines),
            id: terms.order,
            customer: terms.customer,
            total: terms.total,
            until: terms.until,
            placed_at: None,
            status,
            payment,
            refunded: None,
            code: None,
            message: None,
        }
    }

    pub(super) fn of_view(scope: Scope, view: View) -> Option<Self> {
        let View { order: terms, status, payment, refunded, code, message, .. } = view;
        let refunded = refunded.map(|refunded| refunded.minor);
        Some(Self { refunded, code, message, ..Self::of_terms(scope, terms?, status, payment) })
    }
}

/// One product of an order.
pub(crate) struct OrderedLine(OrderLine);

/// One product of an order.
#[Object]
impl OrderedLine {
    /// The product.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// Its title when it was ordered.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// How many units.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// What one unit cost.
    async fn unit_price(&self) -> Shown {
        Shown(self.0.unit_price)
    }
}

/// An order.
#[Object]
impl Order {
    /// The id that names it everywhere; its form is not to be relied on.
    pub(crate) async fn id(&self) -> ID {
        node::write("order", self.scope.tenant().as_str(), &self.id)
    }

    /// The business.
    async fn business(&self) -> &str {
        self.scope.tenant().as_str()
    }

    /// Who ordered, by the id under which this business knows them.
    async fn customer(&self) -> &str {
        &self.customer
    }

    /// Where it stands.
    async fn state(&self) -> OrderState {
        OrderState::of(self.status, self.payment)
    }

    /// How its payment stands.
    async fn payment_state(&self) -> PaymentState {
        self.payment.into()
    }

    /// What it comes to.
    async fn total(&self) -> Shown {
        Shown(self.total)
    }

    /// What was given back; none while nothing was.
    async fn refunded(&self) -> Option<Shown> {
        self.refunded.map(|minor| Shown(Amount::new(minor, self.total.currency)))
    }

    /// Until when it must be paid.
    async fn pay_until(&self) -> DateTime {
        DateTime(self.until)
    }

    /// When it was placed; none in the answer to a mutation.
    async fn placed_at(&self) -> Option<DateTime> {
        self.placed_at.map(DateTime)
    }

    /// Why it is off, as a stable name.
    async fn cancel_code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Why it is off, in words.
    async fn cancel_message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// What is bought.
    #[graphql(complexity = "LINES_COST * child_complexity + 1")]
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<OrderedLine>> {
        let read = |orders| gateway(ctx).reads.order_lines(&self.scope, orders);
        let lines = self.lines.get(read).await.map_err(ApiError::into_graphql)?;
        Ok(lines.iter().cloned().map(OrderedLine).collect())
    }
}
