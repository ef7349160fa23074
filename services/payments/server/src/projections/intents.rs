//! What is to be paid to businesses.

use feira_codec::Opened;
use feira_commands::payments::IntentState;
use feira_events::payments::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::INTENTS_PROJECTION;
use feira_rows::payments::{INTENTS, move_intent, put_intent};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// The events that write rows; no other is even read.
const FOLLOWED: [&str; 4] = [
    "feira.payments.v1.IntentCreated",
    "feira.payments.v1.IntentCaptured",
    "feira.payments.v1.IntentClosed",
    "feira.payments.v1.IntentRefunded",
];

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
        if !FOLLOWED.contains(&record.name) {
            return Ok(vec![]);
        }
        let Some(event) = event_of::<Event>(record)? else { return Ok(vec![]) };
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
            Event::AccountOpened(_)
            | Event::AccountFunded(_)
            | Event::TransferReserved(_)
            | Event::TransferCancelAsked(_)
            | Event::TransferCredited(_)
            | Event::TransferDeclined(_)
            | Event::TransferSettled(_)
            | Event::TransferReturned(_)
            | Event::RequestMade(_)
            | Event::RequestMoved(_)
            | Event::RefundBegun(_)
            | Event::RefundFailed(_)
            | Event::RegimeSuspended(_)
            | Event::RegimeResumed(_) => vec![],
        })
    }
}

#[cfg(test)]
mod tests {
    use feira_codec::EventSet;

    use super::*;

    #[test]
    fn what_is_followed_is_published() {
        assert!(FOLLOWED.iter().all(|name| Event::names().contains(name)), "{FOLLOWED:?}");
    }
}
