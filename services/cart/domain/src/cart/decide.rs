//! How a cart answers.

use std::sync::Arc;

use feira_commands::cart::{LINES_MAX, QUANTITY_MAX};
use feira_events::Sealed;
use feira_events::catalog::Availability;

use super::{
    Before, Command, EditUndone, Event, ItemAdded, ItemRemoved, Line, NOTE_BYTES_MAX, NoteSet, Offer, QuantitySet,
    Rejection, State, subtotal,
};

pub(super) fn decide(cart: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::AddItem { sku, quantity, offer } => add_item(cart, sku, quantity, offer),
        Command::SetQuantity { sku, quantity } => set_quantity(cart, sku, quantity),
        Command::RemoveItem { sku } => Ok(remove_item(cart, sku)),
        Command::SetNote { note } => set_note(cart, note),
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
