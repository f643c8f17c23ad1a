//! Numbers of cells as people wrote them: telephone and account numbers without an exponent, dates as dates.

use std::borrow::Cow;

use crate::kind::civil_from_days;

/// Excel keeps fifteen digits of a number: what an exponent stands for beyond was lost when the workbook was written.
const MOST_DIGITS: usize = 15;

/// A number as it stands in a cell, in plain digits where it is a whole one. `None` where digits were lost.
pub(super) fn plain(written: &str) -> Option<Cow<'_, str>> {
    let Some((negative, digits, point)) = parts(written) else { return Some(Cow::Borrowed(written)) };
    let has_exponent = written.contains(['e', 'E']);
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(Cow::Borrowed("0")).filter(|_| has_exponent).or(Some(Cow::Borrowed(written)));
    }
    let leading = digits.len() - digits.trim_start_matches('0').len();
    // How many digits stand before the point, without zeros in front.
    let whole = point - leading as i64;
    if has_exponent && whole > MOST_DIGITS as i64 {
        return None;
    }
    if whole < significant.len() as i64 || !has_exponent && !written.contains('.') {
        return Some(Cow::Borrowed(written));
    }
    if whole > MOST_PLAIN {
        return None;
    }
    let zeros = "0".repeat((whole - significant.len() as i64) as usize);
    Some(Cow::Owned(format!("{}{significant}{zeros}", if negative { "-" } else { "" })))
}

/// Digits that are written out: a cell of more is no number of Excel.
const MOST_PLAIN: i64 = 40;

/// The sign, the digits without their point, and how many of them stand before it once the exponent is undone.
fn parts(written: &str) -> Option<(bool, String, i64)> {
    let negative = written.starts_with('-');
    let rest = written.strip_prefix(['-', '+']).unwrap_or(written);
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !(whole.is_empty() && fraction.is_empty()) && written.len() <= 64;
    let exponent: i64 = exponent.parse::<i16>().ok()?.into();
    (fits && is_number(whole) && is_number(fraction))
        .then(|| (negative, [whole, fraction].concat(), whole.len() as i64 + exponent))
}

/// The last day of the year 9999.
const LAST_DAY: f64 = 2_958_466.0;
/// From 1899-12-30, which is 0 where days count from 1900, to 1970-01-01; and from 1904-01-01.
const SINCE_1900: i64 = 25_569;
const SINCE_1904: i64 = 24_107;

/// The date of a serial number, and the time where it has one (ECMA-376 part 1, 18.17.4.1). `None` for what is no day.
pub(super) fn date(written: &str, from_1904: bool) -> Option<String> {
    let serial: f64 = written.parse().ok()?;
    if !(1.0..LAST_DAY).contains(&serial) {
        return None;
    }
    let seconds = (serial * 86_400.0).round() as i64;
    let (mut day, second) = (seconds / 86_400, seconds % 86_400);
    // 1900 was no leap year; Excel counts its 29th of February, which is day 60.
    day += i64::from(!from_1904 && day < 60);
    let (year, month, day) = civil_from_days(day - if from_1904 { SINCE_1904 } else { SINCE_1900 });
    let date = format!("{year:04}-{month:02}-{day:02}");
    Some(match second {
        0 => date,
        _ => format!("{date} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_lose_their_exponent_and_nothing_else() {
        for (written, plainly) in [
            ("13800138000", "13800138000"),
            ("1.3800138E+10", "13800138000"),
            ("1.38E+10", "13800000000"),
            ("13800138000.0", "13800138000"),
            ("-1.5E3", "-1500"),
            ("0.5", "0.5"),
            ("1E-3", "1E-3"),
            ("0", "0"),
            ("0E5", "0"),
            ("110105199003074518", "110105199003074518"),
            ("no number", "no number"),
        ] {
            assert_eq!(plain(written).as_deref(), Some(plainly), "{written}");
        }
        assert_eq!(plain("1.10105199003074E+17"), None, "the last three digits are not there");
        assert_eq!(plain("1E+30000"), None);
    }

    #[test]
    fn serial_dates() {
        assert_eq!(date("1", false).as_deref(), Some("1900-01-01"));
        assert_eq!(date("61", false).as_deref(), Some("1900-03-01"));
        assert_eq!(date("32874", false).as_deref(), Some("1990-01-01"));
        assert_eq!(date("45292.5", false).as_deref(), Some("2024-01-01 12:00:00"));
        assert_eq!(date("31412", true).as_deref(), Some("1990-01-01"));
        assert_eq!(date("0.5", false).or(date("1E300", false)).or(date("NaN", false)), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written(written in "[-+]?[0-9]{0,20}\\.?[0-9]{0,20}([eE][-+]?[0-9]{0,5})?", letters in ".{0,20}") {
            for text in [&written, &letters] {
                let _ = (plain(text), date(text, false), date(text, true));
            }
        }
    }
}
