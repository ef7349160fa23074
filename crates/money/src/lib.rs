//! Amounts of money: whole minor units with a currency, exact arithmetic, and the one place that rounds.
//!
//! No float anywhere. Arithmetic is checked in 128 bits; what does not fit is an error, never a wrong sum.

mod allocation;
mod amount;
mod currency;
mod exact;
mod micro;

pub use allocation::{AllocationError, Share, allocate};
pub use amount::{Amount, MoneyError};
pub use currency::{Currency, UnknownCurrency};
pub use exact::{BasisPoints, Closed, Exact, Rounding, close_line};
pub use micro::MicroAmount;
