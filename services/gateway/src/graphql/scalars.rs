//! Scalars that say what a text means.

use std::str::FromStr;

use async_graphql::{InputType, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use feira_ids::SLOTS;
use feira_runtime::Position;

use crate::error::ApiError;

/// A decimal number in a text, such as "12.50": exact, where a number of JSON would not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal(pub String);

/// The three letters of a currency in ISO 4217, such as "BRL".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CurrencyCode(pub String);

/// A moment in RFC 3339, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateTime(pub i64);

/// How far things had come, to be given back as it was got: with it a query sees what came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PositionText(pub String);

fn text<T>(value: Value, made: impl FnOnce(String) -> T, expected: &str) -> InputValueResult<T>
where
    T: InputType,
{
    match value {
        Value::String(text) => Ok(made(text)),
        _ => Err(InputValueError::custom(format!("expected {expected}"))),
    }
}

/// A decimal number in a text, such as "12.50": exact, where a number of JSON would not be.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value, Self, "a decimal number in a text, such as \"12.50\"")
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// The three letters of a currency in ISO 4217, such as "BRL".
#[Scalar(name = "CurrencyCode")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value, Self, "a currency code, such as \"BRL\"")
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A moment in RFC 3339, in UTC, such as "2026-01-31T12:00:00Z".
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => {
                let moment = jiff::Timestamp::from_str(&text).map_err(InputValueError::custom)?;
                Ok(Self(moment.as_millisecond()))
            }
            _ => Err(InputValueError::custom("expected a moment in RFC 3339")),
        }
    }

    fn to_value(&self) -> Value {
        // A moment beyond the calendar can only come from a damaged row: null says that it is not known.
        jiff::Timestamp::from_millisecond(self.0).map_or(Value::Null, |moment| Value::String(moment.to_string()))
    }
}

/// How far things had come, to be given back as it was got: a query that carries the position of a mutation sees its
/// effect.
#[Scalar(name = "Position")]
impl ScalarType for PositionText {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value, Self, "a position as it was given")
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl PositionText {
    pub(crate) fn read(&self) -> Result<Position, ApiError> {
        read_position(&self.0)
    }
}

/// Reads a position that a client sends back.
pub(crate) fn read_position(text: &str) -> Result<Position, ApiError> {
    let position = Position::from_str(text).map_err(|error| ApiError::BadInput(error.to_string()))?;
    // No service has a lane beyond the slots: waiting for one would be waiting for nothing.
    let known = text.split(',').filter_map(|part| part.split_once('/')).all(|(_, lane)| {
        lane.split_once(':').and_then(|(index, _)| index.parse::<u32>().ok()).is_some_and(|index| index < SLOTS)
    });
    if known { Ok(position) } else { Err(ApiError::BadInput("a position names a lane that cannot be".to_owned())) }
}

impl From<&Position> for PositionText {
    fn from(position: &Position) -> Self {
        Self(position.to_string())
    }
}
