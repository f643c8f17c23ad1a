//! Payment cards: issuer range, length and check digit (ISO/IEC 7812-1).

use super::checksum::luhn;
use super::{Checks, Pass};

/// A range of numbers given to a scheme.
struct Range {
    /// First and last prefix.
    prefixes: (u32, u32),
    /// Digits in the prefix.
    width: u32,
    /// Lengths taken where nothing says that it is a card.
    unnamed: &'static [usize],
    /// Lengths taken in a field that is named as a card.
    named: &'static [usize],
}

const fn range(prefixes: (u32, u32), width: u32, unnamed: &'static [usize], named: &'static [usize]) -> Range {
    Range { prefixes, width, unnamed, named }
}

/// The schemes' published ranges. Long numbers without a name are mostly identifiers of other
/// things, so only UnionPay, whose debit cards have 19 digits, is taken at that length.
const RANGES: [Range; 16] = [
    range((62, 62), 2, &[16, 17, 18, 19], &[16, 17, 18, 19]), // UnionPay
    range((8100, 8171), 4, &[16, 19], &[16, 17, 18, 19]),     // UnionPay
    range((4, 4), 1, &[16], &[13, 16, 19]),                   // Visa
    range((51, 55), 2, &[16], &[16]),                         // Mastercard
    range((2221, 2720), 4, &[16], &[16]),                     // Mastercard
    range((34, 34), 2, &[15], &[15]),                         // American Express
    range((37, 37), 2, &[15], &[15]),                         // American Express
    range((3528, 3589), 4, &[16], &[16, 17, 18, 19]),         // JCB
    range((300, 305), 3, &[14], &[14, 16, 19]),               // Diners Club
    range((36, 36), 2, &[14], &[14, 16, 19]),                 // Diners Club
    range((38, 39), 2, &[14], &[14, 16, 19]),                 // Diners Club
    range((6011, 6011), 4, &[16], &[16, 19]),                 // Discover
    range((644, 649), 3, &[16], &[16, 19]),                   // Discover
    range((65, 65), 2, &[16], &[16, 19]),                     // Discover
    range((67, 67), 2, &[16], &[12, 13, 14, 15, 16, 17, 18, 19]), // Maestro
    range((2200, 2204), 4, &[16], &[16, 17, 18, 19]),         // Mir
];

/// log2(10): the check digit.
const LUHN_BITS: f32 = 3.3;

/// Checks a run of digits; `named` where a field's name says that it is a card.
pub(super) fn check(digits: &[u8], named: bool) -> Option<Pass> {
    is_card(digits, named)
        .then(|| Pass::new("card", Checks::PREFIX.and(Checks::CHECKSUM), LUHN_BITS - share(digits.len(), named).log2()))
}

/// True for digits that pass, without the bits.
pub(super) fn is_card(digits: &[u8], named: bool) -> bool {
    let first = digits.iter().take(4).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    RANGES.iter().any(|range| range.holds(first, digits.len(), named)) && luhn(digits)
}

/// The value of a field named as a card, in groups or not.
pub(super) fn named(value: &[u8]) -> Option<Pass> {
    let digits: Vec<u8> = value.iter().copied().filter(u8::is_ascii_digit).take(20).collect();
    let clean = value.len() <= 24 && value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'-'));
    if clean { check(&digits, true) } else { None }
}

impl Range {
    /// Whether a number with these first four digits and this length is one of it.
    fn holds(&self, first: u32, length: usize, named: bool) -> bool {
        let prefix = match self.width {
            1 => first / 1000,
            2 => first / 100,
            3 => first / 10,
            _ => first,
        };
        (self.prefixes.0..=self.prefixes.1).contains(&prefix) && self.takes(length, named)
    }

    fn takes(&self, length: usize, named: bool) -> bool {
        (if named { self.named } else { self.unnamed }).contains(&length)
    }
}

/// The share of numbers of that length that lie in a range.
fn share(length: usize, named: bool) -> f32 {
    let taken = RANGES.iter().filter(|range| range.takes(length, named));
    taken.map(|range| (range.prefixes.1 - range.prefixes.0 + 1) as f32 / 10f32.powi(range.width as i32)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_length_and_check_digit_must_agree() {
        for good in ["6226050967750613", "4716461583322103", "375556917985515", "36050234196908", "3566002020360505"] {
            assert!(check(good.as_bytes(), false).is_some(), "{good}");
        }
        for bad in ["6226050967750614", "7716461583322103", "471646158332210", "0000000000000000", "1700000000000004"] {
            assert!(check(bad.as_bytes(), false).is_none(), "{bad}");
        }
        assert!(check(b"4716989580001715211", false).is_none(), "19 digits of Visa need a name");
        assert!(named(b"4716-2210-5188-5662").is_some());
        assert!(named(b"4716989580001715211").is_some());
    }
}
