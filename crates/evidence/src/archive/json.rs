//! JSON (RFC 8259) as recorders write it: reads as far as it can and says where it stopped.
//!
//! A strict reader gives up a whole entry for one raw line break in a string, one lone surrogate
//! or one byte that is no UTF-8. Here strings are bytes: what JSON cannot say is kept as it stands.

use memchr::memchr2;
use std::borrow::Cow;

/// Containers deeper than this are skipped and read as null. HAR itself is seven deep; only the
/// stack traces that browsers add go further.
const DEPTH: usize = 32;

/// Values of one document. Keeps a document of empty lists from becoming a tree a hundred times
/// its size.
const VALUES: usize = 1 << 20;

/// One JSON value. Text is UTF-8 unless the file had other bytes there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// The digits as written.
    Number(&'a [u8]),
    Text(Cow<'a, [u8]>),
    List(Vec<Json<'a>>),
    /// Members in the order of the file; the first of a repeated name counts.
    Object(Vec<(Cow<'a, [u8]>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// The member of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(key, _)| **key == *name.as_bytes()).map(|(_, value)| value)
    }

    /// The first of several members that is there and not null.
    pub(super) fn first(&self, names: &[&str]) -> Option<&Json<'a>> {
        names.iter().find_map(|name| self.get(name).filter(|value| **value != Self::Null))
    }

    /// The bytes of a text.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A text, number or truth value as text; recorders write header values as any of them.
    pub(super) fn scalar(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(digits) => Some(digits),
            Self::Bool(true) => Some(b"true"),
            Self::Bool(false) => Some(b"false"),
            _ => None,
        }
    }

    /// A scalar that is not an empty text.
    pub(super) fn string(&self) -> Option<String> {
        let bytes = self.scalar().filter(|bytes| !bytes.is_empty())?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// A number, also one written as text.
    pub(super) fn number(&self) -> Option<f64> {
        std::str::from_utf8(self.scalar()?).ok()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Json<'a>] {
        if let Self::List(items) = self { items } else { &[] }
    }
}

/// A document as far as it could be read.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// The value; containers that were open where the reading stopped are there with what they
    /// had until then.
    pub(super) value: Json<'a>,
    /// The offset at which the reading stopped, where that was before the end.
    pub(super) stopped_at: Option<usize>,
}

/// Reads one value. Bytes behind it are not looked at.
///
/// A string that is cut off is kept only as the value of a member called `text`, because half a
/// body is evidence and half a host name is a different host.
pub(super) fn parse(data: &[u8]) -> Document<'_> {
    let mut parser = Parser { data, at: 0, values: 0, stopped_at: None };
    let value = parser.value(0, false);
    Document { value, stopped_at: parser.stopped_at }
}

