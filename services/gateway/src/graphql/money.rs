//! Amounts of money as clients see and send them: decimal numbers of major units.

use std::str::FromStr;

use async_graphql::{InputObject, Object};
use feira_money::{Amount, Currency};

use super::payload::UserError;
use super::scalars::{CurrencyCode, Decimal};

/// An amount of money.
#[derive(Clone, Copy)]
pub(crate) struct Money(pub Amount);

/// An amount of money.
#[Object]
impl Money {
    /// The amount in major units, with all decimal places of its currency: "12.50".
    async fn amount(&self) -> Decimal {
        Decimal(self.0.to_major())
    }

    /// Its currency.
    async fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency.code().to_owned())
    }
}

/// An amount of money.
#[derive(InputObject)]
pub(crate) struct MoneyInput {
    /// The amount in major units: "12.50".
    pub amount: Decimal,
    /// Its currency.
    pub currency: CurrencyCode,
}

impl MoneyInput {
    /// The amount, or what is wrong with it for whoever wrote it into the input's field `field`.
    pub(crate) fn read(&self, field: &str) -> Result<Amount, UserError> {
        let currency = Currency::from_str(&self.currency.0).map_err(|error| {
            UserError::new("UNKNOWN_CURRENCY", Some(format!("{field}.currency")), error.to_string())
        })?;
        Amount::parse_major(&self.amount.0, currency)
            .map_err(|error| UserError::new("INVALID_AMOUNT", Some(format!("{field}.amount")), error.to_string()))
    }
}
