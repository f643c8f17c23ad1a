//! Hexadecimal, RFC 4648 section 8, in either case.

use super::table::About;
use crate::kernel;
use crate::map::Map;
use std::ops::Range;

/// The name in trails.
pub(crate) const NAME: &str = "hex";

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "hex",
    undoes: "pairs of hexadecimal digits in either case; eight digits or more, in whole fields fewer; digests whole, \
             or cut where the run ends",
    place: "anywhere in text",
    exact: true,
    source: "RFC 4648 section 8",
};

/// The value of a hexadecimal digit; 0 for any other byte.
pub(crate) fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// What each character is as a hexadecimal digit; of others 0.
pub(crate) static VALUES: [u8; 256] = {
    let mut table = [0; 256];
    let mut digit = 0;
    while digit < 10 {
        table[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    while digit < 16 {
        table[b'a' as usize + digit - 10] = digit as u8;
        table[b'A' as usize + digit - 10] = digit as u8;
        digit += 1;
    }
    table
};

/// Appends the bytes that pairs of digits stand for; a last single digit is left out.
pub(crate) fn decode_into(digits: &[u8], out: &mut Vec<u8>) {
    let read = kernel::hex(digits, out);
    plain_decode_into(digits.get(read..).unwrap_or_default(), out);
}

pub(crate) fn plain_decode_into(digits: &[u8], out: &mut Vec<u8>) {
    out.extend(digits.chunks_exact(2).map(|pair| VALUES[usize::from(pair[0])] << 4 | VALUES[usize::from(pair[1])]));
}

/// Encodes in lower case.
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    dyetrace_case::hex(bytes).into_bytes()
}

/// Appends what [`wrap`] gives.
pub(crate) fn wrap_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Digits of the groups of a UUID in text (RFC 9562 section 4), which some programs put a digest into.
const GUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
/// Length of a UUID in text.
pub(crate) const GUID: usize = 36;

/// Appends the sixteen bytes of a UUID in text; false where it is none.
pub(crate) fn guid_into(text: &[u8], out: &mut Vec<u8>) -> bool {
    let dash = |at: &usize| text.get(*at) == Some(&b'-');
    if text.len() != GUID || ![8, 13, 18, 23].iter().all(dash) {
        return false;
    }
    let mut digits = [0; 32];
    let (mut from, mut to) = (0, 0);
    for group in GUID_GROUPS {
        digits[to..to + group].copy_from_slice(&text[from..from + group]);
        (from, to) = (from + group + 1, to + group);
    }
    let is = digits.iter().all(u8::is_ascii_hexdigit);
    if is {
        decode_into(&digits, out);
    }
    is
}

/// From decoded offsets to offsets of digit pairs with dashes between groups.
pub(crate) fn guid_map(start: usize) -> Map {
    Map::Ratio { start, chars: 2, bytes: 1, skips: vec![(8, 1), (12, 2), (16, 3), (20, 4)] }
}

/// How far a run is followed to either side.
const FURTHEST: usize = 4096;

/// The run of digits around some that were found, from a whole pair of them on.
pub(crate) fn aligned(bytes: &[u8], found: &Range<usize>) -> Range<usize> {
    let digits = |byte: &&u8| byte.is_ascii_hexdigit();
    let before = bytes[..found.start].iter().rev().take(FURTHEST).take_while(digits).count();
    let after = bytes[found.end..].iter().take(FURTHEST).take_while(digits).count();
    found.start - before / 2 * 2..found.end + after / 2 * 2
}

/// The alignments at which a run is read: a run of odd length may begin or end with a stranger.
pub(crate) fn alignments(run: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let (start, end) = (run.start, run.end);
    (0..=(end - start) % 2).map(move |shift| start + shift..end)
}

/// From decoded offsets to offsets of digit pairs.
pub(crate) fn map(start: usize) -> Map {
    Map::Ratio { start, chars: 2, bytes: 1, skips: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vectors_decode_the_same(digits in prop_oneof!["[0-9a-fA-F]{0,200}", "[ -~]{0,200}", "[/:@Gg`xé]{0,80}"]) {
            let (mut found, mut expected) = (vec![7], vec![7]);
            decode_into(digits.as_bytes(), &mut found);
            plain_decode_into(digits.as_bytes(), &mut expected);
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_back(bytes: Vec<u8>, upper: bool) {
            let text = dyetrace_case::hex(&bytes);
            let text = if upper { text.to_uppercase() } else { text };
            let mut decoded = Vec::new();
            decode_into(text.as_bytes(), &mut decoded);
            prop_assert_eq!(&decoded, &bytes);
            for at in 0..bytes.len() {
                prop_assert_eq!(map(0).outer(&(at..at + 1)), 2 * at..2 * at + 2);
            }
        }
    }

    #[test]
    fn odd_runs_are_read_at_both_alignments() {
        assert_eq!(alignments(&(3..12)).collect::<Vec<_>>(), [3..12, 4..12]);
        assert_eq!(alignments(&(3..11)).count(), 1);
    }
}
