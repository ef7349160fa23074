//! Billing cycles: months that begin on a day of the business's own.

use serde::{Deserialize, Serialize};

use crate::{CalendarError, Date, Period, Zone};

/// The day of the month on which a billing cycle begins, 1 to 31; the last day in months that have fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct CycleDay(u8);

impl CycleDay {
    /// Cycles that begin on `day`.
    ///
    /// # Errors
    /// [`CalendarError::NotACycleDay`].
    pub fn new(day: u8) -> Result<Self, CalendarError> {
        if (1..=31).contains(&day) { Ok(Self(day)) } else { Err(CalendarError::NotACycleDay(day)) }
    }

    /// The first day of a cycle that is `date` or comes after it.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn on_or_after(self, date: Date) -> Result<Date, CalendarError> {
        let this_month = date.clipped_to(self.0);
        if this_month >= date { Ok(this_month) } else { self.after(date) }
    }

    /// The cycle that holds a time in a zone. Cycles tile time: where one ends the next begins.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn period_of(self, zone: &Zone, at_ms: i64) -> Result<Period, CalendarError> {
        let date = zone.date(at_ms)?;
        let this_month = date.clipped_to(self.0);
        if date >= this_month {
            zone.period(this_month, self.after(date)?)
        } else {
            zone.period(date.clipped_to(1).plus_months(-1)?.clipped_to(self.0), this_month)
        }
    }

    /// The cycle's first day in the month after `date`'s.
    fn after(self, date: Date) -> Result<Date, CalendarError> {
        // By way of the first: a clipped day must not clip the months after it.
        Ok(date.clipped_to(1).plus_months(1)?.clipped_to(self.0))
    }
}

impl TryFrom<u8> for CycleDay {
    type Error = CalendarError;

    fn try_from(day: u8) -> Result<Self, CalendarError> {
        Self::new(day)
    }
}

impl From<CycleDay> for u8 {
    fn from(day: CycleDay) -> Self {
        day.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse_rfc3339;

    fn cycle(day: u8, zone: &str, at: &str) -> [String; 2] {
        let zone = Zone::parse(zone).unwrap();
        let period = CycleDay::new(day).unwrap().period_of(&zone, parse_rfc3339(at).unwrap()).unwrap();
        [period.start, period.end].map(|at_ms| zone.date(at_ms).unwrap().to_string())
    }

    #[test]
    fn a_cycle_runs_from_its_day_to_its_day() {
        let berlin = "Europe/Berlin";
        assert_eq!(cycle(15, berlin, "2026-03-20T12:00:00Z"), ["2026-03-15", "2026-04-15"]);
        assert_eq!(cycle(15, berlin, "2026-03-10T12:00:00Z"), ["2026-02-15", "2026-03-15"]);
        // Just before and just after midnight of the 15th in Kolkata.
        assert_eq!(cycle(15, "Asia/Kolkata", "2026-03-14T18:29:59.999Z"), ["2026-02-15", "2026-03-15"]);
        assert_eq!(cycle(15, "Asia/Kolkata", "2026-03-14T18:30:00Z"), ["2026-03-15", "2026-04-15"]);
    }

    #[test]
    fn short_months_clip_a_cycle_and_do_not_move_it() {
        let in_february = cycle(31, "America/Sao_Paulo", "2026-02-10T12:00:00Z");
        assert_eq!(in_february, ["2026-01-31", "2026-02-28"]);
        let in_march = cycle(31, "America/Sao_Paulo", "2026-03-10T12:00:00Z");
        assert_eq!(in_march, ["2026-02-28", "2026-03-31"]);
        // On the clipped day itself, too.
        assert_eq!(cycle(31, "America/Sao_Paulo", "2026-02-28T12:00:00Z"), in_march);
        let first = CycleDay::new(31).unwrap().on_or_after("2026-03-01".parse().unwrap()).unwrap();
        assert_eq!(first.to_string(), "2026-03-31");
    }

    #[test]
    fn a_cycle_begins_on_a_day_of_the_month() {
        assert_eq!(CycleDay::new(0), Err(CalendarError::NotACycleDay(0)));
        assert!(serde_json::from_str::<CycleDay>("32").is_err());
        let first =
            |day, date: &str| CycleDay::new(day).unwrap().on_or_after(date.parse().unwrap()).unwrap().to_string();
        assert_eq!(first(15, "2011-01-15"), "2011-01-15");
        assert_eq!(first(15, "2011-01-16"), "2011-02-15");
        assert_eq!(first(31, "2011-02-01"), "2011-02-28");
    }

    proptest! {
        #[test]
        fn cycles_hold_the_time_they_are_asked_for_and_tile_it(
            at_ms in 0i64..4_000_000_000_000,
            day in 1u8..=31,
            name in prop::sample::select(&["America/Sao_Paulo", "Asia/Kolkata", "Europe/Berlin"][..]),
        ) {
            let (zone, cycle) = (Zone::parse(name).unwrap(), CycleDay::new(day).unwrap());
            let period = cycle.period_of(&zone, at_ms).unwrap();
            prop_assert!(period.contains(at_ms));
            prop_assert_eq!(cycle.period_of(&zone, period.end).unwrap().start, period.end);
            prop_assert_eq!(cycle.period_of(&zone, period.start - 1).unwrap().end, period.start);
        }
    }
}
