//! What each is called, as rows.

use feira_codec::Opened;
use feira_events::__name__::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::__NAME___PROJECTION;
use feira_rows::__name__::{__NAME__, put_title};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the table of __name__.
#[derive(Debug)]
pub struct __Name__Rows;

impl Projection for __Name__Rows {
    fn id(&self) -> ProjectionId {
        __NAME___PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&__NAME__]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
        Ok(vec![match &event {
            Event::__Name__Titled(titled) => put_title(&record.meta, &titled.id, &titled.title),
        }])
    }
}
