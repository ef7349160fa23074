//! How many units can still be had, as rows.

use feira_codec::Opened;
use feira_events::stock::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::STOCK_PROJECTION;
use feira_rows::stock::{STOCK, put_stock};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the table of stock.
#[derive(Debug)]
pub struct StockRows;

impl Projection for StockRows {
    fn id(&self) -> ProjectionId {
        STOCK_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&STOCK]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        Ok(vec![match &event {
            Event::StockSet(set) => put_stock(meta, &set.sku, Some(set.available)),
            Event::StockReserved(reserved) => put_stock(meta, &reserved.sku, reserved.available),
            Event::StockCommitted(committed) => put_stock(meta, &committed.sku, committed.available),
            Event::StockReleased(released) => put_stock(meta, &released.sku, released.available),
        }])
    }
}
