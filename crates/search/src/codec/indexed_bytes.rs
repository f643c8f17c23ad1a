//! Bytes under their numbers, `{"0":49,"1":51}`: what `JSON.stringify` makes of a `Uint8Array`.

use super::number_list::map;
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use memchr::memmem::Finder;
use std::ops::Range;
use std::sync::LazyLock;

/// Objects whose keys count from 0 and whose values are bytes.
pub(crate) struct IndexedBytes;

/// The name in trails.
pub(crate) const NAME: &str = "indexed bytes";

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "objects whose keys count from 0 and whose values are decimal bytes; four or more",
    place: "anywhere in text",
    exact: true,
    source: "ECMA-262, JSON.stringify of a Uint8Array",
};

/// Shortest list.
const SHORTEST: usize = 4;
/// Longest list, so that its map stays small.
const LONGEST: usize = 1 << 18;

impl Codec for IndexedBytes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn find(&self, _bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        marks.candidates_of(NAME).for_each(visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let items = items(bytes.get(span.clone())?)?;
        let decoded: Vec<u8> = items.iter().take(room).map(|(_, byte)| *byte).collect();
        let cut = decoded.len() < items.len();
        Some(Unwrapped { cut, ..Unwrapped::new(decoded, map(&span, &items, |_| 1)) })
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// How each object begins.
static FIRST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"{\"0\":"));

/// Calls `visit` for each object.
pub(super) fn candidates(bytes: &[u8], visit: &mut dyn FnMut(Range<usize>)) {
    let mut from = 0;
    for start in FIRST.find_iter(bytes) {
        if start < from {
            continue;
        }
        if let Some((last, _)) = items(&bytes[start..]).as_deref().and_then(<[_]>::last) {
            from = start + last.end;
            visit(start..from);
        }
    }
}

/// Each byte with its digits' place.
fn items(text: &[u8]) -> Option<Vec<(Range<usize>, u8)>> {
    let mut items = Vec::new();
    let mut at = 1;
    while items.len() < LONGEST {
        let key = format!("\"{}\":", items.len());
        let Some(digits) = text.get(at..).and_then(|rest| rest.strip_prefix(key.as_bytes())) else { break };
        let length = digits.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&digits[..length]).ok().and_then(|number| number.parse().ok());
        let (Some(number), Some(b',' | b'}') | None) = (number, digits.get(length)) else { break };
        let start = at + key.len();
        items.push((start..start + length, number));
        at = start + length + 1;
    }
    (items.len() >= SHORTEST).then_some(items)
}

/// Writes bytes so.
#[cfg(test)]
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    let pairs: Vec<String> = bytes.iter().enumerate().map(|(at, byte)| format!("\"{at}\":{byte}")).collect();
    format!("{{{}}}", pairs.join(",")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_objects_are_left_alone() {
        for text in [r#"{"0":1,"1":2,"2":3}"#, r#"{"0":1,"2":2,"3":3,"4":4}"#, r#"{"0":1,"1":2,"2":3,"3":400}"#] {
            candidates(text.as_bytes(), &mut |span| panic!("{span:?} in {text}"));
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_back(bytes in proptest::collection::vec(any::<u8>(), 4..40)) {
            let text = [b"say ", &wrap(&bytes)[..], b"."].concat();
            let mut spans = Vec::new();
            candidates(&text, &mut |span| spans.push(span));
            prop_assert_eq!((spans.len(), spans[0].clone()), (1, 4..text.len() - 2));
            let found = IndexedBytes.unwrap(&text, spans[0].clone(), usize::MAX).unwrap();
            prop_assert_eq!(&found.bytes, &bytes);
            for (at, byte) in bytes.iter().enumerate() {
                let outer = found.map.outer(&(at..at + 1));
                let digits = byte.to_string();
                prop_assert_eq!(&text[outer], digits.as_bytes());
            }
        }
    }
}
