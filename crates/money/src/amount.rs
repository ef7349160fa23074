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
    /// More decimal places than the currency has.
    #[error("{currency} has {exponent} decimal places, not {given}")]
    TooPrecise {
        /// The currency.
        currency: Currency,
        /// What it has.
        exponent: u32,
        /// What was given.
        given: u32,
    },
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

    /// Reads a decimal number of major units, such as `12.50` or `-3`.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`], [`MoneyError::TooPrecise`] or [`MoneyError::Overflow`].
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let malformed = || MoneyError::Malformed(text.chars().take(40).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !fraction.is_none_or(all_digits) {
            return Err(malformed());
        }
        let exponent = currency.exponent();
        let fraction = fraction.unwrap_or("").trim_end_matches('0');
        let given = fraction.len() as u32;
        if given > exponent {
            return Err(MoneyError::TooPrecise { currency, exponent, given });
        }
        let padding = "0".repeat((exponent - given) as usize);
        let sign = if negative { "-" } else { "" };
        let minor = format!("{sign}{whole}{fraction}{padding}").parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, currency })
    }

    /// The amount in major units as a decimal number with all of the currency's places: `12.50`.
    pub fn to_major(self) -> String {
        let exponent = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_major(), self.currency)
    }
}
