//! Apache Thrift without a schema, in its binary and its compact protocol: structs, bare, behind the
//! head of a message, and behind the length of a frame.

use super::table::About;
use super::{Coding, Field, Label, Structure, Typed};
use std::fmt::Write as _;
use std::ops::{ControlFlow, Range};

/// One struct or message, and nothing else.
pub(crate) struct Thrift;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "structs and messages of the binary and the compact protocol, also framed: strings, numbers, nested structs, \
             lists, sets and maps",
    place: "whole bodies and whole fields",
    exact: true,
    source: "Apache Thrift, binary and compact protocol encoding",
};

const NAME: &str = "thrift";
/// Deeper structs are bytes.
const DEEPEST: usize = 32;
/// A struct of fewer bytes says nothing.
const SHORTEST: usize = 6;

/// True where the bytes are a struct from the first to the last byte that holds a text or several values.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let plausible = bytes.first().is_some_and(|first| is_first(*first));
    bytes.len() >= SHORTEST && plausible && read(bytes, &mut |_| ControlFlow::Continue(())).is_some()
}

/// True for a byte that may begin a message or a structure.
pub(super) const fn is_first(byte: u8) -> bool {
    matches!(byte, 0 | 2..=4 | 6 | 8 | 10..=28 | 0x80 | 0x82)
}

impl Structure for Thrift {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = read(bytes, visit);
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// Both protocols in turn; a first pass makes sure that the bytes are one.
fn read(bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> Option<()> {
    let framed = bytes.first_chunk().is_some_and(|length| u32::from_be_bytes(*length) as usize + 4 == bytes.len());
    let start = if framed { 4 } else { 0 };
    for compact in [true, false] {
        if !bytes.get(start).is_some_and(|head| may_begin(*head, compact)) {
            continue;
        }
        let mut counted = (0, 0);
        let mut count = |field: &Field<'_>| {
            counted.0 += 1;
            counted.1 += usize::from(field.typed == Typed::Bytes && super::is_printable(&bytes[field.range.clone()]));
            ControlFlow::Continue(())
        };
        let reader = || Reader { bytes, at: start, compact, path: Vec::new() };
        if reader().all(&mut count).is_some() && counted.0 > 0 && (counted.1 > 0 || counted.0 > 3) {
            return reader().all(visit);
        }
    }
    None
}

/// False where neither a message nor a structure with a field begins so.
fn may_begin(head: u8, compact: bool) -> bool {
    if compact {
        head == 0x82 || compact_type(head & 15, true).is_some()
    } else {
        head == 0x80 || binary_type(head).is_some()
    }
}

/// What a value is, in either protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    /// A truth value that stands in the head of its field.
    Nothing,
    Byte,
    /// A whole number of so many bytes; in the compact protocol its length varies.
    Integer(usize),
    Double,
    Bytes,
    /// List or set.
    List,
    Map,
    Struct,
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    compact: bool,
    /// Field numbers on the way down.
    path: Vec<i64>,
}

