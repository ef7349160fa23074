//! What happens to an order.

use async_graphql::{Context, Enum, ID, SimpleObject};
use feira_events::order::{Event as Happened, OrderStatus, PaymentStatus};
use feira_ids::AggregateId;
use feira_rows::ORDERS_PROJECTION;

use super::{Beginning, FrameKind, Frames, unreadable};
use crate::error::ApiError;
use crate::graphql::market::{Order, OrderState, PaymentState, order_id};
use crate::graphql::scalars::{DateTime, PositionText};
use crate::graphql::{catch_up, gateway, scope};
use crate::live::{Subject, Told};

/// A frame of an order's subscription.
#[derive(SimpleObject)]
pub(crate) struct OrderFrame {
    /// What it is.
    kind: FrameKind,
    /// Subscribe with it to go on after this frame.
    cursor: String,
    /// The order, in a snapshot.
    order: Option<Order>,
    /// What happened, in an event.
    event: Option<OrderEvent>,
}

/// Something that happened to an order.
#[derive(SimpleObject)]
pub(crate) struct OrderEvent {
    /// The event's own id.
    id: ID,
    /// What happened.
    name: OrderEventName,
    /// When, in the business's time.
    at: DateTime,
    /// The version of the order that it made.
    version: u64,
    /// Where the order stands now; none when it is where it was.
    state: Option<OrderState>,
    /// How the payment stands now; none when it stands as it did.
    payment_state: Option<PaymentState>,
    /// The product that it is about.
    sku: Option<String>,
    /// Why, as a stable code.
    code: Option<String>,
    /// Why, in words.
    message: Option<String>,
}

/// What can happen to an order.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderEventName {
    /// It came of a cart.
    OrderPlaced,
    /// The units of a line are put aside.
    OrderStockHeld,
    /// The customer is asked to pay.
    OrderAwaitingPayment,
    /// It was paid.
    OrderPaid,
    /// The units of a line are taken from stock.
    OrderStockTaken,
    /// The business can go on with it.
    OrderConfirmed,
    /// The business went on with it.
    OrderAdvanced,
    /// It is off.
    OrderCancelled,
    /// Money came in after it was off, and is to be given back.
    OrderPaidLate,
    /// Money was given back.
    OrderRefunded,
    /// Money could not be given back.
    OrderRefundFailed,
    /// Something that this release does not know yet.
    Unknown,
}

pub(super) async fn subscribe(
    ctx: &Context<'_>,
    business: Option<String>,
    id: ID,
    after: Option<String>,
    position: Option<PositionText>,
) -> Result<Frames<OrderFrame>, ApiError> {
    let scope = scope(ctx, business.as_deref())?;
    let unknown = || ApiError::BadInput("there is no such order, or it is not there yet: ask again".to_owned());
    let order = order_id(&scope, &id).ok_or_else(unknown)?;
    let aggregate = AggregateId::new("order", &order).map_err(|_| unknown())?;
    let gateway = gateway(ctx);
    catch_up(ctx, position.as_ref(), ORDERS_PROJECTION).await?;
    let lane = gateway.live.lane(scope.tenant(), &aggregate).await?;
    let subject = Subject::Aggregate(scope.tenant().clone(), aggregate.as_str().into());
    let mut beginning = Beginning::new(ctx, lane, subject, ORDERS_PROJECTION, after, None).await?;
    // Whose order it is, only its row says: it is read also when nothing of it is shown.
    let row = gateway.reads.order(&scope, &order).await?.ok_or_else(unknown)?;
    let snapshot = if beginning.resumed {
        None
    } else {
        beginning.version = row.version;
        let (cursor, order) = (beginning.cursor(), Some(Order::of_row(scope, row)));
        Some(OrderFrame { kind: FrameKind::Snapshot, cursor, order, event: None })
    };
    let make = |kind, cursor, told: Option<&Told>| {
        let event = told.map(event).transpose()?;
        Ok(OrderFrame { kind, cursor, order: None, event })
    };
    beginning.frames(snapshot, make).await
}

fn event(told: &Told) -> Result<OrderEvent, ApiError> {
    let meta = &told.event.meta;
    let mut event = OrderEvent {
        id: meta.event_id.to_string().into(),
        name: OrderEventName::Unknown,
        at: DateTime(meta.at),
        version: meta.aggregate_seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0),
        state: None,
        payment_state: None,
        sku: None,
        code: None,
        message: None,
    };
    if !told.event.is::<Happened>() {
        return Ok(event);
    }
    let stands = |event: &mut OrderEvent, name, status, payment: PaymentStatus| {
        event.name = name;
        (event.state, event.payment_state) = (Some(OrderState::of(status, payment)), Some(payment.into()));
    };
    match told.event.decode::<Happened>().map_err(|error| unreadable(&error))? {
        Happened::OrderPlaced(_) => {
            stands(&mut event, OrderEventName::OrderPlaced, OrderStatus::Placed, PaymentStatus::Unpaid);
        }
        Happened::OrderStockHeld(held) => {
            (event.name, event.sku) = (OrderEventName::OrderStockHeld, Some(held.sku.to_string()));
        }
        Happened::OrderAwaitingPayment(_) => {
            stands(&mut event, OrderEventName::OrderAwaitingPayment, OrderStatus::Placed, PaymentStatus::Pending);
        }
        Happened::OrderPaid(_) => {
            stands(&mut event, OrderEventName::OrderPaid, OrderStatus::Placed, PaymentStatus::Captured);
        }
        Happened::OrderStockTaken(taken) => {
            (event.name, event.sku) = (OrderEventName::OrderStockTaken, Some(taken.sku.to_string()));
        }
        Happened::OrderConfirmed(_) => {
            stands(&mut event, OrderEventName::OrderConfirmed, OrderStatus::Confirmed, PaymentStatus::Captured);
        }
        Happened::OrderAdvanced(advanced) => {
            event.name = OrderEventName::OrderAdvanced;
            // What was paid may have been refunded in part meanwhile: this does not say.
            event.state = Some(OrderState::of(advanced.status, PaymentStatus::Captured));
        }
        Happened::OrderCancelled(cancelled) => {
            event.name = OrderEventName::OrderCancelled;
            event.state = Some(OrderState::of(OrderStatus::Cancelled, PaymentStatus::Failed));
            event.payment_state = cancelled.refund.is_none().then(|| PaymentStatus::Failed.into());
            event.sku = cancelled.sku.map(|sku| sku.to_string());
            (event.code, event.message) = (Some(cancelled.code.to_string()), Some(cancelled.message.to_string()));
        }
        Happened::OrderPaidLate(_) => event.name = OrderEventName::OrderPaidLate,
        Happened::OrderRefunded(refunded) => {
            event.name = OrderEventName::OrderRefunded;
            event.payment_state = Some(refunded.payment.into());
        }
        Happened::OrderRefundFailed(failed) => {
            (event.name, event.code) = (OrderEventName::OrderRefundFailed, Some(failed.code.to_string()));
            event.payment_state = Some(PaymentStatus::Failed.into());
        }
    }
    Ok(event)
}
