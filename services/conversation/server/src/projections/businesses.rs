//! Businesses and the clocks of sandboxes, as rows.

use feira_codec::Opened;
use feira_events::conversation::BusinessEvent;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::BUSINESSES_PROJECTION;
use feira_rows::clock::{CLOCKS, ClockRow, put_clock};
use feira_rows::conversation::{BUSINESSES, put_business, put_profile, touch_business};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the tables of businesses and of clocks.
#[derive(Debug)]
pub struct BusinessRows;

impl Projection for BusinessRows {
    fn id(&self) -> ProjectionId {
        BUSINESSES_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&BUSINESSES, &CLOCKS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let meta = &record.meta;
        Ok(match event_of::<BusinessEvent>(record)? {
            None => vec![],
            Some(BusinessEvent::BusinessRegistered(registered)) => {
                let clock = registered.sandbox.then(|| put_clock(meta, ClockRow { offset_ms: 0, sandbox: true }));
                [put_business(meta, &registered)].into_iter().chain(clock).collect()
            }
            Some(BusinessEvent::ProfileSet(set)) => vec![put_profile(meta, &set)],
            Some(BusinessEvent::ClockMoved(moved)) => {
                vec![touch_business(meta), put_clock(meta, ClockRow { offset_ms: moved.offset_ms, sandbox: true })]
            }
        })
    }
}
