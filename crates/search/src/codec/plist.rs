//! Binary property lists of Apple's systems, `bplist00` (CFBinaryPList.c in Core Foundation).
//!
//! Objects stand in any order and refer to one another by number; a table at the end tells where
//! each begins. They are visited in the order of their bytes, each named by the first way that
//! leads to it from the top.

use super::table::About;
use super::tree::big_endian;
use super::{Coding, Field, Label, Structure, Typed, shown};
use std::ops::{ControlFlow, Range};

/// One property list.
pub(crate) struct Plist;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: "plist",
    undoes: "binary property lists: text, data, numbers, dates; UTF-16 text by its own codec",
    place: "whole bodies and whole fields",
    exact: true,
    source: "Core Foundation, CFBinaryPList.c",
};

pub(super) const MAGIC: &[u8] = b"bplist0";
/// Length of the magic with its version.
const HEAD: usize = 8;
const TRAILER: usize = 32;
/// Deeper objects are not named by all of their way.
const DEEPEST_NAMED: usize = 64;

/// True where magic and trailer fit.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && Table::read(bytes).is_some()
}

impl Structure for Plist {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let Some(table) = Table::read(bytes) else { return };
        let parents = table.parents();
        let mut order: Vec<(usize, usize)> = (0..table.count).filter_map(|n| Some((table.offset(n)?, n))).collect();
        order.sort_unstable();
        let mut free = HEAD;
        for (at, number) in order {
            let Some((range, typed)) = table.object(at).and_then(|object| object.leaf(bytes)) else { continue };
            // Objects that lie within others are another's bytes.
            if range.is_empty() || at < free {
                continue;
            }
            free = range.end;
            let label = || table.pointer(number, &parents);
            let field = Field::new("plist", Label::Made(&label), range, Coding::Plain).typed(typed);
            if visit(&field).is_break() {
                return;
            }
        }
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }
}

/// The trailer and what it points to.
struct Table<'b> {
    bytes: &'b [u8],
    offset_width: usize,
    reference_width: usize,
    count: usize,
    top: usize,
    /// Where the table of offsets begins.
    start: usize,
}

/// The marker of an object, and its content.
struct Object {
    kind: u8,
    /// The low half of the marker.
    low: u8,
    /// Number of bytes, characters or elements.
    count: usize,
    /// Where the content begins.
    start: usize,
}

/// How an object was reached first.
#[derive(Debug, Clone, Copy)]
enum Parent {
    None,
    /// Element of the array.
    Element(usize, usize),
    /// Value behind the key, both objects.
    Value(usize, usize),
    /// Key of the dictionary.
    Key(usize),
}

