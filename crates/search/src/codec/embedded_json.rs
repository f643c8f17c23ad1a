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
        let mut again = bytes.len().saturating_mul(MOST_AGAIN);
        for at in memchr::memmem::find_iter(bytes, b"{\"") {
            if at < from {
                continue;
            }
            match length(&bytes[at..]) {
                Ok(length) => {
                    from = at + length;
                    if length >= SHORTEST {
                        visit(at..from);
                    }
                }
                // Chance may have shown the two characters, and the object stands behind them.
                Err(end) if end <= again => {
                    again -= end;
                    from = at + 2;
                }
                Err(end) => from = at + end,
            }
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let object = bytes.get(span.clone())?;
        let kept = object.get(..room).unwrap_or(object);
        Some(Unwrapped { cut: kept.len() < object.len(), ..Unwrapped::new(kept.to_vec(), Map::shift(span.start)) })
    }
}

/// Times the length of the bytes that objects which broke off are read again.
const MOST_AGAIN: usize = 4;

/// The length of the object that the bytes begin with, up to their end where it is cut there. An
/// error says where a byte stands that no JSON has, in no character encoding, or the first name has no colon.
fn length(bytes: &[u8]) -> Result<usize, usize> {
    let (mut depth, mut in_string, mut is_escaped, mut has_colon) = (0usize, false, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            0..b' ' if in_string || !byte.is_ascii_whitespace() => return Err(at + 1),
            0xff => return Err(at + 1),
            b':' if !in_string => has_colon = true,
            _ if !in_string && !has_colon && at > 1 && !byte.is_ascii_whitespace() => return Err(at + 1),
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

    #[test]
    fn two_characters_that_chance_shows_swallow_no_object_behind_them() {
        for noise in [&b"\x00{\"\xffxx"[..], b"\x00{\"\xc3xx", b"\x00{\"x\" 9", b"\x00{\"{\""] {
            let bytes = [noise, br#"{"pin":"4821"}"#].concat();
            assert_eq!(objects(&bytes), vec![noise.len()..bytes.len(); 1], "{noise:?}");
        }
    }

    #[test]
    fn openings_alone_are_read_a_bounded_number_of_times() {
        assert_eq!(objects(&[&b"\x00"[..], &br#"{"a":[\"#.repeat(100_000), b"\x01"].concat()), []);
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
