//! lz-string by pieroxy: an LZ78 of UTF-16 units, packed six bits into a character of base64
//! (`compressToBase64`), of its own alphabet for URLs (`compressToEncodedURIComponent`), or fifteen
//! bits into a character from U+0020 (`compressToUTF16`).

use super::sense::is_mostly_text;
use super::table::About;
use super::{Codec, Leaf, Unwrapped};
use crate::classify::Marks;
use crate::map::Map;
use std::ops::Range;

/// A field packed by lz-string.
pub(crate) struct LzString;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "lz-string",
    undoes: "the outputs of compressToBase64, compressToEncodedURIComponent, compressToUTF16 and compressToUint8Array, whole to the end marker",
    place: "whole fields; as bytes whole bodies",
    exact: false,
    source: "lz-string by pieroxy",
};

/// Shortest field, in bytes.
const SHORTEST: usize = 6;
/// Longest result, in UTF-16 units, and units for each packed byte. Codes that each name the newest sequence give
/// the square of their number; what programs keep is seldom a tenth of its length.
const LONGEST: usize = 1 << 20;
const MOST_GROWN: usize = 64;
/// Numbers of zeros behind the last bit: bytes are filled to pairs, and then perhaps written as base64.
const MOST_TRAILING: usize = 3;
/// Longest packed bytes, which nothing marks.
const LONGEST_BYTES: usize = 1 << 20;
/// Not a character of base64.
const NONE: u8 = 0xff;

/// Both alphabets in one; they differ in bits 62 and 63 and share `+`.
const VALUES: [u8; 256] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < letters.len() {
        table[letters[value] as usize] = value as u8;
        value += 1;
    }
    table[b'+' as usize] = 62;
    // What a form makes of `+`.
    table[b' ' as usize] = 62;
    table[b'/' as usize] = 63;
    table[b'-' as usize] = 63;
    table
};

impl Leaf for LzString {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn decode(&self, field: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(units) = unpacked(field) else { return false };
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        out.extend_from_slice(text.collect::<String>().as_bytes());
        true
    }

    /// Every character depends on those before it.
    fn map(&self, field: &[u8], start: usize) -> Map {
        Map::Whole(start..start + field.len())
    }
}

/// True where text of compressToUTF16 begins behind a quotation mark.
pub(crate) fn stands_in(bytes: &[u8]) -> bool {
    let begins = |quote: usize| {
        let rest = &bytes[quote + 1..];
        rest.first().is_some_and(|byte| *byte >= 0x80) && {
            let end = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            rest.get(end) == Some(&b'\\') || may_be_utf16(&rest[..end])
        }
    };
    !bytes.is_ascii() && memchr::memchr_iter(b'"', bytes).any(begins)
}

/// Bytes packed by compressToUint8Array: units of sixteen bits, the high byte first.
pub(crate) struct LzStringBytes;

impl Codec for LzStringBytes {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let is_text = bytes.iter().take(SHORTEST).all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'));
        let fits = bytes.len() >= SHORTEST && bytes.len().is_multiple_of(2) && bytes.len() <= LONGEST_BYTES;
        // Nearly all other bytes break off within the first few codes.
        if fits && !is_text && decompress_bytes(bytes).is_some() {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let units = decompress_bytes(bytes.get(span.clone())?)?;
        let mut text = String::from_utf16(&units).ok()?.into_bytes();
        let cut = text.len() > room;
        text.truncate(room);
        is_mostly_text(&text).then(|| Unwrapped { cut, ..Unwrapped::new(text, Map::Whole(span)) })
    }
}

fn decompress_bytes(bytes: &[u8]) -> Option<Vec<u16>> {
    let (pairs, _) = bytes.as_chunks::<2>();
    decompress(Bits::new(pairs.iter().map(|pair| Some(u16::from_be_bytes(*pair))), 16), most_units(bytes))
}

