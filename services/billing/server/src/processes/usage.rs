//! Usage, followed from conversations and payments.

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

/// What a record says was used; nothing for most of them.
fn source(record: &Opened) -> Result<Option<UsageSource>, CodecError> {
    if record.is::<ThreadEvent>()
        && let ThreadEvent::MessageDelivered(delivered) = record.decode()?
    {
        return Ok(Some(UsageSource::Delivered(delivered)));
    }
    if record.is::<payments::Event>()
        && let payments::Event::IntentCaptured(captured) = record.decode()?
    {
        return Ok(Some(UsageSource::Captured(captured)));
    }
    Ok(None)
}
