//! How the events of stock add up.

use super::{Event, ReleaseReason, Reservation, State};

pub(super) fn evolve(mut stock: State, event: &Event) -> State {
    match event {
        Event::StockSet(set) => stock.on_hand = Some(set.on_hand),
        Event::StockReserved(reserved) => {
            let reservation = Reservation { quantity: reserved.quantity, until: reserved.until };
            stock.reserved.insert(reserved.order.clone(), reservation);
        }
        Event::StockCommitted(committed) => {
            stock.reserved.remove(&committed.order);
            stock.on_hand = committed.on_hand;
        }
        Event::StockReleased(released) => {
            if released.reason == ReleaseReason::Returned {
                stock.on_hand = stock.on_hand.map(|on_hand| on_hand + i64::from(released.quantity));
            } else {
                stock.reserved.remove(&released.order);
            }
        }
    }
    stock
}
