//! Protocol Buffers without a schema, <https://protobuf.dev/programming-guides/encoding/>.
//!
//! The wire tells a field's number and width, not its type, so a field is given as everything it
//! may be: a varint as it is and with zigzag undone, fixed widths as whole and as IEEE 754 numbers,
//! length-delimited bytes as a message where they read as one, else as bytes and as packed numbers.

use super::table::About;
use super::{Coding, Field, Label, Structure, Typed};
use std::fmt::Write as _;
use std::ops::{ControlFlow, Range};

/// One message, and nothing else.
pub(crate) struct Protobuf;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "messages without a schema: strings, nested messages, groups, varints (also zigzag), fixed 32 and 64, \
             packed numbers",
    place: "whole bodies and whole fields",
    exact: true,
    source: "Protocol Buffers, Encoding",
};

const NAME: &str = "protobuf";
/// Messages and groups deeper than this are bytes.
const DEEPEST: usize = 32;
/// Longest field that is also read as packed numbers: longer ones are pictures and the like.
const LONGEST_PACKED: usize = 4096;
/// Field numbers have 29 bits.
const GREATEST_NUMBER: u64 = (1 << 29) - 1;
/// Field numbers below this must keep to one kind of value within a message.
const REMEMBERED: usize = 64;
/// Greatest field number of a nested message that is taken for one without doubt.
const GREATEST_SURE: u32 = 256;
/// The same for a message that holds numbers only, in the order of their fields.
const GREATEST_ORDERED: u32 = 32;

/// True where the bytes are a message from the first to the last byte.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| is_first(*first)) && are_fields(bytes) && message(bytes).is_some()
}

/// True for a byte that may begin the tag of a first field.
pub(super) const fn is_first(byte: u8) -> bool {
    matches!(byte, 8..0xfe) && matches!(byte & 7, 0..=3 | 5)
}

impl Structure for Protobuf {
    /// Numbers are visited once for each type they may have, packed numbers after the bytes they
    /// lie in.
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = Walker { bytes, path: Vec::new() }.message(0..bytes.len(), visit);
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// What a tag announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Varint(u64),
    Fixed64(u64),
    Length,
    GroupStart,
    GroupEnd,
    Fixed32(u32),
}

/// One field as it stands on the wire.
struct Entry {
    number: u32,
    wire: Wire,
    /// Where its value lies.
    value: Range<usize>,
}

/// Reads one field after the other.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    /// The next field; `None` where the bytes break a rule of the format.
    fn next(&mut self) -> Option<Entry> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > GREATEST_NUMBER {
            return None;
        }
        let start = self.at;
        let (wire, value) = match tag & 7 {
            0 => (Wire::Varint(self.varint()?), start..self.at),
            1 => (Wire::Fixed64(u64::from_le_bytes(self.fixed()?)), start..self.at),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let value = self.at..self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
                self.at = value.end;
                (Wire::Length, value)
            }
            3 => (Wire::GroupStart, start..start),
            4 => (Wire::GroupEnd, start..start),
            5 => (Wire::Fixed32(u32::from_le_bytes(self.fixed()?)), start..self.at),
            _ => return None,
        };
        Some(Entry { number: number as u32, wire, value })
    }

    /// Passes over the next field, where there is one.
    fn skip(&mut self) -> Option<()> {
        let tag = self.varint()?;
        if !(1..=GREATEST_NUMBER).contains(&(tag >> 3)) {
            return None;
        }
        let length = match tag & 7 {
            0 => {
                self.varint()?;
                0
            }
            1 => 8,
            2 => usize::try_from(self.varint()?).ok()?,
            3 | 4 => 0,
            5 => 4,
            _ => return None,
        };
        self.at = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        Some(())
    }

    /// A number of at most 64 bits, in no more bytes than it needs: writers do not pad.
    fn varint(&mut self) -> Option<u64> {
        let first = *self.bytes.get(self.at)?;
        self.at += 1;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if shift == 63 && byte > 1 {
                return None;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (byte != 0).then_some(number);
            }
        }
        None
    }

    fn fixed<const WIDTH: usize>(&mut self) -> Option<[u8; WIDTH]> {
        let value = *self.bytes.get(self.at..)?.first_chunk()?;
        self.at += WIDTH;
        Some(value)
    }
}

/// True where fields fill the bytes: told with less work than what they have in common.
fn are_fields(bytes: &[u8]) -> bool {
    let mut reader = Reader { bytes, at: 0 };
    while reader.at < bytes.len() {
        if reader.skip().is_none() {
            return false;
        }
    }
    true
}

