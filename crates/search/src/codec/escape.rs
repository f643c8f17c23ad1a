//! JSON and JavaScript string escapes: RFC 8259 section 7, ECMA-262 section 12.9.4 (`\x31`, `\'`).

use super::{Codec, Unwrapped, spans_around};
use crate::classify::Marks;
use crate::map::Unescaped;
use std::ops::Range;

/// String escapes outside a JSON document, as in scripts and logs.
pub(crate) struct Escape;

/// How far from an escape the text that belongs to it may reach.
const REACH: usize = 64 << 10;

impl Codec for Escape {
    fn name(&self) -> &'static str {
        "escape"
    }

    fn find(&self, bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        spans_around(&marks.backslash, bytes, REACH, |byte| matches!(byte, b'\n' | b'\r' | 0), visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, _room: usize) -> Option<Unwrapped> {
        let (decoded, map) = unescape(bytes.get(span.clone())?).finish(span.start)?;
        Some(Unwrapped::new(decoded, map))
    }
}

/// Undoes string escapes. Unknown and broken ones stay as they are.
pub(crate) fn unescape(text: &[u8]) -> Unescaped {
    let mut out = Unescaped::default();
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'\\', &text[from..]) {
        let at = from + found;
        out.literal(&text[from..at]);
        let mut buffer = [0; 4];
        if let Some((length, decoded)) = decode(&text[at..], &mut buffer) {
            out.escape(at, length, decoded);
            from = at + length;
        } else {
            let unknown = 2.min(text.len() - at);
            out.literal(&text[at..at + unknown]);
            from = at + unknown;
        }
    }
    out.literal(&text[from..]);
    out
}

/// True where the bytes begin with an escape that [`unescape`] knows.
pub(crate) fn is_escape(bytes: &[u8]) -> bool {
    decode(bytes, &mut [0; 4]).is_some()
}

/// The length of the escape that the bytes begin with and what it stands for.
fn decode<'b>(bytes: &[u8], buffer: &'b mut [u8; 4]) -> Option<(usize, &'b [u8])> {
    let simple = match *bytes.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        quoted @ (b'"' | b'\\' | b'/' | b'\'') => quoted,
        b'u' => return unicode(bytes, buffer),
        b'x' => {
            let c = char::from_u32(number(bytes.get(2..4)?)?)?;
            return Some((4, c.encode_utf8(buffer).as_bytes()));
        }
        _ => return None,
    };
    buffer[0] = simple;
    Some((2, &buffer[..1]))
}

/// `\uXXXX`, or two of them that make a surrogate pair. A lone surrogate becomes U+FFFD.
fn unicode<'b>(bytes: &[u8], buffer: &'b mut [u8; 4]) -> Option<(usize, &'b [u8])> {
    let first = number(bytes.get(2..6)?)?;
    let low = || match bytes.get(6..12)? {
        [b'\\', b'u', digits @ ..] => number(digits).filter(|low| (0xDC00..0xE000).contains(low)),
        _ => None,
    };
    if (0xD800..0xDC00).contains(&first)
        && let Some(low) = low()
    {
        let c = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00))?;
        return Some((12, c.encode_utf8(buffer).as_bytes()));
    }
    let c = char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((6, c.encode_utf8(buffer).as_bytes()))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |sum, digit| digit.is_ascii_hexdigit().then(|| sum << 4 | u32::from(super::hex::value(*digit))))
}

/// Writes every character as `\uXXXX`.
#[cfg(test)]
pub(crate) fn wrap(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_escape() {
        let text = br#"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\x31\'"#;
        assert_eq!(unescape(text).bytes, "\"\\/\u{8}\u{c}\n\r\té😀1'".as_bytes());
    }

    #[test]
    fn broken_escapes_stay_and_lone_surrogates_become_a_mark() {
        for text in [r"\", r"\u12", r"\q", r"\x1", r"\uzzzz"] {
            assert_eq!(unescape(text.as_bytes()).bytes, text.as_bytes());
        }
        assert_eq!(unescape(br"\ud83dx").bytes, "\u{FFFD}x".as_bytes());
        assert_eq!(unescape(br"\ud83d\u0041").bytes, "\u{FFFD}A".as_bytes());
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_character_maps_back(text in "\\PC{1,20}") {
            let wrapped = wrap(&text);
            let (decoded, map) = unescape(&wrapped).finish(0).unwrap();
            prop_assert_eq!(&decoded, text.as_bytes());
            for (at, c) in text.char_indices() {
                let outer = map.outer(&(at..at + c.len_utf8()));
                prop_assert_eq!(unescape(&wrapped[outer]).bytes, c.to_string().into_bytes());
            }
        }
    }
}
