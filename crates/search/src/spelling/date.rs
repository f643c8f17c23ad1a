//! Days: birthdays and other dates.

use super::list::{List, Spelling};
use super::number::integer;

/// Bits of a day within a century.
pub(super) const BITS: f64 = 15.2;

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Date {
    /// Of four digits.
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
}

/// Reads `1990-01-31`, also with other separators, without zeros or without separators.
pub(crate) fn parse(text: &str) -> Option<Date> {
    let parts: Vec<&str> = if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        vec![&text[..4], &text[4..6], &text[6..]]
    } else {
        text.split(['-', '/', '.', '年', '月', '日', ' ']).filter(|part| !part.is_empty()).collect()
    };
    let [year, month, day] = parts[..] else { return None };
    let number = |text: &str| text.parse::<i64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let found = Date { year: number(year)?, month: number(month)?, day: number(day)? };
    (year.len() == 4 && found.exists()).then_some(found)
}

impl Date {
    /// True where the calendar has the day.
    pub(crate) fn exists(self) -> bool {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let last = match self.month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (1..=12).contains(&self.month) && (1..=last).contains(&self.day)
    }

    /// `19900131`
    pub(super) fn compact(self) -> String {
        self.joined("")
    }

    /// ISO 8601: `1990-01-31`
    pub(super) fn iso(self) -> String {
        self.joined("-")
    }

    fn joined(self, gap: &str) -> String {
        format!("{:04}{gap}{:02}{gap}{:02}", self.year, self.month, self.day)
    }

    /// Seconds from 1970-01-01 to its midnight in UTC (Howard Hinnant, "chrono-compatible
    /// low-level date algorithms", `days_from_civil`).
    fn epoch(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468) * 86_400
    }
}

/// A day in every usual order, and as the seconds and milliseconds of its midnight.
pub(super) fn push(text: &str, list: &mut List) {
    let Some(found) = parse(text) else { return };
    let Date { year, month, day } = found;
    list.push("ISO", found.iso());
    list.number("compact", found.compact());
    list.push("with slashes", found.joined("/"));
    list.push("with dots", found.joined("."));
    for gap in ["/", "-", "."] {
        list.number("day first", format!("{day:02}{gap}{month:02}{gap}{year}"));
        list.number("month first", format!("{month:02}{gap}{day:02}{gap}{year}"));
        list.number("without zeros", format!("{year}{gap}{month}{gap}{day}"));
    }
    list.number("day first, without zeros", format!("{day}/{month}/{year}"));
    list.number("month first, without zeros", format!("{month}/{day}/{year}"));
    list.push("Chinese", format!("{year}年{month}月{day}日"));
    list.push("Chinese", format!("{year}年{month:02}月{day:02}日"));
    in_english(found, list);
    epochs(found, list);
    list.cap(BITS);
}

fn in_english(Date { year, month, day }: Date, list: &mut List) {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let Some(name) = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)) else { return };
    for name in [name, &name[..3]] {
        for text in [format!("{name} {day}, {year}"), format!("{day} {name} {year}")] {
            list.insert(Spelling::text("in English", text).any_case(true).bounded());
        }
    }
}

/// Midnight in UTC, and in China, where phones that hold a birthday as a time mostly stand.
fn epochs(day: Date, list: &mut List) {
    for (zone, shift) in [("UTC", 0), ("UTC+8", 8 * 3600)] {
        let seconds = day.epoch() - shift;
        for (unit, number) in [("seconds", seconds), ("milliseconds", seconds.saturating_mul(1000))] {
            let form = format!("{unit} of midnight in {zone}");
            let text = number.to_string();
            if text.len() >= 6 {
                list.number(&form, &text);
            }
            list.integer(&form, i128::from(number), BITS);
        }
    }
    integer("compact, integer", &day.compact(), list);
}
