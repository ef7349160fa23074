//! Why usage is not entered.

use feira_commands::billing::ITEMS_MAX;
use feira_decider::Reject;

use crate::month::NotAMonth;

/// Why usage was not entered. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The aggregate is for no month.
    #[error("usage is kept by month, as usage:2026-11: {0}")]
    NotAMonth(#[from] NotAMonth),
    /// No lane.
    #[error("{0:?} is no lane such as conversation/3")]
    NotALane(String),
    /// Too much at once.
    #[error("at most {ITEMS_MAX} items are entered at once; these are {given}")]
    TooManyItems {
        /// How many were given.
        given: usize,
    },
    /// An item lies outside the sequences that were looked at.
    #[error("item {seq} is not among the sequences {from_seq} to {to_seq} that are said to be looked at")]
    SequenceOutOfRange {
        /// The item's sequence.
        seq: i64,
        /// The first.
        from_seq: i64,
        /// The last.
        to_seq: i64,
    },
    /// An item is of another month.
    #[error("item {seq} was used in another month: record it there")]
    OtherMonth {
        /// The item's sequence.
        seq: i64,
    },
    /// A fee that is none.
    #[error("the fee of item {seq} is negative, or in another currency than the payment")]
    NotAFee {
        /// The item's sequence.
        seq: i64,
    },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotAMonth(_) => "NOT_A_MONTH",
            Self::NotALane(_) => "NOT_A_LANE",
            Self::TooManyItems { .. } => "TOO_MANY_ITEMS",
            Self::SequenceOutOfRange { .. } => "SEQUENCE_OUT_OF_RANGE",
            Self::OtherMonth { .. } => "OTHER_MONTH",
            Self::NotAFee { .. } => "NOT_A_FEE",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotAMonth(_) => None,
            Self::NotALane(_) => Some("source_lane"),
            Self::TooManyItems { .. } => Some("messages"),
            Self::SequenceOutOfRange { .. } => Some("from_seq"),
            Self::OtherMonth { .. } => Some("messages"),
            Self::NotAFee { .. } => Some("payment_fees"),
        }
    }
}
