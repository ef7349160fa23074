//! A day of the calendar, without a zone.

use std::fmt;
use std::str::FromStr;

use jiff::{Span, Unit, civil};
use serde::{Deserialize, Serialize};

use crate::{CalendarError, shown};

/// A day such as 2026-01-31: text for people and machines alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(pub(crate) civil::Date);

impl Date {
    /// The day of this year, month (from 1) and day (from 1).
    ///
    /// # Errors
    /// [`CalendarError::NotADate`] when there is no such day.
    pub fn new(year: i16, month: u8, day: u8) -> Result<Self, CalendarError> {
        let missing = || CalendarError::NotADate(format!("{year:04}-{month:02}-{day:02}"));
        let part = |number: u8| i8::try_from(number).map_err(|_| missing());
        civil::Date::new(year, part(month)?, part(day)?).map(Self).map_err(|_| missing())
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, from 1.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }

    /// How many days the month has.
    pub fn days_in_month(self) -> u8 {
        self.0.days_in_month().unsigned_abs()
    }

    /// The same day of the month `months` later, or before when negative; the month's last day where there is no such
    /// day: one month after 31 January is 28 or 29 February.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn plus_months(self, months: i32) -> Result<Self, CalendarError> {
        let span = Span::new().try_months(months).map_err(|_| CalendarError::OutOfRange)?;
        self.0.checked_add(span).map(Self).map_err(|_| CalendarError::OutOfRange)
    }

    /// The day `days` later, or before when negative.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn plus_days(self, days: i32) -> Result<Self, CalendarError> {
        let span = Span::new().try_days(days).map_err(|_| CalendarError::OutOfRange)?;
        self.0.checked_add(span).map(Self).map_err(|_| CalendarError::OutOfRange)
    }

    /// How many days pass until `later`; negative when it is before.
    pub fn days_until(self, later: Self) -> i32 {
        let span = self.0.until((Unit::Day, later.0)).expect("any two days of the calendar have a distance in days");
        span.get_days()
    }

    /// The day `day` of the same month, or the month's last where it has fewer.
    pub(crate) fn clipped_to(self, day: u8) -> Self {
        let day = day.min(self.days_in_month());
        Self(self.0.with().day(day as i8).build().expect("the month has the day"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = CalendarError;

    /// Reads `2026-01-31` and no other form.
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let not_a_date = || CalendarError::NotADate(shown(text));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let mut parts = text.split('-');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(year), Some(month), Some(day), None)
                if [year.len(), month.len(), day.len()] == [4, 2, 2] && [year, month, day].into_iter().all(plain) =>
            {
                let number = |part: &str| part.parse::<i16>().map_err(|_| not_a_date());
                Self::new(number(year)?, number(month)? as u8, number(day)? as u8)
            }
            _ => Err(not_a_date()),
        }
    }
}

impl TryFrom<String> for Date {
    type Error = CalendarError;

    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_clipped_to_their_last_day() {
        let later = |text, months| date(text).plus_months(months).unwrap().to_string();
        assert_eq!(later("2026-01-31", 1), "2026-02-28");
        assert_eq!(later("2028-01-31", 1), "2028-02-29");
        assert_eq!(later("2026-03-31", -1), "2026-02-28");
        assert_eq!(later("2026-11-15", 3), "2027-02-15");
        assert_eq!(date("9999-12-01").plus_months(1), Err(CalendarError::OutOfRange));
        assert_eq!(date("2026-01-01").plus_months(i32::MAX), Err(CalendarError::OutOfRange));
        assert_eq!(date("2026-01-01").plus_days(i32::MIN), Err(CalendarError::OutOfRange));
    }

    #[test]
    fn days_that_are_not_are_refused() {
        for text in
            ["", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "20260101", "2026-01-01T00:00", "+026-01-01"]
        {
            assert!(matches!(text.parse::<Date>(), Err(CalendarError::NotADate(_))), "{text:?}");
        }
        assert!(serde_json::from_str::<Date>("\"2026-02-30\"").is_err());
        assert_eq!(serde_json::to_string(&date("2026-02-03")).unwrap(), "\"2026-02-03\"");
    }

    proptest! {
        #[test]
        fn days_count_as_they_are_added(days in -100_000i32..100_000) {
            let begin = date("2026-11-25");
            let end = begin.plus_days(days).unwrap();
            prop_assert_eq!(begin.days_until(end), days);
            prop_assert_eq!(date(&end.to_string()), end);
        }

        #[test]
        fn any_text_is_a_date_or_refused(text in "[0-9-]{0,12}|\\PC{0,12}") {
            let _ = text.parse::<Date>();
        }
    }
}
