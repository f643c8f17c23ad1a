//! Binary property lists (`bplist00`; `CFBinaryPList.c` in Apple's CoreFoundation): a table of objects that name each
//! other by number. Texts are ASCII or UTF-16, big-endian.

use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::path::Path;
use crate::place::Place;
use std::borrow::Cow;
use std::ops::Range;

pub(crate) const MAGIC: &[u8] = b"bplist";

/// The first bytes: the mark and the version.
const HEADER: usize = 8;
/// The last bytes: sizes and counts.
const TRAILER: usize = 32;
/// Bytes at the trailer's start that say nothing.
const UNUSED: usize = 6;

/// Reads a list: what the first object leads to, each with the keys that lead there; then the objects that nothing
/// names.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let Some(table) = Table::parse(bytes) else {
        out.damage(File::Main, 0..bytes.len() as u64, Damaged::Header);
        return out.raw(Place::Named { name: "raw bytes", at: 0 }, bytes, 0, File::Main, State::Live);
    };
    let (seen, top) = (vec![false; table.count], table.top);
    let (path, state) = (Path::default(), State::Live);
    let mut reader = Reader { table, seen, references: 0, values: 0, path, depth: 0, state, out };
    reader.object(top, "", false);
    reader.state = State::Unallocated;
    for index in 0..reader.seen.len() {
        if reader.seen.get(index) == Some(&false) {
            reader.unnamed(index);
        }
    }
    reader.uncovered();
}

/// Where the objects are.
struct Table<'a> {
    bytes: &'a [u8],
    offsets: Range<usize>,
    offset_size: usize,
    reference_size: usize,
    count: usize,
    top: usize,
}

/// What an object is.
enum Object {
    /// A value, and where its bytes stand.
    Leaf(Leaf, Range<usize>),
    /// An array or set: where its references stand.
    Array(Range<usize>),
    /// A dictionary: where its references to keys stand, and those to values behind them.
    Dictionary(Range<usize>, Range<usize>),
}

impl Object {
    /// Where its last byte ends.
    fn end(&self) -> usize {
        match self {
            Self::Leaf(_, range) | Self::Array(range) | Self::Dictionary(_, range) => range.end,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Nothing,
    Boolean(bool),
    Integer,
    /// A number by which an archive's objects name each other: without a sign.
    Identifier,
    Real,
    Data,
    Ascii,
    Utf16,
}

impl<'a> Table<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let start = bytes.len().checked_sub(TRAILER)?;
        let trailer = bytes.get(start..)?;
        let number = |at: usize| usize::try_from(big_endian(trailer.get(at..at + 8)?)).ok();
        let (offset_size, reference_size) = (usize::from(*trailer.get(6)?), usize::from(*trailer.get(7)?));
        let (count, top, offset) = (number(8)?, number(16)?, number(24)?);
        let offsets = offset..offset.checked_add(count.checked_mul(offset_size)?)?;
        let sizes = (1..=8).contains(&offset_size) && (1..=8).contains(&reference_size);
        let right = sizes && offsets.end <= start && top < count && bytes.starts_with(MAGIC);
        right.then_some(Self { bytes, offsets, offset_size, reference_size, count, top })
    }

    /// Where an object starts.
    fn offset(&self, index: usize) -> Option<usize> {
        let at = self.offsets.start.checked_add(index.checked_mul(self.offset_size)?)?;
        let offset = self.bytes.get(at..at.checked_add(self.offset_size)?).filter(|_| index < self.count)?;
        usize::try_from(big_endian(offset)).ok()
    }

    fn object(&self, index: usize) -> Option<Object> {
        self.object_at(self.offset(index)?)
    }

    fn object_at(&self, at: usize) -> Option<Object> {
        let marker = *self.bytes.get(at)?;
        let low = usize::from(marker & 0x0f);
        let (count, start) = self.count_of(marker, at + 1)?;
        let span = |size: usize, count: usize| {
            let range = start..start.checked_add(count.checked_mul(size)?)?;
            (range.end <= self.offsets.start).then_some(range)
        };
        let fixed = |leaf, size| {
            let range = at + 1..at + 1 + size;
            (range.end <= self.offsets.start).then_some(Object::Leaf(leaf, range))
        };
        match marker >> 4 {
            0 if low == 8 || low == 9 => fixed(Leaf::Boolean(low == 9), 0),
            0 => fixed(Leaf::Nothing, 0),
            1 if low <= 4 => fixed(Leaf::Integer, 1 << low),
            2 | 3 if low == 2 || low == 3 => fixed(Leaf::Real, 1 << low),
            4 => span(1, count).map(|range| Object::Leaf(Leaf::Data, range)),
            5 | 7 => span(1, count).map(|range| Object::Leaf(Leaf::Ascii, range)),
            6 => span(2, count).map(|range| Object::Leaf(Leaf::Utf16, range)),
            8 => fixed(Leaf::Identifier, low + 1),
            10..=12 => span(self.reference_size, count).map(Object::Array),
            13 => {
                let both = span(self.reference_size, count.checked_mul(2)?)?;
                let middle = both.start + both.len() / 2;
                Some(Object::Dictionary(both.start..middle, middle..both.end))
            }
            _ => None,
        }
    }

