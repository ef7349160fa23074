//! What follows in billing from events elsewhere, as the runtime runs it.

use std::sync::Arc;

use feira_billing_domain::processes::{UsageProcess, UsageSource};
use feira_codec::{CodecError, Opened};
use feira_events::conversation::ThreadEvent;
use feira_events::payments;
use feira_runtime::{ProcessManager, process};

use crate::{CONVERSATION, PAYMENTS};

/// Enters what conversations and payments say was used.
pub fn usage() -> Arc<dyn ProcessManager> {
    process::<UsageProcess>(&[CONVERSATION, PAYMENTS], source)
}

/// The events that say so.
const FOLLOWED: [&str; 2] = ["feira.conversation.v1.MessageDelivered", "feira.payments.v1.IntentCaptured"];

/// What a record says was used; nothing for most of them, which are not even read.
fn source(record: &Opened) -> Result<Option<UsageSource>, CodecError> {
    if !FOLLOWED.contains(&record.name) {
        return Ok(None);
    }
    if let Some(ThreadEvent::MessageDelivered(delivered)) = record.event()? {
        return Ok(Some(UsageSource::Delivered(delivered)));
    }
    if let Some(payments::Event::IntentCaptured(captured)) = record.event()? {
        return Ok(Some(UsageSource::Captured(captured)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use feira_codec::EventSet;

    use super::*;

    #[test]
    fn what_is_followed_is_published() {
        let names = [ThreadEvent::names(), payments::Event::names()].concat();
        assert!(FOLLOWED.iter().all(|name| names.contains(name)), "{FOLLOWED:?}");
    }
}
