//! What follows between shards, as the runtime runs it.

use std::sync::Arc;

use feira_codec::Opened;
use feira_payments_domain::processes::TransferProcess;
use feira_runtime::{ProcessManager, process};

use crate::SERVICE;

/// Carries transfers between shards and sees to what waits.
pub fn transfers() -> Arc<dyn ProcessManager> {
    process::<TransferProcess>(&[SERVICE], Opened::event)
}
