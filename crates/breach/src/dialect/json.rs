//! JSON objects, one a line or in an array (RFC 8259), with the names of inner objects joined by dots.

use std::borrow::Cow;

use super::fields::Escape;
use super::keyed::{DEEPEST, Slots, Stop, Value};
use super::schema::joined;
use super::{Text, find};

/// How deep arrays and objects may stand in a field that is kept as one; an unclosed one must end somewhere.
const DEEPEST_NESTED: u32 = 128;

/// Reads the object at `at` into `slots`. Returns the place after it.
pub(crate) fn object(text: &[u8], at: usize, slots: &mut Slots<'_>) -> Result<usize, Stop> {
    match text.get(at) {
        Some(b'{') => members(text, at + 1, "", 0, slots),
        _ => Err(Stop::Bad(at)),
    }
}

/// The same of an object that must end with its line.
pub(crate) fn object_of_line(text: Text<'_>, at: usize, slots: &mut Slots<'_>) -> Result<usize, Stop> {
    let end = text.line_end(at).ok_or(Stop::More)?;
    let line = text.bytes.get(..end).unwrap_or_default();
    object(line, at, slots).map_err(|stop| if stop == Stop::More { Stop::Bad(end) } else { stop })
}

fn members(text: &[u8], mut at: usize, path: &str, depth: usize, slots: &mut Slots<'_>) -> Result<usize, Stop> {
    at = skip_space(text, at)?;
    if text[at] == b'}' {
        return Ok(at + 1);
    }
    loop {
        at = skip_space(text, at)?;
        let (key_end, escaped) = string_end(text, at)?;
        let key = &text[at + 1..key_end];
        at = skip_space(text, key_end + 1)?;
        if text[at] != b':' {
            return Err(Stop::Bad(at));
        }
        at = skip_space(text, at + 1)?;
        at = match text[at] {
            b'{' if depth + 1 < DEEPEST => members(text, at + 1, &name(key, escaped, path), depth + 1, slots)?,
            _ => {
                let (value, next) = value(text, at)?;
                if escaped || !path.is_empty() || !slots.put_next(key, value) {
                    slots.put(&name(key, escaped, path), value);
                }
                next
            }
        };
        at = skip_space(text, at)?;
        match text[at] {
            b',' => at += 1,
            b'}' => return Ok(at + 1),
            _ => return Err(Stop::Bad(at)),
        }
    }
}

fn name<'a>(key: &'a [u8], escaped: bool, path: &str) -> Cow<'a, str> {
    let key = if escaped {
        let mut copy = key.to_vec();
        let length = unescape(&mut copy);
        Cow::Owned(String::from_utf8_lossy(&copy[..length]).into_owned())
    } else {
        String::from_utf8_lossy(key)
    };
    joined(path, key)
}

fn value(text: &[u8], at: usize) -> Result<(Value, usize), Stop> {
    match text[at] {
        b'"' => {
            let (end, escaped) = string_end(text, at)?;
            Ok((Value::At(at + 1, end, escaped.then_some(Escape::Json)), end + 1))
        }
        b'{' | b'[' => {
            let end = nested_end(text, at)?;
            Ok((Value::At(at, end, None), end))
        }
        _ => {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            let end = at + text[at..].iter().take_while(|byte| is_word(byte)).count();
            match &text[at..end] {
                _ if end == text.len() => Err(Stop::More),
                [] => Err(Stop::Bad(at)),
                b"null" => Ok((Value::Null, end)),
                _ => Ok((Value::At(at, end, None), end)),
            }
        }
    }
}

/// The place of the quote that closes the string which opens at `at`, and whether it has escapes. A line
/// feed stands in no string (RFC 8259 section 7): one that is not closed costs its line.
#[inline]
fn string_end(text: &[u8], at: usize) -> Result<(usize, bool), Stop> {
    if text.get(at) != Some(&b'"') {
        return Err(Stop::Bad(at));
    }
    let (mut from, mut escaped) = (at + 1, false);
    loop {
        let found = find::any(text, from, *b"\"\\\n").ok_or(Stop::More)?;
        match text[found] {
            b'"' => return Ok((found, escaped)),
            b'\\' if text.get(found + 1) != Some(&b'\n') => from = found + 2,
            _ => return Err(Stop::Bad(found)),
        }
        escaped = true;
    }
}

