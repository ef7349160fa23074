//! What a service's shell gives the runtime for each projection.

use feira_codec::{CodecError, EventSet, Opened};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};

/// A pure mapping from records of some services to rows.
///
/// The same record always gives the same writes, with the record's `hlc` as their timestamp (a delete that precedes an
/// upsert of the same event: one less), so that a repeat or a rebuild changes nothing.
pub trait Projection: Send + Sync + 'static {
    /// Its name and version.
    fn id(&self) -> ProjectionId;

    /// The services whose events it takes in, every lane of each.
    fn sources(&self) -> Vec<ServiceName>;

    /// The tables it writes; nobody else writes them.
    fn tables(&self) -> Vec<&'static Table>;

    /// The writes for one record; none for records that do not concern it.
    ///
    /// # Errors
    /// When the record cannot be read; the lane stays before it until it can.
    fn apply(&self, lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError>;
}

/// Why a record could not be taken in.
#[derive(Debug, thiserror::Error)]
#[error("record of type {event_type} could not be projected")]
pub struct ProjectionError {
    /// The record's type.
    pub event_type: String,
    /// Why.
    #[source]
    pub source: CodecError,
}

/// The event of a record, where it is one of `E`; none for any other.
///
/// # Errors
/// When it is one and cannot be read.
pub fn event_of<E: EventSet>(record: &Opened) -> Result<Option<E>, ProjectionError> {
    record.event().map_err(|source| ProjectionError { event_type: record.name.to_owned(), source })
}