    /// The count in a marker, or in the number behind it where the marker has no room; and where the content starts.
    fn count_of(&self, marker: u8, at: usize) -> Option<(usize, usize)> {
        let low = usize::from(marker & 0x0f);
        if low != 15 || marker >> 4 < 4 || marker >> 4 == 8 {
            return Some((low, at));
        }
        // Of a longer number the first bytes could say anything.
        let size = 1_usize << (self.bytes.get(at).filter(|marker| (0x10..=0x13).contains(*marker))? & 3);
        let number = self.bytes.get(at + 1..at + 1 + size)?;
        Some((usize::try_from(big_endian(number)).ok()?, at + 1 + size))
    }

    fn reference(&self, at: usize) -> Option<usize> {
        usize::try_from(big_endian(self.bytes.get(at..at + self.reference_size)?)).ok()
    }
}

/// A number of up to eight bytes.
fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

struct Reader<'a, 'r, 'o> {
    table: Table<'a>,
    seen: Vec<bool>,
    /// Bytes of references that were followed, and of values that were given. Objects may overlap; where they do not,
    /// neither is more than there are bytes.
    references: usize,
    values: usize,
    path: Path,
    /// Containers that are open. The path does not tell: an empty key opens nothing in it.
    depth: usize,
    state: State,
    out: &'r mut Out<'o>,
}

