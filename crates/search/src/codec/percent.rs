//! Percent encoding, RFC 3986 section 2.1, with the `%uXXXX` of JavaScript's `escape` (ECMA-262 annex
//! B.2.1).

use super::table::About;
use super::{Codec, Unwrapped, spans_around};
use crate::classify::Marks;
use crate::map::Unescaped;
use std::ops::Range;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "percent",
    undoes: "`%` and two hexadecimal digits; `%u` and four, as JavaScript's `escape` writes",
    place: "anywhere in text",
    exact: true,
    source: "RFC 3986 section 2.1, ECMA-262 annex B.2.1",
};

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

/// True where the bytes begin with `%` and two hexadecimal digits, or `%u` and four.
pub(crate) fn is_escape(bytes: &[u8]) -> bool {
    is_byte(bytes) || matches!(bytes, [b'%', b'u' | b'U', ..]) && unicode(bytes).is_some()
}

fn is_byte(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// The length of `%uXXXX`, or of two that make a surrogate pair, and the character.
fn unicode(bytes: &[u8]) -> Option<(usize, char)> {
    let unit = |at: usize| match bytes.get(at..at + 6)? {
        [b'%', b'u' | b'U', digits @ ..] => super::escape::number(digits).map(|unit| unit as u16),
        _ => None,
    };
    let mut units = char::decode_utf16(unit(0).into_iter().chain(unit(6)));
    let c = units.next()?.unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((6 * c.len_utf16(), c))
}

/// Undoes percent escapes and, in forms, `+` for space. Broken escapes stay as they are.
pub(crate) fn unescape(text: &[u8], plus: bool) -> Unescaped {
    let mut out = Unescaped::default();
    let mut from = 0;
    let marks = memchr::memchr2_iter(b'%', if plus { b'+' } else { b'%' }, text);
    for at in marks {
        let rest = &text[at..];
        let mut buffer = [0; 4];
        let (length, decoded) = match rest {
            _ if at < from => continue,
            [b'+', ..] => (1, &b" "[..]),
            [_, high, low, ..] if is_byte(rest) => {
                buffer[0] = super::hex::value(*high) << 4 | super::hex::value(*low);
                (3, &buffer[..1])
            }
            _ => match unicode(rest) {
                Some((length, c)) => (length, c.encode_utf8(&mut buffer).as_bytes()),
                None => continue,
            },
        };
        out.literal(&text[from..at]);
        out.escape(at, length, decoded);
        from = at + length;
    }
    out.literal(&text[from..]);
    out
}

/// Encodes everything but unreserved characters.
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

/// Writes every UTF-16 unit as `%uXXXX`.
pub(crate) fn wrap_unicode(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| format!("%u{unit:04X}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_of_utf_16_are_read() {
        assert_eq!(unescape(b"%u5F20%u5c0f%uD83D%uDE00%20%uD83Dx%u12", false).bytes, "张小😀 \u{FFFD}x%u12".as_bytes());
    }

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

        #[test]
        fn units_map_back(text in "\\PC{1,20}") {
            let wrapped = wrap_unicode(&text);
            let (decoded, map) = unescape(&wrapped, false).finish(0).unwrap();
            prop_assert_eq!(&decoded, text.as_bytes());
            for (at, c) in text.char_indices() {
                let outer = map.outer(&(at..at + c.len_utf8()));
                prop_assert_eq!(&wrapped[outer], wrap_unicode(&c.to_string()));
            }
        }
    }
}
