//! Why stock refuses.

use feira_commands::stock::{RESERVATIONS_MAX, UNITS_MAX};
use feira_decider::Reject;

/// Why stock refused a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No number of units.
    #[error("stock counts 0 to {UNITS_MAX} units")]
    BadCount,
    /// No number to reserve.
    #[error("at least one unit is reserved")]
    BadQuantity,
    /// Too few are left.
    #[error("{available} are left, {asked} are asked")]
    OutOfStock {
        /// How many are left.
        available: i64,
        /// How many are asked.
        asked: i32,
    },
    /// Its time is over before it begins.
    #[error("the reservation would end before it begins")]
    BadTime,
    /// The order has reserved another number.
    #[error("the order has reserved {reserved} already")]
    AlreadyReserved {
        /// How many.
        reserved: i32,
    },
    /// Too many wait.
    #[error("at most {RESERVATIONS_MAX} orders reserve a product at a time: try again later")]
    TooMany,
    /// The order has nothing put aside, or no longer.
    #[error("nothing is reserved for the order, or its time has passed")]
    NotReserved,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BadCount => "BAD_COUNT",
            Self::BadQuantity => "BAD_QUANTITY",
            Self::OutOfStock { .. } => "OUT_OF_STOCK",
            Self::BadTime => "BAD_TIME",
            Self::AlreadyReserved { .. } => "ALREADY_RESERVED",
            Self::TooMany => "TOO_MANY_RESERVATIONS",
            Self::NotReserved => "RESERVATION_EXPIRED",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadCount => Some("on_hand"),
            Self::BadQuantity | Self::OutOfStock { .. } => Some("quantity"),
            Self::BadTime => Some("until"),
            Self::AlreadyReserved { .. } | Self::TooMany | Self::NotReserved => None,
        }
    }
}
