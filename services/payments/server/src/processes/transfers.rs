//! Transfers, carried from shard to shard.

use std::sync::Arc;

use feira_events::payments::Event;
use feira_payments_domain::processes::TransferProcess;
use feira_runtime::{ProcessManager, process};

use crate::SERVICE;

/// Carries transfers between shards and sees to what waits.
pub fn transfers() -> Arc<dyn ProcessManager> {
    process::<TransferProcess>(
        &[SERVICE],
        |record| {
            if record.is::<Event>() { record.decode().map(Some) } else { Ok(None) }
        },
    )
}
