//! Why an order refuses.

use feira_decider::Reject;

use super::OrderStatus;

/// Why an order refused a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such order, or it is another customer's.
    #[error("there is no such order")]
    Unknown,
    /// It was placed with other terms.
    #[error("the order stands already, with other terms")]
    AlreadyPlaced,
    /// An order is of something.
    #[error("an order has at least one line and a total above nothing")]
    Empty,
    /// Its lines and its total contradict each other.
    #[error("an order has one line for a product, at least one unit in it, and comes to the sum of its lines")]
    BadSum,
    /// It has no such line.
    #[error("the order has no such product")]
    NoSuchLine,
    /// It is paid.
    #[error("the order is paid: it can be refunded, not called off")]
    AlreadyPaid,
    /// It is not where this leads on from.
    #[error("an order that is {from:?} cannot become {to:?}")]
    IllegalTransition {
        /// Where it stands.
        from: OrderStatus,
        /// Where it was to go.
        to: OrderStatus,
    },
    /// Another amount was paid.
    #[error("{paid} was paid, {due} is due")]
    WrongAmount {
        /// How much was.
        paid: i64,
        /// How much is.
        due: i64,
    },
    /// More would be given back than was paid.
    #[error("more was given back than was paid")]
    RefundTooLarge,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "ORDER_UNKNOWN",
            Self::AlreadyPlaced => "ORDER_PLACED",
            Self::Empty => "ORDER_EMPTY",
            Self::BadSum => "BAD_SUM",
            Self::NoSuchLine => "NO_SUCH_LINE",
            Self::AlreadyPaid => "ORDER_PAID",
            Self::IllegalTransition { .. } => "ILLEGAL_TRANSITION",
            Self::WrongAmount { .. } => "WRONG_AMOUNT",
            Self::RefundTooLarge => "REFUND_TOO_LARGE",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::IllegalTransition { .. } => Some("status"),
            _ => None,
        }
    }
}