/// True for text that compressToUTF16 may have written: hardly any of its characters is ASCII.
pub(crate) fn may_be_utf16(field: &[u8]) -> bool {
    let start = field.get(..SHORTEST).unwrap_or_default();
    !start.iter().all(u8::is_ascii) && !start.iter().any(u8::is_ascii_control) && unpacked(field).is_some()
}

/// Units that packed bytes may become: more are not worth the time, which nothing is charged for.
fn most_units(packed: &[u8]) -> usize {
    packed.len().saturating_mul(MOST_GROWN).min(LONGEST)
}

fn unpacked(field: &[u8]) -> Option<Vec<u16>> {
    if field.len() < SHORTEST {
        return None;
    }
    if field.iter().take(SHORTEST).all(|byte| VALUES[usize::from(*byte)] != NONE) {
        let padding = field.iter().rev().take(3).take_while(|byte| matches!(byte, b'=' | b'$')).count();
        let characters = field.get(..field.len() - padding)?.iter();
        let values = characters.map(|byte| Some(VALUES[usize::from(*byte)]).filter(|v| *v != NONE));
        return decompress(Bits::new(values, 6), most_units(field));
    }
    let text = std::str::from_utf8(field).ok().filter(|_| !field.iter().take(SHORTEST).all(u8::is_ascii))?;
    let text = text.strip_suffix(' ').unwrap_or(text);
    let values = text.encode_utf16().map(|unit| unit.checked_sub(32).filter(|value| value >> 15 == 0));
    decompress(Bits::new(values, 15), most_units(field))
}

/// Numbers of so many bits each, read highest bit first.
#[derive(Clone)]
struct Bits<I> {
    numbers: I,
    width: u32,
    /// What was read of the numbers; the last bits are still to come.
    number: u64,
    left: u32,
}

impl<V: Into<u32>, I: Iterator<Item = Option<V>>> Bits<I> {
    fn new(numbers: I, width: u32) -> Self {
        Self { numbers, width, number: 0, left: 0 }
    }

    /// A code of that many bits, its lowest bit first.
    fn code(&mut self, count: u32) -> Option<u32> {
        while self.left < count {
            self.number = self.number << self.width | u64::from(self.numbers.next()??.into());
            self.left += self.width;
        }
        self.left -= count;
        let bits = self.number >> self.left & ((1 << count) - 1);
        Some((bits.reverse_bits() >> (64 - count)) as u32)
    }

    /// True where nothing but the rest of one number is left and at most three more, all zero.
    fn ends_here(mut self) -> bool {
        let rest = self.number & ((1 << self.left) - 1);
        let is_zero = |number: Option<V>| number.is_some_and(|number| number.into() == 0);
        rest == 0 && self.numbers.by_ref().take(MOST_TRAILING).all(is_zero) && self.numbers.next().is_none()
    }
}

/// A sequence in the dictionary: where it stands in the output, and its length.
type Entry = (usize, usize);

/// Widths of codes and what names sequences, without the sequences.
struct Codes {
    width: u32,
    /// How many entries the next code may name: one more than there are.
    room: u32,
    /// Entries of the dictionary; codes 0 to 2 are commands.
    entries: u32,
}

impl Codes {
    fn new() -> Self {
        Self { width: 3, room: 4, entries: 4 }
    }

    fn add(&mut self) {
        self.entries += 1;
        self.room -= 1;
        if self.room == 0 {
            self.room = 1 << self.width;
            self.width += 1;
        }
    }
}

/// False where a code names no sequence or the end is not where it should be: told without making any of them, because
/// nearly all bytes that are asked about break off within the first few codes.
fn ends_well<V: Into<u32>, I: Iterator<Item = Option<V>>>(mut bits: Bits<I>) -> Option<bool> {
    let first = bits.code(2)?;
    let unit = literal(&mut bits, first)?;
    // Text begins with neither a control character nor private use.
    if matches!(unit, 0..=8 | 14..=31 | 0xe000..=0xf8ff) {
        return None;
    }
    let mut codes = Codes::new();
    loop {
        match bits.code(codes.width)? {
            2 => return Some(bits.ends_here()),
            code @ (0 | 1) => {
                literal(&mut bits, code)?;
                codes.add();
            }
            // The one entry that is not yet there is the last, which ends the output, and its own first unit.
            code if code > codes.entries => return None,
            _ => {}
        }
        codes.add();
    }
}

