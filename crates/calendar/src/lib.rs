//! Business time: which day it is for a business, where its months and billing cycles begin and end.
//!
//! There is no clock here. A time comes in as milliseconds since 1970 (UTC), the `at` of an event. Zones come from the
//! time zone database that is built in, never from the machine, so that two machines give the same day.

mod cycle;
mod date;
mod instant;
mod zone;

pub use cycle::CycleDay;
pub use date::Date;
pub use instant::{format_rfc3339, parse_rfc3339};
pub use zone::{Period, Zone};

/// Why a calendar question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No zone of this name.
    #[error("{0:?} is no time zone of the IANA database, such as America/Sao_Paulo")]
    UnknownZone(String),
    /// Not a date.
    #[error("{0:?} is no date such as 2026-01-31")]
    NotADate(String),
    /// Not a time.
    #[error("{0:?} is no RFC 3339 time such as 2026-01-31T12:00:00.000Z")]
    NotATime(String),
    /// No day of a month.
    #[error("a billing cycle begins on a day from 1 to 31, not on {0}")]
    NotACycleDay(u8),
    /// Before the year -9999 or after the year 9999.
    #[error("the time is outside the years that the calendar knows")]
    OutOfRange,
}

/// The beginning of what a caller gave, to show it.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}
