//! Stock, checkout and orders.

mod inputs;
mod order;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ID, Object, SimpleObject};
use feira_commands::conversation::{MAIN_SENDER, thread_key};
use feira_commands::order::{Input as OrderInput, View as OrderView};
use feira_commands::{cart, payments, stock};
use feira_events::order::OrderStatus;
use feira_events::payments::{Purpose, Transfer as Money};
use feira_ids::CommandId;
use feira_rows::ORDERS_PROJECTION;

use self::inputs::{
    CartCheckoutInput, OrderAdvanceInput, OrderCancelInput, OrderPayInput, OrderRefundInput, OrderStep, StockSetInput,
};
pub(crate) use self::order::{Order, OrderState};
use super::payments::{Transfer, TransferPayload, own, transfer_id};
use super::{Command, count, or_refuse, payload};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::graphql::payload::UserError;
use crate::graphql::products::page_cost;
use crate::graphql::scalars::{DateTime, PositionText};
use crate::graphql::{Field, caller, catch_up, field, gateway, node, scope};
use crate::reads::owner;

/// How long what is about to follow from a command is waited for.
const SOON: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How many units of a product a business has.
#[derive(SimpleObject)]
pub(crate) struct Stock {
    /// The product.
    sku: String,
    /// How many can still be had; none when nobody counts them.
    available: Option<i64>,
}

payload! {
    /// What a change of stock answers.
    StockPayload,
    /// The stock after it; none when it was refused.
    stock: Stock
}

payload! {
    /// What a change of an order answers.
    OrderPayload,
    /// The order after it; none when it was refused.
    order: Order
}

pub(crate) struct OrderQuery;

/// What can be read of orders.
#[Object]
impl OrderQuery {
    /// An order; none when there is no such order that the caller may see.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Order> {
        let found = async {
            let scope = scope(ctx, business.as_deref())?;
            let Some(id) = order_id(&scope, &id) else { return Ok(None) };
            Order::find(ctx, scope, &id, position.as_ref()).await
        };
        found.await.map_err(ApiError::into_graphql).transpose()
    }

    /// Orders, the newest first: of a customer, or of the business on one day.
    #[graphql(complexity = "page_cost(first, None) * child_complexity + 1")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "Whose; one's own when none is given and the caller is a customer.")] customer: Option<String>,
        #[graphql(desc = "Of the day in UTC of this moment, where no customer is named; today when none is given.")]
        day: Option<DateTime>,
        #[graphql(desc = "How many, 1 to 100; 20 when none is given.")] first: Option<i32>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Vec<Order>> {
        let found = async {
            let scope = scope(ctx, business.as_deref())?;
            let count = count(first)?;
            catch_up(ctx, position.as_ref(), ORDERS_PROJECTION).await?;
            let day = match day {
                Some(day) => day.0,
                None => gateway(ctx).now_ms(scope.tenant()).await?,
            };
            let rows = gateway(ctx).reads.orders(&scope, customer.as_deref(), day, count).await?;
            Ok(Order::of_rows(&scope, rows))
        };
        found.await.map_err(ApiError::into_graphql)
    }

    /// How many units of a product can be had; none when nobody has counted them.
    async fn stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "The product.")] sku: String,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Stock> {
        let found = async {
            let scope = scope(ctx, business.as_deref())?;
            catch_up(ctx, position.as_ref(), feira_rows::STOCK_PROJECTION).await?;
            let row = gateway(ctx).reads.stock(&scope, &sku).await?;
            Ok(row.map(|row| Stock { sku: row.sku.to_string(), available: row.available }))
        };
        found.await.map_err(ApiError::into_graphql).transpose()
    }
}

pub(crate) struct OrderMutation;

/// What can be changed of stock and orders.
#[Object]
impl OrderMutation {
    /// Says how many units of a product there are.
    async fn stock_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and its units.")] input: StockSetInput,
    ) -> Field<StockPayload> {
        field(set_stock(ctx, input).await)
    }

    /// Lets an order come of a cart. Its units are put aside, then it can be paid. Asked while one is under way, it stays
    /// that one.
    async fn cart_checkout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart.")] input: CartCheckoutInput,
    ) -> Field<OrderPayload> {
        field(checkout(ctx, input).await)
    }

    /// Pays an order from the caller's account.
    async fn order_pay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] input: OrderPayInput,
    ) -> Field<TransferPayload> {
        field(pay(ctx, input).await)
    }

    /// Calls off an order that is not paid.
    async fn order_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] input: OrderCancelInput,
    ) -> Field<OrderPayload> {
        field(cancel(ctx, input).await)
    }

    /// Goes on with an order that is confirmed.
    async fn order_advance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] input: OrderAdvanceInput,
    ) -> Field<OrderPayload> {
        field(advance(ctx, input).await)
    }

    /// Gives the payment of an order back, in part or whole.
    async fn order_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order, and how much.")] input: OrderRefundInput,
    ) -> Field<OrderPayload> {
        field(refund(ctx, input).await)
    }
}

