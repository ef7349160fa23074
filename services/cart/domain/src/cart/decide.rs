//! How a cart answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_commands::cart::{LINES_MAX, QUANTITY_MAX};
use feira_commands::order::PAYMENT_TIME_MS;
use feira_decider::At;
use feira_events::Sealed;
use feira_events::catalog::Availability;
use feira_events::order::{Order, OrderLine};
use feira_ids::{AccountId, AggregateId};
use feira_money::Amount;

use super::{
    Before, CheckedOut, CheckoutCompleted, Command, EditUndone, Event, ItemAdded, ItemRemoved, Line, NOTE_BYTES_MAX,
    NoteSet, Offer, QuantitySet, Rejection, State, subtotal,
};

pub(super) fn decide(cart: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::AddItem { sku, quantity, offer } => add_item(cart, sku, quantity, offer),
        Command::SetQuantity { sku, quantity } => set_quantity(cart, sku, quantity),
        Command::RemoveItem { sku } => Ok(remove_item(cart, sku)),
        Command::SetNote { note } => set_note(cart, note),
        Command::Checkout { customer, order, thread, account, accept_total, offers } => {
            let bought = lines_to_order(cart, &offers);
            let order = Ordering { order, customer, thread, account, accept_total };
            checkout(cart, order, bought, at)
        }
        Command::CompleteCheckout { order } => Ok(complete(cart, order)),
        Command::FailCheckout { failure } => {
            let under_way = cart.checkout.as_ref().is_some_and(|order| order.order == failure.order);
            Ok(under_way.then_some(Event::CheckoutFailed(failure)).into_iter().collect())
        }
        Command::Undo { edit } => undo(cart, edit),
    }
}

fn add_item(cart: &State, sku: Arc<str>, quantity: i32, offer: Option<Offer>) -> Result<Vec<Event>, Rejection> {
    check_quantity(1, quantity.into())?;
    let offer = offer.ok_or(Rejection::UnknownProduct)?;
    match offer.availability {
        Availability::InStock | Availability::Preorder => {}
        Availability::OutOfStock | Availability::Discontinued | Availability::Unknown => {
            return Err(Rejection::OutOfStock);
        }
    }
    let held = cart.line(&sku);
    let wanted = i64::from(quantity) + held.map_or(0, |line| i64::from(line.quantity));
    check_quantity(1, wanted)?;
    let line = Line {
        sku,
        title: offer.title,
        quantity: wanted as i32,
        unit_price: offer.price,
        first_added: held.map_or(cart.version + 1, |line| line.first_added),
    };
    check_fits(cart, &line)?;
    Ok(vec![Event::ItemAdded(ItemAdded { added: quantity, line, offer: offer.position })])
}

fn set_quantity(cart: &State, sku: Arc<str>, quantity: i32) -> Result<Vec<Event>, Rejection> {
    if quantity == 0 {
        return Ok(remove_item(cart, sku));
    }
    check_quantity(0, quantity.into())?;
    let line = cart.line(&sku).ok_or(Rejection::NotInCart)?;
    if line.quantity == quantity {
        return Ok(vec![]);
    }
    check_fits(cart, &Line { quantity, ..line.clone() })?;
    Ok(vec![Event::QuantitySet(QuantitySet { sku, quantity })])
}

fn remove_item(cart: &State, sku: Arc<str>) -> Vec<Event> {
    // Two devices remove the same line: the second finds it as it wants it.
    if cart.line(&sku).is_none() {
        return vec![];
    }
    vec![Event::ItemRemoved(ItemRemoved { sku })]
}

fn set_note(cart: &State, note: Option<Sealed<String>>) -> Result<Vec<Event>, Rejection> {
    if note.as_ref().is_some_and(|note| note.ciphertext.len() > NOTE_BYTES_MAX) {
        return Err(Rejection::NoteTooLong);
    }
    if cart.note == note {
        return Ok(vec![]);
    }
    Ok(vec![Event::NoteSet(NoteSet { note })])
}

fn undo(cart: &State, edit: Option<i64>) -> Result<Vec<Event>, Rejection> {
    let edit = match edit {
        Some(version) => {
            let known = cart.edits.iter().find(|edit| edit.version == version);
            known.ok_or(Rejection::UnknownEdit { edit: version })?
        }
        None => cart.edits.iter().rev().find(|edit| !edit.undone).ok_or(Rejection::NothingToUndo)?,
    };
    if edit.undone {
        return Ok(vec![]);
    }
    if let Some(by) = cart.superseded_by(edit) {
        return Err(Rejection::EditSuperseded { edit: edit.version, by });
    }
    let (sku, line, note) = match &edit.before {
        Before::Line { sku, line } => {
            // Other lines may have come since: what is put back must fit beside them.
            line.as_ref().map_or(Ok(()), |line| check_fits(cart, line))?;
            (Some(sku.clone()), line.clone(), None)
        }
        Before::Note(note) => (None, None, note.clone()),
    };
    Ok(vec![Event::EditUndone(EditUndone { edit: edit.version, sku, line, note })])
}

