//! Points in time as evidence carries them: nanoseconds since 1970 in UTC, no time zones.

use std::fmt;
use std::str::FromStr;

/// Nanoseconds since 1970-01-01T00:00:00Z. Written and read as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// A text that is not an RFC 3339 date-time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeError;

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date and time as in 2026-01-31T12:00:00Z")
    }
}

impl std::error::Error for TimeError {}

const NANOS: i64 = 1_000_000_000;

impl Time {
    /// From whole seconds and nanoseconds since the epoch; `None` outside 1678–2262.
    pub fn from_parts(seconds: i64, nanos: u32) -> Option<Self> {
        seconds.checked_mul(NANOS)?.checked_add(i64::from(nanos)).map(Self)
    }

    /// Seconds since the epoch, as mitmproxy and others store them.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let nanos = seconds * 1e9;
        (nanos.is_finite() && nanos.abs() < 9.2e18).then(|| Self((seconds * 1e6).round() as i64 * 1000))
    }

    /// The year in UTC.
    pub fn year(self) -> i64 {
        civil(self.0.div_euclid(NANOS).div_euclid(86_400)).0
    }
}

/// Days since the epoch to year, month, day (Howard Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// The inverse of [`civil`] (`days_from_civil` of the same source).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (month + 9) % 12;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + (153 * mp + 2) / 5 + day - 1;
    era * 146_097 + doe - 719_468
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(NANOS);
        let nanos = self.0.rem_euclid(NANOS);
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match nanos {
            0 => f.write_str("Z"),
            n if n % 1_000_000 == 0 => write!(f, ".{:03}Z", n / 1_000_000),
            n if n % 1000 == 0 => write!(f, ".{:06}Z", n / 1000),
            n => write!(f, ".{n:09}Z"),
        }
    }
}

impl FromStr for Time {
    type Err = TimeError;

    /// Reads RFC 3339 section 5.6, also with a space for `T` and without the colon in the offset,
    /// as HAR writers do it.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse(text.trim().as_bytes()).ok_or(TimeError)
    }
}

fn number(bytes: &[u8], range: std::ops::Range<usize>) -> Option<i64> {
    let digits = bytes.get(range)?;
    digits.iter().try_fold(0i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

fn parse(b: &[u8]) -> Option<Time> {
    let (year, month, day) = (number(b, 0..4)?, number(b, 5..7)?, number(b, 8..10)?);
    let (hour, minute, second) = (number(b, 11..13)?, number(b, 14..16)?, number(b, 17..19)?);
    let separators = [b[4], b[7], b[10].to_ascii_uppercase(), b[13], b[16]];
    if !matches!(separators, [b'-', b'-', b'T' | b' ', b':', b':']) {
        return None;
    }
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let mut rest = &b[19..];
    let mut nanos = 0i64;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|c| c.is_ascii_digit()).count();
        let kept = number(fraction, 0..length.min(9))?;
        nanos = kept * 10i64.pow(9 - length.min(9) as u32);
        rest = &fraction[length..];
    }
    let offset = offset_seconds(rest)?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    in_range.then_some(())?;
    Time::from_parts(seconds, nanos as u32)
}

fn offset_seconds(rest: &[u8]) -> Option<i64> {
    match rest {
        [] | [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let digits: Vec<u8> = digits.iter().copied().filter(|c| *c != b':').collect();
            let seconds =
                number(&digits, 0..2)? * 3600 + if digits.len() >= 4 { number(&digits, 2..4)? * 60 } else { 0 };
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_har_writers_write() {
        for text in [
            "2017-08-14T10:00:00.5+02:00",
            "2017-08-14T08:00:00.500Z",
            "2017-08-14 08:00:00.500",
            "2017-08-14T13:30:00.5+0530",
        ] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), "2017-08-14T08:00:00.500Z", "{text}");
        }
        for text in ["", "2017", "2017-13-14T10:00:00Z", "20170814T100000Z", "2017-08-14T10:00:00 CEST"] {
            assert_eq!(text.parse::<Time>(), Err(TimeError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(nanos in -6_000_000_000_000_000_000i64..9_000_000_000_000_000_000) {
            let time = Time(nanos);
            prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
        }

        #[test]
        fn any_text_parses_or_is_refused(text in ".{0,40}") {
            let _ = text.parse::<Time>();
        }
    }
}