/// The order that an id names at the business of `scope`.
pub(crate) fn order_id(scope: &Scope, id: &str) -> Option<String> {
    let named = node::read(id).filter(|named| named.tenant == *scope.tenant())?;
    (named.aggregate.kind_name() == "order").then(|| named.aggregate.key().to_owned())
}

fn no_order() -> UserError {
    UserError::on("order", "ORDER_UNKNOWN", "there is no such order")
}

async fn set_stock(ctx: &Context<'_>, input: StockSetInput) -> Result<StockPayload, ApiError> {
    let StockSetInput { command_id, sku, on_hand } = input;
    let scope = scope(ctx, None)?;
    let input = stock::Input::Set { on_hand };
    let command = Command::new(ctx, &scope, ("stock", &sku, "sku"), input.operation(), command_id);
    let (view, rest) = or_refuse!(command, StockPayload).ask::<stock::View>(ctx, &input).await?;
    let stock = view.map(|view| Stock { sku: view.sku.to_string(), available: view.available });
    Ok(StockPayload::of(stock, rest))
}

/// The id of the order that a command places.
fn new_order(command: CommandId) -> Arc<str> {
    format!("o-{command}").into()
}

async fn checkout(ctx: &Context<'_>, input: CartCheckoutInput) -> Result<OrderPayload, ApiError> {
    const OPERATION: &str = "cart.checkout";
    let CartCheckoutInput { business, customer, command_id, accept_total } = input;
    let scope = scope(ctx, business.as_deref())?;
    scope.may(OPERATION)?;
    let customer = scope.customer(customer.as_deref())?;
    let accept_total = match accept_total.map(|total| total.read("acceptTotal")).transpose() {
        Ok(total) => total,
        Err(error) => return Ok(OrderPayload::refused(error)),
    };
    let command = Command::new(ctx, &scope, ("cart", &customer, "customer"), OPERATION, command_id);
    let command = or_refuse!(command, OrderPayload);
    let Some(account) = gateway(ctx).reads.account(&owner("biz", scope.tenant().as_str())).await? else {
        let error = UserError::new("NOT_PAYABLE", None, "the business has no account to be paid to");
        return Ok(OrderPayload::refused(error));
    };
    let order = new_order(command.named.command_id);
    let thread = thread_key(MAIN_SENDER, &customer).into();
    let account = account.balance.account;
    let input = cart::Input::Checkout { order: order.clone(), thread: Some(thread), account, accept_total };
    let (view, rest) = command.ask::<cart::View>(ctx, &input).await?;
    let Some(view) = view else { return Ok(OrderPayload::of(None, rest)) };
    // A repeat is shown the order as it is by now.
    let failed = view.failure.map(|failure| failure.order);
    let id = view.checkout.or(failed).or(view.last_order).unwrap_or(order);
    let soon = Soon::new();
    let mut row = gateway(ctx).reads.order(&scope, &id).await?;
    while row.is_none() && soon.again().await {
        row = gateway(ctx).reads.order(&scope, &id).await?;
    }
    Ok(OrderPayload::of(row.map(|row| Order::of_row(scope, row)), rest))
}

async fn pay(ctx: &Context<'_>, input: OrderPayInput) -> Result<TransferPayload, ApiError> {
    const OPERATION: &str = "payments.submit";
    let OrderPayInput { business, command_id, order } = input;
    let (scope, holder) = (scope(ctx, business.as_deref())?, caller(ctx)?.holder()?);
    holder.scope().may(OPERATION)?;
    let Some(id) = order_id(&scope, &order) else { return Ok(TransferPayload::refused(no_order())) };
    if gateway(ctx).reads.order(&scope, &id).await?.is_none() {
        return Ok(TransferPayload::refused(no_order()));
    }
    let from = match own(ctx, &holder).await? {
        Ok(from) => from,
        Err(error) => return Ok(TransferPayload::refused(error)),
    };
    let shard = from.shard().to_string();
    // The id covers the shard: a key that paid one order is, for another order of the shard, used already.
    let command = Command::new(ctx, holder.scope(), ("shard", &shard, "order"), OPERATION, command_id);
    let command = or_refuse!(command, TransferPayload);
    let soon = Soon::new();
    let mut due = gateway(ctx).reads.intent(&scope, &id).await?;
    while due.is_none() && soon.again().await {
        due = gateway(ctx).reads.intent(&scope, &id).await?;
    }
    let Some(due) = due else {
        let message = "the order is not waiting to be paid yet: try again in a moment";
        return Ok(TransferPayload::refused(UserError::on("order", "NOT_PAYABLE_YET", message)));
    };
    let transfer = Money {
        transfer: transfer_id(command.named.command_id),
        from,
        to: due.intent.account,
        amount: due.intent.amount,
        purpose: Purpose::Order,
        subject: Some(due.intent.intent),
        customer: Some(scope.principal().id.clone()),
        note: None,
        deadline: 0,
    };
    let (view, rest) = command.ask::<payments::View>(ctx, &payments::Input::Submit { transfer }).await?;
    Ok(TransferPayload::of(view.and_then(|view| view.transfer).map(Transfer::of_view), rest))
}