/// What an order is to be, its lines aside.
struct Ordering {
    order: Arc<str>,
    customer: Arc<str>,
    thread: Option<Arc<str>>,
    account: AccountId,
    accept_total: Option<Amount>,
}

fn checkout(
    cart: &State,
    ordering: Ordering,
    bought: Result<Vec<OrderLine>, Rejection>,
    at: At,
) -> Result<Vec<Event>, Rejection> {
    let Ordering { order, customer, thread, account, accept_total } = ordering;
    // One order comes of a cart however often it is asked for.
    if cart.checkout.is_some() || cart.last_order.as_ref() == Some(&order) {
        return Ok(vec![]);
    }
    AggregateId::new("order", &order).map_err(|_| Rejection::BadOrderId)?;
    if thread.as_deref().is_some_and(|thread| !is_thread_of(thread, &customer)) {
        return Err(Rejection::NotTheirThread);
    }
    let lines = bought?;
    let total = total(&lines)?;
    if total.minor == 0 {
        return Err(Rejection::NothingToPay);
    }
    if accept_total.is_some_and(|accepted| accepted != total) {
        return Err(Rejection::TotalChanged { total });
    }
    let until = at.0.saturating_add(PAYMENT_TIME_MS);
    let order = Order { order, customer, thread, account, lines, total, until };
    Ok(vec![Event::CheckedOut(CheckedOut { order })])
}

/// Whether `thread` is one that the customer writes in: `sender/customer`.
fn is_thread_of(thread: &str, customer: &str) -> bool {
    AggregateId::new("thread", thread).is_ok() && thread.split_once('/').is_some_and(|(_, of)| of == customer)
}

/// The lines of an order, at what its products cost now.
fn lines_to_order(cart: &State, offers: &BTreeMap<Arc<str>, Option<Offer>>) -> Result<Vec<OrderLine>, Rejection> {
    let bought = |line: &Line| {
        let sku = line.sku.clone();
        let (title, unit_price) = match offers.get(&sku) {
            // Put in since the catalog was looked at: its price is as new.
            None => (line.title.clone(), line.unit_price),
            Some(None) => return Err(Rejection::NoLongerSold { sku }),
            Some(Some(offer)) => match offer.availability {
                Availability::InStock | Availability::Preorder => (offer.title.clone(), offer.price),
                Availability::OutOfStock | Availability::Discontinued | Availability::Unknown => {
                    return Err(Rejection::LineOutOfStock { sku });
                }
            },
        };
        Ok(OrderLine { sku, title, quantity: line.quantity, unit_price })
    };
    cart.lines.iter().map(bought).collect()
}

fn total(lines: &[OrderLine]) -> Result<Amount, Rejection> {
    let first = lines.first().ok_or(Rejection::CartEmpty)?;
    let cart = first.unit_price.currency;
    lines.iter().try_fold(Amount::new(0, cart), |sum, line| {
        if line.unit_price.currency != cart {
            return Err(Rejection::CurrencyMismatch { cart, product: line.unit_price.currency });
        }
        let comes_to = line.unit_price.checked_mul(line.quantity.into());
        comes_to.and_then(|amount| sum.checked_add(amount)).map_err(|_| Rejection::AmountOverflow)
    })
}

/// The lines without what was ordered of them; what was put in since stays.
fn complete(cart: &State, id: Arc<str>) -> Vec<Event> {
    let Some(order) = cart.checkout.as_ref().filter(|order| order.order == id) else { return vec![] };
    let left = |line: &Line| {
        let ordered = order.lines.iter().find(|bought| bought.sku == line.sku).map_or(0, |bought| bought.quantity);
        line.quantity - ordered
    };
    let (lines, gone): (Vec<_>, Vec<_>) = cart.lines.iter().partition(|line| left(line) > 0);
    let lines = lines.into_iter().map(|line| Line { quantity: left(line), ..line.clone() }).collect();
    let gone = gone.into_iter().map(|line| line.sku.clone()).collect();
    vec![Event::CheckoutCompleted(CheckoutCompleted { order: id, lines, gone })]
}

fn check_quantity(min: i32, wanted: i64) -> Result<(), Rejection> {
    if wanted < i64::from(min) {
        return Err(Rejection::QuantityTooLow { min });
    }
    if wanted > i64::from(QUANTITY_MAX) {
        return Err(Rejection::QuantityLimit { wanted });
    }
    Ok(())
}

/// Whether `line` can stand beside the cart's other lines.
fn check_fits(cart: &State, line: &Line) -> Result<(), Rejection> {
    let others = || cart.lines.iter().filter(|other| other.sku != line.sku);
    let product = line.unit_price.currency;
    if let Some(other) = others().find(|other| other.unit_price.currency != product) {
        return Err(Rejection::CurrencyMismatch { cart: other.unit_price.currency, product });
    }
    if others().count() >= LINES_MAX {
        return Err(Rejection::TooManyLines);
    }
    subtotal(others().chain([line])).map(|_| ()).ok_or(Rejection::AmountOverflow)
}
