//! Invoices, their lines and their totals, as rows.

use feira_codec::Opened;
use feira_events::billing::InvoiceEvent;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::INVOICES_PROJECTION;
use feira_rows::billing::{INVOICE_LINES, INVOICE_TOTALS, INVOICES, put_invoice};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the tables of invoices.
#[derive(Debug)]
pub struct InvoiceRows;

impl Projection for InvoiceRows {
    fn id(&self) -> ProjectionId {
        INVOICES_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&INVOICES, &INVOICE_TOTALS, &INVOICE_LINES]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<InvoiceEvent>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        Ok(match &event {
            InvoiceEvent::InvoiceDrafted(drafted) => put_invoice(meta, &drafted.document, None, &drafted.lines_hash),
            InvoiceEvent::InvoiceIssued(issued) => {
                put_invoice(meta, &issued.document, Some(issued.number), &issued.document_hash)
            }
        })
    }
}
