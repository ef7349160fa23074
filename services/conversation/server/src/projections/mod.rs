//! What is read of conversations, and what they must know of the catalog.

mod businesses;
mod contacts;
mod listed;
mod threads;

pub use businesses::BusinessRows;
pub use contacts::ContactRows;
pub use listed::ListedRows;
pub use threads::ThreadRows;

use feira_codec::{EventSet, Opened};
use feira_runtime::ProjectionError;

/// The event, when it is one of `E`.
fn event<E: EventSet>(record: &Opened) -> Result<Option<E>, ProjectionError> {
    if !record.is::<E>() {
        return Ok(None);
    }
    let failed = |source| ProjectionError { event_type: record.name.to_owned(), source };
    record.decode().map(Some).map_err(failed)
}