impl<'b> Table<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let trailer = bytes.len().checked_sub(TRAILER).filter(|at| *at > HEAD)?;
        let number = |at: usize| usize::try_from(big_endian(bytes, trailer + at, 8)?).ok();
        let (offset_width, reference_width) = (usize::from(bytes[trailer + 6]), usize::from(bytes[trailer + 7]));
        let (count, top, start) = (number(8)?, number(16)?, number(24)?);
        let length = count.checked_mul(offset_width)?;
        let widths = (1..=8).contains(&offset_width) && (1..=8).contains(&reference_width);
        let fits = start > HEAD && start.checked_add(length)? <= trailer && top < count;
        (widths && fits).then_some(Self { bytes, offset_width, reference_width, count, top, start })
    }

    fn offset(&self, number: usize) -> Option<usize> {
        let at = self.start + self.offset_width.checked_mul(number).filter(|_| number < self.count)?;
        usize::try_from(big_endian(self.bytes, at, self.offset_width)?)
            .ok()
            .filter(|at| (HEAD..self.start).contains(at))
    }

    fn object(&self, at: usize) -> Option<Object> {
        let marker = *self.bytes.get(at)?;
        let (kind, low) = (marker >> 4, marker & 15);
        let mut object = Object { kind, low, count: usize::from(low), start: at + 1 };
        if low == 15 && kind >= 4 {
            let width = 1 << (self.bytes.get(at + 1).filter(|marker| **marker >> 4 == 1)? & 3);
            object.count = usize::try_from(big_endian(self.bytes, at + 2, width)?).ok()?;
            object.start = at + 2 + width;
        }
        Some(object)
    }

    fn reference(&self, at: usize) -> Option<usize> {
        usize::try_from(big_endian(self.bytes, at, self.reference_width)?).ok().filter(|number| *number < self.count)
    }

    /// How each object is reached first. Lists are read once each, and altogether no more
    /// references than a list without overlaps could hold.
    fn parents(&self) -> Vec<Parent> {
        let mut parents = vec![Parent::None; self.count];
        let mut budget = self.bytes.len() / self.reference_width;
        let mut queue = std::collections::VecDeque::from([self.top]);
        while let Some(number) = queue.pop_front() {
            let Some(object) = self.offset(number).and_then(|at| self.object(at)) else { continue };
            for index in 0..object.count {
                let Some(left) = budget.checked_sub(2).filter(|_| object.is_list()) else { break };
                budget = left;
                let Some(links) = self.links(&object, number, index) else { break };
                for (child, parent) in links.into_iter().flatten() {
                    if child != self.top
                        && let Some(slot @ Parent::None) = parents.get_mut(child)
                    {
                        *slot = parent;
                        queue.push_back(child);
                    }
                }
            }
        }
        parents
    }

    /// The element of an array, or key and value of a dictionary, whose values stand behind all
    /// keys.
    fn links(&self, object: &Object, number: usize, index: usize) -> Option<[Option<(usize, Parent)>; 2]> {
        let at = |place: usize| object.start.checked_add(place.checked_mul(self.reference_width)?);
        let first = self.reference(at(index)?)?;
        if object.kind != 0xd {
            return Some([Some((first, Parent::Element(number, index))), None]);
        }
        let value = self.reference(at(object.count.checked_add(index)?)?)?;
        // The dictionary is found through its key's own parent.
        Some([Some((first, Parent::Key(number))), Some((value, Parent::Value(number, first)))])
    }

    /// As a JSON pointer (RFC 6901).
    fn pointer(&self, number: usize, parents: &[Parent]) -> String {
        let mut segments = Vec::new();
        let mut current = number;
        while segments.len() < DEEPEST_NAMED {
            current = match parents.get(current).copied().unwrap_or(Parent::None) {
                Parent::None => break,
                Parent::Element(parent, index) => {
                    segments.push(index.to_string());
                    parent
                }
                Parent::Value(parent, key) => {
                    segments.push(self.name(key));
                    parent
                }
                Parent::Key(parent) => parent,
            };
        }
        let pointer: String = segments.iter().rev().flat_map(|segment| ["/", segment]).collect();
        match parents.get(number) {
            Some(Parent::Key(_)) => format!("key in {pointer}").trim_end().to_owned(),
            _ => pointer,
        }
    }

    fn name(&self, key: usize) -> String {
        let object = self.offset(key).and_then(|at| self.object(at));
        let range = object.as_ref().and_then(|object| object.leaf(self.bytes)).map(|(range, _)| range);
        let bytes = range.and_then(|range| self.bytes.get(range)).unwrap_or(b"?");
        let name = match object.map(|object| object.kind) {
            Some(6) => {
                let units: Vec<u16> =
                    bytes.as_chunks().0.iter().take(256).map(|unit| u16::from_be_bytes(*unit)).collect();
                shown(String::from_utf16_lossy(&units).as_bytes())
            }
            _ => shown(bytes),
        };
        name.replace('~', "~0").replace('/', "~1")
    }
}

impl Object {
    fn is_list(&self) -> bool {
        matches!(self.kind, 0xa..=0xd)
    }

    /// Content and type of an object that is no list and has a value.
    fn leaf(&self, bytes: &[u8]) -> Option<(Range<usize>, Typed)> {
        let length = match self.kind {
            1 | 2 if self.low <= 4 => 1 << self.low,
            3 => 8,
            4 | 5 | 7 => self.count,
            6 => self.count.checked_mul(2)?,
            8 => usize::from(self.low) + 1,
            _ => return None,
        };
        let range = self.start..self.start.checked_add(length).filter(|end| *end <= bytes.len())?;
        let number = || big_endian(bytes, range.start, length.min(8));
        let typed = match (self.kind, length) {
            (1, 8) => Typed::Integer(i128::from(number()? as i64)),
            // Sixteen bytes hold what is too great for a signed number of eight.
            (1, 16) => Typed::Integer(i128::from(big_endian(bytes, range.start + 8, 8)?)),
            (1 | 8, ..8) => Typed::Integer(i128::from(number()?)),
            (2, 4) => Typed::Single(f32::from_bits(number()? as u32)),
            (2 | 3, 8) => Typed::Double(f64::from_bits(number()?)),
            (1..=3, _) => return None,
            _ => Typed::Bytes,
        };
        Some((range, typed))
    }
}

