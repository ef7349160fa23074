//! Carts, their lines and their latest edits, as rows.

use feira_codec::Opened;
use feira_events::cart::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::CARTS_PROJECTION;
use feira_rows::cart::{
    CART_EDITS, CART_LINES, CARTS, forget_edit, forget_edits, put_edit, put_line, put_note, put_quantity, remove_line,
    touch_cart, undo_edit,
};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the tables of carts.
#[derive(Debug)]
pub struct CartRows;

impl Projection for CartRows {
    fn id(&self) -> ProjectionId {
        CARTS_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&CARTS, &CART_LINES, &CART_EDITS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        let customer = meta.aggregate_key();
        let mut writes = match &event {
            Event::ItemAdded(added) => vec![
                touch_cart(meta, customer),
                put_line(meta, customer, &added.line),
                put_edit(meta, customer, Some(&added.line.sku)),
            ],
            Event::QuantitySet(set) => vec![
                touch_cart(meta, customer),
                put_quantity(meta, customer, &set.sku, set.quantity),
                put_edit(meta, customer, Some(&set.sku)),
            ],
            Event::ItemRemoved(removed) => vec![
                touch_cart(meta, customer),
                remove_line(meta, customer, &removed.sku),
                put_edit(meta, customer, Some(&removed.sku)),
            ],
            Event::NoteSet(set) => {
                vec![put_note(meta, customer, set.note.as_ref()), put_edit(meta, customer, None)]
            }
            Event::CheckedOut(_) | Event::CheckoutFailed(_) => vec![touch_cart(meta, customer)],
            Event::CheckoutCompleted(completed) => {
                let left = completed.lines.iter().map(|line| put_line(meta, customer, line));
                let gone = completed.gone.iter().map(|sku| remove_line(meta, customer, sku));
                let touched = [touch_cart(meta, customer)].into_iter();
                touched.chain(left).chain(gone).chain(forget_edits(meta, customer)).collect()
            }
            Event::EditUndone(undone) => {
                let restored = match (&undone.sku, &undone.line) {
                    (Some(_), Some(line)) => vec![touch_cart(meta, customer), put_line(meta, customer, line)],
                    (Some(sku), None) => vec![touch_cart(meta, customer), remove_line(meta, customer, sku)],
                    (None, _) => vec![put_note(meta, customer, undone.note.as_ref())],
                };
                restored.into_iter().chain([undo_edit(meta, customer, undone.edit)]).collect()
            }
        };
        writes.extend(forget_edit(meta, customer));
        Ok(writes)
    }
}
