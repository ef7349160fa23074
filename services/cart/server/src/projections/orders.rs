//! Orders, their lines, and who has them, as rows.

use feira_codec::Opened;
use feira_events::order::{Event, OrderStatus, PaymentStatus};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::ORDERS_PROJECTION;
use feira_rows::order::{
    CUSTOMER_ORDERS, DAY_ORDERS, ORDER_LINES, ORDERS, cancel_order, move_order, pay_order, put_order, touch_order,
};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the tables of orders.
#[derive(Debug)]
pub struct OrderRows;

impl Projection for OrderRows {
    fn id(&self) -> ProjectionId {
        ORDERS_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&ORDERS, &ORDER_LINES, &CUSTOMER_ORDERS, &DAY_ORDERS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        Ok(match &event {
            Event::OrderPlaced(placed) => put_order(meta, &placed.order),
            Event::OrderStockHeld(held) => vec![touch_order(meta, &held.order)],
            Event::OrderAwaitingPayment(waits) => {
                vec![pay_order(meta, &waits.order.order, PaymentStatus::Pending, None, None)]
            }
            Event::OrderPaid(paid) => {
                let (payment, fee) = (PaymentStatus::Captured, Some(paid.fee.minor));
                vec![pay_order(meta, &paid.order.order, payment, fee, None)]
            }
            Event::OrderStockTaken(taken) => vec![touch_order(meta, &taken.order)],
            Event::OrderConfirmed(confirmed) => {
                vec![move_order(meta, &confirmed.order.order, OrderStatus::Confirmed)]
            }
            Event::OrderAdvanced(advanced) => vec![move_order(meta, &advanced.order.order, advanced.status)],
            Event::OrderCancelled(off) => {
                // What is off for a second time was paid, and so it was the first time.
                let unpaid = off.refund.is_none() && off.give_back.is_empty();
                vec![cancel_order(meta, &off.order.order, &off.code, &off.message, unpaid)]
            }
            Event::OrderPaidLate(late) => {
                vec![pay_order(meta, &late.order.order, PaymentStatus::Captured, None, None)]
            }
            Event::OrderRefunded(refunded) => {
                vec![pay_order(meta, &refunded.order, refunded.payment, None, Some(refunded.refunded.minor))]
            }
            Event::OrderRefundFailed(failed) => {
                vec![pay_order(meta, &failed.order, PaymentStatus::Failed, None, None)]
            }
        })
    }
}
