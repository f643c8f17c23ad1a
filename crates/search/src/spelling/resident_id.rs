//! Resident identity numbers of mainland China (GB 11643).

use super::date;
use super::list::{List, Spelling};
use super::mask::{self, Joined};
use super::number::{grouped, integer};

/// Weights of the first 17 digits: 2^(17−i) modulo 11 (ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Values of the check character, from 0 to 10.
const CHECKS: &[u8; 11] = b"0123456789X";

/// 18 characters: place, birth, order, check. The first edition had 15: no century, no check.
pub(super) fn push(text: &str, list: &mut List) {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if plain.len() != 18 || !plain.is_ascii() || !plain[..17].bytes().all(|b| b.is_ascii_digit()) {
        return;
    }
    list.push("without separators", &plain);
    for (form, gap) in [("with spaces", " "), ("with dashes", "-")] {
        list.push(form, grouped(&plain, &[6, 8, 4], gap));
        list.push(form, grouped(&plain, &[6, 4, 4, 4], gap));
    }
    list.insert(Spelling::text("without check character", &plain[..17]).bounded());
    list.insert(Spelling::text("of 15 digits", [&plain[..6], &plain[8..17]].concat()).bounded().derived());
    integer("integer", &plain, list);
    for (head, tail) in [(6, 4), (3, 4), (4, 4)] {
        mask::push(&plain, head, tail, Joined::Closely, list);
    }
    if let Some(birth) = date::parse(&plain[6..14]) {
        for text in [birth.compact(), birth.iso()] {
            list.insert(Spelling::text("birthday", text).bounded().derived().carrying(date::BITS));
        }
    }
}

/// The check character's value for 17 digits, 0 to 10.
pub(crate) fn check(body: &[u8]) -> u32 {
    let sum: u32 =
        body.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0') % 10) * weight).sum();
    (12 - sum % 11) % 11
}

/// The character of a check value.
pub(crate) fn check_character(value: u32) -> char {
    char::from(CHECKS[(value % 11) as usize])
}
