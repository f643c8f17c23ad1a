//! Hexadecimal bytes with something between them: `31:33:38`, `31 33 38`, `0x31, 0x33, 0x38`, as
//! debuggers, certificates and source text write them.

use super::number_list::{self, List};
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use std::ops::Range;

/// Hexadecimal bytes with separators.
pub(crate) struct SeparatedHex;

/// The name in trails.
pub(crate) const NAME: &str = "separated hex";

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "bytes as two hexadecimal digits each, separated by `:`, `-`, `,`, `;` or white space, with or without `0x`; \
             four bytes or more",
    place: "anywhere in text",
    exact: true,
    source: "the notation of xxd, OpenSSL and C initialisers",
};

impl Codec for SeparatedHex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn find(&self, _bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        marks.candidates_of(NAME).for_each(visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let list = only(bytes.get(span.clone())?)?;
        let decoded: Vec<u8> = list.items.iter().take(room).map(|(_, byte)| *byte).collect();
        let cut = decoded.len() < list.items.len();
        Some(Unwrapped { cut, ..Unwrapped::new(decoded, number_list::map(&span, &list.items, |_| 1)) })
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// Calls `visit` for each list in a stretch of nothing but digits and separators.
pub(super) fn candidates(bytes: &[u8], stretch: &Range<usize>, visit: &mut dyn FnMut(Range<usize>)) {
    let text = &bytes[..stretch.end];
    for prefixed in [false, true] {
        let mut from = stretch.start;
        while let Some(list) = number_list::next_list(text, from, |text| number(text, prefixed)) {
            from = list.range.end;
            visit(number_list::with_brackets(bytes, &list.range));
        }
    }
}

/// The list that a span holds: all its numbers have `0x` or none has.
fn only(text: &[u8]) -> Option<List<u8>> {
    let list = |prefixed| number_list::next_list(text, 0, |text| number(text, prefixed));
    list(false).or_else(|| list(true))
}

fn number(text: &[u8], prefixed: bool) -> Option<(usize, u8)> {
    let start = if prefixed { 2 } else { 0 };
    if prefixed && !matches!(text, [b'0', b'x' | b'X', ..]) {
        return None;
    }
    match text.get(start..)? {
        [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Some((start + 2, super::hex::value(*high) << 4 | super::hex::value(*low)))
        }
        _ => None,
    }
}

/// Writes each byte as two lower-case digits with `:` between.
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    wrap_with(bytes, "", ":")
}

/// Writes each byte as two lower-case digits behind a prefix, with a separator between.
pub(crate) fn wrap_with(bytes: &[u8], prefix: &str, separator: &str) -> Vec<u8> {
    let numbers: Vec<String> = bytes.iter().map(|byte| format!("{prefix}{byte:02x}")).collect();
    numbers.join(separator).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans(text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        SeparatedHex.find(text, &Marks::find(text), &mut |span| found.push(span));
        found
    }

    #[test]
    fn every_notation_is_read() {
        for text in
            ["31:33:38:30", "31 33 38 30", "31-33-38-30", "0x31, 0x33, 0x38, 0x30", "{0x31,0x33,\n    0x38,0x30}"]
        {
            let [span] = &spans(text.as_bytes())[..] else { panic!("one list in {text}") };
            assert_eq!(*span, 0..text.len());
            assert_eq!(SeparatedHex.unwrap(text.as_bytes(), span.clone(), 99).unwrap().bytes, b"1380");
        }
        assert!(spans(b"12:30:59, 1-2-3-4, 2026-11-22").is_empty());
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_back(
            bytes in proptest::collection::vec(any::<u8>(), 4..80),
            prefix in "(0x)?",
            separator in "[:,;-] ?| |\n",
        ) {
            let text = [b"say ".to_vec(), wrap_with(&bytes, &prefix, &separator), b".".to_vec()].concat();
            let spans = spans(&text);
            prop_assert_eq!((spans.len(), spans[0].clone()), (1, 4..text.len() - 1));
            let found = SeparatedHex.unwrap(&text, spans[0].clone(), usize::MAX).unwrap();
            prop_assert_eq!(&found.bytes, &bytes);
            for (at, byte) in bytes.iter().enumerate() {
                let outer = found.map.outer(&(at..at + 1));
                let number = format!("{prefix}{byte:02x}");
                prop_assert_eq!(&text[outer], number.as_bytes());
            }
        }
    }
}
