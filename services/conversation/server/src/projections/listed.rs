//! Which products the catalog lists, as rows of this service's own.

use feira_codec::Opened;
use feira_events::catalog::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::LISTED_PROJECTION;
use feira_rows::conversation::{LISTED, put_listed, remove_listed};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::CATALOG;

/// Writes the table of products that are listed.
#[derive(Debug)]
pub struct ListedRows;

impl Projection for ListedRows {
    fn id(&self) -> ProjectionId {
        LISTED_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(CATALOG)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&LISTED]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let meta = &record.meta;
        Ok(match event_of::<Event>(record)? {
            None => vec![],
            Some(Event::ProductListed(listed)) => vec![put_listed(meta, &listed.sku)],
            Some(Event::ProductWithdrawn(withdrawn)) => vec![remove_listed(meta, &withdrawn.sku)],
            // What it says and costs is no matter of conversations.
            Some(Event::ProductDescribed(_) | Event::ProductPriced(_)) => vec![],
        })
    }
}
