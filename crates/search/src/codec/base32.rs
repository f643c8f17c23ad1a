//! Base32: RFC 4648 sections 6 and 7, and Crockford's alphabet, in either case, padded or not.

use super::sense::{LOOKED_AT, begins_sensibly, makes_sense};
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::{Classes, Marks};
use crate::map::Map;
use std::ops::Range;

/// Runs of base32 characters.
pub(crate) struct Base32;

/// The name in trails.
pub(crate) const NAME: &str = "base32";

/// Shortest run that is decoded: ten bytes.
const SHORTEST: usize = 16;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "a value, or 16 characters or more, of one case and nothing else between delimiters; the ordinary, the extended hex and \
             Crockford's alphabet; where the result is text, begins like a compressed stream or has the length of a digest",
    place: "anywhere in text",
    exact: true,
    source: "RFC 4648 sections 6 and 7; Crockford, Base 32",
};

/// One alphabet: its name in trails beside the codec's, and its characters in order.
struct Alphabet {
    detail: Option<&'static str>,
    letters: &'static [u8; 32],
    values: [u8; 256],
}

impl Alphabet {
    const fn new(detail: Option<&'static str>, letters: &'static [u8; 32]) -> Self {
        Self { detail, letters, values: values(letters) }
    }
}

/// Not a character of the alphabet.
const NONE: u8 = 0xff;

