//! CBOR (RFC 8949) and sequences of it (RFC 8742).

use super::table::About;
use super::tree::{self, Announces, Dialect, Item, big_endian, span};
use super::{Field, Structure, Typed};
use std::ops::{ControlFlow, Range};

/// Maps, arrays and tagged items, one or several behind one another.
pub(crate) struct Cbor;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: <Cbor as Dialect>::NAME,
    undoes: "maps and arrays, also of indefinite length: text, bytes in one or several pieces, bignums as bytes, \
             whole numbers, half to double floats, keys; tags are passed over",
    place: "whole bodies and whole fields",
    exact: true,
    source: "RFC 8949",
};

/// Length field for "until a break".
const INDEFINITE: u8 = 31;
/// The break stop code.
const BREAK: u8 = 0xff;

/// True where the bytes are nothing but CBOR that holds a string or two items.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| is_first(*first))
        && tree::may_be_whole::<Cbor>(bytes)
        && tree::summary::<Cbor>(bytes).is_some_and(|found| {
            let enough = found.strings > 0 || found.leaves > 1;
            enough && found.odd_keys == 0 && found.broken == 0 && found.roots <= found.leaves
        })
}

/// True for the heads of arrays, maps and tags.
pub(super) const fn is_first(byte: u8) -> bool {
    matches!(byte, 0x80..=0xdb)
}

impl Structure for Cbor {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = tree::walk::<Self>(bytes, visit);
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }

    fn is_certain(&self) -> bool {
        false
    }
}

impl Dialect for Cbor {
    const NAME: &'static str = "cbor";

    fn item(bytes: &[u8], at: usize) -> Option<(Item, usize)> {
        let head = *bytes.get(at)?;
        let (major, short) = (head >> 5, head & 31);
        match (major, short) {
            (7, _) => return simple(bytes, at),
            (2 | 3, INDEFINITE) => return pieces(bytes, at + 1, major),
            (4, INDEFINITE) => return Some((Item::Array(None), at + 1)),
            (5, INDEFINITE) => return Some((Item::Map(None), at + 1)),
            _ => {}
        }
        let (argument, range) = argument(bytes, at)?;
        let end = range.end;
        let item = match major {
            0 => Item::Number(range, Typed::Integer(i128::from(argument))),
            1 => Item::Number(range, Typed::Integer(-1 - i128::from(argument))),
            2 | 3 => {
                let range = span(bytes, end, argument)?;
                let end = range.end;
                return Some((Item::String(range, major == 3), end));
            }
            4 => Item::Array(Some(argument)),
            5 => Item::Map(Some(argument)),
            _ => Item::Tag,
        };
        Some((item, end))
    }

    fn skip(bytes: &[u8], at: usize) -> Option<(Announces, usize)> {
        let head = *bytes.get(at)?;
        let (major, short) = (head >> 5, head & 31);
        if major == 7 || short == INDEFINITE {
            let (item, next) = Self::item(bytes, at)?;
            return Some((tree::announced(&item), next));
        }
        let (argument, range) = argument(bytes, at)?;
        Some(match major {
            0 | 1 => (Announces::Items(0), range.end),
            2 | 3 => (Announces::Items(0), span(bytes, range.end, argument)?.end),
            4 => (Announces::Items(argument), range.end),
            5 => (Announces::Items(argument.saturating_mul(2)), range.end),
            _ => (Announces::Next, range.end),
        })
    }
}

/// The argument of the head at `at`, and where it lies: in the head itself or behind it
/// (section 3).
fn argument(bytes: &[u8], at: usize) -> Option<(u64, Range<usize>)> {
    let short = bytes.get(at)? & 31;
    match short {
        0..=23 => Some((u64::from(short), at..at + 1)),
        24..=27 => {
            let width = 1 << (short - 24);
            Some((big_endian(bytes, at + 1, width)?, at + 1..at + 1 + width))
        }
        _ => None,
    }
}

