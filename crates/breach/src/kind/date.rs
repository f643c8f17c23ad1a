//! Days and moments: of birth, of logging in, of the dump itself.

use crate::ascii::{self, are_digits};
use dyetrace_search::whole;

/// Days since 1900-01-01 of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) u16);

impl Day {
    /// The day, where there is one from 1900 to 2078.
    pub(crate) fn new(year: u16, month: u16, day: u16) -> Option<Self> {
        if !whole::is_date(year, month, day, 2078) {
            return None;
        }
        let since = days_from_civil(i64::from(year), i64::from(month), i64::from(day)) - days_from_civil(1900, 1, 1);
        u16::try_from(since).ok().map(Self)
    }

    /// The year.
    pub(crate) fn year(self) -> u16 {
        self.date().0
    }

    /// Year, month and day.
    pub(crate) fn date(self) -> (u16, u16, u16) {
        civil_from_days(i64::from(self.0) + days_from_civil(1900, 1, 1))
    }

    /// The day of a moment in seconds since 1970.
    pub(crate) fn of_moment(seconds: i64) -> Option<Self> {
        u16::try_from(seconds.div_euclid(86_400) - days_from_civil(1900, 1, 1)).ok().map(Self)
    }

    /// True where a person born on this day was not yet 18 on the other.
    pub(crate) fn is_minor_on(self, other: Self) -> bool {
        let ((year, month, day), (now_year, now_month, now_day)) = (self.date(), other.date());
        self <= other && (now_year, now_month, now_day) < (year + 18, month, day)
    }
}

/// A date of birth: eight digits, or year, month and day with signs between. What stands behind a blank or `T` is
/// midnight or nothing.
pub(crate) fn day(text: &[u8]) -> Option<Day> {
    let (date, time) = match text.iter().position(|byte| matches!(byte, b' ' | b'T')) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, &[][..]),
    };
    let midnight = time.iter().all(|byte| matches!(byte, b'0' | b':' | b'.' | b'Z'));
    if midnight { calendar(date) } else { None }
}

fn calendar(date: &[u8]) -> Option<Day> {
    if let Some(date) = date.as_array() {
        return iso(date).or_else(|| parted(date));
    }
    if date.len() == 8 && are_digits(date) {
        return Day::new(number(date.get(..4)?)?, number(date.get(4..6)?)?, number(date.get(6..)?)?);
    }
    if let Ok(text) = core::str::from_utf8(date)
        && text.ends_with('日')
    {
        let mut parts = text.trim_end_matches('日').split(['年', '月']).map(|part| number(part.as_bytes()));
        let day = Day::new(parts.next()??, parts.next()??, parts.next()??);
        return if parts.next().is_none() { day } else { None };
    }
    parted(date)
}

/// Ten characters, as nearly all dates are written.
#[inline]
fn iso(date: &[u8; 10]) -> Option<Day> {
    let [.., sign @ (b'-' | b'/' | b'.'), _, _, again, _, _] = *date else { return None };
    if sign != again {
        return None;
    }
    let number =
        |from: usize, to: usize| ascii::number(date.get(from..to)?).and_then(|number| u16::try_from(number).ok());
    Day::new(number(0, 4)?, number(5, 7)?, number(8, 10)?)
}

fn parted(date: &[u8]) -> Option<Day> {
    let sign = *date.get(4)?;
    if !matches!(sign, b'-' | b'/' | b'.') || date.len() > 10 {
        return None;
    }
    let mut parts = date.split(|byte| *byte == sign).map(number);
    let day = Day::new(parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_none() { day } else { None }
}

/// Seconds since 1970 of a moment: 10 digits of seconds or 13 of milliseconds from 1990 to 2049, or a date with a time
/// of day (`2014-01-02 03:04:05`, ISO 8601; without a zone it is taken for UTC), or a date alone.
pub(crate) fn moment(text: &[u8]) -> Option<i64> {
    const FIRST: i64 = 631_152_000;
    const LAST: i64 = 2_524_608_000;
    let seconds = match text.len() {
        // A number that begins with 0 is one that is dialled.
        10 | 13 if text.first() == Some(&b'0') => return None,
        10 if are_digits(text) => wide(text)?,
        13 if are_digits(text) => wide(text)? / 1000,
        8..=32 => return written(text).filter(|seconds| (FIRST..LAST).contains(seconds)),
        _ => return None,
    };
    (FIRST..LAST).contains(&seconds).then_some(seconds)
}

fn written(text: &[u8]) -> Option<i64> {
    if let Some((date, [b' ' | b'T', time @ ..])) = text.split_first_chunk()
        && let (Some(day), Some(second)) = (iso(date), of_day(time))
    {
        return Some(midnight(day) + second);
    }
    let at = text.iter().position(|byte| matches!(byte, b' ' | b'T'));
    let date = calendar(text.get(..at.unwrap_or(text.len()))?)?;
    let midnight = midnight(date);
    let Some(at) = at else { return Some(midnight) };
    let time = text.get(at + 1..)?;
    let end = time.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b':')).unwrap_or(time.len());
    let mut parts = time.get(..end)?.split(|byte| *byte == b':').map(number);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let zone = time.get(end..)?;
    let known = zone.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b':' | b'Z'));
    let exists = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none() && known;
    exists.then(|| midnight + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second))
}

