//! What can be asked of a business's invoices, with the usage it takes to answer.

use std::sync::Arc;

use feira_events::FactPosition;

use crate::rating::Tally;

/// What can be asked of a business's invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make a month's invoice, or make it anew.
    Draft {
        /// The series that the aggregate is, as its key has it.
        series: Arc<str>,
        /// The month: `2026-11`.
        period: Arc<str>,
        /// What was used in it.
        usage: Tally,
        /// Up to where that was read.
        position: FactPosition,
    },
    /// Give a month's draft its number.
    Issue {
        /// The series that the aggregate is, as its key has it.
        series: Arc<str>,
        /// The month: `2026-11`.
        period: Arc<str>,
        /// What was used in it.
        usage: Tally,
    },
}
