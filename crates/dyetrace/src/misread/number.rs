//! Numbers: the run of letters and digits must be as long as the number.

use super::Found;
use super::alike::alike;
use super::check::Check;
use dyetrace_case::Kind;
use std::ops::Range;

/// Shortest number, and shortest in which two characters may differ.
const ONE_DIFFERS: usize = 11;
const TWO_DIFFER: usize = 15;
/// Spaces and hyphens between two groups of digits.
const MOST_BETWEEN: usize = 3;
/// Codes of China before a phone number.
const COUNTRY: [&[u8]; 2] = [b"86", b"0086"];
/// Digits of such a phone number.
const PHONE: usize = 11;

/// A planted number.
pub(super) struct Number {
    characters: Vec<u8>,
    /// The check digit that it has, be it by accident.
    check: Option<Check>,
    /// Numbers of its kind have it.
    is_checked: bool,
}

/// Letters and digits of a line that stand together, without spaces and hyphens between digits.
pub(super) struct Run {
    characters: Vec<u8>,
    /// Bytes of the line.
    range: Range<usize>,
}

impl Number {
    /// Absent where the value is no number, or too short.
    pub(super) fn of(value: &str, kind: &Kind) -> Option<Self> {
        let characters: Vec<u8> = value.bytes().filter(|byte| !b" -".contains(byte)).collect();
        let (last, digits) = characters.split_last()?;
        let is_number = digits.iter().all(u8::is_ascii_digit) && (last.is_ascii_digit() || matches!(last, b'X' | b'x'));
        let check = Check::of(&characters);
        let is_checked = check.is_some_and(|check| check.is_of(kind));
        (is_number && characters.len() >= ONE_DIFFERS).then_some(Self { characters, check, is_checked })
    }

    /// Bits of all its digits.
    pub(super) fn bits(&self) -> f64 {
        self.characters.len() as f64 * 10_f64.log2()
    }

    /// The run that differs least.
    pub(super) fn in_line(&self, line: &str) -> Option<Found> {
        let found = runs(line).into_iter().filter_map(|run| self.compared(run));
        found.min_by_key(|found| (found.differ, found.is_neighbour))
    }

    fn compared(&self, run: Run) -> Option<Found> {
        let of = self.characters.len();
        let is_country = |code: &&&[u8]| of == PHONE && run.characters.len() == of + code.len();
        let code = COUNTRY.iter().filter(is_country).find_map(|code| run.characters.strip_prefix(*code));
        let read = code.unwrap_or(&run.characters);
        let differing = || read.iter().zip(&self.characters).filter(|(a, b)| !a.eq_ignore_ascii_case(b));
        let differ = differing().count();
        let most = if of >= TWO_DIFFER { 2 } else { 1 };
        // What passes its own check digit is another number.
        let is_other = differ > 0 && self.check.is_some_and(|check| check.holds(read));
        let is_checked = differ > 0 && self.is_checked && !is_other;
        let is_misread = is_checked || differing().all(|(a, b)| alike(char::from(*a), char::from(*b)));
        let lost = differ as f64 * 10_f64.log2();
        (read.len() == of && differ <= most && !is_other).then_some(Found {
            range: run.range,
            differ,
            of,
            is_checked,
            is_neighbour: !is_misread,
            lost,
        })
    }
}

/// The runs of a line that are long enough for a number.
pub(super) fn runs(line: &str) -> Vec<Run> {
    let bytes = line.as_bytes();
    let is_separator = |byte: &u8| b" -".contains(byte);
    // Between groups of digits there is often more than one space.
    let goes_on = |run: &Run| {
        let between = bytes.get(run.range.end..).unwrap_or_default();
        let length = between.iter().take(MOST_BETWEEN + 1).take_while(|byte| is_separator(byte)).count();
        let next = between.get(length).is_some_and(u8::is_ascii_digit);
        length <= MOST_BETWEEN && next && run.characters.last().is_some_and(u8::is_ascii_digit)
    };
    let mut all: Vec<Run> = Vec::new();
    let mut is_open = false;
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            if !is_open {
                all.push(Run { characters: Vec::new(), range: at..at });
                is_open = true;
            }
            if let Some(run) = all.last_mut() {
                run.characters.push(*byte);
                run.range.end = at + 1;
            }
        } else if is_open {
            is_open = is_separator(byte) && all.last().is_some_and(goes_on);
        }
    }
    all.retain(|run| run.characters.len() >= ONE_DIFFERS);
    all
}

#[cfg(test)]
mod tests {
    use super::super::{Amount, Misread, Sought, sought};

    fn found(planted: &Sought, line: &str) -> Option<Misread> {
        planted.in_line(line, Amount::of(line))
    }

    /// The example of GB 11643-1999.
    const RESIDENT: &str = "11010519491231002X";

    #[test]
    fn one_wrong_character_is_borne_out_by_the_check_digit() {
        let planted = sought("id.cn", RESIDENT).unwrap();
        let right = found(&planted, "公民身份号码110105 19491231 002x").unwrap();
        assert_eq!((right.differ, right.range), (0, 18..38));
        let grouped = found(&planted, "No. 11O105 19491231 002X").unwrap();
        assert_eq!((grouped.differ, grouped.range), (1, 4..24));
        assert_eq!(found(&planted, "No. 11010O 19491231 002X"), None, "a space behind a letter ends the run");
        let one = found(&planted, "No. 11O10519491231002X").unwrap();
        assert_eq!((one.differ, one.is_checked, &one.range), (1, true, &(4..22)));
        assert!((one.bits - (17.0 * 10_f64.log2() - 18_f64.log2())).abs() < 1e-9);
        let two = found(&planted, "11O1O519491231002X").unwrap();
        assert!(two.differ == 2 && two.bits < one.bits);
        for other in ["11OlO519491231002X", "1101051949123100", "1101051949123100222"] {
            assert_eq!(found(&planted, other), None, "{other}");
        }
    }

    #[test]
    fn a_number_that_passes_its_own_check_is_another_one() {
        let planted = sought("card", "4111 1111 1111 1111").unwrap();
        assert_eq!(found(&planted, "4111 1111 1111 1117").unwrap().differ, 1);
        assert_eq!(found(&planted, "4111  1111 - 1111  1111").unwrap().differ, 0);
        assert_eq!(found(&planted, "4111    1111 1111 1111"), None, "too far apart");
        assert_eq!(found(&planted, "4111111111111129"), None, "two digits differ, with the same sum");
    }

    #[test]
    fn a_phone_number_may_have_the_code_of_its_country() {
        let planted = sought("phone", "13800000427").unwrap();
        assert_eq!(found(&planted, "+86 138 0000 0427").unwrap().differ, 0);
        assert_eq!(found(&planted, "0086-138-0000-0421").unwrap().differ, 1);
        assert_eq!(found(&planted, "87 138 0000 0427"), None);
    }
}
