//! What is read of the ledger.

mod intents;
mod ledger;

pub use intents::IntentRows;
pub use ledger::LedgerRows;

use feira_codec::Opened;
use feira_events::payments::Event;
use feira_runtime::ProjectionError;

/// The event of the ledger that a record is; none for records of another kind.
fn event(record: &Opened) -> Result<Option<Event>, ProjectionError> {
    if !record.is::<Event>() {
        return Ok(None);
    }
    let unread = |source| ProjectionError { event_type: record.name.to_owned(), source };
    record.decode().map(Some).map_err(unread)
}
