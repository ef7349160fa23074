//! What carts must know of products, as rows of this service's own.

use feira_codec::Opened;
use feira_events::catalog::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::OFFERS_PROJECTION;
use feira_rows::cart::{OFFERS, put_offer, remove_offer};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::CATALOG;

/// Writes the table of offers.
#[derive(Debug)]
pub struct OfferRows;

impl Projection for OfferRows {
    fn id(&self) -> ProjectionId {
        OFFERS_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(CATALOG)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&OFFERS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        Ok(vec![match &event {
            Event::ProductListed(listed) => put_offer(meta, &listed.sku, Some(&listed.details), Some(&listed.pricing)),
            Event::ProductDescribed(described) => put_offer(meta, &described.sku, Some(&described.details), None),
            Event::ProductPriced(priced) => put_offer(meta, &priced.sku, None, Some(&priced.pricing)),
            Event::ProductWithdrawn(withdrawn) => remove_offer(meta, &withdrawn.sku),
        }])
    }
}
