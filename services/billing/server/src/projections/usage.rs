//! What was used, item by item, as rows.

use feira_codec::Opened;
use feira_events::billing::UsageEvent;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::USAGE_PROJECTION;
use feira_rows::billing::{USAGE_ITEMS, put_message, put_payment_fee};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the table of usage.
#[derive(Debug)]
pub struct UsageRows;

impl Projection for UsageRows {
    fn id(&self) -> ProjectionId {
        USAGE_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&USAGE_ITEMS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event_of::<UsageEvent>(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        let UsageEvent::UsageRecorded(recorded) = &event;
        let lane = &recorded.source_lane;
        let messages = recorded.messages.iter().map(|message| put_message(meta, lane, message));
        let fees = recorded.payment_fees.iter().map(|fee| put_payment_fee(meta, lane, fee));
        Ok(messages.chain(fees).collect())
    }
}
