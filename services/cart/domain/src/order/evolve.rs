//! How an order's events add up.

use super::{Event, Off, OrderStatus, PaymentStatus, State};

pub(super) fn evolve(mut order: State, event: &Event) -> State {
    match event {
        Event::OrderPlaced(placed) => order.terms = Some(placed.order.clone()),
        Event::OrderStockHeld(held) => {
            order.held.insert(held.sku.clone());
        }
        Event::OrderAwaitingPayment(_) => order.payment = PaymentStatus::Pending,
        Event::OrderPaid(paid) => {
            order.payment = PaymentStatus::Captured;
            order.paid = Some(paid.amount);
        }
        Event::OrderStockTaken(taken) => {
            order.taken.insert(taken.sku.clone());
        }
        Event::OrderConfirmed(_) => order.status = OrderStatus::Confirmed,
        Event::OrderAdvanced(advanced) => order.status = advanced.status,
        Event::OrderCancelled(cancelled) => {
            order.status = OrderStatus::Cancelled;
            if order.paid.is_none() {
                order.payment = PaymentStatus::Failed;
            }
            order.off = Some(Off { code: cancelled.code.clone(), message: cancelled.message.clone() });
        }
        Event::OrderPaidLate(late) => {
            order.payment = PaymentStatus::Captured;
            order.paid = Some(late.amount);
        }
        Event::OrderRefunded(refunded) => {
            order.payment = refunded.payment;
            order.refunded = Some(refunded.refunded);
        }
        Event::OrderRefundFailed(_) => order.payment = PaymentStatus::Failed,
    }
    order
}
