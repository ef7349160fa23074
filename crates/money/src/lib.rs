//! Amounts of money: whole minor units with a currency, exact arithmetic, and the one place that rounds.
//!
//! No float anywhere. Arithmetic is checked in 128 bits; what does not fit is an error, never a wrong sum.

mod amount;
mod currency;

pub use amount::{Amount, MoneyError};
pub use currency::{Currency, UnknownCurrency};