/// The place after an array or object that is kept as one field.
fn nested_end(text: &[u8], start: usize) -> Result<usize, Stop> {
    // Which are open: the last one is the lowest bit, set for an object.
    let (mut at, mut open, mut depth) = (start, 0u128, 0);
    loop {
        let byte = *text.get(at).ok_or(Stop::More)?;
        match byte {
            b'"' => at = string_end(text, at)?.0,
            b'{' | b'[' if depth == DEEPEST_NESTED => return Err(Stop::Bad(at)),
            b'{' | b'[' => (open, depth) = (open << 1 | u128::from(byte == b'{'), depth + 1),
            b'}' | b']' if (open & 1 == 1) != (byte == b'}') => return Err(Stop::Bad(at)),
            b'}' | b']' => (open, depth) = (open >> 1, depth - 1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Ok(at);
        }
    }
}

fn skip_space(text: &[u8], at: usize) -> Result<usize, Stop> {
    if text.get(at).is_some_and(|byte| *byte > b' ') {
        return Ok(at);
    }
    let rest = text.get(at..).unwrap_or_default();
    let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if space == rest.len() { Err(Stop::More) } else { Ok(at + space) }
}

/// Unescapes in place (RFC 8259 section 7); the bytes left are the first so many. No escape is shorter
/// than what it stands for.
pub(crate) fn unescape(field: &mut [u8]) -> usize {
    let (mut read, mut written) = (0, 0);
    while let Some(&byte) = field.get(read) {
        let (character, taken) = match (byte, field.get(read + 1)) {
            (b'\\', Some(b'u')) => unicode(&field[read..]),
            // No escape: the character behind it stays whole.
            (b'\\', Some(0x80..)) => {
                read += 1;
                continue;
            }
            (b'\\', Some(&next)) => (char::from(plain(next)), 2),
            _ => {
                field[written] = byte;
                (read, written) = (read + 1, written + 1);
                continue;
            }
        };
        let character = if taken == 2 && !character.is_ascii() { '\u{FFFD}' } else { character };
        let room = character.len_utf8().min(taken);
        if character.len_utf8() <= taken {
            character.encode_utf8(&mut field[written..written + room]);
        } else {
            field[written] = b'?';
        }
        written += if character.len_utf8() <= taken { room } else { 1 };
        read += taken;
    }
    written
}

fn plain(byte: u8) -> u8 {
    match byte {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}

/// The character of `\uXXXX`, or of two that are a surrogate pair, and how long it is written.
fn unicode(escape: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6).filter(|digits| digits.starts_with(b"\\u"))?;
        u16::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
    };
    let Some(first) = unit(0) else { return ('u', 2) };
    let pair = [Some(first), unit(6)].into_iter().flatten();
    match char::decode_utf16(pair).next() {
        Some(Ok(character)) => (character, character.len_utf16() * 6),
        _ => ('\u{FFFD}', 6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let length = unescape(&mut bytes);
        bytes.truncate(length);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_character_behind_a_backslash_that_escapes_nothing_stays_whole() {
        let mut field = "a\\张三".as_bytes().to_vec();
        let length = unescape(&mut field);
        assert_eq!(std::str::from_utf8(&field[..length]), Ok("a张三"));
    }

    #[test]
    fn escapes() {
        assert_eq!(unescaped(r"\u5f20\u4e09 \ud83d\ude00 \n\/\\\u12"), "张三 😀 \n/\\u12");
        assert_eq!(unescaped(r"\ud83d alone"), "\u{FFFD} alone");
    }

    proptest::proptest! {
        #[test]
        fn what_a_writer_escapes_comes_back(text in ".{0,40}") {
            let written = serde_json::to_string(&text).unwrap();
            proptest::prop_assert_eq!(unescaped(&written[1..written.len() - 1]), text);
        }
    }
}