impl Reader<'_, '_, '_> {
    /// Gives an object and what it leads to.
    fn object(&mut self, index: usize, key: &str, is_key: bool) {
        let object = self.table.object(index);
        let Some((object, seen)) = object.zip(self.seen.get_mut(index)) else {
            let offsets = self.table.offsets.clone();
            return self.out.damage(File::Main, offsets.start as u64..offsets.end as u64, Damaged::Reference);
        };
        let again = std::mem::replace(seen, true);
        let references = match &object {
            Object::Leaf(leaf, range) => return self.leaf(*leaf, range.clone(), key, again, is_key),
            Object::Array(range) => range.clone(),
            Object::Dictionary(keys, values) => keys.start..values.end,
        };
        self.references = self.references.saturating_add(references.len());
        let deep = self.depth >= self.out.limits.depth;
        // A container that is named twice is given once: it may hold itself.
        if again || deep || self.references > self.table.bytes.len() {
            let what = if deep { Damaged::Limit } else { Damaged::Reference };
            return self.out.damage(File::Main, references.start as u64..references.end as u64, what);
        }
        if !key.is_empty() {
            self.path.open(key, None, usize::MAX);
        }
        self.depth += 1;
        match object {
            Object::Dictionary(keys, values) => self.dictionary(keys, values.start),
            _ => self.array(references),
        }
        self.depth -= 1;
        if !key.is_empty() {
            self.path.close();
        }
    }

    fn array(&mut self, references: Range<usize>) {
        for (position, at) in references.step_by(self.table.reference_size).enumerate() {
            if let Some(index) = self.table.reference(at) {
                self.object(index, &position.to_string(), false);
            }
        }
    }

    fn dictionary(&mut self, keys: Range<usize>, values: usize) {
        let start = keys.start;
        for at in keys.step_by(self.table.reference_size) {
            let Some((key, value)) = self.table.reference(at).zip(self.table.reference(values + at - start)) else {
                continue;
            };
            let name = self.name(key);
            self.object(key, &name, true);
            self.object(value, &name, false);
        }
    }

    /// A key for a path.
    fn name(&self, index: usize) -> String {
        let Some(Object::Leaf(leaf @ (Leaf::Ascii | Leaf::Utf16), range)) = self.table.object(index) else {
            return "?".to_owned();
        };
        // A unit of UTF-16 has at least one byte as UTF-8: what is cut here is cut there.
        let range = range.start..range.end.min(range.start + 2 * crate::path::LONGEST + 2);
        crate::path::label(&bytes_of(self.table.bytes, leaf, range)).into_owned()
    }

    fn leaf(&mut self, leaf: Leaf, range: Range<usize>, key: &str, again: bool, is_key: bool) {
        self.values = self.values.saturating_add(range.len());
        let repeated = again || self.values > self.table.bytes.len();
        if leaf == Leaf::Nothing || repeated && !self.out.charge_aloud(range.len() + 1, &range) {
            return;
        }
        let path = match (self.path.with(""), key) {
            (path, "") => path.into_owned(),
            (path, key) if path.is_empty() => key.to_owned(),
            (path, key) => format!("{path}/{key}"),
        };
        self.give(leaf, range, Place::Path(&path), is_key);
    }

    fn unnamed(&mut self, index: usize) {
        let Some(object) = self.table.object(index) else {
            let offsets = self.table.offsets.clone();
            return self.out.damage(File::Main, offsets.start as u64..offsets.end as u64, Damaged::Reference);
        };
        let Object::Leaf(leaf, range) = object else { return };
        if leaf != Leaf::Nothing && self.out.charge_aloud(range.len(), &range) {
            let place = Place::Named { name: "an object that nothing names,", at: range.start as u64 };
            self.give(leaf, range, place, false);
        }
    }

    /// Gives raw what no object covers: what was left over or put between objects, and the unused start of the trailer.
    fn uncovered(&mut self) {
        let (bytes, offsets) = (self.table.bytes, self.table.offsets.clone());
        let trailer = bytes.len().saturating_sub(TRAILER);
        let mut at = HEADER;
        for start in self.starts().iter().enumerate().filter_map(|(start, is_start)| is_start.then_some(start)) {
            let Some(object) = self.table.object_at(start) else { continue };
            self.between(at..start);
            at = at.max(object.end());
        }
        self.between(at..offsets.start);
        self.between(offsets.end..trailer);
        self.between(trailer..trailer.saturating_add(UNUSED));
    }

    /// For each byte before the table, whether an object starts there that was given. Objects may overlap, and there
    /// may be as many as bytes: so they are not sorted.
    fn starts(&self) -> Vec<bool> {
        let mut starts = vec![false; self.table.offsets.start];
        for (index, seen) in self.seen.iter().enumerate() {
            let Some(start) = self.table.offset(index).and_then(|at| starts.get_mut(at)) else { continue };
            let was_given = *seen || matches!(self.table.object(index), Some(Object::Leaf(..)));
            *start |= was_given;
        }
        starts
    }

    fn between(&mut self, range: Range<usize>) {
        let at = range.start as u64;
        let bytes = self.table.bytes.get(range).unwrap_or_default();
        self.out.raw(Place::Named { name: "between objects,", at }, bytes, at, File::Main, State::Unallocated);
    }

    fn give(&mut self, leaf: Leaf, range: Range<usize>, place: Place<'_>, is_key: bool) {
        let at = Some(range.start as u64..range.end as u64);
        let bytes = bytes_of(self.table.bytes, leaf, range);
        let form = match leaf {
            _ if is_key => Form::Key,
            Leaf::Integer | Leaf::Identifier => Form::Integer,
            Leaf::Real => Form::Real,
            Leaf::Data => Form::Blob,
            _ => Form::Text,
        };
        if !bytes.is_empty() {
            self.out.value(Value { place, bytes, file: File::Main, at, state: self.state, form });
        }
    }
}

/// A leaf as it is given: texts in UTF-8, numbers in decimal.
fn bytes_of(file: &[u8], leaf: Leaf, range: Range<usize>) -> Cow<'_, [u8]> {
    let bytes = file.get(range).unwrap_or_default();
    match leaf {
        Leaf::Utf16 => Cow::Owned(utf16(bytes).into_bytes()),
        Leaf::Integer => Cow::Owned(integer(bytes).into_bytes()),
        Leaf::Identifier => Cow::Owned(wide(bytes).to_string().into_bytes()),
        Leaf::Real => Cow::Owned(real(bytes).into_bytes()),
        Leaf::Boolean(value) => Cow::Owned(value.to_string().into_bytes()),
        _ => Cow::Borrowed(bytes),
    }
}

/// A whole number: up to four bytes are without a sign, eight and sixteen are with one.
fn integer(bytes: &[u8]) -> String {
    match bytes.len() {
        8 => (big_endian(bytes) as i64).to_string(),
        16 => (wide(bytes) as i128).to_string(),
        _ => wide(bytes).to_string(),
    }
}

/// A number of up to 16 bytes.
fn wide(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A floating-point number; dates are the seconds since 2001.
fn real(bytes: &[u8]) -> String {
    match bytes.len() {
        4 => f32::from_bits(big_endian(bytes) as u32).to_string(),
        _ => f64::from_bits(big_endian(bytes)).to_string(),
    }
}
