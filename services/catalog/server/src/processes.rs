//! What follows in the catalog, as the runtime runs it.

use std::sync::Arc;

use feira_catalog_domain::processes::StockProcess;
use feira_codec::Opened;
use feira_runtime::{ProcessManager, process};

use crate::SERVICE;

/// Lets reservations of stock end in time.
pub fn stock() -> Arc<dyn ProcessManager> {
    process::<StockProcess>(&[SERVICE], Opened::event)
}
