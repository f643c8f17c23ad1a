//! Telephone numbers: Chinese mobiles with or without the country's code, and ITU-T E.164 with its
//! plus sign.

use super::phone_lengths::LENGTHS;
use super::{Checks, Pass};

/// log2(1000/56): the share of three-digit prefixes that are given out to mobiles.
const MOBILE_BITS: f32 = 4.1;
/// A `+` among digits and signs, a code that exists, a length that exists behind it.
const INTERNATIONAL_BITS: f32 = 5.0;

/// True for the three digits a Chinese mobile number starts with (numbering plan of the Ministry
/// of Industry and Information Technology; 140 to 144 are of machines).
fn is_mobile_prefix(digits: &[u8]) -> bool {
    match digits {
        [b'1', b'3' | b'8', ..] => true,
        [b'1', b'4', third, ..] => *third >= b'5',
        [b'1', b'5' | b'9', third, ..] => *third != b'4',
        [b'1', b'6', third, ..] => matches!(third, b'2' | b'5'..=b'7'),
        [b'1', b'7', third, ..] => *third <= b'8',
        _ => false,
    }
}

/// A run of digits: a Chinese mobile, also behind 86 or 0086.
pub(super) fn mobile(digits: &[u8]) -> Option<Pass> {
    let (national, code_bits) = match digits.len() {
        11 => (digits, 0.0),
        13 => (digits.strip_prefix(b"86")?, 6.6),
        15 => (digits.strip_prefix(b"0086")?, 13.3),
        _ => return None,
    };
    is_mobile_prefix(national).then(|| Pass::new("phone", Checks::PREFIX, MOBILE_BITS + code_bits))
}

/// Digits that followed a plus sign, without separators.
pub(super) fn international(digits: &[u8]) -> Option<Pass> {
    if !(7..=15).contains(&digits.len()) || digits.first() == Some(&b'0') {
        return None;
    }
    if digits.starts_with(b"861") && digits.len() == 13 {
        return mobile(digits);
    }
    let mut code = 0u16;
    for (index, digit) in digits.iter().take(3).enumerate() {
        code = code * 10 + u16::from(digit.checked_sub(b'0')?);
        if let Ok(found) = LENGTHS.binary_search_by_key(&code, |(code, _)| *code) {
            let rest = digits.len() - index - 1;
            let exists = LENGTHS.get(found).is_some_and(|(_, lengths)| lengths >> rest & 1 == 1);
            return exists.then(|| Pass::new("phone", Checks::PREFIX, INTERNATIONAL_BITS));
        }
    }
    None
}

/// The value of a field that is named as a phone number: any of the above, or 7 to 15 digits with
/// usual separators.
pub(super) fn named(value: &[u8]) -> Option<Pass> {
    let mut digits = Vec::with_capacity(15);
    for (index, byte) in value.iter().enumerate() {
        match byte {
            b'0'..=b'9' if digits.len() < 15 => digits.push(*byte),
            b'+' if index == 0 => {}
            b' ' | b'-' | b'(' | b')' | b'.' if index > 0 || *byte == b'(' => {}
            _ => return None,
        }
    }
    if value.first() == Some(&b'+') {
        return international(&digits);
    }
    let plain = || (digits.len() >= 7 && value.len() <= 24).then(|| Pass::new("phone", Checks::default(), 0.0));
    mobile(&digits).or_else(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobiles_start_with_an_assigned_prefix() {
        for good in ["13812345678", "19912345678", "8616612345678", "008617012345678"] {
            assert!(mobile(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["12812345678", "15412345678", "19412345678", "1381234567", "8712345678901", "14012345678"] {
            assert!(mobile(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_share_of_mobile_prefixes_is_as_stated() {
        let share = (0..1000).filter(|prefix| is_mobile_prefix(format!("{prefix:03}").as_bytes())).count();
        assert!(((1000.0 / share as f32).log2() - MOBILE_BITS).abs() < 0.1, "{share}");
    }

    #[test]
    fn international_numbers_have_a_code_and_a_length_that_exist() {
        assert!(international(b"442071838750").is_some());
        assert!(international(b"12684601234").is_some());
        assert!(international(b"2101234567").is_none(), "210 is not assigned");
        assert!(international(b"1555123").is_none(), "too short for North America");
        assert!(LENGTHS.is_sorted_by_key(|(code, _)| *code));
    }
}