/// Simple values and floating-point numbers (section 3.3).
fn simple(bytes: &[u8], at: usize) -> Option<(Item, usize)> {
    if bytes.get(at) == Some(&BREAK) {
        return Some((Item::Break, at + 1));
    }
    let (argument, range) = argument(bytes, at)?;
    let end = range.end;
    let typed = match bytes.get(at)? & 31 {
        25 => Typed::Single(half(argument as u16)),
        26 => Typed::Single(f32::from_bits(argument as u32)),
        27 => Typed::Double(f64::from_bits(argument)),
        24 if argument < 32 => return None,
        _ => return Some((Item::Number(end..end, Typed::Bytes), end)),
    };
    Some((Item::Number(range, typed), end))
}

/// IEEE 754 binary16 (RFC 8949, appendix D).
fn half(bits: u16) -> f32 {
    let mantissa = f32::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 31 {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        exponent => (mantissa + 1024.0) * 2f32.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// A string of indefinite length: pieces of known length and the same type, then a break
/// (section 3.2.3).
fn pieces(bytes: &[u8], mut at: usize, major: u8) -> Option<(Item, usize)> {
    let mut pieces = Vec::new();
    loop {
        let head = *bytes.get(at)?;
        if head == BREAK {
            return Some((Item::Chunks(pieces), at + 1));
        }
        let (length, range) = argument(bytes, at).filter(|_| head >> 5 == major)?;
        let piece = span(bytes, range.end, length)?;
        at = piece.end;
        if !piece.is_empty() {
            pieces.push(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::{noise, seen};
    use proptest::prelude::*;

    fn unhex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    /// Labels with either the text or the number, for documents of the RFC.
    fn read(hex: &str) -> Vec<(String, String)> {
        let bytes = unhex(hex);
        let shown = |typed: Typed, range: Range<usize>| match typed {
            Typed::Bytes => String::from_utf8_lossy(&bytes[range]).into_owned(),
            Typed::Integer(number) => number.to_string(),
            Typed::Double(number) => format!("{number:e}"),
            Typed::Single(number) => format!("{number:e} single"),
        };
        seen(&Cbor, &bytes).into_iter().map(|field| (field.label, shown(field.typed, field.range))).collect()
    }

    fn expect(hex: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(label, text)| ((*label).to_owned(), (*text).to_owned())).collect();
        assert_eq!(read(hex), expected, "{hex}");
    }

    /// RFC 8949, appendix A.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        expect("a26161016162820203", &[("key in", "a"), ("/a", "1"), ("key in", "b"), ("/b/0", "2"), ("/b/1", "3")]);
        expect("bf6346756ef563416d7421ff", &[("key in", "Fun"), ("key in", "Amt"), ("/Amt", "-2")]);
        expect("9f018202039f0405ffff", &[("/0", "1"), ("/1/0", "2"), ("/1/1", "3"), ("/2/0", "4"), ("/2/1", "5")]);
        expect("c11a514b67b0", &[("", "1363896240")]);
        expect("a201020304", &[("key in", "1"), ("/1", "2"), ("key in", "3"), ("/3", "4")]);
        expect("3bffffffffffffffff", &[("", "-18446744073709551616")]);
        expect("1b000000e8d4a51000", &[("", "1000000000000")]);
        expect("f93c00", &[("", "1e0 single")]);
        expect("f90001", &[("", "5.9604645e-8 single")]);
        expect("f9c400", &[("", "-4e0 single")]);
        expect("fa47c35000", &[("", "1e5 single")]);
        expect("fbc010666666666666", &[("", "-4.1e0")]);
        expect("d9d9f78101", &[("/0", "1")]);
    }

    #[test]
    fn a_string_in_pieces_is_one_field_of_its_pieces() {
        let bytes = unhex("7f657374726561646d696e67ff");
        let found = seen(&Cbor, &bytes);
        assert_eq!((found[0].range.clone(), found[0].chunks.clone()), (2..12, vec![2..7, 8..12]));
        let mut joined = None;
        Cbor.walk(&bytes, &mut |field| {
            joined = field.decode(&bytes);
            ControlFlow::Continue(())
        });
        let (text, map) = joined.unwrap();
        assert_eq!(text, b"streaming");
        assert_eq!((map.outer(&(0..5)), map.outer(&(5..9)), map.outer(&(4..6))), (2..7, 8..12, 6..9));
    }

    #[test]
    fn what_breaks_the_rules_is_not_cbor() {
        for broken in ["8201", "a161", "bf6161ff", "7f6161", "5f6161ff", "81ff", "811c", "81f81f", "9fc1ff", "8101c1"] {
            assert!(!begins(&unhex(broken)), "{broken}");
        }
        assert!(begins(&unhex("a161616162")) && begins(&unhex("820102")) && begins(&unhex("9f0102ff")));
    }

    /// Fewer than 1 in 50 of eight bytes, 1 in 250 from sixteen.
    #[test]
    fn random_bytes_rarely_pass() {
        for length in [8, 16, 20, 32, 64, 1000] {
            let passed = (0..50_000).filter(|seed| begins(&noise(*seed, length))).count();
            assert!(passed < if length < 16 { 1000 } else { 200 }, "{passed} of {length} bytes");
        }
    }

    #[test]
    fn deep_nesting_and_many_items_cost_no_more_than_their_bytes() {
        assert!(!begins(&b"\x81".repeat(1_000_000)) && !begins(&b"\x9f".repeat(1_000_000)));
        assert!(!begins(&b"\x7f".repeat(1_000_000)));
        let many = [&b"\x9f"[..], &b"\x01".repeat(1_000_000), b"\xff"].concat();
        assert!(begins(&many));
        let pieces = [&b"\x81\x7f"[..], &b"\x61a".repeat(200_000), b"\xff"].concat();
        assert!(begins(&pieces));
        assert_eq!(seen(&Cbor, &pieces)[0].chunks.len(), 200_000);
    }

    fn head(major: u8, argument: u64) -> Vec<u8> {
        [&[major << 5 | 0x1b][..], &argument.to_be_bytes()].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        [head(3, text.len() as u64), text.into()].concat()
    }

    proptest! {
        #[test]
        fn what_was_written_comes_out(
            pairs in proptest::collection::vec(("[a-z]{1,9}", "[ -~]{1,40}", any::<u64>(), any::<f64>()), 1..6),
            indefinite in any::<bool>(),
        ) {
            let mut bytes = if indefinite { vec![0xbf] } else { head(5, pairs.len() as u64) };
            for (key, value, number, double) in &pairs {
                bytes.extend([text(key), head(4, 3), text(value), head(1, *number), vec![0xfb], double.to_be_bytes().to_vec()].concat());
            }
            bytes.extend(indefinite.then_some(BREAK));
            prop_assert!(begins(&bytes));
            let found = seen(&Cbor, &bytes);
            prop_assert_eq!(found.len(), pairs.len() * 4);
            for (four, (key, value, number, double)) in found.chunks(4).zip(&pairs) {
                prop_assert_eq!(&bytes[four[0].range.clone()], key.as_bytes());
                prop_assert_eq!(&four[1].label, &format!("/{key}/0"));
                prop_assert_eq!(&bytes[four[1].range.clone()], value.as_bytes());
                prop_assert_eq!(four[2].typed, Typed::Integer(-1 - i128::from(*number)));
                prop_assert_eq!(&bytes[four[3].range.clone()], &double.to_be_bytes());
            }
        }

        #[test]
        fn passing_over_an_item_tells_what_reading_it_tells(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let read = Cbor::item(&bytes, 0).map(|(item, next)| (tree::announced(&item), next));
            prop_assert_eq!(Cbor::skip(&bytes, 0), read);
        }

        #[test]
        fn any_bytes_are_walked_inside_their_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            begins(&bytes);
            seen(&Cbor, &bytes);
        }
    }
}