/// The decompressor. Every entry of the dictionary stands in the output as it is, because it is a
/// sequence with the first unit of the next. `None` also where there are more units than `most`.
fn decompress<V: Into<u32>, I: Clone + Iterator<Item = Option<V>>>(mut bits: Bits<I>, most: usize) -> Option<Vec<u16>> {
    if !ends_well(bits.clone())? {
        return None;
    }
    let first = bits.code(2)?;
    let unit = literal(&mut bits, first)?;
    let mut out = vec![unit];
    let mut dictionary: Vec<Entry> = vec![(0, 0), (0, 0), (0, 0), (0, 1)];
    let mut last: Entry = (0, 1);
    let mut codes = Codes::new();
    loop {
        let code = bits.code(codes.width)?;
        let start = out.len();
        let entry = match code {
            2 => return bits.ends_here().then_some(out),
            0 | 1 => {
                out.push(literal(&mut bits, code)?);
                dictionary.push((start, 1));
                codes.add();
                (start, 1)
            }
            _ => {
                let known = dictionary.get(code as usize).copied();
                // The one entry that is not yet there: the last, which ends the output, and its own first unit.
                let (from, length) = known.or((code as usize == dictionary.len()).then_some((last.0, last.1 + 1)))?;
                let there = length.min(start - from);
                out.extend_from_within(from..from + there);
                if there < length {
                    out.push(out.get(from).copied()?);
                }
                (start, length)
            }
        };
        dictionary.push((last.0, last.1 + 1));
        last = entry;
        codes.add();
        if out.len() > most {
            return None;
        }
    }
}

fn literal<V: Into<u32>, I: Iterator<Item = Option<V>>>(bits: &mut Bits<I>, code: u32) -> Option<u16> {
    match code {
        0 => bits.code(8).map(|unit| unit as u16),
        1 => bits.code(16).map(|unit| unit as u16),
        _ => None,
    }
}