static ALPHABETS: [Alphabet; 3] = [
    Alphabet::new(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    Alphabet::new(Some("hex alphabet"), b"0123456789ABCDEFGHIJKLMNOPQRSTUV"),
    Alphabet::new(Some("Crockford"), b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
];

/// The five bits of each character in either case.
const fn values(letters: &[u8; 32]) -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < 32 {
        table[letters[value] as usize] = value as u8;
        table[letters[value].to_ascii_lowercase() as usize] = value as u8;
        value += 1;
    }
    table
}

impl Codec for Base32 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn find(&self, _bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        marks.candidates_of(NAME).for_each(visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let text = bytes.get(span.clone())?;
        let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
        let characters = text.get(..text.len() - padding)?;
        let (alphabet, mut decoded) =
            ALPHABETS.iter().find_map(|alphabet| Some((alphabet, decode(characters, &alphabet.values)?)))?;
        let cut = decoded.len() > room;
        decoded.truncate(room);
        Some(Unwrapped { bytes: decoded, map: map(span.start), cut, detail: alphabet.detail.map(str::to_owned) })
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// Base32 of texts too short to be decoded, in each alphabet, without padding; of longer ones nothing.
pub(crate) fn short(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let length = (bytes.len() * 8).div_ceil(5);
    let texts = (0u8..).zip(ALPHABETS.iter().map(|alphabet| encode(bytes, alphabet)));
    texts.filter(|_| length < SHORTEST).collect()
}

/// What names the alphabet of that number in a trail.
pub(crate) fn detail(alphabet: u8) -> Option<String> {
    ALPHABETS.get(usize::from(alphabet))?.detail.map(str::to_owned)
}

/// From decoded offsets to offsets of characters.
pub(crate) fn map(start: usize) -> Map {
    Map::Ratio { start, chars: 8, bytes: 5, skips: Vec::new() }
}

/// The characters that were found with their padding, where they are a word of their own.
pub(crate) fn delimited(bytes: &[u8], found: &Range<usize>) -> Option<Range<usize>> {
    let is_alone = !is_word(bytes, found.start.checked_sub(1)) && !is_word(bytes, Some(found.end));
    is_alone.then(|| found.start..found.end + padding(&bytes[found.end..]))
}

fn encode(bytes: &[u8], alphabet: &Alphabet) -> Vec<u8> {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let value = |first: usize| (first..first + 5).fold(0, |value, at| value << 1 | u8::from(bit(at)));
    (0..bytes.len() * 8).step_by(5).map(|first| alphabet.letters[usize::from(value(first))]).collect()
}

/// Calls `visit` for each run, with its padding.
pub(super) fn candidates(bytes: &[u8], classes: &Classes, visit: &mut dyn FnMut(Range<usize>)) {
    let mut from = 0;
    while let Some(word) = classes.long_word_of_one_case(from) {
        from = word.end;
        if !classes.all_digits(&word) {
            within_word(bytes, &word, visit);
        }
    }
}

fn within_word(bytes: &[u8], word: &Range<usize>, visit: &mut dyn FnMut(Range<usize>)) {
    let mut floor = word.start;
    let mut at = word.start + SHORTEST - 1;
    while let Some(byte) = bytes.get(at).filter(|_| at < word.end) {
        if is_mixed(bytes, at) {
            floor = at;
            at += SHORTEST;
            continue;
        }
        let run = if byte.is_ascii_alphanumeric() { run_around(bytes, floor, at) } else { at..at };
        if run.len() >= SHORTEST && is_likely(bytes, &run) {
            visit(run.start..run.end + padding(&bytes[run.end..]));
        }
        floor = run.end;
        at = run.end.max(at) + SHORTEST;
    }
}

/// True where letters of both cases stand so near to `at` that no run of one case holds it: sixteen
/// characters around it hold the seven before it or the seven behind it.
fn is_mixed(bytes: &[u8], at: usize) -> bool {
    // Letters have bit 6, small ones bit 5 too. What is no letter belongs to no run anyway.
    let both = |eight: &[u8; 8]| {
        let word = u64::from_le_bytes(*eight);
        let letters = word & 0x4040_4040_4040_4040;
        (letters & !(word << 1)) != 0 && (letters & word << 1) != 0
    };
    let before = at.checked_sub(7).and_then(|start| bytes.get(start..)).and_then(<[u8]>::first_chunk);
    let behind = bytes.get(at..).and_then(<[u8]>::first_chunk);
    before.is_none_or(both) && behind.is_none_or(both)
}

/// The run of digits and letters of one case that holds the byte at `at`.
fn run_around(bytes: &[u8], floor: usize, at: usize) -> Range<usize> {
    let around = |member: fn(&&u8) -> bool| {
        let before = bytes[floor..at].iter().rev().take_while(member).count();
        at - before..at + bytes[at..].iter().take_while(member).count()
    };
    let upper: fn(&&u8) -> bool = |byte| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let lower: fn(&&u8) -> bool = |byte| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    match bytes.get(at) {
        Some(byte) if byte.is_ascii_uppercase() => around(upper),
        Some(byte) if byte.is_ascii_lowercase() => around(lower),
        _ => Some(around(upper)).filter(|run| run.len() >= SHORTEST).unwrap_or_else(|| around(lower)),
    }
}

/// Delimited, and neither a number nor hexadecimal.
fn is_likely(bytes: &[u8], run: &Range<usize>) -> bool {
    !is_word(bytes, run.start.checked_sub(1))
        && !is_word(bytes, Some(run.end))
        && matches!(run.len() % 8, 0 | 2 | 4 | 5 | 7)
        && bytes[run.clone()].iter().any(|byte| !byte.is_ascii_hexdigit())
}

fn is_word(bytes: &[u8], at: Option<usize>) -> bool {
    at.and_then(|at| bytes.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'_'))
}

fn padding(rest: &[u8]) -> usize {
    rest.iter().take(6).take_while(|byte| **byte == b'=').count()
}

/// The bytes where all characters belong to the alphabet, the bits left over are zero and the
/// result is worth searching.
fn decode(characters: &[u8], values: &[u8; 256]) -> Option<Vec<u8>> {
    let (start, rest) = characters.split_at(characters.len().min(LOOKED_AT));
    let mut out = Vec::with_capacity(characters.len() * 5 / 8);
    decode_into(start, values, &mut out)?;
    let is_digest_or_more = matches!(characters.len(), 26 | 32 | 45 | 52 | 77 | 103);
    if !is_digest_or_more && !begins_sensibly(&out) {
        return None;
    }
    decode_into(rest, values, &mut out)?;
    makes_sense(&out).then_some(out)
}

/// Appends whole bytes; `None` for a strange character or bits left over.
fn decode_into(characters: &[u8], values: &[u8; 256], out: &mut Vec<u8>) -> Option<()> {
    let mut bits = 0u32;
    let mut count = 0;
    for character in characters {
        let value = values[usize::from(*character)];
        if value == NONE {
            return None;
        }
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (bits == 0).then_some(())
}

/// Encodes in the ordinary alphabet, padded.
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    let mut out = wrap_with(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    out.resize(out.len().next_multiple_of(8), b'=');
    out
}

/// Encodes in any alphabet, without padding.
pub(crate) fn wrap_with(bytes: &[u8], letters: &[u8; 32]) -> Vec<u8> {
    let mut out = Vec::new();
    for group in bytes.chunks(5) {
        let bits = group.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - group.len()));
        let characters = (group.len() * 8).div_ceil(5);
        out.extend((0..characters).map(|place| letters[(bits >> (35 - 5 * place)) as usize & 31]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &[u8]) -> Option<(Range<usize>, Unwrapped)> {
        let mut found = None;
        Base32.find(text, &Marks::find(text), &mut |span| found = found.take().or(Some(span)));
        let span = found?;
        Some((span.clone(), Base32.unwrap(text, span, 1 << 20)?))
    }

    #[test]
    fn known_answers_of_rfc_4648() {
        for (plain, ordinary, hex) in [
            ("f", "MY======", "CO"),
            ("fo", "MZXQ====", "CPNG"),
            ("foo", "MZXW6===", "CPNMU"),
            ("foob", "MZXW6YQ=", "CPNMUOG"),
            ("fooba", "MZXW6YTB", "CPNMUOJ1"),
            ("foobar", "MZXW6YTBOI======", "CPNMUOJ1E8"),
        ] {
            assert_eq!(wrap(plain.as_bytes()), ordinary.as_bytes());
            assert_eq!(wrap_with(plain.as_bytes(), b"0123456789ABCDEFGHIJKLMNOPQRSTUV"), hex.as_bytes());
        }
    }

    #[test]
    fn every_alphabet_and_case_is_read_and_nothing_else() {
        for (text, detail) in [
            ("GEZTQMBQGAYDANBSG4", None),
            ("geztqmbqgaydanbsg4======", None),
            ("64PJGC1G60O30D1I6S", Some("hex alphabet")),
            ("64SKGC1G60R30D1J6W", Some("Crockford")),
        ] {
            let (span, found) = first(text.as_bytes()).unwrap();
            assert_eq!((span, &found.bytes[..], found.detail.as_deref()), (0..text.len(), &b"13800000427"[..], detail));
        }
        for text in
            ["d41d8cd98f00b204e9800998ecf8427e", "INTERNATIONALIZATION", "20261122031500123456", "xGEZTQMBQGAYDANBSG4"]
        {
            assert!(first(text.as_bytes()).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_to_characters_that_carry_it(text in "[ -~]{10,60}", lower: bool) {
            let wrapped = wrap(text.as_bytes());
            let wrapped = if lower { wrapped.to_ascii_lowercase() } else { wrapped };
            let (span, found) = first(&wrapped).unwrap();
            prop_assert_eq!(span, 0..wrapped.len());
            prop_assert_eq!(&found.bytes, text.as_bytes());
            for at in 0..text.len() {
                let outer = found.map.outer(&(at..at + 1));
                prop_assert!(outer.start * 5 <= at * 8 && outer.end * 5 >= at * 8 + 8 && outer.len() <= 3);
            }
        }
    }
}
