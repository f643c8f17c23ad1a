//! Chinese identity numbers: GB 11643-1999, its form of 15 digits, and permits with the same
//! structure.

use super::checksum::mod_11_2;
use super::{Checks, Pass, RecogniseOptions, ResidentIdMode};
use crate::spelling::date::Date;

/// Provinces of the mainland in GB/T 2260, whose residents hold these cards.
const PROVINCES: [u8; 31] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65,
];

/// log2(100/31): the province.
const PROVINCE_BITS: f32 = 1.7;
/// log2(100 · 100 / (71 · 99)): prefecture and county.
const COUNTY_BITS: f32 = 0.5;
/// log2(10^8 / days from 1900 to today).
const BIRTH_BITS: f32 = 11.1;
/// log2(11).
const CHECK_BITS: f32 = 3.5;

/// Checks a whole candidate of 15 or 18 characters.
pub(super) fn check(candidate: &[u8], options: RecogniseOptions) -> Option<Pass> {
    match candidate.len() {
        18 => eighteen(candidate, options),
        15 if options.resident_ids == ResidentIdMode::Historical => fifteen(candidate),
        _ => None,
    }
}

fn eighteen(candidate: &[u8], options: RecogniseOptions) -> Option<Pass> {
    let body = candidate.get(..17)?;
    if !body.iter().all(u8::is_ascii_digit) || !mod_11_2(candidate) {
        return None;
    }
    let birth = (number(body.get(6..10)?), number(body.get(10..12)?), number(body.get(12..14)?));
    if !is_date(birth.0, birth.1, birth.2, options.year) {
        return None;
    }
    let checks = Checks::CHECKSUM.and(Checks::DATE).and(Checks::PREFIX);
    if is_place(body, options.resident_ids == ResidentIdMode::Historical) {
        return Some(Pass::new("id.cn", checks, PROVINCE_BITS + COUNTY_BITS + BIRTH_BITS + CHECK_BITS));
    }
    let permit = options.resident_ids == ResidentIdMode::Permit && is_permit(body);
    permit.then(|| Pass::new("id.cn.permit", checks, 1.0 + BIRTH_BITS + CHECK_BITS))
}

/// The form issued until 1999: six digits of place, six of birth, three of order.
fn fifteen(candidate: &[u8]) -> Option<Pass> {
    let digits = candidate.iter().all(u8::is_ascii_digit) && is_place(candidate, true);
    let year = 1900 + number(candidate.get(6..8)?);
    let date = is_date(year, number(candidate.get(8..10)?), number(candidate.get(10..12)?), 1999);
    (digits && date).then(|| Pass::new("id.cn", Checks::DATE.and(Checks::PREFIX), PROVINCE_BITS + 4.8))
}

/// True for a province in use, a prefecture (01–20 and 51–70 cities, 21–50 regions, 90 counties
/// under the province) and a county (not 00, which is the prefecture itself).
pub(super) fn is_place(digits: &[u8], any_county: bool) -> bool {
    let [province, prefecture, county] = [0, 2, 4].map(|at| number(digits.get(at..at + 2).unwrap_or_default()));
    is_province(province) && (any_county || matches!(prefecture, 1..=70 | 90) && county != 0)
}

fn is_province(code: u16) -> bool {
    const KNOWN: u128 = {
        let (mut known, mut at) = (0, 0);
        while at < PROVINCES.len() {
            known |= 1 << PROVINCES[at];
            at += 1;
        }
        known
    };
    code < 128 && KNOWN >> code & 1 == 1
}

/// Hong Kong, Macao and Taiwan residents (State Council, measures of 2018), and foreigners (9, two
/// digits of province, three of nationality in ISO 3166-1; National Immigration Administration,
/// 2023).
fn is_permit(digits: &[u8]) -> bool {
    if matches!(digits.get(..6), Some(b"810000" | b"820000" | b"830000")) {
        return true;
    }
    let province = number(digits.get(1..3).unwrap_or_default());
    let nationality = number(digits.get(3..6).unwrap_or_default());
    digits.first() == Some(&b'9') && is_province(province) && (4..=894).contains(&nationality)
}

/// Digits as a number.
pub(super) fn number(digits: &[u8]) -> u16 {
    digits.iter().fold(0u16, |sum, digit| sum.wrapping_mul(10).wrapping_add(u16::from(digit.wrapping_sub(b'0'))))
}

/// True for a day of the Gregorian calendar from 1900 to the end of `latest`.
pub(super) fn is_date(year: u16, month: u16, day: u16, latest: u16) -> bool {
    let [of_year, month, day] = [year, month, day].map(i64::from);
    (1900..=latest).contains(&year) && Date { year: of_year, month, day }.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(candidate: &str, resident_ids: ResidentIdMode) -> Option<&'static str> {
        let options = RecogniseOptions { resident_ids, year: 2026, ..RecogniseOptions::default() };
        check(candidate.as_bytes(), options).map(|pass| pass.kind)
    }

    #[test]
    fn each_mode_takes_what_it_says() {
        use ResidentIdMode::{Historical, Permit, Strict};
        let cases = [
            ("11010519491231002X", Some("id.cn"), Some("id.cn"), Some("id.cn")),
            ("11010519491231002x", Some("id.cn"), Some("id.cn"), Some("id.cn")),
            ("110105194912310021", None, None, None),
            // Born on 29 February of a year without one; born in the 19th century.
            ("110105199902290016", None, None, None),
            ("440524188001010014", None, None, None),
            ("110101491001001", None, Some("id.cn"), None),
            ("110101491301001", None, None, None),
        ];
        for (candidate, strict, historical, permit) in cases {
            assert_eq!(kind(candidate, Strict), strict, "strict {candidate}");
            assert_eq!(kind(candidate, Historical), historical, "historical {candidate}");
            assert_eq!(kind(candidate, Permit), permit, "permit {candidate}");
        }
    }

    #[test]
    fn permits_need_their_mode() {
        for body in ["81000019900307000", "82000019900307000", "83000019900307000", "91184019900307000"] {
            let candidate = "0123456789X".chars().map(|check| format!("{body}{check}"));
            let valid: Vec<_> = candidate.filter(|id| mod_11_2(id.as_bytes())).collect();
            assert_eq!(valid.len(), 1);
            assert_eq!(kind(&valid[0], ResidentIdMode::Permit), Some("id.cn.permit"));
            assert_eq!(kind(&valid[0], ResidentIdMode::Strict), None);
        }
    }
}