/// Packs as compressToEncodedURIComponent does, though not to the same bits: a sequence is named only
/// once it is in the dictionary.
pub(crate) fn wrap(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, count: u32| bits.extend((0..count).map(|place| value >> place & 1 == 1));
    let mut dictionary: Vec<Vec<u16>> = vec![Vec::new(); 3];
    let (mut width, mut room, mut last, mut at) = (2, 1u32, Vec::new(), 0);
    while at < units.len() {
        let longest = units.len().min(at + dictionary.iter().map(Vec::len).max().unwrap_or(0));
        let known = (at + 1..=longest).rev().find_map(|end| {
            let code = dictionary.iter().position(|entry| *entry == units[at..end])?;
            Some((code, units[at..end].to_vec()))
        });
        let (code, entry) = known.unwrap_or((1, vec![units[at]]));
        put(code as u32, width);
        let mut added = Vec::new();
        if code == 1 {
            put(u32::from(units[at]), 16);
            added.push(entry.clone());
        }
        if at > 0 {
            added.push([&last[..], &entry[..1]].concat());
        }
        for entry in added {
            dictionary.push(entry);
            room -= 1;
            if room == 0 {
                room = 1 << width;
                width += 1;
            }
        }
        at += entry.len();
        last = entry;
    }
    put(2, width);
    put(0, 1);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let number = |bits: &[bool]| (0..6).fold(0, |number, at| number << 1 | usize::from(bits.get(at) == Some(&true)));
    bits.chunks(6).map(|bits| letters[number(bits)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(field: &[u8]) -> Option<String> {
        let mut out = Vec::new();
        LzString.decode(field, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    /// What lz-string 1.5.0 of npm writes.
    #[test]
    fn known_answers() {
        for (text, base64, url, utf16) in [
            (
                "someone.new@example.com",
                "M4ewtgpiB2EHSwO4AEIA8CGYAOAbeAxuEA==",
                "M4ewtgpiB2EHSwO4AEIA8CGYAOAbeAxuEA",
                "\u{19e3}\u{6c4d}\u{416c}\u{2096}\u{85a}\u{2c2e}\u{7020}\u{4220}\u{7830}\u{6620}\u{1c23}\u{37a0}\u{6390}\u{4020}\u{20}",
            ),
            (
                "{\"name\":\"张小明\",\"name2\":\"张小明\"}",
                "N4IgdghgtgpiBcJAE+oeB1BwZiANOaMBMCy6IAvkA===",
                "N4IgdghgtgpiBcJAE+oeB1BwZiANOaMBMCy6IAvkA",
                "\u{1be1}\u{83d}\u{412c}\u{b80}\u{5330}\u{1729}\u{47}\u{6a3e}\u{3c8}\u{1c39}\u{4421}\u{53ba}\u{1829}\u{40d2}\u{7460}\u{c04}\u{20}\u{20}",
            ),
            (&"a".repeat(46), "IY18ZXcQ", "IY18ZXcQ", "\u{10e6}\u{5f39}\u{2f02}\u{20}\u{20}"),
        ] {
            for field in [base64, url, utf16, &url.replace('+', " ")] {
                assert_eq!(decoded(field.as_bytes()).as_deref(), Some(text), "{field}");
            }
            assert!(decoded(&base64.as_bytes()[..base64.len() - 4]).is_none() && decoded(b"M4ewtgpiB2EHSw").is_none());
        }
    }

    #[test]
    fn a_bomb_ends() {
        assert!(decoded(&wrap(&"a".repeat(5000))).is_some_and(|text| text.len() == 5000));
        for field in [b"IY18ZXcQ".repeat(1000), vec![b'A'; 100_000], b"M4ewtgpi".repeat(10_000)] {
            assert!(decoded(&field).is_none());
        }
    }

    /// Codes that each name the sequence that they make, with an end marker where one is asked for.
    fn newest_entries(codes: u32, ends: bool) -> Vec<u8> {
        let mut bits: Vec<bool> = Vec::new();
        let mut put = |value: u32, count: u32| bits.extend((0..count).map(|place| value >> place & 1 == 1));
        put(0, 2);
        put(u32::from(b'a'), 8);
        let (mut width, mut room) = (3, 4u32);
        for code in 4..4 + codes {
            put(code, width);
            room -= 1;
            if room == 0 {
                room = 1 << width;
                width += 1;
            }
        }
        if ends {
            put(2, width);
        }
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
        let number =
            |bits: &[bool]| (0..6).fold(0, |number, at| number << 1 | usize::from(bits.get(at) == Some(&true)));
        bits.chunks(6).map(|bits| letters[number(bits)]).collect()
    }

    #[test]
    fn codes_that_each_name_the_newest_sequence_give_no_more_than_a_multiple_of_their_length() {
        let few = newest_entries(50, true);
        assert_eq!(decoded(&few), Some("a".repeat(51 * 52 / 2)), "the codes are what they should be");
        for ends in [false, true] {
            let bomb = newest_entries(1446, ends);
            assert!(bomb.len() < 2400 && decoded(&bomb).is_none(), "{} characters", bomb.len());
            assert!(most_units(&bomb) < 160_000);
        }
    }

    #[test]
    fn words_are_not_packed() {
        for word in
            ["application", "getElementById", "d41d8cd98f00b204e9800998ecf8427e", "MTM4MDAwMDA0Mjc=", "张小明明"]
        {
            assert!(decoded(word.as_bytes()).is_none(), "{word}");
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(text in "[ -~é张😀]{8,60}|[ab]{8,200}") {
            prop_assert_eq!(decoded(&wrap(&text)), Some(text));
        }

        #[test]
        fn any_field_is_read(field in proptest::collection::vec(any::<u8>(), 0..200), text in "[A-Za-z0-9+/]{0,200}") {
            let _ = decoded(&field);
            let _ = decoded(text.as_bytes());
        }
    }
}
