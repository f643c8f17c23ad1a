//! String escapes of JSON, JavaScript, C, Python and CSS: RFC 8259 section 7, ECMA-262 section 12.9.4
//! (`\x31`, `\u{31}`, `\'`), C (`\061`), Python (`\U00000031`), CSS Syntax section 4.3.7 (`\31 `).
//!
//! The notations overlap. Three octal digits are octal and not CSS; two to five hexadecimal digits
//! are CSS only where a space closes them, and six always. Bytes over 0x7f in `\x` are a character
//! of UTF-8 where several make one (C, Python), else characters of Latin-1 (JavaScript).

use super::table::About;
use super::{Codec, Unwrapped, spans_around};
use crate::classify::Marks;
use crate::map::Unescaped;
use std::ops::Range;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "escape",
    undoes: "`\\u0031`, surrogate pairs, `\\u{31}`, `\\U00000031`, `\\x31`, octal `\\061`, CSS `\\31 ` and `\\000031`, `\\n` and the other letters",
    place: "anywhere in text",
    exact: true,
    source: "RFC 8259 section 7, ECMA-262 section 12.9.4, CSS Syntax section 4.3.7, C",
};

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
        b'v' => 11,
        b'a' if !is_hex(bytes.get(2)) => 7,
        quoted @ (b'"' | b'\\' | b'/' | b'\'') => quoted,
        b'u' => return unicode(bytes, buffer),
        b'x' => {
            return byte_or_character(bytes, 4, buffer, |unit| match unit {
                [b'\\', b'x', digits @ ..] => number(digits),
                _ => None,
            });
        }
        b'U' => return character(10, number(bytes.get(2..10)?)?, buffer),
        b'0' if !is_hex(bytes.get(2)) => 0,
        _ if !is_padded_css(bytes) && bytes.get(..4).and_then(octal).is_some() => {
            return byte_or_character(bytes, 4, buffer, octal);
        }
        _ => return css(bytes, buffer),
    };
    buffer[0] = simple;
    Some((2, &buffer[..1]))
}

fn is_hex(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_hexdigit)
}

fn character(length: usize, code: u32, buffer: &mut [u8; 4]) -> Option<(usize, &[u8])> {
    Some((length, char::from_u32(code)?.encode_utf8(buffer).as_bytes()))
}

/// Escapes of one byte and that many characters each: as many as make a character of UTF-8, or one
/// as a character of Latin-1.
fn byte_or_character<'b>(
    bytes: &[u8],
    width: usize,
    buffer: &'b mut [u8; 4],
    value: impl Fn(&[u8]) -> Option<u32>,
) -> Option<(usize, &'b [u8])> {
    let first = value(bytes.get(..width)?)?;
    let count = match first {
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return character(width, first, buffer),
    };
    for (place, byte) in buffer.iter_mut().enumerate().take(count) {
        let unit = bytes.get(place * width..(place + 1) * width).and_then(&value);
        *byte = unit.and_then(|unit| u8::try_from(unit).ok()).unwrap_or(0);
    }
    if std::str::from_utf8(&buffer[..count]).is_ok_and(|text| text.chars().count() == 1) {
        return Some((width * count, &buffer[..count]));
    }
    character(width, first, buffer)
}

/// Six hexadecimal digits that begin with `00`: CSS, because octal would be a control character.
fn is_padded_css(bytes: &[u8]) -> bool {
    bytes.starts_with(br"\00") && bytes.get(1..7).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// The value of three octal digits up to `\377`.
fn octal(unit: &[u8]) -> Option<u32> {
    match unit {
        [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7'] => {
            Some(u32::from(high - b'0') << 6 | u32::from(middle - b'0') << 3 | u32::from(low - b'0'))
        }
        _ => None,
    }
}

/// Six hexadecimal digits, or two to five and a space. A space behind belongs to the escape.
fn css<'b>(bytes: &[u8], buffer: &'b mut [u8; 4]) -> Option<(usize, &'b [u8])> {
    let digits = bytes.get(1..)?.iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let space = usize::from(bytes.get(1 + digits) == Some(&b' '));
    if digits != 6 && (digits < 2 || space == 0) {
        return None;
    }
    let code = number(&bytes[1..=digits])?;
    // A number of six digits that is no escape: the path `\623456`.
    let is_likely = code >= 0x20 && (digits < 6 || bytes[1] == b'0');
    if is_likely { character(1 + digits + space, code, buffer) } else { None }
}

/// `\u{X}`, `\uXXXX`, or two of them that make a surrogate pair. A lone surrogate becomes U+FFFD.
fn unicode<'b>(bytes: &[u8], buffer: &'b mut [u8; 4]) -> Option<(usize, &'b [u8])> {
    if let Some(b'{') = bytes.get(2) {
        let digits = bytes.get(3..)?.iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let closed = digits > 0 && bytes.get(3 + digits) == Some(&b'}');
        return closed.then(|| character(4 + digits, number(&bytes[3..3 + digits])?, buffer))?;
    }
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

/// The value of hexadecimal digits; at most eight.
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |sum, digit| digit.is_ascii_hexdigit().then(|| sum << 4 | u32::from(super::hex::value(*digit))))
}

/// Writes every character as `\uXXXX`.
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
    fn reads_every_notation() {
        for (text, plain) in [
            (r"\u{31}\u{1F600}", "1😀"),
            (r"\U0001F600\U00000031", "😀1"),
            (r"\061\063\070", "138"),
            (r"\345\274\240", "张"),
            (r"\xe5\xbc\xa0\xe9x", "张éx"),
            (r"\31 38", "138"),
            (r"\000031\000033 8", "138"),
            (r"\005F20", "张"),
            (r"\v\a\0", "\u{b}\u{7}\0"),
        ] {
            assert_eq!(String::from_utf8_lossy(&unescape(text.as_bytes()).bytes), plain, "{text}");
        }
    }

    #[test]
    fn broken_escapes_stay_and_lone_surrogates_become_a_mark() {
        for text in
            [r"\", r"\u12", r"\q", r"\x1", r"\uzzzz", r"\u{}", r"\u{110000}", r"\12", r"\9", r"\UFFFFFFFF", r"\623456"]
        {
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
