//! JSON objects between other bytes: behind the header of a binary frame, in a file of an unknown
//! format. Without this, short values and escaped text in them would not be fields.

use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use crate::map::Map;
use std::ops::Range;

/// Objects that do not begin where the bytes begin.
pub(crate) struct EmbeddedJson;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "embedded json",
    undoes: "objects of JSON between other bytes, whole or cut by their end; each is then a document",
    place: "anywhere in bytes that are neither text nor a document themselves",
    exact: true,
    source: "RFC 8259",
};

/// Shortest object: `{"a":1}`.
const SHORTEST: usize = 7;

impl Codec for EmbeddedJson {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        // An object at the start is undone as a document.
        let mut from = 1;
        for at in memchr::memmem::find_iter(bytes, b"{\"") {
            if at < from {
                continue;
            }
            let length = length(&bytes[at..]);
            // What breaks this object off would break off those within it, too.
            from = at + length.unwrap_or_else(|end| end);
            if length.is_ok_and(|length| length >= SHORTEST) {
                visit(at..from);
            }
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let object = bytes.get(span.clone())?;
        let kept = object.get(..room).unwrap_or(object);
        Some(Unwrapped { cut: kept.len() < object.len(), ..Unwrapped::new(kept.to_vec(), Map::shift(span.start)) })
    }
}

/// The length of the object that the bytes begin with, up to their end where it is cut there. An
/// error says where a byte stands that no JSON has.
fn length(bytes: &[u8]) -> Result<usize, usize> {
    let (mut depth, mut in_string, mut is_escaped) = (0usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            0..b' ' if in_string || !byte.is_ascii_whitespace() => return Err(at + 1),
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            0x7f.. if !in_string => return Err(at + 1),
            _ => {}
        }
        if depth == 0 {
            return Ok(at + 1);
        }
    }
    Ok(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn objects(bytes: &[u8]) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        EmbeddedJson.find(bytes, &Marks::default(), &mut |span| all.push(span));
        all
    }

    #[test]
    fn objects_are_found_between_other_bytes() {
        let first = br#"{"a":"}\"","b":[1,{"c":"\u00e9"}]}"#;
        let bytes = [&[0, 9, 0xff][..], first, &[0, 1], br#"{"d":17}"#, &[3]].concat();
        let second = 3 + first.len() + 2;
        assert_eq!(objects(&bytes), [3..3 + first.len(), second..second + 8]);
        let cut = b"\x00{\"cut\":\"13800";
        assert_eq!(objects(cut), vec![1..cut.len(); 1], "an object cut by the end");
    }

    #[test]
    fn what_no_json_has_ends_the_object() {
        assert_eq!(objects(b"\x00{\"a\":\x01\"b\"}"), []);
        assert_eq!(objects(br#"{"at":"the start"}"#), []);
    }

    proptest! {
        #[test]
        fn objects_lie_side_by_side_and_come_out_as_they_are(bytes in "[\\x00{}\"a:\\\\é]{0,60}") {
            let bytes = bytes.as_bytes();
            let mut last = 0;
            for span in objects(bytes) {
                prop_assert!(span.start >= last && span.end <= bytes.len());
                last = span.end;
                let unwrapped = EmbeddedJson.unwrap(bytes, span.clone(), usize::MAX).unwrap();
                prop_assert_eq!(&unwrapped.bytes[..], &bytes[span.clone()]);
                prop_assert_eq!(unwrapped.map.outer(&(0..1)), span.start..span.start + 1);
            }
        }
    }
}
