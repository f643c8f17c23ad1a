//! BSON 1.1, <https://bsonspec.org/spec.html>: documents, one or several behind one another.

use super::table::About;
use super::{Coding, Field, Label, Structure, Typed, shown};
use std::ops::{ControlFlow, Range};

/// Documents that fill the bytes.
pub(crate) struct Bson;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: "bson",
    undoes: "documents and arrays: strings, binary, numbers, dates, object identifiers, regular expressions, code",
    place: "whole bodies and whole fields",
    exact: true,
    source: "BSON 1.1",
};

/// Deeper documents are not taken for documents; MongoDB allows 100.
const DEEPEST: usize = 128;
/// Length and terminator of a document without elements.
const SHORTEST: usize = 5;

/// False where the length that a document begins with is none, as it is of nearly all other bytes.
#[inline]
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|length| u32::from_le_bytes(*length) as usize <= bytes.len())
}

/// True where the bytes are documents from end to end and the first is not empty.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    document(bytes, 0, bytes.len()).is_some_and(|first| first.len() > SHORTEST) && walk(bytes, &mut ignore).is_some()
}

fn ignore(_: &Field<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The document at `at`, if it ends as it should and not behind `limit`.
fn document(bytes: &[u8], at: usize, limit: usize) -> Option<Range<usize>> {
    let length = usize::try_from(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()?;
    let end = at.checked_add(length).filter(|end| length >= SHORTEST && *end <= limit)?;
    (bytes.get(end - 1) == Some(&0)).then_some(at..end)
}

impl Structure for Bson {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = walk(bytes, visit);
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }
}

/// One open document: where its name and its last byte lie.
struct Open {
    name: Range<usize>,
    end: usize,
}

/// `None` at the first fault, or where a visit broke.
fn walk(bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> Option<()> {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let Some(inner) = open.last() else {
            let document = document(bytes, at, bytes.len())?;
            open.push(Open { name: at..at, end: document.end - 1 });
            at += 4;
            continue;
        };
        if at == inner.end {
            open.pop();
            at += 1;
            continue;
        }
        let limit = inner.end;
        let kind = *bytes.get(at)?;
        let name = cstring(bytes, at + 1, limit)?;
        let value = name.end + 1;
        if matches!(kind, 0x03 | 0x04) {
            let document = document(bytes, value, limit).filter(|_| open.len() < DEEPEST)?;
            open.push(Open { name, end: document.end - 1 });
            at = value + 4;
            continue;
        }
        open.push(Open { name, end: limit });
        at = element(bytes, kind, value..limit, &open, visit)?;
        open.pop();
    }
    open.is_empty().then_some(())
}

/// Text up to a zero byte, which is left out.
fn cstring(bytes: &[u8], at: usize, limit: usize) -> Option<Range<usize>> {
    let length = memchr::memchr(0, bytes.get(at..limit)?)?;
    Some(at..at + length)
}

/// Visits the value of one element, which begins where `room` does; gives the offset behind it.
fn element(
    bytes: &[u8],
    kind: u8,
    room: Range<usize>,
    open: &[Open],
    visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
) -> Option<usize> {
    let at = room.start;
    let mut give = |range: Range<usize>, typed: Typed| {
        let label = || pointer(bytes, open);
        let field = Field::new("bson", Label::Made(&label), range.clone(), Coding::Plain).typed(typed);
        let goes_on = range.end <= room.end && (range.is_empty() || visit(&field).is_continue());
        goes_on.then_some(range.end)
    };
    let number = || Some(i64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    match kind {
        0x01 => give(at..at + 8, Typed::Double(f64::from_bits(number()? as u64))),
        0x02 | 0x0d | 0x0e => {
            let text = string(bytes, at)?;
            give(text.start..text.end - 1, Typed::Bytes).map(|end| end + 1)
        }
        0x05 => binary(bytes, at).and_then(|content| give(content, Typed::Bytes)),
        0x06 | 0x0a | 0x7f | 0xff => Some(at),
        0x07 => give(at..at + 12, Typed::Bytes),
        0x08 => bytes.get(at).filter(|byte| **byte < 2).map(|_| at + 1),
        0x09 | 0x11 | 0x12 => give(at..at + 8, Typed::Integer(i128::from(number()?))),
        0x0b => {
            let pattern = cstring(bytes, at, room.end)?;
            let options = cstring(bytes, pattern.end + 1, room.end)?;
            give(pattern, Typed::Bytes)?;
            Some(options.end + 1)
        }
        0x0c => {
            let name = string(bytes, at)?;
            give(name.start..name.end - 1, Typed::Bytes)?;
            give(name.end..name.end + 12, Typed::Bytes)
        }
        0x0f => scoped_code(bytes, at, room.end).and_then(|(code, end)| give(code, Typed::Bytes).map(|_| end)),
        0x10 => {
            let number = i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
            give(at..at + 4, Typed::Integer(i128::from(number)))
        }
        0x13 => give(at..at + 16, Typed::Bytes),
        _ => None,
    }
    .filter(|end| *end <= room.end)
}

/// The string at `at` with its terminator, without its length.
fn string(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = usize::try_from(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()?;
    let end = (at + 4).checked_add(length).filter(|_| length > 0)?;
    (bytes.get(end - 1) == Some(&0)).then_some(at + 4..end)
}

/// Content of a binary value: behind length and subtype, and behind a second length in the old
/// subtype 2.
fn binary(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = usize::try_from(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()?;
    let subtype = *bytes.get(at + 4)?;
    let start = at + 5;
    let end = start.checked_add(length).filter(|end| *end <= bytes.len())?;
    Some(if subtype == 2 && length >= 4 { start + 4..end } else { start..end })
}

/// Code and the end of the whole; its scope is passed over with it.
fn scoped_code(bytes: &[u8], at: usize, limit: usize) -> Option<(Range<usize>, usize)> {
    let length = usize::try_from(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()?;
    let end = at.checked_add(length).filter(|end| *end <= limit)?;
    let code = string(bytes, at + 4)?;
    (code.end <= end).then_some((code.start..end, end))
}

/// As a JSON pointer (RFC 6901): names of the open documents, without the outermost.
fn pointer(bytes: &[u8], open: &[Open]) -> String {
    let segment = |open: &Open| {
        let name = shown(bytes.get(open.name.clone()).unwrap_or_default());
        format!("/{}", name.replace('~', "~0").replace('/', "~1"))
    };
    open.iter().skip(1).map(segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::{noise, seen};
    use proptest::prelude::*;

    fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
        [&[kind][..], name.as_bytes(), b"\0", value].concat()
    }

    fn document(elements: &[Vec<u8>]) -> Vec<u8> {
        let body = elements.concat();
        [&(body.len() as i32 + 5).to_le_bytes()[..], &body, b"\0"].concat()
    }

    fn text(text: &[u8]) -> Vec<u8> {
        [&(text.len() as i32 + 1).to_le_bytes()[..], text, b"\0"].concat()
    }

    /// Both examples of the specification's page of questions.
    #[test]
    fn the_published_examples_are_read() {
        let hello = b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0";
        assert!(begins(hello));
        assert_eq!((seen(&Bson, hello)[0].label.as_str(), seen(&Bson, hello)[0].range.clone()), ("/hello", 15..20));
        let array = b"1\0\0\0\x04BSON\0&\0\0\0\x020\0\x08\0\0\0awesome\0\x011\x00333333\x14@\x102\0\xc2\x07\0\0\0\0";
        assert!(begins(array));
        let found = seen(&Bson, array);
        assert_eq!(
            found.iter().map(|field| field.label.as_str()).collect::<Vec<_>>(),
            ["/BSON/0", "/BSON/1", "/BSON/2"]
        );
        assert_eq!((found[1].typed, found[2].typed), (Typed::Double(5.05), Typed::Integer(1986)));
    }

    #[test]
    fn every_type_is_passed() {
        let scope = document(&[]);
        let code = [&text(b"f()")[..], &scope].concat();
        let scoped = [&(code.len() as i32 + 4).to_le_bytes()[..], &code].concat();
        let all = document(&[
            element(0x05, "bin", b"\x03\0\0\0\x00abc"),
            element(0x05, "old", b"\x07\0\0\0\x02\x03\0\0\0abc"),
            element(0x07, "id", b"twelve bytes"),
            element(0x08, "yes", b"\x01"),
            element(0x09, "date", &7i64.to_le_bytes()),
            element(0x0a, "null", b""),
            element(0x0b, "regex", b"a.*\0i\0"),
            element(0x0c, "pointer", &[text(b"db"), b"twelve bytes".to_vec()].concat()),
            element(0x0f, "code", &scoped),
            element(0x13, "decimal", &[9; 16]),
            element(0xff, "min", b""),
            element(0x12, "last", &(-1i64).to_le_bytes()),
        ]);
        assert!(begins(&all));
        let found = seen(&Bson, &all);
        let labels: Vec<_> = found.iter().map(|field| field.label.as_str()).collect();
        assert_eq!(
            labels,
            ["/bin", "/old", "/id", "/date", "/regex", "/pointer", "/pointer", "/code", "/decimal", "/last"]
        );
        assert_eq!((&all[found[1].range.clone()], found[9].typed), (&b"abc"[..], Typed::Integer(-1)));
    }

    #[test]
    fn documents_behind_one_another_are_read_and_faults_are_not() {
        let one = document(&[element(0x10, "a", &5i32.to_le_bytes())]);
        assert!(begins(&one.repeat(3)));
        assert!(!begins(&one[..one.len() - 1]) && !begins(&[&one[..], b"\0"].concat()) && !begins(b"\x05\0\0\0\0"));
        assert!(!begins(&document(&[element(0x20, "a", b"")])) && !begins(&document(&[element(0x08, "a", b"\x02")])));
    }

    #[test]
    fn deep_nesting_and_many_elements_cost_no_more_than_their_bytes() {
        let nest = |depth: usize| (0..depth).fold(document(&[]), |inner, _| document(&[element(3, "d", &inner)]));
        assert!(begins(&nest(100)) && !begins(&nest(2000)));
        let many = document(&vec![element(0x10, "a", &5i32.to_le_bytes()); 100_000]);
        assert_eq!(seen(&Bson, &many).len(), 100_000);
        assert_eq!((0..20_000).filter(|seed| begins(&noise(*seed, 64))).count(), 0);
    }

    proptest! {
        #[test]
        fn what_was_written_comes_out(pairs in proptest::collection::vec(("[a-z]{1,9}", "[ -~]{1,40}", any::<i64>()), 1..6)) {
            let elements: Vec<_> = pairs.iter().map(|(key, value, number)| {
                element(3, key, &document(&[element(2, "t", &text(value.as_bytes())), element(0x12, "n", &number.to_le_bytes())]))
            }).collect();
            let bytes = document(&elements);
            prop_assert!(begins(&bytes));
            let found = seen(&Bson, &bytes);
            for (two, (key, value, number)) in found.chunks(2).zip(&pairs) {
                prop_assert_eq!(&two[0].label, &format!("/{key}/t"));
                prop_assert_eq!(&bytes[two[0].range.clone()], value.as_bytes());
                prop_assert_eq!(two[1].typed, Typed::Integer(i128::from(*number)));
            }
        }

        #[test]
        fn any_bytes_are_walked_inside_their_bounds(bytes in proptest::collection::vec(prop_oneof![Just(0u8), 0u8..20, any::<u8>()], 0..100)) {
            let framed = document(std::slice::from_ref(&bytes));
            begins(&framed);
            seen(&Bson, &framed);
            seen(&Bson, &bytes);
        }
    }
}
