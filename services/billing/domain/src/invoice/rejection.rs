//! Why an invoice is not drafted or issued.

use std::sync::Arc;

use feira_commands::billing::SERIES;
use feira_decider::Reject;
use feira_money::MoneyError;

use crate::month::NotAMonth;
use crate::rating::Unratable;

/// Why a command about invoices was refused. The caller's to mend; trying again will not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Another aggregate than the one that holds a business's invoices.
    #[error("a business has one series of invoices, invoice:{SERIES}")]
    OtherSeries,
    /// The period is no month.
    #[error(transparent)]
    NotAMonth(#[from] NotAMonth),
    /// Nothing was used.
    #[error("nothing was used in {period}: there is nothing to invoice")]
    NoUsage {
        /// The month.
        period: Arc<str>,
    },
    /// The month's invoice is issued.
    #[error("the invoice of {period} is issued as number {number} and does not change")]
    AlreadyIssued {
        /// The month.
        period: Arc<str>,
        /// Its number.
        number: i64,
    },
    /// There is no draft.
    #[error("there is no draft of {period}: draft it first")]
    NoDraft {
        /// The month.
        period: Arc<str>,
    },
    /// More may be used yet, or be on its way.
    #[error("{period} is not over: it can be issued from {from} on, an hour after its end")]
    PeriodNotOver {
        /// The month.
        period: Arc<str>,
        /// The first moment.
        from: String,
    },
    /// More was used since the draft was made.
    #[error("the draft of {period} covers {drafted} items and {used} were used: draft it again")]
    DraftStale {
        /// The month.
        period: Arc<str>,
        /// How many items the draft covers.
        drafted: i64,
        /// How many there are.
        used: i64,
    },
    /// There is no rate card for the month.
    #[error("no prices are known for {period}")]
    NoRateCard {
        /// The month.
        period: Arc<str>,
    },
    /// The usage cannot be priced.
    #[error("{period} cannot be rated: {reason}")]
    NotRatable {
        /// The month.
        period: Arc<str>,
        /// Why.
        reason: Unratable,
    },
    /// The sums do not fit.
    #[error("the invoice's total would be too large")]
    AmountOverflow,
}

impl From<MoneyError> for Rejection {
    fn from(_: MoneyError) -> Self {
        Self::AmountOverflow
    }
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherSeries => "OTHER_SERIES",
            Self::NotAMonth(_) => "NOT_A_MONTH",
            Self::NoUsage { .. } => "NO_USAGE",
            Self::AlreadyIssued { .. } => "ALREADY_ISSUED",
            Self::NoDraft { .. } => "NO_DRAFT",
            Self::PeriodNotOver { .. } => "PERIOD_NOT_OVER",
            Self::DraftStale { .. } => "DRAFT_STALE",
            Self::NoRateCard { .. } => "NO_RATE_CARD",
            Self::NotRatable { .. } => "NOT_RATABLE",
            Self::AmountOverflow => "AMOUNT_OVERFLOW",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotAMonth(_)
            | Self::NoUsage { .. }
            | Self::AlreadyIssued { .. }
            | Self::NoDraft { .. }
            | Self::PeriodNotOver { .. }
            | Self::NoRateCard { .. } => Some("period"),
            Self::OtherSeries | Self::DraftStale { .. } | Self::NotRatable { .. } | Self::AmountOverflow => None,
        }
    }
}
