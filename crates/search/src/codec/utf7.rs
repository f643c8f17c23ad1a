//! UTF-7, RFC 2152: `Hi Mom -+Jjo--!`, with UTF-16 in base64 between `+` and `-`.

use super::table::About;
use super::{Codec, Unwrapped, spans_around};
use crate::classify::{Classes, Marks};
use crate::map::Unescaped;
use std::ops::Range;

/// Text in UTF-7.
pub(crate) struct Utf7;

/// The name in trails.
pub(crate) const NAME: &str = "utf-7";

/// How far from a shifted part the text that belongs to it may reach.
const REACH: usize = 4 << 10;
/// Longest shifted part, in characters of base64: a position map counts each by one byte.
const LONGEST_SHIFT: usize = 200;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "`+`, UTF-16 in base64, `-`; parts of at most 200 characters of letters in use, so that base64 with a `+` in \
             it is left alone",
    place: "anywhere in text",
    exact: true,
    source: "RFC 2152",
};

impl Codec for Utf7 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn find(&self, bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let marks: Vec<usize> = marks.candidates_of(NAME).map(|span| span.start).collect();
        spans_around(&marks, bytes, REACH, |byte| matches!(byte, b'\n' | b'\r' | b'"' | 0), visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, _room: usize) -> Option<Unwrapped> {
        let (decoded, map) = unescape(bytes.get(span.clone())?).finish(span.start)?;
        Some(Unwrapped::new(decoded, map))
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// Longer runs of base64 characters are base64.
const LONGEST_RUN: usize = 256;
/// Characters of base64 around a plus, letters of both cases and digits among them, that are no words.
const AROUND_BASE64: usize = 20;

/// Calls `visit` for each shifted part that begins with one of the pluses.
pub(super) fn candidates(bytes: &[u8], classes: &Classes, pluses: &[usize], visit: &mut dyn FnMut(Range<usize>)) {
    let mut floor = 0;
    for &at in pluses {
        if at < floor {
            continue;
        }
        let end = classes.base64_end(at);
        if end - at > LONGEST_RUN {
            floor = end;
            continue;
        }
        if !begins_in_use(&bytes[at + 1..]) {
            continue;
        }
        let shifted = &bytes[at + 1..end];
        let other = memchr::memchr2(b'-', b'_', shifted);
        if !is_whole(other.unwrap_or(shifted.len())) {
            continue;
        }
        // Encoders close a part, unless what follows cannot belong to it.
        let may_close = other.is_some_and(|other| shifted[other..].contains(&b'-'));
        if !may_close && stands_in_base64(bytes, at, end) {
            continue;
        }
        if let Some((length, _)) = decode(&bytes[at..]) {
            visit(at..at + length);
        }
    }
}

/// True where so much base64 stands before the plus, or around it in a quoted text or before padding,
/// that the plus is one of its characters rather than the start of a shifted part.
fn stands_in_base64(bytes: &[u8], plus: usize, end: usize) -> bool {
    let before = &bytes[plus.saturating_sub(AROUND_BASE64)..plus];
    let count = before.iter().rev().take_while(|byte| is_base64(**byte)).count();
    let is_value = matches!(bytes.get(end), Some(b'"' | b'='));
    let reach = if count == AROUND_BASE64 { plus } else { end };
    if count < AROUND_BASE64 && !(is_value && count + end - plus >= AROUND_BASE64) {
        return false;
    }
    let class = |byte: &u8| match byte {
        b'0'..=b'9' => 1,
        b'A'..=b'Z' => 2,
        b'a'..=b'z' => 4,
        _ => 0,
    };
    bytes[plus - count..reach].iter().fold(0, |classes, byte| classes | class(byte)) == 7
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The length of the shifted part that the text begins with, with its closing `-` where there is
/// one, and its characters in UTF-8.
fn decode(text: &[u8]) -> Option<(usize, String)> {
    let rest = text.get(1..).filter(|_| text.first() == Some(&b'+'))?;
    if !begins_in_use(rest) {
        return None;
    }
    let count = rest.iter().take(LONGEST_SHIFT + 1).take_while(|byte| is_base64(**byte)).count();
    if !is_whole(count) {
        return None;
    }
    let mut sextets = Vec::with_capacity(count);
    super::base64::sextets_into(&rest[..count], &mut sextets);
    // Encoders leave zero bits behind the last unit.
    let unused = 2 * (count % 8 / 3);
    if sextets.last().is_some_and(|last| last & ((1 << unused) - 1) != 0) {
        return None;
    }
    let mut decoded = Vec::with_capacity(count);
    super::base64::pack_into(&sextets, &mut decoded);
    let units = decoded.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    let closing = usize::from(rest.get(count) == Some(&b'-'));
    text.chars().all(is_in_use).then_some((1 + count + closing, text))
}

/// True for so many characters of base64 as stand for whole units of 16 bits, which leave 0, 2 or 4 bits of the last one.
fn is_whole(count: usize) -> bool {
    (3..=LONGEST_SHIFT).contains(&count) && matches!(count % 8, 0 | 3 | 6)
}

/// False where the first units of 16 bits are no characters in use: base64 has a plus in every 64
/// characters, and this tells most.
fn begins_in_use(shifted: &[u8]) -> bool {
    let known = |bytes: &[u8]| bytes.iter().fold(0, |known, byte| known | SEXTETS[usize::from(*byte)]) & FOREIGN == 0;
    let six = shifted.get(..6).filter(|six| known(six));
    let Some(first) = six.or(shifted.get(..3)) else { return false };
    let sextet = |byte: &u8| u64::from(SEXTETS[usize::from(*byte)] & !FOREIGN);
    let bits = first.iter().fold(0u64, |bits, byte| bits << 6 | sextet(byte));
    let unit = |number: usize| char::from_u32((bits >> (first.len() * 6 - 16 * number) & 0xffff) as u32);
    !(1..=first.len() / 3).any(|number| unit(number).is_some_and(|c| !is_in_use(c)))
}

/// The bit of bytes that are not of the standard alphabet.
const FOREIGN: u8 = 0x80;

/// The six bits of each byte, and whether it is of the alphabet.
static SEXTETS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        table[byte] = super::base64::sextet(character) | if is_base64(character) { 0 } else { FOREIGN };
        byte += 1;
    }
    table
};

/// Characters of the scripts that people write in; of 65,536 units of 16 bits about half.
fn is_in_use(c: char) -> bool {
    match BLOCKS.get(c as usize >> 8) {
        Some(Block::Unused) => false,
        Some(Block::Used) => true,
        _ => IN_USE.iter().any(|(first, last)| (*first..=*last).contains(&(c as u32))),
    }
}

const IN_USE: [(u32, u32); 16] = [
    (0x09, 0x0a),
    (0x0d, 0x0d),
    (0x20, 0x7e),
    (0xa0, 0x52f),
    (0x5d0, 0x6ff),
    (0x900, 0x97f),
    (0xe00, 0xe7f),
    (0x2010, 0x2044),
    (0x20ac, 0x20ac),
    (0x2190, 0x27bf),
    (0x3000, 0x30ff),
    (0x4e00, 0x9fff),
    (0xac00, 0xd7a3),
    (0xff01, 0xffee),
    (0x1f300, 0x1faff),
    (0x20000, 0x2ffff),
];

/// What is known of 256 characters together.
#[derive(Clone, Copy)]
enum Block {
    /// None is in use.
    Unused,
    /// All are.
    Used,
    /// Each is asked about.
    Mixed,
}

/// Of the units of 16 bits: those of base64 are asked about too often to ask range by range.
static BLOCKS: [Block; 256] = {
    let mut blocks = [Block::Unused; 256];
    let mut number = 0;
    while number < 256 {
        let (first, last) = (number as u32 * 256, number as u32 * 256 + 255);
        let mut at = 0;
        while at < IN_USE.len() {
            if IN_USE[at].0 <= first && IN_USE[at].1 >= last {
                blocks[number] = Block::Used;
            } else if IN_USE[at].0 <= last && IN_USE[at].1 >= first {
                blocks[number] = Block::Mixed;
            }
            at += 1;
        }
        number += 1;
    }
    blocks
};

fn unescape(text: &[u8]) -> Unescaped {
    let mut out = Unescaped::default();
    let mut from = 0;
    for at in memchr::memchr_iter(b'+', text) {
        if at < from {
            continue;
        }
        if let Some((length, decoded)) = decode(&text[at..]) {
            out.literal(&text[from..at]);
            out.escape(at, length, decoded.as_bytes());
            from = at + length;
        } else if text.get(at + 1) == Some(&b'-') {
            out.literal(&text[from..at]);
            out.escape(at, 2, b"+");
            from = at + 2;
        }
    }
    out.literal(&text[from..]);
    out
}

/// Encodes text; letters, digits and a few marks stay as they are.
pub(crate) fn wrap(text: &str) -> Vec<u8> {
    let is_direct = |c: &char| c.is_ascii_alphanumeric() || " '(),./:?\r\n".contains(*c);
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let direct = is_direct(&c);
        let length = rest.char_indices().find(|(_, c)| is_direct(c) != direct).map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at(length);
        rest = after;
        if direct {
            out.extend_from_slice(part.as_bytes());
            continue;
        }
        for part in part.chars().collect::<Vec<_>>().chunks(20) {
            let units: String = part.iter().collect();
            let units: Vec<u8> = units.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push(b'+');
            out.extend(super::base64::wrap(&units, false, false));
            out.push(b'-');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &[u8]) -> Option<Unwrapped> {
        let mut found = None;
        Utf7.find(text, &Marks::find(text), &mut |span| found = found.take().or(Some(span)));
        Utf7.unwrap(text, found?, 1 << 20)
    }

    #[test]
    fn the_examples_of_the_standard() {
        for (text, plain) in [
            (&b"A+ImIDkQ."[..], "A\u{2262}\u{391}."),
            (b"Hi Mom -+Jjo--!", "Hi Mom -\u{263a}-!"),
            (b"+ZeVnLIqe-", "\u{65e5}\u{672c}\u{8a9e}"),
            (b"1 +- a+AEA-b", "1 + a@b"),
        ] {
            assert_eq!(String::from_utf8(first(text).unwrap().bytes).unwrap(), plain);
        }
        for text in [&b"a+b-c"[..], b"+8613800000427", b"q=a+bcd+e", b"Zm9v+YmFyYmF6YmFyYmF6cXV4MTIzMTIz"] {
            assert!(first(text).is_none());
        }
    }

    #[test]
    fn a_plus_within_base64_and_bits_behind_the_last_unit_begin_no_shifted_part() {
        assert!(first(b"\"nhY1qT8rWb3LxKd92mPz+ZeU\"").is_none());
        assert!(first(b"\"nhY1qT8rWb3LxKd92mPz+ZeU-\"").is_some());
        assert!(first(b"\"nhY1qT8rWb3Lx+ZeVnLIqe\"").is_none());
        assert!(first(b"\"nhY1qT8r+ZeU\"").is_some());
        assert!(first(b"+AEA-").is_some() && first(b"+AEB-").is_none());
    }

    #[test]
    fn blocks_of_characters_tell_what_the_ranges_do() {
        let listed = |c: char| IN_USE.iter().any(|(first, last)| (*first..=*last).contains(&(c as u32)));
        assert!((0..0x30_000).filter_map(char::from_u32).all(|c| is_in_use(c) == listed(c)));
    }

    /// Each plus is decoded, whatever stands around it.
    fn plain(bytes: &[u8], classes: &Classes, pluses: &[usize]) -> Vec<Range<usize>> {
        let mut floor = 0;
        let mut found = Vec::new();
        for &at in pluses {
            let end = classes.base64_end(at);
            if at >= floor && end - at > LONGEST_RUN {
                floor = end;
            }
            let may_close = bytes[at..bytes.len().min(end + 1)].contains(&b'-');
            if at >= floor && (may_close || !stands_in_base64(bytes, at, end)) {
                found.extend(decode(&bytes[at..]).map(|(length, _)| at..at + length));
            }
        }
        found
    }

    proptest! {
        #[test]
        fn what_is_turned_away_early_would_not_be_decoded(text in "([A-Za-z0-9+/_-]{0,12}|\\+AGEAYg|\\+ZeVnLA-?|[\" =.]){0,24}") {
            let bytes = text.as_bytes();
            let mut classes = Classes::default();
            classes.read(bytes);
            let pluses: Vec<usize> = memchr::memchr_iter(b'+', bytes).collect();
            let mut found = Vec::new();
            candidates(bytes, &classes, &pluses, &mut |span| found.push(span));
            prop_assert_eq!(found, plain(bytes, &classes, &pluses));
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_part_maps_back(text in "[a-z@=é张小]{1,60}") {
            let wrapped = wrap(&text);
            let Some(found) = first(&wrapped) else {
                prop_assert_eq!(&wrapped, text.as_bytes());
                return Ok(());
            };
            prop_assert_eq!(std::str::from_utf8(&found.bytes).unwrap(), &text);
            for (at, c) in text.char_indices() {
                let outer = found.map.outer(&(at..at + c.len_utf8()));
                let part = unescape(&wrapped[outer]).bytes;
                prop_assert!(part.windows(c.len_utf8()).any(|window| window == c.to_string().as_bytes()));
            }
        }
    }
}
