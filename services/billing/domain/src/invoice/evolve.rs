//! How invoices add up.

use feira_commands::billing::InvoiceView;

use super::{Event, Issued, State};

pub(super) fn evolve(mut invoices: State, event: &Event) -> State {
    match event {
        Event::InvoiceDrafted(drafted) => {
            invoices.drafts.insert(drafted.document.period.clone(), drafted.clone());
            invoices.latest = Some(InvoiceView {
                number: None,
                document: drafted.document.clone(),
                hash: drafted.lines_hash.clone(),
            });
        }
        Event::InvoiceIssued(issued) => {
            let period = &issued.document.period;
            invoices.number = issued.number;
            invoices.drafts.remove(period);
            for total in &issued.document.totals {
                invoices.carried.insert(total.due.currency.code().into(), total.carried_out_micro);
            }
            let (number, document_hash) = (issued.number, issued.document_hash.clone());
            invoices.issued.insert(period.clone(), Issued { number, document_hash });
            invoices.latest = Some(InvoiceView {
                number: Some(issued.number),
                document: issued.document.clone(),
                hash: issued.document_hash.clone(),
            });
        }
    }
    invoices
}
