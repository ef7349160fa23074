//! Products that are listed now, as rows.

use feira_codec::Opened;
use feira_events::catalog::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::PRODUCTS_PROJECTION;
use feira_rows::catalog::{PRODUCTS, put_product, remove_product};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the table of products.
#[derive(Debug)]
pub struct ProductRows;

impl Projection for ProductRows {
    fn id(&self) -> ProjectionId {
        PRODUCTS_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&PRODUCTS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        Ok(vec![match &event {
            Event::ProductListed(listed) => {
                put_product(meta, &listed.sku, Some(&listed.details), Some(&listed.pricing))
            }
            Event::ProductDescribed(described) => put_product(meta, &described.sku, Some(&described.details), None),
            Event::ProductPriced(priced) => put_product(meta, &priced.sku, None, Some(&priced.pricing)),
            Event::ProductWithdrawn(withdrawn) => remove_product(meta, &withdrawn.sku),
        }])
    }
}
