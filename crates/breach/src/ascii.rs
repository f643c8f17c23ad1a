//! Digits of short values, eight bytes at a time. Values are 5 to 40 bytes long: byte by byte, each test costs as much as
//! a digest.

const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The byte in all eight places.
const fn all(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

/// True for decimal digits alone; also of nothing.
#[inline]
pub(crate) fn are_digits(value: &[u8]) -> bool {
    are(value, no_digits, u8::is_ascii_digit)
}

/// True for hexadecimal digits alone; also of nothing.
#[inline]
pub(crate) fn are_hex_digits(value: &[u8]) -> bool {
    are(value, no_hex_digits, u8::is_ascii_hexdigit)
}

/// True for ASCII letters and decimal digits alone; also of nothing.
#[inline]
pub(crate) fn are_alphanumeric(value: &[u8]) -> bool {
    are(value, not_alphanumeric, u8::is_ascii_alphanumeric)
}

/// Up to 19 decimal digits as a number. `None` for anything else.
#[inline]
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.len() > 19 || digits.is_empty() || !are_digits(digits) {
        return None;
    }
    let (words, rest) = digits.as_chunks::<8>();
    let sum = words.iter().fold(0, |sum, word| sum * 100_000_000 + eight_digits(u64::from_le_bytes(*word)));
    Some(rest.iter().fold(sum, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Sixteen hexadecimal digits as a number.
#[inline]
pub(crate) fn hex_number(digits: &[u8; 16]) -> Option<u64> {
    if !are_hex_digits(digits) {
        return None;
    }
    let [high, low] = [digits.first_chunk(), digits.last_chunk()];
    Some(eight_hex(*high?) << 32 | eight_hex(*low?))
}

#[inline]
fn are(value: &[u8], strange: fn(u64) -> u64, is: fn(&u8) -> bool) -> bool {
    if let Some(last) = value.last_chunk() {
        let words = value.as_chunks::<8>().0.iter().chain([last]);
        return words.fold(0, |found, word| found | strange(u64::from_le_bytes(*word))) == 0;
    }
    if let (Some(first), Some(last)) = (value.first_chunk(), value.last_chunk()) {
        let word = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
        return strange(word) == 0;
    }
    value.iter().all(is)
}

/// High bits where a byte is no decimal digit.
#[inline]
fn no_digits(word: u64) -> u64 {
    (word | outside(word, b'0', b'9')) & HIGHS
}

#[inline]
fn no_hex_digits(word: u64) -> u64 {
    (word | outside(word, b'0', b'9') & outside(word | all(0x20), b'a', b'f')) & HIGHS
}

#[inline]
fn not_alphanumeric(word: u64) -> u64 {
    (word | outside(word, b'0', b'9') & outside(word | all(0x20), b'a', b'z')) & HIGHS
}

/// High bits where an ASCII byte lies outside of the range.
#[inline]
fn outside(word: u64, first: u8, last: u8) -> u64 {
    let seven = word & !HIGHS;
    let (from, beyond) = (seven + all(0x80 - first), seven + all(0x7F - last));
    !from | beyond
}

/// Pairs, then pairs of pairs (Lemire 2018, "Quickly parsing eight digits").
#[inline]
pub(crate) fn eight_digits(word: u64) -> u64 {
    let ones = word & all(0x0F);
    let tens = (ones.wrapping_mul(10) + (ones >> 8)) & 0x00FF_00FF_00FF_00FF;
    let hundreds = (tens.wrapping_mul(100) + (tens >> 16)) & 0x0000_FFFF_0000_FFFF;
    (hundreds.wrapping_mul(10_000) + (hundreds >> 32)) & 0xFFFF_FFFF
}

#[inline]
fn eight_hex(digits: [u8; 8]) -> u64 {
    let word = u64::from_be_bytes(digits);
    let letters = word >> 6 & all(1);
    let nibbles = (word & all(0x0F)) + letters * 9;
    let bytes = (nibbles | nibbles >> 4) & 0x00FF_00FF_00FF_00FF;
    let pairs = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF;
    (pairs | pairs >> 16) & 0xFFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_is_told_in_every_place() {
        for byte in 0..=u8::MAX {
            for (length, place) in (1..=20).flat_map(|length| (0..length).map(move |place| (length, place))) {
                let mut value = vec![b'7'; length];
                value[place] = byte;
                assert_eq!(are_digits(&value), byte.is_ascii_digit(), "{byte} at {place} of {length}");
                assert_eq!(are_hex_digits(&value), byte.is_ascii_hexdigit(), "{byte} at {place} of {length}");
                assert_eq!(are_alphanumeric(&value), byte.is_ascii_alphanumeric(), "{byte} at {place} of {length}");
            }
        }
        assert!(are_digits(b"") && number(b"").is_none() && number(b"12345678901234567890").is_none());
    }

    proptest! {
        #[test]
        fn numbers_are_what_their_digits_say(decimal in "[0-9]{1,19}", hex in "[0-9a-fA-F]{16}") {
            prop_assert_eq!(number(decimal.as_bytes()), decimal.parse().ok());
            prop_assert_eq!(hex_number(hex.as_bytes().first_chunk().unwrap()), u64::from_str_radix(&hex, 16).ok());
        }
    }
}
