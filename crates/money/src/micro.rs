//! Prices finer than a minor unit: what a single message costs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Currency, Exact, MoneyError};

/// Decimal places of a micro amount.
const PLACES: u32 = 6;

/// A number of millionths of a currency's **major** unit: 28,900 USD is 0.0289 $.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MicroAmount {
    /// Millionths of a major unit.
    pub micro: i64,
    /// Whose.
    pub currency: Currency,
}

impl MicroAmount {
    /// `micro` millionths of a major unit of `currency`.
    pub const fn new(micro: i64, currency: Currency) -> Self {
        Self { micro, currency }
    }

    /// Reads a decimal number of major units with up to six places, such as `0.0289`.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`], [`MoneyError::TooPrecise`] or [`MoneyError::Overflow`].
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Ok(Self { micro: crate::amount::parse_decimal(text, PLACES, currency)?, currency })
    }

    /// The amount in major units as a decimal number with six places: `0.028900`.
    pub fn to_major(self) -> String {
        crate::amount::write_decimal(self.micro, PLACES)
    }
}

impl From<MicroAmount> for Exact {
    fn from(price: MicroAmount) -> Self {
        let minor_per_major = 10i128.pow(price.currency.exponent());
        Self::ratio(i128::from(price.micro) * minor_per_major, 10i128.pow(PLACES), price.currency)
            .expect("64 bits times ten to the fourth fit in 128, and a million is not zero")
    }
}

impl fmt::Display for MicroAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_major(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Amount, Rounding, close_line};

    #[test]
    fn a_thousand_messages_cost_what_one_costs_a_thousand_times() {
        let price = MicroAmount::parse_major("0.0289", "USD".parse().unwrap()).unwrap();
        assert_eq!(price.to_string(), "0.028900 USD");
        let line = Exact::from(price).checked_mul(1_000).unwrap();
        assert_eq!(close_line(line, Rounding::default()).unwrap().amount, Amount::new(2_890, price.currency));
    }

    #[test]
    fn a_millionth_is_the_finest_price() {
        let brl = "BRL".parse().unwrap();
        assert!(matches!(MicroAmount::parse_major("0.0000001", brl), Err(MoneyError::TooPrecise { .. })));
        assert_eq!(MicroAmount::parse_major("9999999999999", brl), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn prices_read_back_as_written(micro: i64, code in prop::sample::select(&["JPY", "BRL", "KWD", "CLF"][..])) {
            let price = MicroAmount::new(micro, code.parse().unwrap());
            prop_assert_eq!(MicroAmount::parse_major(&price.to_major(), price.currency).unwrap(), price);
            let _ = Exact::from(price);
        }
    }
}