/// A list of objects as they stand, the first at the top.
#[cfg(test)]
pub(crate) fn wrap(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for object in objects {
        offsets.extend((bytes.len() as u16).to_be_bytes());
        bytes.extend(object);
    }
    let start = bytes.len() as u64;
    bytes.extend(offsets);
    bytes.extend([0, 0, 0, 0, 0, 0, 2, 1]);
    for number in [objects.len() as u64, 0, start] {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::seen;
    use proptest::prelude::*;

    fn text(text: &str) -> Vec<u8> {
        [&[0x5f, 0x10, text.len() as u8][..], text.as_bytes()].concat()
    }

    fn example() -> Vec<u8> {
        wrap(&[
            vec![0xd2, 1, 2, 3, 4],
            text("phone"),
            vec![0x62, 0x62, 0x4b, 0x67, 0x3a],
            text("13800000427"),
            vec![0xa4, 5, 6, 7, 8],
            [&[0x13][..], &13_800_000_427i64.to_be_bytes()].concat(),
            [&[0x23][..], &121.5f64.to_be_bytes()].concat(),
            vec![0x43, 1, 2, 3],
            vec![0x09],
        ])
    }

    #[test]
    fn objects_are_named_by_the_way_to_them() {
        let bytes = example();
        assert!(begins(&bytes));
        let found = seen(&Plist, &bytes);
        let labels: Vec<_> = found.iter().map(|field| field.label.as_str()).collect();
        assert_eq!(labels, ["key in", "key in", "/phone", "/手机/0", "/手机/1", "/手机/2"]);
        assert_eq!(&bytes[found[2].range.clone()], b"13800000427");
        assert_eq!(found[3].typed, Typed::Integer(13_800_000_427));
        assert_eq!((found[4].typed, &bytes[found[5].range.clone()]), (Typed::Double(121.5), &[1, 2, 3][..]));
    }

    #[test]
    fn rings_and_overlaps_end() {
        let ring = wrap(&[vec![0xa2, 1, 0], vec![0xa2, 0, 1]]);
        assert!(seen(&Plist, &ring).is_empty());
        let mut overlapping = b"bplist00".to_vec();
        overlapping.extend([0x4f, 0x12, 0, 1, 0x86, 0xa0].repeat(30_000));
        let start = overlapping.len() as u64;
        overlapping.extend((0..30_000u32).flat_map(|n| (8 + n * 6).to_be_bytes()));
        overlapping.extend([0, 0, 0, 0, 0, 0, 4, 2]);
        for number in [30_000, 0, start] {
            overlapping.extend(number.to_be_bytes());
        }
        let total: usize = seen(&Plist, &overlapping).iter().map(|field| field.range.len()).sum();
        assert!(total > 0 && total < overlapping.len());
    }

    #[test]
    fn a_cut_list_is_none() {
        let bytes = example();
        assert!(!begins(&bytes[..bytes.len() - 1]) && !begins(b"bplist00"));
    }

    proptest! {
        #[test]
        fn what_was_written_comes_out(texts in proptest::collection::vec("[ -~]{1,60}", 1..15)) {
            let mut objects = vec![[vec![0xa0 | texts.len() as u8], (1..=texts.len() as u8).collect()].concat()];
            objects.extend(texts.iter().map(|item| text(item)));
            let bytes = wrap(&objects);
            prop_assert!(begins(&bytes));
            for (index, (field, item)) in seen(&Plist, &bytes).iter().zip(&texts).enumerate() {
                prop_assert_eq!(&field.label, &format!("/{index}"));
                prop_assert_eq!(&bytes[field.range.clone()], item.as_bytes());
            }
        }

        #[test]
        fn any_bytes_are_walked_inside_their_bounds(objects in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..9), 1..20)) {
            let bytes = wrap(&objects);
            begins(&bytes);
            seen(&Plist, &bytes);
        }
    }
}
