//! How a cart's events add up.

use std::sync::Arc;

use feira_commands::cart::UNDO_VERSIONS;

use super::{Before, Edit, Event, Line, State};

pub(super) fn evolve(mut cart: State, event: &Event) -> State {
    cart.version += 1;
    match event {
        Event::ItemAdded(added) => {
            remember_line(&mut cart, &added.line.sku);
            put_line(&mut cart, &added.line.sku, Some(&added.line));
        }
        Event::QuantitySet(set) => {
            remember_line(&mut cart, &set.sku);
            if let Some(line) = cart.lines.iter_mut().find(|line| line.sku == set.sku) {
                line.quantity = set.quantity;
            }
        }
        Event::ItemRemoved(removed) => {
            remember_line(&mut cart, &removed.sku);
            put_line(&mut cart, &removed.sku, None);
        }
        Event::NoteSet(set) => {
            let before = Before::Note(cart.note.take());
            remember(&mut cart, before);
            cart.note.clone_from(&set.note);
        }
        Event::CheckedOut(checked_out) => {
            cart.checkout = Some(checked_out.order.clone());
            cart.failure = None;
        }
        Event::CheckoutCompleted(completed) => {
            cart.lines.clone_from(&completed.lines);
            // What was ordered is not taken back by an undo.
            cart.edits.clear();
            cart.checkout = None;
            cart.last_order = Some(completed.order.clone());
        }
        Event::CheckoutFailed(failed) => {
            cart.checkout = None;
            cart.failure = Some(failed.clone());
        }
        Event::EditUndone(undone) => {
            match &undone.sku {
                Some(sku) => put_line(&mut cart, sku, undone.line.as_ref()),
                None => cart.note.clone_from(&undone.note),
            }
            if let Some(edit) = cart.edits.iter_mut().find(|edit| edit.version == undone.edit) {
                edit.undone = true;
            }
        }
    }
    let oldest = cart.version - UNDO_VERSIONS;
    while cart.edits.front().is_some_and(|edit| edit.version <= oldest) {
        cart.edits.pop_front();
    }
    cart
}

fn remember_line(cart: &mut State, sku: &Arc<str>) {
    let before = Before::Line { sku: sku.clone(), line: cart.line(sku).cloned() };
    remember(cart, before);
}

fn remember(cart: &mut State, before: Before) {
    cart.edits.push_back(Edit { version: cart.version, before, undone: false });
}

/// Makes the line of `sku` as given, in its place; without one there is no such line any more.
fn put_line(cart: &mut State, sku: &str, line: Option<&Line>) {
    cart.lines.retain(|line| &*line.sku != sku);
    if let Some(line) = line {
        let place = cart.lines.partition_point(|other| other.first_added <= line.first_added);
        cart.lines.insert(place, line.clone());
    }
}