/// What a process is about to bring about: who asks in that moment looks again, but not for long.
struct Soon(tokio::time::Instant);

impl Soon {
    fn new() -> Self {
        Self(tokio::time::Instant::now() + SOON)
    }

    /// Waits until it is time to look again; not, when it has been long enough.
    async fn again(&self) -> bool {
        let waits = tokio::time::Instant::now() < self.0;
        if waits {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        waits
    }
}

async fn cancel(ctx: &Context<'_>, input: OrderCancelInput) -> Result<OrderPayload, ApiError> {
    let OrderCancelInput { business, command_id, order, reason } = input;
    let scope = scope(ctx, business.as_deref())?;
    scope.may("order.cancel")?;
    let Some(id) = order_id(&scope, &order) else { return Ok(OrderPayload::refused(no_order())) };
    let Some(row) = gateway(ctx).reads.order(&scope, &id).await? else {
        return Ok(OrderPayload::refused(no_order()));
    };
    let input = OrderInput::Cancel { customer: row.customer, reason: reason.into() };
    change(ctx, scope, &id, command_id, &input).await
}

async fn advance(ctx: &Context<'_>, input: OrderAdvanceInput) -> Result<OrderPayload, ApiError> {
    let OrderAdvanceInput { command_id, order, to } = input;
    let scope = scope(ctx, None)?;
    scope.may("order.advance")?;
    let Some(id) = order_id(&scope, &order) else { return Ok(OrderPayload::refused(no_order())) };
    let status = match to {
        OrderStep::Processing => OrderStatus::Processing,
        OrderStep::PartiallyShipped => OrderStatus::PartiallyShipped,
        OrderStep::Shipped => OrderStatus::Shipped,
        OrderStep::Completed => OrderStatus::Completed,
    };
    change(ctx, scope, &id, command_id, &OrderInput::Advance { status }).await
}

async fn change(
    ctx: &Context<'_>,
    scope: Scope,
    id: &str,
    command_id: Option<String>,
    input: &OrderInput,
) -> Result<OrderPayload, ApiError> {
    let command = Command::new(ctx, &scope, ("order", id, "order"), input.operation(), command_id);
    let (view, rest) = or_refuse!(command, OrderPayload).ask::<OrderView>(ctx, input).await?;
    Ok(OrderPayload::of(view.and_then(|view| Order::of_view(scope.clone(), view)), rest))
}

async fn refund(ctx: &Context<'_>, input: OrderRefundInput) -> Result<OrderPayload, ApiError> {
    const OPERATION: &str = "payments.refund";
    let OrderRefundInput { command_id, order, amount, reason } = input;
    let (scope, holder) = (scope(ctx, None)?, caller(ctx)?.holder()?);
    holder.scope().may(OPERATION)?;
    let amount = match amount.map(|amount| amount.read("amount")).transpose() {
        Ok(amount) => amount,
        Err(error) => return Ok(OrderPayload::refused(error)),
    };
    let Some(id) = order_id(&scope, &order) else { return Ok(OrderPayload::refused(no_order())) };
    let Some(row) = gateway(ctx).reads.order(&scope, &id).await? else {
        return Ok(OrderPayload::refused(no_order()));
    };
    let account = row.account.clone();
    let shard = account.shard().to_string();
    let command = Command::new(ctx, holder.scope(), ("shard", &shard, "order"), OPERATION, command_id);
    let command = or_refuse!(command, OrderPayload);
    let refund = format!("r-{}", command.named.command_id).into();
    let input = payments::Input::Refund { intent: id.into(), account, refund, amount, reason: reason.into() };
    let (_, rest) = command.ask::<payments::View>(ctx, &input).await?;
    let order = rest.user_errors.is_empty().then(|| Order::of_row(scope, row));
    Ok(OrderPayload::of(order, rest))
}