/// What the fields of one message have in common; `None` where the bytes are no message, or text.
/// Nested messages are not looked into, so that the work does not grow with the depth.
fn message(bytes: &[u8]) -> Option<Shape> {
    let mut reader = Reader { bytes, at: 0 };
    let mut shape = Shape::default();
    while reader.at < bytes.len() {
        let start = reader.at;
        let entry = reader.next()?;
        let head = start..if entry.wire == Wire::Length { entry.value.start } else { entry.value.end };
        if !shape.allows(bytes, &entry, head) {
            return None;
        }
    }
    let is_message = shape.fields > 0 && shape.groups.is_empty();
    (is_message && (shape.controls || std::str::from_utf8(bytes).is_err())).then_some(shape)
}

/// True where the bytes are a message beyond reasonable doubt, so that they need not be looked at
/// as bytes: see the odds in the tests. Where they are one with doubt, they are visited as bytes,
/// and whoever explores these asks again.
fn is_surely_message(bytes: &[u8]) -> bool {
    message(bytes).is_some_and(|shape| {
        let long = shape.longest > 3 && shape.longest * 2 >= bytes.len();
        let ordered = shape.fields > 1 && shape.ascending && shape.greatest <= GREATEST_ORDERED;
        shape.greatest <= GREATEST_SURE && (shape.texts > 0 || long || ordered)
    })
}

struct Shape {
    /// Kinds of values seen under each small field number, as bits.
    kinds: [u8; REMEMBERED],
    /// Numbers of the open groups.
    groups: Vec<u32>,
    /// A byte that text does not hold stands in a tag, a length or a number.
    controls: bool,
    /// Field numbers never fall, as most writers have it.
    ascending: bool,
    greatest: u32,
    last: u32,
    /// Length-delimited fields that hold text.
    texts: usize,
    /// Bytes of the longest length-delimited field.
    longest: usize,
    fields: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            kinds: [0; REMEMBERED],
            groups: Vec::new(),
            controls: false,
            ascending: true,
            greatest: 0,
            last: 0,
            texts: 0,
            longest: 0,
            fields: 0,
        }
    }
}

impl Shape {
    /// False where a field does not fit those before it. Writers give one type to a number; only
    /// repeated numbers may stand packed and unpacked side by side.
    fn allows(&mut self, bytes: &[u8], entry: &Entry, head: Range<usize>) -> bool {
        self.fields += 1;
        self.greatest = self.greatest.max(entry.number);
        self.ascending = self.ascending && entry.number >= self.last;
        self.last = entry.number;
        self.controls = self.controls || bytes[head].iter().any(u8::is_ascii_control);
        let kind = match entry.wire {
            Wire::Varint(_) => 1,
            Wire::Fixed64(_) => 2,
            Wire::Fixed32(_) => 4,
            Wire::GroupStart => {
                self.groups.push(entry.number);
                8
            }
            Wire::GroupEnd => return self.groups.pop() == Some(entry.number),
            Wire::Length => {
                self.texts += usize::from(is_text(&bytes[entry.value.clone()]));
                self.longest = self.longest.max(entry.value.len());
                return true;
            }
        };
        let mut ignored = 0;
        let seen = self.kinds.get_mut(entry.number as usize).unwrap_or(&mut ignored);
        *seen |= kind;
        *seen == kind && self.groups.len() <= DEEPEST
    }
}

/// A few bytes of text, or the beginning of many.
fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.get(..16).unwrap_or(bytes);
    start.len() > 3 && start.iter().all(|byte| *byte >= b' ' && *byte != 0x7f)
}

struct Walker<'b> {
    bytes: &'b [u8],
    /// Field numbers from the outermost message inwards.
    path: Vec<u32>,
}