/// Seconds since 1970 of the day's beginning.
fn midnight(day: Day) -> i64 {
    (i64::from(day.0) + days_from_civil(1900, 1, 1)) * 86_400
}

/// Seconds of `hh:mm:ss` and nothing else.
#[inline]
fn of_day(time: &[u8]) -> Option<i64> {
    let [hour @ .., b':', _, _, b':', _, _] = time else { return None };
    let two = |from: usize| number(time.get(from..from + 2)?).map(i64::from);
    let (2, hour, minute, second) = (hour.len(), two(0)?, two(3)?, two(6)?) else { return None };
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// One to four digits as a number.
fn number(digits: &[u8]) -> Option<u16> {
    let shaped = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    shaped.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

fn wide(digits: &[u8]) -> Option<i64> {
    ascii::number(digits).and_then(|number| i64::try_from(number).ok())
}

/// Days since 1970-01-01 (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse, for years from 0 to 9999 (the same source).
pub(crate) fn civil_from_days(days: i64) -> (u16, u16, u16) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u16, month as u16, day as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_day_in_its_spellings() {
        let expected = Day::new(1990, 3, 7);
        for spelling in ["19900307", "1990-03-07", "1990/3/7", "1990.03.07", "1990-03-07 00:00:00", "1990年3月7日"] {
            assert_eq!(day(spelling.as_bytes()), expected, "{spelling}");
        }
        for decoy in
            ["19900230", "1990-13-01", "18990101", "1990-03-07 12:30:00", "0000-00-00", "1990307", "1990-03-07-08"]
        {
            assert_eq!(day(decoy.as_bytes()), None, "{decoy}");
        }
    }

    #[test]
    fn one_moment_in_its_spellings() {
        for spelling in
            ["1388631845", "1388631845123", "2014-01-02 03:04:05", "2014-01-02T03:04:05Z", "2014-01-02 03:04:05.123"]
        {
            assert_eq!(moment(spelling.as_bytes()), Some(1_388_631_845), "{spelling}");
        }
        for decoy in
            ["3888631845", "0123456789", "2014-01-02 25:00:00", "13886318451234", "2014-02-30 01:02:03", "not a moment"]
        {
            assert_eq!(moment(decoy.as_bytes()), None, "{decoy}");
        }
    }

    #[test]
    fn a_person_comes_of_age_on_the_eighteenth_birthday() {
        let born = Day::new(2000, 2, 29).unwrap();
        assert!(born.is_minor_on(Day::new(2018, 2, 28).unwrap()));
        assert!(!born.is_minor_on(Day::new(2018, 3, 1).unwrap()));
        assert!(!born.is_minor_on(Day::new(1999, 1, 1).unwrap()), "nobody is a minor before birth");
    }

    proptest! {
        /// The ways that most dates take give what the ways give that all can take.
        #[test]
        fn dates_as_most_are_written_are_read_as_all_others(
            date in "[0-2][09][0-9a][0-9][-/.][01][0-9][-/.][0-3][0-9]", time in "[ T]?[0-2][0-9]:[0-5][0-9a]:[0-6][0-9]"
        ) {
            let read = iso(date.as_bytes().first_chunk().unwrap());
            prop_assert!(read.is_none() || read == parted(date.as_bytes()));
            let of_day = of_day(time.trim_start().as_bytes());
            let behind_a_blank = written(format!("2014/1/2 {time}").as_bytes());
            if time.starts_with(char::is_numeric) {
                prop_assert_eq!(of_day.map(|seconds| 1_388_620_800 + seconds), behind_a_blank);
            }
        }

        #[test]
        fn a_day_gives_its_date_back(days in 0u16..65_000) {
            let (year, month, day) = Day(days).date();
            prop_assert_eq!(Day::new(year, month, day), Some(Day(days)));
        }

        #[test]
        fn a_moment_lies_on_its_day(seconds in 631_152_000i64..2_524_608_000) {
            let (year, month, day) = Day::of_moment(seconds).unwrap().date();
            prop_assert_eq!(moment(format!("{year:04}-{month:02}-{day:02}").as_bytes()), Some(seconds - seconds.rem_euclid(86_400)));
        }
    }
}