struct Parser<'a> {
    data: &'a [u8],
    at: usize,
    values: usize,
    stopped_at: Option<usize>,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.data.get(self.at) {
            if !byte.is_ascii_whitespace() {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn stop<T>(&mut self, value: T) -> T {
        self.stopped_at.get_or_insert(self.at);
        value
    }

    fn value(&mut self, depth: usize, keep_cut_text: bool) -> Json<'a> {
        self.values += 1;
        if self.values > VALUES {
            return self.stop(Json::Null);
        }
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH => self.skip(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text_value(keep_cut_text),
            Some(_) => self.word(),
            None => self.stop(Json::Null),
        }
    }

    fn object(&mut self, depth: usize) -> Json<'a> {
        self.at += 1;
        let mut members = Vec::new();
        while self.stopped_at.is_none() {
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b',') => self.at += 1,
                Some(b'"') => self.member(depth, &mut members),
                _ => self.stop(()),
            }
        }
        Json::Object(members)
    }

    fn member(&mut self, depth: usize, members: &mut Vec<(Cow<'a, [u8]>, Json<'a>)>) {
        let (name, complete) = self.text();
        if !complete || self.peek() != Some(b':') {
            return self.stop(());
        }
        self.at += 1;
        let value = self.value(depth + 1, *name == *b"text");
        members.push((name, value));
    }

    fn list(&mut self, depth: usize) -> Json<'a> {
        self.at += 1;
        let mut items = Vec::new();
        while self.stopped_at.is_none() {
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                Some(b',') => self.at += 1,
                Some(b'}' | b':') | None => self.stop(()),
                Some(_) => items.push(self.value(depth + 1, false)),
            }
        }
        Json::List(items)
    }

    fn text_value(&mut self, keep_cut_text: bool) -> Json<'a> {
        let (text, complete) = self.text();
        if complete {
            return Json::Text(text);
        }
        self.stop(if keep_cut_text { Json::Text(text) } else { Json::Null })
    }

    /// The string at the cursor, and whether its closing quote was there.
    fn text(&mut self) -> (Cow<'a, [u8]>, bool) {
        let data = self.data;
        let start = self.at + 1;
        let rest = data.get(start..).unwrap_or_default();
        match memchr2(b'"', b'\\', rest) {
            Some(length) if rest[length] == b'"' => {
                self.at = start + length + 1;
                (Cow::Borrowed(&rest[..length]), true)
            }
            Some(_) => self.escaped_text(start),
            None => {
                self.at = data.len();
                (Cow::Borrowed(rest), false)
            }
        }
    }

    fn escaped_text(&mut self, start: usize) -> (Cow<'a, [u8]>, bool) {
        let mut text = Vec::new();
        self.at = start;
        loop {
            let rest = self.data.get(self.at..).unwrap_or_default();
            let length = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            text.extend_from_slice(&rest[..length]);
            self.at += length;
            match rest.get(length) {
                Some(b'\\') if rest.len() > length + 1 => self.escape(&mut text),
                Some(b'"') => {
                    self.at += 1;
                    return (Cow::Owned(text), true);
                }
                _ => {
                    self.at = self.data.len();
                    return (Cow::Owned(text), false);
                }
            }
        }
    }

    /// The escape at the cursor. One that JSON does not know stands for itself.
    fn escape(&mut self, text: &mut Vec<u8>) {
        let kind = self.data.get(self.at + 1).copied().unwrap_or(b'\\');
        let plain = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(text),
            _ => {
                text.extend_from_slice(&[b'\\', kind]);
                self.at += 2;
                return;
            }
        };
        text.push(plain);
        self.at += 2;
    }

    fn unicode_escape(&mut self, text: &mut Vec<u8>) {
        let Some(unit) = self.unit(self.at) else {
            text.extend_from_slice(b"\\u");
            self.at += 2;
            return;
        };
        self.at += 6;
        let low = self.unit(self.at).filter(|low| (0xdc00..0xe000).contains(low));
        let code = match (unit, low) {
            (0xd800..0xdc00, Some(low)) => {
                self.at += 6;
                0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
            }
            // Python's "surrogateescape": a byte that was no UTF-8 (PEP 383).
            (0xdc80..0xdd00, _) => return text.push((unit - 0xdc00) as u8),
            _ => unit,
        };
        let shown = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// The UTF-16 unit of the `\uXXXX` at `at`.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.data.get(at..at.checked_add(6)?)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
    }

    /// true, false, null, a number, or a bare word such as NaN, which reads as null.
    fn word(&mut self) -> Json<'a> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:]}[{\"".contains(byte);
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let word = &rest[..length];
        let cut = length == rest.len();
        self.at += length;
        match word {
            b"" => self.stop(Json::Null),
            _ if cut => self.stop(Json::Null),
            b"true" => Json::Bool(true),
            b"false" => Json::Bool(false),
            [b'-' | b'0'..=b'9', ..] => Json::Number(word),
            _ => Json::Null,
        }
    }

    /// Passes over a container without recursion.
    fn skip(&mut self) -> Json<'a> {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' if !self.text().1 => break,
                b'"' => continue,
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Json::Null;
            }
        }
        self.stop(Json::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(document: &str) -> Vec<u8> {
        parse(document.as_bytes()).value.bytes().unwrap().to_vec()
    }

    #[test]
    fn strings_keep_what_json_cannot_say() {
        assert_eq!(text(r#""a\n\u00e9\ud83d\ude00\/\"""#), "a\né😀/\"".as_bytes());
        assert_eq!(text(r#""\udcff\udc80""#), [0xff, 0x80], "bytes that Python smuggles through text");
        assert_eq!(text(r#""\ud83d!""#), "\u{fffd}!".as_bytes());
        assert_eq!(text(r#""\q\uZZ""#), br"\q\uZZ");
        assert_eq!(text("\"two\nlines\""), b"two\nlines");
        assert_eq!(parse(b"\"\xff\xfe\"").value.bytes(), Some(&b"\xff\xfe"[..]));
    }

    #[test]
    fn a_document_cut_off_keeps_what_stood_before_the_cut() {
        let document = parse(br#"{"a":1,"host":"exam"#);
        assert_eq!(document.stopped_at, Some(19));
        assert_eq!(document.value.get("a"), Some(&Json::Number(b"1")));
        assert_eq!(document.value.get("host"), Some(&Json::Null), "half a host name is another host");
        assert_eq!(parse(br#"{"text":"half a bo"#).value.get("text").unwrap().bytes(), Some(&b"half a bo"[..]));
    }

    #[test]
    fn deep_nesting_is_skipped_and_not_an_error() {
        let deep = format!("{{\"a\":{}{},\"b\":true}}", "[".repeat(100_000), "]".repeat(100_000));
        let document = parse(deep.as_bytes());
        assert_eq!((document.stopped_at, document.value.get("b")), (None, Some(&Json::Bool(true))));
    }

    #[test]
    fn trailing_commas_and_bare_words_cost_nothing() {
        let document = parse(br#"{"a":[1,,2,],"b":NaN,"c":-1e3,}"#);
        assert_eq!(document.stopped_at, None);
        assert_eq!(document.value.get("a").unwrap().items().len(), 2);
        assert_eq!(document.value.get("c").unwrap().number(), Some(-1000.0));
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_back(keys in prop::collection::vec(".*", 0..5), value in ".*") {
            let written = serde_json::json!({ "text": value, "list": keys });
            let written = serde_json::to_vec(&written).unwrap();
            let document = parse(&written);
            prop_assert_eq!(document.stopped_at, None);
            prop_assert_eq!(document.value.get("text").unwrap().bytes().unwrap(), value.as_bytes());
            let list = document.value.get("list").unwrap().items();
            let read: Vec<&[u8]> = list.iter().map(|item| item.bytes().unwrap()).collect();
            prop_assert_eq!(read, keys.iter().map(String::as_bytes).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&data);
        }
    }
}
