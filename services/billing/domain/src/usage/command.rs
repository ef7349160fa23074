//! What can be asked of a month's usage.

use std::sync::Arc;

use feira_events::billing::{MessageUsage, PaymentFeeUsage};

/// What can be asked of a month's usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Enter what a lane said was used.
    Record {
        /// The month that the aggregate is for, as its key has it.
        period: Arc<str>,
        /// The lane: `conversation/3`.
        source_lane: Arc<str>,
        /// The first of its sequences that was looked at.
        from_seq: i64,
        /// The last of them.
        to_seq: i64,
        /// Messages that were delivered.
        messages: Vec<MessageUsage>,
        /// Fees of payments that were captured.
        payment_fees: Vec<PaymentFeeUsage>,
    },
}
