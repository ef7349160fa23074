//! The months that usage is counted in and invoices are for: those of UTC.

use std::fmt;

use feira_calendar::{CalendarError, Date, Zone};

/// A month, written `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: Date,
    from: i64,
    until: i64,
}

/// A text that is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no month such as 2026-11")]
pub struct NotAMonth(pub String);

impl Month {
    /// Reads `2026-11` and no other form.
    ///
    /// # Errors
    /// [`NotAMonth`].
    pub fn parse(text: &str) -> Result<Self, NotAMonth> {
        let not_a_month = || NotAMonth(text.chars().take(20).collect());
        let first: Date = format!("{text}-01").parse().map_err(|_| not_a_month())?;
        Self::beginning(first).map_err(|_| not_a_month())
    }

    /// The month that holds a time, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn of(at_ms: i64) -> Result<Self, CalendarError> {
        let date = Zone::utc().date(at_ms)?;
        Self::beginning(Date::new(date.year(), date.month(), 1)?)
    }

    fn beginning(first: Date) -> Result<Self, CalendarError> {
        let period = Zone::utc().period(first, first.plus_months(1)?)?;
        Ok(Self { first, from: period.start, until: period.end })
    }

    /// Its first day.
    pub fn first(self) -> Date {
        self.first
    }

    /// Its days, in order.
    pub fn days(self) -> impl Iterator<Item = Date> {
        (0..i32::from(self.first.days_in_month())).filter_map(move |day| self.first.plus_days(day).ok())
    }

    /// Its first millisecond since 1970.
    pub fn from(self) -> i64 {
        self.from
    }

    /// The first millisecond after it.
    pub fn until(self) -> i64 {
        self.until
    }

    /// Whether it holds a time.
    pub fn holds(self, at_ms: i64) -> bool {
        (self.from..self.until).contains(&at_ms)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

#[cfg(test)]
mod tests {
    use feira_calendar::parse_rfc3339;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_month_begins_and_ends_at_midnight_of_utc() {
        let november = Month::parse("2026-11").unwrap();
        let at = |text| parse_rfc3339(text).unwrap();
        assert_eq!((november.from(), november.until()), (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z")));
        assert_eq!(november.days().count(), 30);
        assert_eq!(Month::of(november.until() - 1).unwrap(), november);
        assert_eq!(Month::of(november.until()).unwrap().to_string(), "2026-12");
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["", "2026", "2026-13", "2026-11-01", "2026-1", "11-2026", "2026/11", "9999-12", " 2026-11"] {
            assert!(Month::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_time_lies_in_the_month_that_it_is_of(at_ms in 0i64..4_000_000_000_000) {
            let month = Month::of(at_ms).unwrap();
            prop_assert!(month.holds(at_ms));
            prop_assert_eq!(Month::parse(&month.to_string()).unwrap(), month);
        }

        #[test]
        fn any_text_is_a_month_or_refused(text in "[0-9-]{0,9}|\\PC{0,9}") {
            let _ = Month::parse(&text);
        }
    }
}
