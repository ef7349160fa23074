//! What is to be paid to businesses.

use feira_codec::Opened;
use feira_commands::payments::IntentState;
use feira_events::payments::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::INTENTS_PROJECTION;
use feira_rows::payments::{INTENTS, move_intent, put_intent};
use feira_runtime::{Projection, ProjectionError};

use super::event;
use crate::SERVICE;

/// Writes the table of intents.
#[derive(Debug)]
pub struct IntentRows;

impl Projection for IntentRows {
    fn id(&self) -> ProjectionId {
        INTENTS_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&INTENTS]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(event) = event(record)? else { return Ok(vec![]) };
        let meta = &record.meta;
        Ok(match &event {
            Event::IntentCreated(created) => vec![put_intent(meta, &created.intent, created.expires)],
            Event::IntentCaptured(captured) => {
                vec![move_intent(meta, &captured.intent, IntentState::Captured, Some(captured.fee.minor), None)]
            }
            Event::IntentClosed(closed) => {
                let expired = &*closed.reason == "EXPIRED";
                let state = if expired { IntentState::Expired } else { IntentState::Canceled };
                vec![move_intent(meta, &closed.intent, state, None, None)]
            }
            Event::IntentRefunded(refunded) => {
                let whole = refunded.refunded.minor >= refunded.intent.amount.minor;
                let state = if whole { IntentState::Refunded } else { IntentState::PartlyRefunded };
                vec![move_intent(meta, &refunded.intent, state, None, Some(refunded.refunded.minor))]
            }
            _ => vec![],
        })
    }
}
