//! Currencies by their ISO 4217 code.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A currency of ISO 4217 that has minor units or none: `BRL`, `INR`, `JPY`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "&'static str")]
pub struct Currency(iso_currency::Currency);

/// A text that is no current currency code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no ISO 4217 currency code")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// The three letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal places its minor unit has: 2 for BRL, 0 for JPY.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, UnknownCurrency> {
        match iso_currency::Currency::from_code(code) {
            // Metals, funds and test codes have no minor unit: nothing is priced in them.
            Some(currency) if currency.exponent().is_some() => Ok(Self(currency)),
            Some(_) | None => Err(UnknownCurrency(code.chars().take(16).collect())),
        }
    }
}

impl TryFrom<Cow<'_, str>> for Currency {
    type Error = UnknownCurrency;

    fn try_from(code: Cow<'_, str>) -> Result<Self, UnknownCurrency> {
        code.parse()
    }
}

impl From<Currency> for &'static str {
    fn from(currency: Currency) -> Self {
        currency.code()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_read_from_borrowed_and_owned_text() {
        let borrowed: Currency = serde_json::from_str("\"BRL\"").unwrap();
        let owned: Currency = serde_json::from_value(serde_json::json!("BRL")).unwrap();
        let streamed: Currency = serde_json::from_reader(&b"\"BRL\""[..]).unwrap();
        assert!(borrowed == owned && owned == streamed);
        assert_eq!(serde_json::to_string(&borrowed).unwrap(), "\"BRL\"");
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for code in ["", "brl", "BR", "BRLX", "XXX", "XAU", "€"] {
            assert!(code.parse::<Currency>().is_err(), "{code:?}");
        }
        assert!(serde_json::from_str::<Currency>("\"XAU\"").is_err());
    }

    #[test]
    fn minor_units_are_the_currencys_own() {
        let exponents = ["JPY", "BRL", "INR", "KWD"].map(|code| code.parse::<Currency>().unwrap().exponent());
        assert_eq!(exponents, [0, 2, 2, 3]);
    }
}
