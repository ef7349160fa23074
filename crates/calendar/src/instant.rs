//! Milliseconds since 1970 as RFC 3339 text.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::{CalendarError, shown};

const NANOS_PER_MS: i128 = 1_000_000;

/// A time as the calendar library has it.
pub(crate) fn timestamp(at_ms: i64) -> Result<Timestamp, CalendarError> {
    Timestamp::from_millisecond(at_ms).map_err(|_| CalendarError::OutOfRange)
}

/// Writes a time in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.
///
/// # Errors
/// [`CalendarError::OutOfRange`] before the year -9999 and after the year 9999.
pub fn format_rfc3339(at_ms: i64) -> Result<String, CalendarError> {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    Ok(PRINTER.timestamp_to_string(&timestamp(at_ms)?))
}

/// Reads an RFC 3339 time with any offset; what is finer than a millisecond is cut off.
///
/// # Errors
/// [`CalendarError::NotATime`] for anything else.
pub fn parse_rfc3339(text: &str) -> Result<i64, CalendarError> {
    let not_a_time = || CalendarError::NotATime(shown(text));
    if !has_the_form(text.as_bytes()) {
        return Err(not_a_time());
    }
    let timestamp: Timestamp = text.parse().map_err(|_| not_a_time())?;
    let at_ms = timestamp.as_nanosecond().div_euclid(NANOS_PER_MS);
    Ok(i64::try_from(at_ms).expect("ten thousand years of milliseconds fit in 64 bits"))
}

/// Whether a text is laid out as RFC 3339 says; the library reads more forms than that.
fn has_the_form(text: &[u8]) -> bool {
    let Some((begin, end)) = text.split_first_chunk::<19>() else {
        return false;
    };
    let begins = begin.iter().enumerate().all(|(position, byte)| match position {
        4 | 7 => *byte == b'-',
        10 => matches!(byte, b'T' | b't'),
        13 | 16 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let fraction_ends = match end.strip_prefix(b".") {
        None => Some(end),
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (1..=9).contains(&digits).then(|| &fraction[digits..])
        }
    };
    let ends = match fraction_ends {
        Some(b"Z" | b"z") => true,
        Some([b'+' | b'-', a, b, b':', c, d]) => [a, b, c, d].into_iter().all(u8::is_ascii_digit),
        _ => false,
    };
    begins && ends
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(format_rfc3339(0).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(format_rfc3339(-1).unwrap(), "1969-12-31T23:59:59.999Z");
        assert_eq!(format_rfc3339(1_764_104_400_120).unwrap(), "2025-11-25T21:00:00.120Z");
        assert_eq!(format_rfc3339(i64::MAX), Err(CalendarError::OutOfRange));
        assert_eq!(format_rfc3339(i64::MIN), Err(CalendarError::OutOfRange));
    }

    #[test]
    fn times_of_any_offset_are_read() {
        let at = 1_764_104_400_000;
        for text in
            ["2025-11-25T21:00:00Z", "2025-11-25t21:00:00z", "2025-11-25T18:00:00-03:00", "2025-11-26T02:30:00+05:30"]
        {
            assert_eq!(parse_rfc3339(text), Ok(at), "{text}");
        }
        assert_eq!(parse_rfc3339("2025-11-25T21:00:00.1239999Z"), Ok(at + 123));
        assert_eq!(parse_rfc3339("1969-12-31T23:59:59.9999Z"), Ok(-1));
    }

    #[test]
    fn what_is_no_rfc_3339_time_is_refused() {
        for text in [
            "",
            "2025-11-25",
            "2025-11-25T21:00:00",
            "2025-11-25T21:00Z",
            "20251125T210000Z",
            "2025-11-25 21:00:00Z",
            "2025-11-25T21:00:00,5Z",
            "2025-11-25T21:00:00.Z",
            "2025-11-25T21:00:00+0530",
            "2025-02-30T00:00:00Z",
            "2025-11-25T21:00:00Z[UTC]",
            "2025-11-25T25:00:00Z",
            "1764104400",
        ] {
            assert!(matches!(parse_rfc3339(text), Err(CalendarError::NotATime(_))), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn times_read_back_as_written(at_ms in -62_135_596_800_000i64..253_402_207_200_000) {
            prop_assert_eq!(parse_rfc3339(&format_rfc3339(at_ms).unwrap()), Ok(at_ms));
        }

        #[test]
        fn any_text_is_a_time_or_refused(text in "[0-9TZ:.+-]{0,40}|\\PC{0,40}") {
            let _ = parse_rfc3339(&text);
        }
    }
}
