//! Time zones, and the days and months in them.

use std::fmt;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::instant::timestamp;
use crate::{CalendarError, Date, shown};

/// A time zone by its IANA name: `America/Sao_Paulo`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// A stretch of time: from `start` on, until just before `end`; both in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// Its first millisecond.
    pub start: i64,
    /// The first millisecond after it.
    pub end: i64,
}

/// The database that is built in. The machine's own may be older or newer than another machine's.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    /// The zone without an offset.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone with this IANA name, in any case.
    ///
    /// # Errors
    /// [`CalendarError::UnknownZone`].
    pub fn parse(name: &str) -> Result<Self, CalendarError> {
        ZONES.get(name).map(Self).map_err(|_| CalendarError::UnknownZone(shown(name)))
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Which day it is here.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn date(&self, at_ms: i64) -> Result<Date, CalendarError> {
        Ok(Date(timestamp(at_ms)?.to_zoned(self.0.clone()).date()))
    }

    /// The first millisecond of a day here. Where clocks skip midnight, that is when they have skipped it.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn start_of(&self, date: Date) -> Result<i64, CalendarError> {
        let midnight = date.0.to_zoned(self.0.clone()).map_err(|_| CalendarError::OutOfRange)?;
        let start = midnight.start_of_day().map_err(|_| CalendarError::OutOfRange)?;
        Ok(start.timestamp().as_millisecond())
    }

    /// From the start of one day to the start of another.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn period(&self, from: Date, until: Date) -> Result<Period, CalendarError> {
        Ok(Period { start: self.start_of(from)?, end: self.start_of(until)? })
    }

    /// The day that holds a time: 23, 24 or 25 hours where clocks change by one.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn day_of(&self, at_ms: i64) -> Result<Period, CalendarError> {
        let date = self.date(at_ms)?;
        self.period(date, date.plus_days(1)?)
    }

    /// The month that holds a time.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn month_of(&self, at_ms: i64) -> Result<Period, CalendarError> {
        let first = self.date(at_ms)?.clipped_to(1);
        self.period(first, first.plus_months(1)?)
    }
}

impl Period {
    /// Whether the period holds a time.
    pub fn contains(&self, at_ms: i64) -> bool {
        (self.start..self.end).contains(&at_ms)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for Zone {
    type Error = CalendarError;

    fn try_from(name: String) -> Result<Self, CalendarError> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse_rfc3339;

    const HOUR_MS: i64 = 3_600_000;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn at(text: &str) -> i64 {
        parse_rfc3339(text).unwrap()
    }

    fn hours(period: Period) -> i64 {
        (period.end - period.start) / HOUR_MS
    }

    #[test]
    fn the_day_is_the_businesss_own() {
        let night = at("2026-11-25T23:30:00Z");
        let day = |name| zone(name).date(night).unwrap().to_string();
        assert_eq!(["America/Sao_Paulo", "UTC", "Asia/Kolkata"].map(day), ["2026-11-25", "2026-11-25", "2026-11-26"]);
        let kolkata = zone("Asia/Kolkata").day_of(night).unwrap();
        assert_eq!(kolkata, Period { start: at("2026-11-26T00:00:00+05:30"), end: at("2026-11-27T00:00:00+05:30") });
    }

    #[test]
    fn days_are_shorter_and_longer_where_clocks_change() {
        let berlin = zone("Europe/Berlin");
        let length = |text| hours(berlin.day_of(at(text)).unwrap());
        assert_eq!(["2026-03-29T12:00:00Z", "2026-10-25T12:00:00Z", "2026-06-01T12:00:00Z"].map(length), [23, 25, 24]);
        let march = berlin.month_of(at("2026-03-10T00:00:00Z")).unwrap();
        assert_eq!(march, Period { start: at("2026-03-01T00:00:00+01:00"), end: at("2026-04-01T00:00:00+02:00") });
        assert_eq!(hours(march), 31 * 24 - 1);
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_when_it_was_skipped() {
        // São Paulo's clocks went from 00:00 to 01:00 at the start of 4 November 2018.
        let day = zone("America/Sao_Paulo").day_of(at("2018-11-04T12:00:00Z")).unwrap();
        assert_eq!((day.start, hours(day)), (at("2018-11-04T01:00:00-02:00"), 23));
        // No change there since 2019.
        assert_eq!(hours(zone("America/Sao_Paulo").month_of(at("2026-11-10T00:00:00Z")).unwrap()), 30 * 24);
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_empty() {
        let apia = zone("Pacific/Apia");
        let missing = Date::new(2011, 12, 30).unwrap();
        let period = apia.period(missing, missing.plus_days(1).unwrap()).unwrap();
        assert_eq!(period.start, period.end);
    }

    #[test]
    fn zones_are_known_by_name_only() {
        assert_eq!(zone("america/sao_paulo").name(), "America/Sao_Paulo");
        for name in ["", "Mars/Olympus", "+05:30", "EST5EDT,M3.2.0,M11.1.0", "../etc/passwd"] {
            assert!(matches!(Zone::parse(name), Err(CalendarError::UnknownZone(_))), "{name:?}");
        }
        let zone: Zone = serde_json::from_str("\"Asia/Kolkata\"").unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Kolkata\"");
        assert_eq!(Zone::parse("UTC").unwrap().name(), Zone::utc().name());
    }

    proptest! {
        #[test]
        fn days_and_months_hold_the_time_they_are_asked_for_and_tile_it(
            at_ms in 0i64..4_000_000_000_000,
            name in prop::sample::select(&["America/Sao_Paulo", "Asia/Kolkata", "Europe/Berlin", "UTC"][..]),
        ) {
            let zone = zone(name);
            for of in [Zone::day_of, Zone::month_of] {
                let period = of(&zone, at_ms).unwrap();
                prop_assert!(period.contains(at_ms));
                prop_assert_eq!(of(&zone, period.end).unwrap().start, period.end);
                prop_assert_eq!(of(&zone, period.start).unwrap(), period);
            }
        }

        #[test]
        fn any_time_has_a_day_or_is_refused(at_ms: i64) {
            let zone = zone("Asia/Kolkata");
            let _ = (zone.day_of(at_ms), zone.month_of(at_ms), zone.date(at_ms));
        }
    }
}