impl Walker<'_> {
    fn message(
        &mut self,
        range: Range<usize>,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut reader = Reader { bytes: self.bytes.get(..range.end).unwrap_or(self.bytes), at: range.start };
        let outer = self.path.len();
        while reader.at < range.end {
            let Some(entry) = reader.next() else { break };
            if entry.wire == Wire::GroupEnd {
                self.path.truncate(self.path.len().saturating_sub(1).max(outer));
                continue;
            }
            self.path.push(entry.number);
            if entry.wire != Wire::GroupStart {
                self.value(&entry, visit)?;
                self.path.pop();
            } else if self.path.len() > outer + DEEPEST + 1 {
                break;
            }
        }
        self.path.truncate(outer);
        ControlFlow::Continue(())
    }

    fn value(&mut self, entry: &Entry, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let range = &entry.value;
        match entry.wire {
            Wire::Varint(number) => self.varint(range, None, number, visit),
            Wire::Fixed64(number) => self.fixed64(range, None, number, visit),
            Wire::Fixed32(number) => self.fixed32(range, None, number, visit),
            Wire::GroupStart | Wire::GroupEnd => ControlFlow::Continue(()),
            Wire::Length if range.is_empty() => ControlFlow::Continue(()),
            Wire::Length if self.path.len() < DEEPEST && is_surely_message(&self.bytes[range.clone()]) => {
                self.message(range.clone(), visit)
            }
            Wire::Length => {
                self.visit(range.clone(), None, "", Typed::Bytes, visit)?;
                self.packed(range, visit)
            }
        }
    }

    /// Two's complement where the top bit is set: writers of negative numbers use all ten bytes.
    fn varint(
        &self,
        range: &Range<usize>,
        index: Option<usize>,
        number: u64,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.visit(range.clone(), index, "", Typed::Integer(i128::from(number as i64)), visit)?;
        let zigzag = (number >> 1) as i64 ^ -((number & 1) as i64);
        if number == 0 {
            return ControlFlow::Continue(());
        }
        self.visit(range.clone(), index, " zigzag", Typed::Integer(i128::from(zigzag)), visit)
    }

    fn fixed64(
        &self,
        range: &Range<usize>,
        index: Option<usize>,
        number: u64,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.visit(range.clone(), index, "", Typed::Integer(i128::from(number)), visit)?;
        if number >> 63 == 1 {
            self.visit(range.clone(), index, "", Typed::Integer(i128::from(number as i64)), visit)?;
        }
        self.visit(range.clone(), index, "", Typed::Double(f64::from_bits(number)), visit)
    }

    fn fixed32(
        &self,
        range: &Range<usize>,
        index: Option<usize>,
        number: u32,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.visit(range.clone(), index, "", Typed::Integer(i128::from(number)), visit)?;
        if number >> 31 == 1 {
            self.visit(range.clone(), index, "", Typed::Integer(i128::from(number as i32)), visit)?;
        }
        self.visit(range.clone(), index, "", Typed::Single(f32::from_bits(number)), visit)
    }

    /// Repeated numbers in one field, of whichever widths fill it exactly.
    fn packed(&self, range: &Range<usize>, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        if bytes.len() > LONGEST_PACKED || super::is_printable(bytes) {
            return ControlFlow::Continue(());
        }
        let mut reader = Reader { bytes, at: 0 };
        while reader.at < bytes.len() && reader.varint().is_some() {}
        if reader.at == bytes.len() && bytes.last().is_some_and(|last| *last < 0x80) {
            reader.at = 0;
            for index in 0.. {
                let start = reader.at;
                let Some(number) = reader.varint() else { break };
                self.varint(&(range.start + start..range.start + reader.at), Some(index), number, visit)?;
            }
        }
        if let (four, []) = bytes.as_chunks() {
            for (index, value) in four.iter().enumerate() {
                let start = range.start + 4 * index;
                self.fixed32(&(start..start + 4), Some(index), u32::from_le_bytes(*value), visit)?;
            }
        }
        if let (eight, []) = bytes.as_chunks() {
            for (index, value) in eight.iter().enumerate() {
                let start = range.start + 8 * index;
                self.fixed64(&(start..start + 8), Some(index), u64::from_le_bytes(*value), visit)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn visit(
        &self,
        range: Range<usize>,
        index: Option<usize>,
        suffix: &str,
        typed: Typed,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let label = || {
            let mut label = self.path.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            if let Some(index) = index {
                let _ = write!(label, "[{index}]");
            }
            label + suffix
        };
        visit(&Field::new(NAME, Label::Made(&label), range, Coding::Plain).typed(typed))
    }
}

/// Writes messages field by field.
#[cfg(test)]
pub(crate) mod encoder {
    /// A number in as many bytes as it needs.
    pub(crate) fn varint(mut number: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
        out
    }

    /// A tag.
    pub(crate) fn tag(number: u64, wire: u64) -> Vec<u8> {
        varint(number << 3 | wire)
    }

    /// A length-delimited field.
    pub(crate) fn length(number: u64, value: &[u8]) -> Vec<u8> {
        [&tag(number, 2)[..], &varint(value.len() as u64), value].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::encoder::{length, tag, varint};
    use super::*;
    use crate::codec::testing::{Seen, noise, seen};
    use proptest::prelude::*;

    fn fields(bytes: &[u8]) -> Vec<Seen> {
        seen(&Protobuf, bytes)
    }

    fn found<'s>(all: &'s [Seen], label: &str) -> Vec<&'s Seen> {
        all.iter().filter(|field| field.label == label).collect()
    }

    /// The examples of the encoding guide: 150 in field 1, "testing" in field 2, a nested message
    /// in field 3, packed 3, 270, 86942 in field 6.
    #[test]
    fn the_examples_of_the_guide_are_read() {
        assert!(begins(b"\x08\x96\x01") && begins(b"\x12\x07testing") && begins(b"\x1a\x03\x08\x96\x01"));
        let all = fields(b"\x08\x96\x01");
        assert_eq!((all[0].label.as_str(), all[0].typed, all[0].range.clone()), ("1", Typed::Integer(150), 1..3));
        assert_eq!((all[1].label.as_str(), all[1].typed), ("1 zigzag", Typed::Integer(75)));
        assert_eq!(fields(b"\x1a\x03\x08\x96\x01")[0].range, 2..5);
        assert_eq!(fields(b"\x12\x07testing")[0].range, 2..9);
        let packed = fields(b"\x32\x06\x03\x8e\x02\x9e\xa7\x05");
        assert_eq!(found(&packed, "6[1]")[0].typed, Typed::Integer(270));
        assert_eq!(
            (found(&packed, "6[2]")[0].typed, found(&packed, "6[2]")[0].range.clone()),
            (Typed::Integer(86942), 5..8)
        );
    }

    #[test]
    fn numbers_are_given_as_all_they_may_be() {
        let all = fields(
            &[
                &tag(1, 0)[..],
                &varint(-5i64 as u64),
                &tag(2, 5),
                &(-2i32).to_le_bytes(),
                &tag(3, 1),
                &121.5f64.to_le_bytes(),
            ]
            .concat(),
        );
        assert_eq!(found(&all, "1")[0].typed, Typed::Integer(-5));
        assert!(found(&all, "2").iter().any(|field| field.typed == Typed::Integer(-2)));
        assert!(found(&all, "3").iter().any(|field| field.typed == Typed::Double(121.5)));
    }

    #[test]
    fn groups_are_paths() {
        let message = [&tag(1, 3)[..], &length(2, b"phone"), &tag(1, 4), &length(3, b"x\x02")].concat();
        assert!(begins(&message));
        assert_eq!(fields(&message)[0].label, "1.2");
        assert_eq!(fields(&message)[1].label, "3");
        assert!(!begins(&[&tag(1, 3)[..], &length(2, b"phone"), &tag(2, 4)].concat()));
    }

    #[test]
    fn text_is_not_taken_for_a_message() {
        for text in
            ["H1", "B8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "你好，世界", "Z5", "{\"a\":1}", ""]
        {
            assert!(!begins(text.as_bytes()), "{text}");
            let all = fields(&length(1, text.as_bytes()));
            assert!(all.iter().all(|field| field.label == "1"), "{text}");
        }
    }

    /// Of random bytes as long as digests or addresses fewer than 1 in 20 are taken for a message,
    /// fewer than 1 in 250 for one without doubt.
    #[test]
    fn random_bytes_rarely_pass() {
        for length in [6, 8, 12, 16, 20, 28, 32, 48, 64, 100, 1000] {
            let passed = (0..50_000).filter(|seed| begins(&noise(*seed, length))).count();
            let surely = (0..50_000).filter(|seed| is_surely_message(&noise(*seed, length))).count();
            assert!(passed < 2500 && surely < 200, "{passed} and {surely} of {length} bytes");
        }
    }

    #[test]
    fn deep_nesting_and_many_fields_cost_no_more_than_their_bytes() {
        let deep = (0..2000).fold(b"\x08\x01".to_vec(), |inner, _| length(1, &inner));
        assert!(fields(&deep).iter().all(|field| field.label.split('.').count() <= DEEPEST + 1));
        let many = b"\x08\x01".repeat(500_000);
        let mut count = 0;
        Protobuf.walk(&many, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(count, 1_000_000);
        fields(&b"\x0b".repeat(100_000));
    }

    proptest! {
        #[test]
        fn what_was_written_comes_out(
            numbers in proptest::collection::vec((201u64..250, any::<u64>()), 0..5),
            text in "[ -~]{4,200}",
            number in 1u64..200,
            outer in 1u64..100,
        ) {
            let mut inner: Vec<u8> = numbers.iter().flat_map(|(number, value)| [tag(*number, 0), varint(*value)].concat()).collect();
            inner.extend(length(number, text.as_bytes()));
            inner.extend(tag(256, 1));
            inner.extend([0; 8]);
            let message = [length(outer, &inner), b"\xc0\x3e\x01".to_vec()].concat();
            prop_assert!(begins(&message));
            let all = fields(&message);
            let label = format!("{outer}.{number}");
            let texts: Vec<_> = all.iter().filter(|field| field.label == label && field.typed == Typed::Bytes).collect();
            prop_assert_eq!(texts.len(), 1);
            prop_assert_eq!(&message[texts[0].range.clone()], text.as_bytes());
        }

        #[test]
        fn any_bytes_are_walked_inside_their_bounds(bytes in proptest::collection::vec(prop_oneof![0u8..32, any::<u8>()], 0..200)) {
            begins(&bytes);
            fields(&bytes);
        }
    }
}
