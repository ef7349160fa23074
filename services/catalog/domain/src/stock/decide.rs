//! How stock answers.

use std::sync::Arc;

use feira_commands::stock::{Input, RESERVATIONS_MAX, UNITS_MAX};
use feira_decider::At;
use feira_mutants::{Mutant, is};

use super::evolve::evolve;
use super::{
    Command, Event, Rejection, ReleaseReason, Reservation, State, StockCommitted, StockReleased, StockReserved,
    StockSet,
};

pub(super) fn decide(stock: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
    let Command { sku, input } = command;
    // What is asked is asked of the stock as it is once all that has run out by now is free again.
    let mut events = expired(stock, &sku, at);
    let now = events.iter().fold(stock.clone(), evolve);
    events.extend(match input {
        Input::Set { on_hand } => set(&now, sku, on_hand),
        Input::Reserve { order, quantity, until } => reserve(&now, sku, order, Reservation { quantity, until }, at),
        Input::Commit { order } => commit(&now, sku, order, at),
        Input::Release { order } => Ok(release(&now, sku, order)),
        Input::Return { order, quantity } => give_back(&now, sku, order, quantity),
        Input::Expire { .. } => Ok(None),
    }?);
    Ok(events)
}

/// How many reservations end with one command. What is left ends with the next: each has a timer that asks.
pub(super) const EXPIRED_MAX: usize = 256;

/// The releases of reservations whose time has passed, the earliest first.
fn expired(stock: &State, sku: &Arc<str>, at: At) -> Vec<Event> {
    let over = stock.reserved.iter().filter(|(_, reservation)| reservation.until <= at.0 && !is(Mutant::NoExpiry));
    let mut over: Vec<_> = over.collect();
    over.sort_by_key(|(_, reservation)| reservation.until);
    let mut left = stock.reserved();
    let release = |(order, reservation): (&Arc<str>, &Reservation)| {
        left -= i64::from(reservation.quantity);
        Event::StockReleased(StockReleased {
            sku: sku.clone(),
            order: order.clone(),
            quantity: reservation.quantity,
            reason: ReleaseReason::Expired,
            available: stock.on_hand.map(|on_hand| (on_hand - left).max(0)),
        })
    };
    over.into_iter().take(EXPIRED_MAX).map(release).collect()
}

fn set(stock: &State, sku: Arc<str>, on_hand: i64) -> Result<Option<Event>, Rejection> {
    if !(0..=UNITS_MAX).contains(&on_hand) {
        return Err(Rejection::BadCount);
    }
    if stock.on_hand == Some(on_hand) {
        return Ok(None);
    }
    let available = (on_hand - stock.reserved()).max(0);
    Ok(Some(Event::StockSet(StockSet { sku, on_hand, available })))
}

fn reserve(
    stock: &State,
    sku: Arc<str>,
    order: Arc<str>,
    asked: Reservation,
    at: At,
) -> Result<Option<Event>, Rejection> {
    let Reservation { quantity, until } = asked;
    if quantity < 1 {
        return Err(Rejection::BadQuantity);
    }
    if let Some(there) = stock.reserved.get(&order) {
        let same = there.quantity == quantity;
        return if same { Ok(None) } else { Err(Rejection::AlreadyReserved { reserved: there.quantity }) };
    }
    if until <= at.0 {
        return Err(Rejection::BadTime);
    }
    if stock.reserved.len() >= RESERVATIONS_MAX {
        return Err(Rejection::TooMany);
    }
    if let Some(available) = stock.available().filter(|available| *available < i64::from(quantity)) {
        return Err(Rejection::OutOfStock { available, asked: quantity });
    }
    let available = stock.available().map(|available| available - i64::from(quantity));
    Ok(Some(Event::StockReserved(StockReserved { sku, order, quantity, until, available })))
}

fn commit(stock: &State, sku: Arc<str>, order: Arc<str>, at: At) -> Result<Option<Event>, Rejection> {
    let standing = stock.reserved.get(&order).filter(|reservation| at.0 < reservation.until);
    let quantity = standing.ok_or(Rejection::NotReserved)?.quantity;
    // What a business no longer has is not sold below nothing: it counts again when it counts.
    let on_hand = stock.on_hand.map(|on_hand| (on_hand - i64::from(quantity)).max(0));
    let reserved = stock.reserved() - i64::from(quantity);
    let available = on_hand.map(|on_hand| (on_hand - reserved).max(0));
    Ok(Some(Event::StockCommitted(StockCommitted { sku, order, quantity, on_hand, available })))
}

fn release(stock: &State, sku: Arc<str>, order: Arc<str>) -> Option<Event> {
    // Who releases what is free has what they want.
    let quantity = stock.reserved.get(&order)?.quantity;
    let left = stock.reserved() - i64::from(quantity);
    let available = stock.on_hand.map(|on_hand| (on_hand - left).max(0));
    Some(Event::StockReleased(StockReleased { sku, order, quantity, reason: ReleaseReason::Released, available }))
}

fn give_back(stock: &State, sku: Arc<str>, order: Arc<str>, quantity: i32) -> Result<Option<Event>, Rejection> {
    if quantity < 1 {
        return Err(Rejection::BadQuantity);
    }
    let on_hand = stock.on_hand.map(|on_hand| on_hand + i64::from(quantity));
    if on_hand.is_some_and(|on_hand| on_hand > UNITS_MAX) {
        return Err(Rejection::BadCount);
    }
    let available = on_hand.map(|on_hand| (on_hand - stock.reserved()).max(0));
    let reason = ReleaseReason::Returned;
    Ok(Some(Event::StockReleased(StockReleased { sku, order, quantity, reason, available })))
}
