//! What a business's invoices remember.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_commands::billing::InvoiceView;
use feira_events::billing::InvoiceDrafted;
use serde::{Deserialize, Serialize};

/// A business's invoices as their events add up. Of an issued one no more is kept than it takes to leave it alone: the
/// rest stands on the log and in rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The last number given.
    pub number: i64,
    /// What rounding left over, by currency, in millionths of a major unit.
    pub carried: BTreeMap<Arc<str>, i64>,
    /// The drafts, by month.
    pub drafts: BTreeMap<Arc<str>, InvoiceDrafted>,
    /// Those that are issued, by month.
    pub issued: BTreeMap<Arc<str>, Issued>,
    /// The one that was drafted or issued last.
    pub latest: Option<InvoiceView>,
}

/// An invoice that is issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its number.
    pub number: i64,
    /// The hash of number and document.
    pub document_hash: Arc<str>,
}
