//! Base58 and base62 of whole fields: the bytes as one large number.

use super::Leaf;
use super::sense::makes_sense;
use super::table::About;
use crate::map::Map;

/// A field as one number in an alphabet of its own. Leading characters of value 0 stand for leading
/// zero bytes, as Bitcoin has it.
pub(crate) struct BigNumber {
    name: &'static str,
    radix: u32,
    values: [u8; 256],
    letters: &'static [u8],
}

/// Shortest field: eight bytes. Shorter ones are words.
const SHORTEST: usize = 11;
/// Longest field. The work grows with the square of the length.
const LONGEST: usize = 512;
/// Characters that make a number of less than 64 bits: 62^10 is below 2^60.
const DIGITS: usize = 10;
/// Not a character of the alphabet.
const NONE: u8 = 0xff;

/// Bitcoin's alphabet.
pub(crate) static BITCOIN: BigNumber =
    BigNumber::new("base58", b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
/// Flickr's alphabet.
pub(crate) static FLICKR: BigNumber =
    BigNumber::new("base58 flickr", b"123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ");
/// Ripple's alphabet.
pub(crate) static RIPPLE: BigNumber =
    BigNumber::new("base58 ripple", b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz");
/// Digits, capitals, small letters.
pub(crate) static BASE62: BigNumber =
    BigNumber::new("base62", b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/// Digits, small letters, capitals.
pub(crate) static BASE62_SMALL: BigNumber =
    BigNumber::new("base62 lower first", b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

/// The rows of the table of wrappings.
pub(crate) const ABOUT: [About; 5] = [
    about("base58", "Bitcoin's alphabet", "Bitcoin Core, base58.cpp"),
    about("base58 flickr", "Flickr's alphabet", "Flickr API, short URLs"),
    about("base58 ripple", "Ripple's alphabet", "XRP Ledger, base58 encodings"),
    about("base62", "digits, capitals, small letters, as one number of the whole", "PyPI base62, GMP"),
    about("base62 lower first", "digits, small letters, capitals, as one number of the whole", "npm base-x"),
];

const fn about(name: &'static str, undoes: &'static str, source: &'static str) -> About {
    let place = "whole fields of 11 to 512 letters and digits, both cases among them";
    About { name, undoes, place, exact: false, source }
}

impl BigNumber {
    const fn new(name: &'static str, letters: &'static [u8]) -> Self {
        let mut values = [NONE; 256];
        let mut value = 0;
        while value < letters.len() {
            values[letters[value] as usize] = value as u8;
            value += 1;
        }
        Self { name, radix: letters.len() as u32, values, letters }
    }

    /// True for characters of such numbers.
    pub(crate) const fn has(&self, character: u8) -> bool {
        self.values[character as usize] != NONE
    }

    fn value(&self, character: u8) -> Option<u32> {
        Some(self.values[usize::from(character)]).filter(|value| *value != NONE).map(u32::from)
    }

    /// The number's bytes, highest first, behind a zero byte for each leading zero.
    fn number(&self, field: &[u8]) -> Option<Vec<u8>> {
        let zeros = field.iter().take_while(|byte| self.value(**byte) == Some(0)).count();
        // 64 bits each, lowest first.
        let mut limbs: Vec<u64> = Vec::with_capacity(field.len() / DIGITS + 1);
        for digits in field[zeros..].chunks(DIGITS) {
            let (mut carry, mut scale) = (0u64, 1u64);
            for character in digits {
                carry = carry * u64::from(self.radix) + u64::from(self.value(*character)?);
                scale *= u64::from(self.radix);
            }
            for limb in &mut limbs {
                let product = u128::from(*limb) * u128::from(scale) + u128::from(carry);
                *limb = product as u64;
                carry = (product >> 64) as u64;
            }
            if carry > 0 {
                limbs.push(carry);
            }
        }
        let mut bytes = vec![0; zeros];
        if let Some((highest, others)) = limbs.split_last() {
            bytes.extend_from_slice(&highest.to_be_bytes()[highest.leading_zeros() as usize / 8..]);
            others.iter().rev().for_each(|limb| bytes.extend_from_slice(&limb.to_be_bytes()));
        }
        Some(bytes)
    }

    /// Encodes.
    pub(crate) fn wrap(&self, bytes: &[u8]) -> Vec<u8> {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut digits: Vec<u32> = Vec::new();
        for byte in &bytes[zeros..] {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                carry += *digit << 8;
                *digit = carry % self.radix;
                carry /= self.radix;
            }
            while carry > 0 {
                digits.push(carry % self.radix);
                carry /= self.radix;
            }
        }
        let all = std::iter::repeat_n(0, zeros).chain(digits.into_iter().rev());
        all.map(|digit| self.letters[digit as usize]).collect()
    }
}

impl Leaf for BigNumber {
    fn name(&self) -> &'static str {
        self.name
    }

    fn decode(&self, field: &[u8], out: &mut Vec<u8>) -> bool {
        let is_likely = (SHORTEST..=LONGEST).contains(&field.len())
            && field.iter().all(|byte| self.values[usize::from(*byte)] != NONE)
            && field.iter().any(u8::is_ascii_uppercase)
            && field.iter().any(u8::is_ascii_lowercase);
        let Some(number) = is_likely.then(|| self.number(field)).flatten() else { return false };
        let is_kept = makes_sense(&number);
        if is_kept {
            out.extend_from_slice(&number);
        }
        is_kept
    }

    /// Every byte depends on every character.
    fn map(&self, field: &[u8], start: usize) -> Map {
        Map::Whole(start..start + field.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [&BigNumber; 5] = [&BITCOIN, &FLICKR, &RIPPLE, &BASE62, &BASE62_SMALL];

    /// draft-msporny-base58-03 section 5.
    #[test]
    fn known_answers() {
        for (plain, coded) in [
            (&b"Hello World!"[..], &b"2NEpo7TZRRrLZSi2U"[..]),
            (
                b"The quick brown fox jumps over the lazy dog.",
                b"USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
            ),
        ] {
            let mut decoded = Vec::new();
            assert!(BITCOIN.decode(coded, &mut decoded));
            assert_eq!(decoded, plain);
            assert_eq!(BITCOIN.wrap(plain), coded);
        }
        assert_eq!(BITCOIN.wrap(&[0, 0, 0x28, 0x7f, 0xb4, 0xcd]), b"11233QC4");
    }

    #[test]
    fn words_are_not_numbers() {
        for word in ["applicationName", "getElementById", "firstName", "JavaScript", "0123456789abcdef"] {
            assert!(ALL.iter().all(|codec| !codec.decode(word.as_bytes(), &mut Vec::new())), "{word}");
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(text in "[ -~]{9,60}", which in 0..5usize) {
            let wrapped = ALL[which].wrap(text.as_bytes());
            let both = wrapped.iter().any(u8::is_ascii_uppercase) && wrapped.iter().any(u8::is_ascii_lowercase);
            let mut decoded = Vec::new();
            prop_assert_eq!(ALL[which].decode(&wrapped, &mut decoded), both);
            prop_assert!(!both || decoded == text.as_bytes());
        }

        #[test]
        fn numbers_are_read_back(bytes: Vec<u8>, which in 0..5usize) {
            prop_assert_eq!(ALL[which].number(&ALL[which].wrap(&bytes)), Some(bytes));
        }
    }
}
