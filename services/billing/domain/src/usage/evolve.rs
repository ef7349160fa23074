//! How usage adds up.

use crate::hash::Fingerprint;

use super::{Event, State};

pub(super) fn evolve(mut usage: State, event: &Event) -> State {
    let Event::UsageRecorded(recorded) = event;
    let heard = usage.heard.entry(recorded.source_lane.clone()).or_default();
    recorded.messages.iter().for_each(|message| heard.hear(message.seq));
    recorded.payment_fees.iter().for_each(|fee| heard.hear(fee.seq));
    usage.count = recorded.count;
    // What stands on the log is always taken in: a fingerprint that is none leaves the last one.
    usage.fingerprint = Fingerprint::from_hex(&recorded.fingerprint).unwrap_or(usage.fingerprint);
    usage
}
