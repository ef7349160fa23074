//! An amount: minor units and their currency.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Currency;

/// A number of minor units of a currency: 1999 BRL is R$ 19.99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units; negative for what is owed or given back.
    pub minor: i64,
    /// Whose minor units.
    pub currency: Currency,
}

/// Why an amount could not be read or computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit.
    #[error("the amount is too large")]
    Overflow,
    /// Two currencies met.
    #[error("{left} and {right} cannot be put together")]
    CurrencyMismatch {
        /// The one.
        left: Currency,
        /// The other.
        right: Currency,
    },
    /// Not a decimal number.
    #[error("{0:?} is not a decimal amount such as 12.50")]
    Malformed(String),
    /// More decimal places than the currency, or a price in it, has.
    #[error("{currency} has {exponent} decimal places here, not {given}")]
    TooPrecise {
        /// The currency.
        currency: Currency,
        /// How many there may be.
        exponent: u32,
        /// What was given.
        given: u32,
    },
    /// A share of no parts.
    #[error("an amount cannot be divided by zero")]
    DivisionByZero,
}

impl Amount {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// `quantity` times the amount.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, quantity: i64) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(quantity).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// What is left when `other` is taken away.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Reads a decimal number of major units, such as `12.50` or `-3`.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`], [`MoneyError::TooPrecise`] or [`MoneyError::Overflow`].
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Ok(Self { minor: parse_decimal(text, currency.exponent(), currency)?, currency })
    }

    /// The amount in major units as a decimal number with all of the currency's places: `12.50`.
    pub fn to_major(self) -> String {
        write_decimal(self.minor, self.currency.exponent())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_major(), self.currency)
    }
}

/// Reads a decimal number as a number of its last place, of which there are `places`.
pub(crate) fn parse_decimal(text: &str, places: u32, currency: Currency) -> Result<i64, MoneyError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !fraction.is_none_or(all_digits) {
        return Err(MoneyError::Malformed(text.chars().take(40).collect()));
    }
    let fraction = fraction.unwrap_or("").trim_end_matches('0');
    let given = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    if given > places {
        return Err(MoneyError::TooPrecise { currency, exponent: places, given });
    }
    let padding = "0".repeat((places - given) as usize);
    let sign = if negative { "-" } else { "" };
    format!("{sign}{whole}{fraction}{padding}").parse().map_err(|_| MoneyError::Overflow)
}

/// Writes a number of last places as a decimal number with all `places` of them.
pub(crate) fn write_decimal(number: i64, places: u32) -> String {
    let places = places as usize;
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(minor: i64, code: &str) -> Amount {
        Amount::new(minor, code.parse().unwrap())
    }

    #[test]
    fn amounts_are_written_with_the_places_of_their_currency() {
        let written = [(1_999, "BRL"), (-5, "INR"), (0, "USD"), (1_999, "JPY"), (1, "KWD")];
        let texts = written.map(|(minor, code)| amount(minor, code).to_string());
        assert_eq!(texts, ["19.99 BRL", "-0.05 INR", "0.00 USD", "1999 JPY", "0.001 KWD"]);
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        let brl: Currency = "BRL".parse().unwrap();
        for text in ["", "-", ".5", "5.", "1,50", "1e3", " 1", "+1", "--1", "1.2.3", "R$ 1", "٣"] {
            assert!(matches!(Amount::parse_major(text, brl), Err(MoneyError::Malformed(_))), "{text:?}");
        }
        let precise = MoneyError::TooPrecise { currency: brl, exponent: 2, given: 3 };
        assert_eq!(Amount::parse_major("1.005", brl), Err(precise));
        assert_eq!(Amount::parse_major("1.5000", brl), Ok(Amount::new(150, brl)));
        assert_eq!(Amount::parse_major("92233720368547758.08", brl), Err(MoneyError::Overflow));
    }

    #[test]
    fn two_currencies_are_never_put_together() {
        let refused = amount(1, "BRL").checked_add(amount(1, "INR")).unwrap_err();
        assert_eq!(refused.to_string(), "BRL and INR cannot be put together");
        assert!(amount(1, "BRL").checked_sub(amount(1, "INR")).is_err());
    }

    proptest! {
        #[test]
        fn amounts_read_back_as_written(minor: i64, code in prop::sample::select(&["JPY", "BRL", "KWD", "CLF"][..])) {
            let amount = amount(minor, code);
            prop_assert_eq!(Amount::parse_major(&amount.to_major(), amount.currency).unwrap(), amount);
        }

        #[test]
        fn any_text_is_an_amount_or_refused(text in "\\PC{0,60}") {
            let _ = Amount::parse_major(&text, "BRL".parse().unwrap());
        }

        #[test]
        fn sums_and_products_are_right_or_refused(a: i64, b: i64) {
            let (left, right) = (amount(a, "BRL"), amount(b, "BRL"));
            let fits = |wide: i128| i64::try_from(wide).map_err(|_| MoneyError::Overflow);
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(left.checked_add(right).map(|sum| sum.minor), fits(wide_a + wide_b));
            prop_assert_eq!(left.checked_sub(right).map(|rest| rest.minor), fits(wide_a - wide_b));
            prop_assert_eq!(left.checked_mul(b).map(|product| product.minor), fits(wide_a * wide_b));
        }
    }
}