type Visit<'v> = &'v mut dyn FnMut(&Field<'_>) -> ControlFlow<()>;

impl Reader<'_> {
    fn all(mut self, visit: Visit<'_>) -> Option<()> {
        self.message_head()?;
        self.structure(visit)?;
        (self.at == self.bytes.len()).then_some(())
    }

    /// Passes over the head of a message, if there is one: version and type, name, sequence number.
    fn message_head(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        match rest {
            [0x82, ..] if self.compact => {
                self.at += 2;
                self.varint()?;
                let name = usize::try_from(self.varint()?).ok()?;
                self.take(name)?;
            }
            [0x80, 0x01, 0x00, _, ..] if !self.compact => {
                self.at += 4;
                let name = self.big_endian(4)?;
                self.take(usize::try_from(name).ok()?)?;
                self.take(4)?;
            }
            _ => {}
        }
        Some(())
    }

    fn structure(&mut self, visit: Visit<'_>) -> Option<()> {
        if self.path.len() >= DEEPEST {
            return None;
        }
        self.path.push(0);
        loop {
            let head = *self.take(1)?.first()?;
            if head == 0 {
                self.path.pop();
                return Some(());
            }
            let (kind, number) = if self.compact { self.compact_field(head)? } else { self.binary_field(head)? };
            *self.path.last_mut()? = number;
            self.value(kind, visit)?;
        }
    }

    fn compact_field(&mut self, head: u8) -> Option<(Type, i64)> {
        let number = match head >> 4 {
            0 => zigzag(self.varint()?),
            delta => self.path.last()?.checked_add(i64::from(delta))?,
        };
        let is_number = (1..=i64::from(i16::MAX)).contains(&number);
        Some((compact_type(head & 15, true)?, number)).filter(|_| is_number)
    }

    fn binary_field(&mut self, head: u8) -> Option<(Type, i64)> {
        let number = self.big_endian(2)? as u16;
        Some((binary_type(head)?, i64::from(number.cast_signed())))
    }

    fn value(&mut self, kind: Type, visit: Visit<'_>) -> Option<()> {
        let start = self.at;
        match kind {
            Type::Nothing => Some(()),
            Type::Byte => self.number(start, |reader| Some(i128::from(reader.take(1)?.first()?.cast_signed())), visit),
            Type::Integer(_) if self.compact => {
                self.number(start, |reader| Some(i128::from(zigzag(reader.varint()?))), visit)
            }
            Type::Integer(width) => self.number(start, |reader| reader.signed(width), visit),
            Type::Double => {
                let eight: [u8; 8] = self.take(8)?.try_into().ok()?;
                // The compact protocol's own documents and its libraries disagree about the order.
                let value = if self.compact { f64::from_le_bytes(eight) } else { f64::from_be_bytes(eight) };
                self.leaf(start..self.at, Typed::Double(value), visit)
            }
            Type::Bytes => {
                let length = if self.compact { self.varint()? } else { self.big_endian(4)? };
                let start = self.at;
                self.take(usize::try_from(length).ok()?)?;
                self.leaf(start..self.at, Typed::Bytes, visit)
            }
            Type::List => self.list(visit),
            Type::Map => self.map(visit),
            Type::Struct => self.structure(visit),
        }
    }

    fn number(&mut self, start: usize, read: impl Fn(&mut Self) -> Option<i128>, visit: Visit<'_>) -> Option<()> {
        let number = read(self)?;
        self.leaf(start..self.at, Typed::Integer(number), visit)
    }

    fn list(&mut self, visit: Visit<'_>) -> Option<()> {
        let head = *self.take(1)?.first()?;
        let (kind, count) = match (self.compact, head >> 4) {
            (true, 15) => (compact_type(head & 15, false)?, self.varint()?),
            (true, count) => (compact_type(head & 15, false)?, u64::from(count)),
            (false, _) => (binary_type(head)?, self.big_endian(4)?),
        };
        self.elements(&[kind], count, visit)
    }

    fn map(&mut self, visit: Visit<'_>) -> Option<()> {
        if !self.compact {
            let kinds = [binary_type(*self.take(1)?.first()?)?, binary_type(*self.take(1)?.first()?)?];
            let count = self.big_endian(4)?;
            return self.elements(&kinds, count, visit);
        }
        let count = self.varint()?;
        if count == 0 {
            return Some(());
        }
        let types = *self.take(1)?.first()?;
        self.elements(&[compact_type(types >> 4, false)?, compact_type(types & 15, false)?], count, visit)
    }

    /// Each element takes a byte at least, so a count beyond the bytes is none.
    fn elements(&mut self, kinds: &[Type], count: u64, visit: Visit<'_>) -> Option<()> {
        if count > (self.bytes.len() - self.at) as u64 || self.path.len() >= DEEPEST {
            return None;
        }
        self.path.push(0);
        for number in 0..count {
            *self.path.last_mut()? = number as i64;
            for kind in kinds {
                self.value(*kind, visit)?;
            }
        }
        self.path.pop();
        Some(())
    }

    fn leaf(&self, range: Range<usize>, typed: Typed, visit: Visit<'_>) -> Option<()> {
        if range.is_empty() {
            return Some(());
        }
        let made = || {
            self.path.iter().fold(String::new(), |mut path, number| {
                let _ = write!(path, "/{number}");
                path
            })
        };
        let field = Field::new(NAME, Label::Made(&made), range, Coding::Plain).typed(typed);
        visit(&field).is_continue().then_some(())
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn big_endian(&mut self, width: usize) -> Option<u64> {
        Some(self.take(width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, width: usize) -> Option<i128> {
        let unused = 64 - 8 * width as u32;
        Some(i128::from((self.big_endian(width)? << unused).cast_signed() >> unused))
    }

    /// Base 128, the lowest first, at most ten bytes.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f).checked_shl(place * 7)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Truth values stand in the head of a field, but take a byte in a list.
fn compact_type(code: u8, in_field: bool) -> Option<Type> {
    Some(match code {
        1 | 2 if in_field => Type::Nothing,
        1..=3 => Type::Byte,
        4 => Type::Integer(2),
        5 => Type::Integer(4),
        6 => Type::Integer(8),
        7 => Type::Double,
        8 => Type::Bytes,
        9 | 10 => Type::List,
        11 => Type::Map,
        12 => Type::Struct,
        _ => return None,
    })
}

fn binary_type(code: u8) -> Option<Type> {
    Some(match code {
        2 | 3 => Type::Byte,
        4 => Type::Double,
        6 => Type::Integer(2),
        8 => Type::Integer(4),
        10 => Type::Integer(8),
        11 => Type::Bytes,
        12 => Type::Struct,
        13 => Type::Map,
        14 | 15 => Type::List,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(bytes: &[u8]) -> Vec<(Option<String>, Range<usize>, Typed)> {
        let mut found = Vec::new();
        Thrift.walk(bytes, &mut |field| {
            found.push((field.label.detail(), field.range.clone(), field.typed));
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn both_protocols_are_read() {
        // {1: 17 as i32, 2: "138"}.
        let compact = b"\x15\x22\x18\x03138\0";
        let binary = b"\x08\0\x01\0\0\0\x11\x0b\0\x02\0\0\0\x03138\0";
        for (bytes, number, text) in [(&compact[..], 1..2, 4..7), (&binary[..], 3..7, 14..17)] {
            assert!(begins(bytes));
            let number = (Some("/1".to_owned()), number, Typed::Integer(17));
            assert_eq!(fields(bytes), [number, (Some("/2".to_owned()), text, Typed::Bytes)]);
        }
    }

    #[test]
    fn messages_frames_lists_and_nested_structs_are_read() {
        // A call of "f" with {1: {1: ["ab", "cd"]}}, compact.
        let call = b"\x82\x21\x01\x01f\x1c\x19\x28\x02ab\x02cd\0\0";
        let framed = [&(call.len() as u32).to_be_bytes()[..], call].concat();
        assert!(begins(&framed));
        let found = fields(&framed);
        let texts: Vec<_> = found.iter().map(|(path, range, _)| (path.as_deref(), &framed[range.clone()])).collect();
        assert_eq!(texts, [(Some("/1/1/0"), &b"ab"[..]), (Some("/1/1/1"), b"cd")]);
    }

    #[test]
    fn text_and_broken_structs_are_none() {
        for bytes in
            [&b"\x18\x03138"[..], b"\x18\x03138\0\0", b"hello world", b"\n\x05hello", b"\x19\xf5\xff\xff\xff\xff\x0f\0"]
        {
            assert!(!begins(bytes), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(0..32u8, 0..200)) {
            fields(&bytes);
        }
    }
}
