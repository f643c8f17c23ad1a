//! UTF-16 and UTF-32 of either byte order, with a byte order mark or without: Unicode Standard
//! section 3.10.

use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use crate::map::Stretches;
use std::ops::Range;

/// Bytes that are text in one of these encodings from their start to their end.
pub(crate) struct Wide {
    name: &'static str,
    /// Bytes of a unit.
    unit: u8,
    big_endian: bool,
}

/// UTF-16, low byte first.
pub(crate) static UTF16_LE: Wide = Wide { name: "utf-16le", unit: 2, big_endian: false };
/// UTF-16, high byte first.
pub(crate) static UTF16_BE: Wide = Wide { name: "utf-16be", unit: 2, big_endian: true };
/// UTF-32, low byte first.
pub(crate) static UTF32_LE: Wide = Wide { name: "utf-32le", unit: 4, big_endian: false };
/// UTF-32, high byte first.
pub(crate) static UTF32_BE: Wide = Wide { name: "utf-32be", unit: 4, big_endian: true };

/// Units looked at to recognise an encoding.
const LOOKED_AT: usize = 32;
/// Shortest text without a byte order mark, in units.
const SHORTEST: usize = 4;
/// Where there is no byte order mark, at least one unit of so many is printable ASCII: markup, digits.
const ASCII_SHARE: usize = 4;

/// The rows of the table of wrappings.
pub(crate) const ABOUT: [About; 4] = [
    about("utf-16le", "UTF-16, low byte first"),
    about("utf-16be", "UTF-16, high byte first"),
    about("utf-32le", "UTF-32, low byte first"),
    about("utf-32be", "UTF-32, high byte first"),
];

const fn about(name: &'static str, undoes: &'static str) -> About {
    let place = "whole bodies, fields and decoded bytes; without a byte order mark where a quarter is ASCII";
    About { name, undoes, place, exact: true, source: "Unicode Standard section 3.10" }
}

impl Codec for Wide {
    fn name(&self) -> &'static str {
        self.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        // Text of one byte a character has no zero bytes.
        let start = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        let is_marked = self.code(bytes) == Some(0xfeff);
        if (is_marked && self.units(start).skip(1).all(is_in_text))
            || (memchr::memchr(0, start).is_some() && self.is_likely(bytes))
        {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let text = bytes.get(span.clone())?;
        let (mut out, mut map, mut at) = (Vec::new(), Stretches::default(), 0);
        while let Some((length, c)) = text.get(at..).and_then(|rest| self.character(rest)) {
            if out.len() + 4 > room {
                return Some(Unwrapped { cut: true, ..Unwrapped::new(out, map.finish(span.start)) });
            }
            let before = out.len();
            // A mark at the start is none of the text.
            if at > 0 || c != '\u{feff}' {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            map.unit(length, (out.len() - before) as u8);
            at += usize::from(length);
        }
        (!out.is_empty()).then(|| Unwrapped::new(out, map.finish(span.start)))
    }
}

impl Wide {
    /// The number in the first unit.
    fn code(&self, bytes: &[u8]) -> Option<u32> {
        let unit = bytes.get(..usize::from(self.unit))?;
        let shift = |code: u32, byte: &u8| code << 8 | u32::from(*byte);
        Some(if self.big_endian { unit.iter().fold(0, shift) } else { unit.iter().rev().fold(0, shift) })
    }

    fn units<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = u32> + 'b {
        bytes.chunks_exact(usize::from(self.unit)).filter_map(|unit| self.code(unit))
    }

    fn is_likely(&self, bytes: &[u8]) -> bool {
        let start = bytes.get(..LOOKED_AT * usize::from(self.unit)).unwrap_or(bytes);
        let count = self.units(start).count();
        let ascii = self.units(start).filter(|unit| matches!(unit, 0x20..=0x7e | 9 | 10 | 13)).count();
        count >= SHORTEST && ascii * ASCII_SHARE >= count && self.units(start).all(is_in_text)
    }

    /// The first character and how many bytes it takes; U+FFFD for what is none.
    fn character(&self, bytes: &[u8]) -> Option<(u8, char)> {
        let first = self.code(bytes)?;
        let low = if self.unit == 2 { bytes.get(2..).and_then(|rest| self.code(rest)) } else { None };
        if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (first, low) {
            let c = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00));
            return Some((4, c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        Some((self.unit, char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)))
    }

    /// Encodes, without a byte order mark.
    pub(crate) fn wrap(&self, text: &str) -> Vec<u8> {
        let narrow = text.encode_utf16().map(u32::from).collect();
        let units: Vec<u32> = if self.unit == 2 { narrow } else { text.chars().map(u32::from).collect() };
        let bytes = |unit: u32| {
            let bytes = unit.to_be_bytes();
            let kept = &bytes[4 - usize::from(self.unit)..];
            if self.big_endian { kept.to_vec() } else { kept.iter().rev().copied().collect() }
        };
        units.into_iter().flat_map(bytes).collect()
    }
}

/// False for control characters, private use and numbers over the last character.
fn is_in_text(unit: u32) -> bool {
    matches!(unit, 9 | 10 | 13 | 0x20..=0x7e | 0xa0..=0xdfff | 0xf900..=0xfffd | 0x10000..=0x0003_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [&Wide; 4] = [&UTF16_LE, &UTF16_BE, &UTF32_LE, &UTF32_BE];

    fn who(bytes: &[u8]) -> Vec<&'static str> {
        let takes = |codec: &&&Wide| {
            let mut found = false;
            codec.find(bytes, &Marks::default(), &mut |_| found = true);
            found
        };
        ALL.iter().filter(takes).map(|codec| codec.name()).collect()
    }

    #[test]
    fn each_encoding_is_told_from_the_others() {
        for codec in ALL {
            assert_eq!(who(&codec.wrap("{\"name\":\"张小明\"}")), [codec.name()]);
            let marked = codec.wrap("\u{feff}张小明");
            assert!(who(&marked).contains(&codec.name()));
            assert_eq!(codec.unwrap(&marked, 0..marked.len(), 99).unwrap().bytes, "张小明".as_bytes());
        }
        for bytes in
            [&b"plain text of one byte"[..], &[0; 64], &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0], "张小明明".as_bytes(), b"a\0b"]
        {
            assert!(who(bytes).is_empty(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_character_maps_back(text in "\\PC{1,40}", which in 0..4usize) {
            prop_assume!(!text.starts_with('\u{feff}'));
            let wrapped = ALL[which].wrap(&text);
            let found = ALL[which].unwrap(&wrapped, 0..wrapped.len(), 1 << 20).unwrap();
            prop_assert_eq!(&found.bytes, text.as_bytes());
            for (at, c) in text.char_indices() {
                let outer = found.map.outer(&(at..at + c.len_utf8()));
                prop_assert_eq!(&wrapped[outer], ALL[which].wrap(&c.to_string()));
            }
        }
    }
}
