//! Percent encoding, RFC 3986 section 2.1.

use super::{Codec, Unwrapped, spans_around};
use crate::classify::Marks;
use crate::map::Unescaped;
use std::ops::Range;

/// Percent escapes in text of any kind.
pub(crate) struct Percent;

/// How far from an escape the text that belongs to it may reach.
const REACH: usize = 64 << 10;

impl Codec for Percent {
    fn name(&self) -> &'static str {
        "percent"
    }

    fn find(&self, bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        spans_around(&marks.percent, bytes, REACH, delimits, visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, _room: usize) -> Option<Unwrapped> {
        let (decoded, map) = unescape(bytes.get(span.clone())?, false).finish(span.start)?;
        Some(Unwrapped::new(decoded, map))
    }
}

/// Bytes that percent encoding never leaves bare inside one encoded text.
fn delimits(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'&' | b'=' | b'?' | b';' | b'#' | b'\\')
}

/// True where the bytes begin with `%` and two hexadecimal digits.
pub(crate) fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Undoes percent escapes and, in forms, `+` for space. Broken escapes stay as they are.
pub(crate) fn unescape(text: &[u8], plus: bool) -> Unescaped {
    let mut out = Unescaped::default();
    let mut from = 0;
    let marks = memchr::memchr2_iter(b'%', if plus { b'+' } else { b'%' }, text);
    for at in marks {
        let rest = &text[at..];
        let (length, byte) = match rest {
            [b'+', ..] => (1, b' '),
            [_, high, low, ..] if is_escape(rest) => (3, super::hex::value(*high) << 4 | super::hex::value(*low)),
            _ => continue,
        };
        out.literal(&text[from..at]);
        out.escape(at, length, &[byte]);
        from = at + length;
    }
    out.literal(&text[from..]);
    out
}

/// Encodes everything but unreserved characters.
#[cfg(test)]
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(*byte);
        } else {
            out.extend(format!("%{byte:02X}").bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(unescape(b"100%+%zz%4", true).bytes, b"100% %zz%4");
    }

    #[test]
    fn spans_end_at_delimiters() {
        let text = b"a=%41b&c=d \"x%2By\"";
        let mut spans = Vec::new();
        Percent.find(text, &Marks::find(text), &mut |span| spans.push(span));
        assert_eq!(spans, [2..6, 12..17]);
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_back(bytes: Vec<u8>) {
            let wrapped = wrap(&bytes);
            let Some((decoded, map)) = unescape(&wrapped, false).finish(0) else {
                prop_assert_eq!(&wrapped, &bytes);
                return Ok(());
            };
            prop_assert_eq!(&decoded, &bytes);
            for at in 0..bytes.len() {
                let outer = map.outer(&(at..at + 1));
                prop_assert_eq!(&unescape(&wrapped[outer], false).bytes, &bytes[at..=at]);
            }
        }
    }
}
