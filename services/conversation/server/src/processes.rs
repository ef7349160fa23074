//! What follows from conversations, as the runtime runs it.

use std::sync::Arc;

use feira_codec::Opened;
use feira_conversation_domain::processes::ContactsProcess;
use feira_runtime::{ProcessManager, process};

use crate::SERVICE;

/// Makes contacts of customers who write.
pub fn contacts() -> Arc<dyn ProcessManager> {
    process::<ContactsProcess>(&[SERVICE], Opened::event)
}
