//! The first of a few bytes in short fields, eight bytes at a time.
//!
//! Fields are 5 to 30 bytes long: a call to `memchr` costs as much as the field. The zero-byte test is
//! Mycroft's (1987); its first hit is exact, and only the first is used.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How far to look here before `memchr` is the faster.
const SHORT: usize = 64;

/// The place of the first `a` or `b` at or after `at`.
#[inline]
pub(crate) fn either(text: &[u8], at: usize, a: u8, b: u8) -> Option<usize> {
    let rest = text.get(at..)?;
    let (wide_a, wide_b) = (ONES * u64::from(a), ONES * u64::from(b));
    let (words, _) = rest[..rest.len().min(SHORT)].as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let hits = zeros(word ^ wide_a) | zeros(word ^ wide_b);
        if hits != 0 {
            return Some(at + index * 8 + (hits.trailing_zeros() / 8) as usize);
        }
    }
    let done = words.len() * 8;
    memchr::memchr2(a, b, &rest[done..]).map(|length| at + done + length)
}

/// The place of the first `a`, `b` or `c` at or after `at`.
#[inline]
pub(crate) fn any(text: &[u8], at: usize, [a, b, c]: [u8; 3]) -> Option<usize> {
    let rest = text.get(at..)?;
    let wide = [a, b, c].map(|byte| ONES * u64::from(byte));
    let (words, _) = rest[..rest.len().min(SHORT)].as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let hits = wide.iter().fold(0, |hits, wide| hits | zeros(word ^ wide));
        if hits != 0 {
            return Some(at + index * 8 + (hits.trailing_zeros() / 8) as usize);
        }
    }
    let done = words.len() * 8;
    memchr::memchr3(a, b, c, &rest[done..]).map(|length| at + done + length)
}

/// A high bit in every byte that is zero, and perhaps in bytes above one that is.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn as_memchr_does(text in proptest::collection::vec(0u8..6, 0..150), at in 0usize..160, a in 0u8..6, b in 0u8..6) {
            let slow = text.get(at..).and_then(|rest| memchr::memchr2(a, b, rest)).map(|length| at + length);
            proptest::prop_assert_eq!(either(&text, at, a, b), slow);
            let slow = text.get(at..).and_then(|rest| memchr::memchr3(a, b, 5, rest)).map(|length| at + length);
            proptest::prop_assert_eq!(any(&text, at, [a, b, 5]), slow);
        }
    }
}
