//! Quoted-printable, RFC 2045 section 6.7: `=E5=BC=A0`, with soft line breaks.

use super::table::About;
use super::{Codec, Unwrapped, spans_around};
use crate::classify::{Candidate, Marks};
use crate::map::Unescaped;
use std::ops::Range;

/// Quoted-printable text.
pub(crate) struct QuotedPrintable;

/// The name in trails.
pub(crate) const NAME: &str = "quoted-printable";

/// How far from an escape the text that belongs to it may reach.
const REACH: usize = 64 << 10;

/// Longest line the standard allows, without its line end.
const LONGEST_LINE: usize = 76;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "`=` and two hexadecimal digits, soft line breaks; capitals only, as the standard demands, because `a=ca` is \
             a field of a form",
    place: "anywhere in text",
    exact: true,
    source: "RFC 2045 section 6.7",
};

impl Codec for QuotedPrintable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn find(&self, bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let marks: Vec<usize> = marks.candidates_of(NAME).map(|span| span.start).collect();
        // Soft line breaks join lines: only a byte that is no text ends the span.
        spans_around(&marks, bytes, REACH, |byte| byte == 0, visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, _room: usize) -> Option<Unwrapped> {
        let (decoded, map) = unescape(bytes.get(span.clone())?).finish(span.start)?;
        Some(Unwrapped::new(decoded, map))
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// The escape that the `=` at `at` begins, where it is not likely to be something else: a soft line break, an escape
/// beside another, or that of `=` itself; `v=17` is a form.
pub(crate) fn candidate(bytes: &[u8], at: usize) -> Option<Candidate> {
    let (length, byte) = decode(&bytes[at..])?;
    let is_plain = byte.is_none_or(|byte| byte == b'=');
    let is_likely = is_plain || decode(&bytes[at + length..]).is_some();
    is_likely.then(|| Candidate { span: at..at + length, codec: NAME })
}

/// The length of the escape that the text begins with and its byte; none for a soft line break.
fn decode(text: &[u8]) -> Option<(usize, Option<u8>)> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    match text {
        [b'=', b'\n', ..] => Some((2, None)),
        [b'=', b'\r', b'\n', ..] => Some((3, None)),
        [b'=', high, low, ..] if is_digit(*high) && is_digit(*low) => {
            Some((3, Some(super::hex::value(*high) << 4 | super::hex::value(*low))))
        }
        _ => None,
    }
}

fn unescape(text: &[u8]) -> Unescaped {
    let mut out = Unescaped::default();
    let mut from = 0;
    for at in memchr::memchr_iter(b'=', text) {
        if let Some((length, byte)) = decode(&text[at..]) {
            out.literal(&text[from..at]);
            out.escape(at, length, byte.as_slice());
            from = at + length;
        }
    }
    out.literal(&text[from..]);
    out
}

/// Encodes all but printable ASCII, with soft line breaks.
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut line = 0;
    for byte in bytes {
        let unit = match byte {
            b'!'..=b'~' if *byte != b'=' => vec![*byte],
            _ => format!("={byte:02X}").into_bytes(),
        };
        if line + unit.len() >= LONGEST_LINE {
            out.extend_from_slice(b"=\r\n");
            line = 0;
        }
        line += unit.len();
        out.extend_from_slice(&unit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &[u8]) -> Option<Unwrapped> {
        let mut found = None;
        QuotedPrintable.find(text, &Marks::find(text), &mut |span| found = found.take().or(Some(span)));
        QuotedPrintable.unwrap(text, found?, 1 << 20)
    }

    #[test]
    fn the_example_of_the_standard() {
        let text = b"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.";
        assert_eq!(first(text).unwrap().bytes, b"Now's the time for all folk to come to the aid of their country.");
        assert!(first(b"a=41&b=beef&c=3d").is_none() && first(b"x == y").is_none());
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_back(text in "[ -~é张]{0,200}") {
            let wrapped = wrap(text.as_bytes());
            let Some(found) = first(&wrapped) else {
                prop_assert!(!wrapped.windows(2).any(|pair| pair[0] == b'=' && pair[1] != b'2' && pair[1] != b'3'));
                return Ok(());
            };
            prop_assert_eq!(&found.bytes, text.as_bytes());
            for at in 0..text.len() {
                let outer = found.map.outer(&(at..at + 1));
                prop_assert_eq!(&unescape(&wrapped[outer]).bytes, &text.as_bytes()[at..=at]);
            }
        }
    }
}
