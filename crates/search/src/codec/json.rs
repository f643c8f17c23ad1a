//! JSON, RFC 8259: one pass over documents that may be cut, in lines, or wrapped in a call (JSONP).

use super::table::About;
use super::{Coding, Field, Label, Structure, Typed, escape, shown};
use std::fmt::Write as _;
use std::ops::{ControlFlow, Range};

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "json",
    undoes: "strings with their escapes, numbers and names, by path",
    place: "documents",
    exact: true,
    source: "RFC 8259",
};

/// JSON documents, one or several.
pub(crate) struct Json;

/// A key longer than this is longer than any that is shown, however much of it is escapes: twelve
/// bytes give one character at least.
const LONGEST_UNESCAPED: usize = 12 * 1024;

/// Deeper containers are read but not named.
const DEEPEST_NAMED: usize = 64;

/// Numbers with a fraction are written with so many characters only where a binary64 number was
/// printed with all its digits.
const LONG_FRACTION: usize = 16;
/// How far from a byte the ends of its string are looked for.
const FURTHEST: usize = 16 << 10;
/// Longer numbers are text.
const LONGEST_NUMBER: usize = 64;
/// Whole numbers below this are exact in binary64: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// One open object or array.
#[derive(Debug, Clone, Copy)]
struct Frame {
    object: bool,
    /// Where the current key lies, without quotes. Objects only.
    key: (usize, usize),
    /// Number of the current element. Arrays only.
    index: usize,
}

/// The way from the document's root to a value.
pub(crate) struct Path<'n> {
    bytes: &'n [u8],
    frames: &'n [Frame],
    unnamed: usize,
}

impl Path<'_> {
    /// As a JSON pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = pointer(self.bytes, self.frames);
        if self.unnamed > 0 {
            pointer.push_str("/…");
        }
        pointer
    }

    /// The pointer of the container the value is in.
    pub(crate) fn parent_pointer(&self) -> String {
        pointer(self.bytes, self.frames.split_last().map_or(&[][..], |(_, rest)| rest))
    }
}

fn pointer(bytes: &[u8], frames: &[Frame]) -> String {
    let mut pointer = String::new();
    for frame in frames {
        if frame.object {
            // Unescaping a key of a megabyte for each of its values would take quadratic time.
            let key = bytes.get(frame.key.0..frame.key.1).unwrap_or_default();
            let key = if key.len() > LONGEST_UNESCAPED { shown(key) } else { shown(&escape::unescape(key).bytes) };
            let key = key.replace('~', "~0").replace('/', "~1");
            let _ = write!(pointer, "/{key}");
        } else {
            let _ = write!(pointer, "/{}", frame.index);
        }
    }
    pointer
}

/// True where the bytes begin like a JSON document: `{`, `[` or a string, perhaps behind a byte
/// order mark, a guard against inclusion (`)]}'`) or the name of a function to call.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let text = text.strip_prefix(b")]}'").map_or(text, <[u8]>::trim_ascii_start);
    match text {
        [b'"', rest @ ..] => memchr::memchr(b'"', rest).is_some(),
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start(), [] | [b'"' | b'}', ..]),
        [b'[', rest @ ..] => rest.trim_ascii_start().first().is_none_or(|first| begins_value(*first)),
        [first, ..] if first.is_ascii_alphabetic() || *first == b'_' => is_call(text),
        _ => false,
    }
}

/// The first byte of a value (RFC 8259 section 3), or of one that JavaScript has besides: `'text'`, `undefined`.
fn begins_value(byte: u8) -> bool {
    byte.is_ascii_digit() || b"\"{[]-tfn'u,/".contains(&byte)
}

fn is_call(text: &[u8]) -> bool {
    let name = text.iter().take(64).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$'));
    let arguments = text.get(name.count()..).and_then(|rest| rest.strip_prefix(b"("));
    arguments.is_some_and(|rest| matches!(rest.trim_ascii_start(), [b'{' | b'[', ..]))
}

impl Structure for Json {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        Walker { bytes, frames: Vec::new(), unnamed: 0, key_next: false }.walk(visit);
    }

    /// Between two strings stand numbers, brackets and the like: what has other characters is a string.
    fn field_around(&self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        let floor = at.saturating_sub(FURTHEST);
        let start = floor + memchr::memrchr(b'"', bytes.get(floor..at)?)? + 1;
        let limit = bytes.len().min(at.saturating_add(FURTHEST));
        let end = at + memchr::memchr(b'"', bytes.get(at..limit)?).filter(|length| *length > 0)?;
        let string = bytes.get(start..end)?;
        // An escaped quotation mark begins or ends nothing.
        let is_escaped = memchr::memchr(b'\\', bytes.get(start.saturating_sub(2)..end)?).is_some();
        (!is_escaped && string.iter().any(|byte| !may_stand_between(*byte))).then_some(start..end)
    }
}

struct Walker<'n> {
    bytes: &'n [u8],
    frames: Vec<Frame>,
    /// Open containers beyond [`DEEPEST_NAMED`].
    unnamed: usize,
    /// The next string is a key.
    key_next: bool,
}

impl Walker<'_> {
    fn walk(&mut self, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => self.open(byte == b'{'),
                b'}' | b']' => self.close(),
                b',' => self.next_member(),
                b':' => self.key_next = false,
                b'"' => {
                    let end = string_end(self.bytes, at);
                    if self.string(at..end, visit).is_break() {
                        return;
                    }
                    at = end + 1;
                }
                b'-' | b'0'..=b'9' => {
                    let start = at - 1;
                    at += self.bytes[at..].iter().take_while(|b| in_number(**b)).count();
                    if self.number(start..at, visit).is_break() {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    fn string(&mut self, range: Range<usize>, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.key_next
            && self.unnamed == 0
            && let Some(frame) = self.frames.last_mut()
        {
            frame.key = (range.start, range.end);
            let path = Path { bytes: self.bytes, frames: &self.frames, unnamed: 0 };
            return visit(&Field::new("json", Label::Key(&path), range, Coding::Json));
        }
        self.leaf(range, Coding::Json, visit)
    }

    /// A number is its text first of all. Where the text may be one of several for the same
    /// number, it is visited once more as that number.
    fn number(&self, range: Range<usize>, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.leaf(range.clone(), Coding::Plain, visit)?;
        let Some(typed) = typed(&self.bytes[range.clone()]) else { return ControlFlow::Continue(()) };
        let path = Path { bytes: self.bytes, frames: &self.frames, unnamed: self.unnamed };
        visit(&Field::new("json", Label::Pointer(&path), range, Coding::Plain).typed(typed))
    }

    fn leaf(
        &self,
        range: Range<usize>,
        coding: Coding,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let path = Path { bytes: self.bytes, frames: &self.frames, unnamed: self.unnamed };
        visit(&Field::new("json", Label::Pointer(&path), range, coding))
    }

    fn open(&mut self, object: bool) {
        if self.frames.len() < DEEPEST_NAMED {
            self.frames.push(Frame { object, key: (0, 0), index: 0 });
        } else {
            self.unnamed += 1;
        }
        self.key_next = object && self.unnamed == 0;
    }

    fn close(&mut self) {
        if self.unnamed > 0 {
            self.unnamed -= 1;
        } else {
            self.frames.pop();
        }
        self.key_next = false;
    }

    fn next_member(&mut self) {
        if self.unnamed > 0 {
            return;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.index += 1;
            self.key_next = frame.object;
        }
    }
}

/// True for what numbers, `true`, `false`, `null`, brackets and white space are made of.
fn may_stand_between(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_whitespace() || b"{}[]:,.+-eEtrufalsn".contains(&byte)
}

/// Offset of the closing quote of the string that starts at `at`, or of the end of a cut document.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// What a number with an exponent or more digits than it needs stands for: shorter fractions are
/// written one way only.
fn typed(text: &[u8]) -> Option<Typed> {
    let has_exponent = || text.iter().any(|byte| matches!(byte, b'e' | b'E'));
    let is_long_fraction = || text.len() >= LONG_FRACTION && text.contains(&b'.');
    if text.len() > LONGEST_NUMBER || !(has_exponent() || is_long_fraction()) {
        return None;
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok().filter(|number: &f64| number.is_finite())?;
    let whole = number.fract() == 0.0 && number.abs() < EXACT;
    Some(if whole { Typed::Integer(number as i128) } else { Typed::Double(number) })
}

fn in_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        Json.walk(text.as_bytes(), &mut |field| {
            let name = field.label.detail().unwrap_or_default();
            found.push((name, String::from_utf8_lossy(&text.as_bytes()[field.range.clone()]).into_owned()));
            ControlFlow::Continue(())
        });
        found.retain(|(name, _)| !name.starts_with("key in"));
        found.dedup();
        found
    }

    #[test]
    fn every_leaf_has_its_pointer() {
        let found = fields(r#"{"a":{"b/c":[1,"x",{"d":-2.5e3}]},"e":true,"\u0066":"y"}"#);
        let expected = [("/a/b~1c/0", "1"), ("/a/b~1c/1", "x"), ("/a/b~1c/2/d", "-2.5e3"), ("/f", "y")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    proptest! {
        #[test]
        fn a_string_is_told_by_what_stands_around_it_as_by_reading_all(
            texts in proptest::collection::vec("[a-z:,1é\\[\\]{}\"\\\\ ]{0,6}", 1..8),
            number in any::<i32>(),
        ) {
            let strings = texts.iter().map(|text| serde_json::json!({ text: [number, text] }));
            let document = serde_json::Value::from(strings.collect::<Vec<_>>()).to_string();
            let mut fields = Vec::new();
            Json.walk(document.as_bytes(), &mut |field| {
                fields.push(field.range.clone());
                ControlFlow::Continue(())
            });
            for at in 0..document.len() {
                if let Some(found) = Json.field_around(document.as_bytes(), at) {
                    prop_assert!(found.contains(&at) && fields.contains(&found), "{document} {at} {found:?}");
                }
            }
            let plain = document.find(|c: char| matches!(c, 'b'..='d' | 'g'..='k'));
            let is_escaped = document.contains('\\');
            prop_assert!(is_escaped || plain.is_none_or(|at| Json.field_around(document.as_bytes(), at).is_some()));
        }
    }

    #[test]
    fn cut_documents_lines_and_calls_are_read() {
        assert_eq!(fields(r#"{"a":[{"b":"cut he"#), [("/a/0/b".to_owned(), "cut he".to_owned())]);
        assert_eq!(
            fields("{\"a\":1}\n{\"b\":2}"),
            [("/a", "1"), ("/b", "2")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        assert!(begins(b"cb({\"a\":1})") && begins(b")]}',\n[1]") == begins(b",[1]"));
        assert!(!begins(b"[INFO] started") && !begins(b"[q\xf2") && !begins(b"{not json"));
        assert!(begins(b"[") && begins(b"[ -1]") && begins(b"[[null]]"));
    }

    #[test]
    fn numbers_that_can_be_written_in_several_ways_are_numbers() {
        assert_eq!(typed(b"1.3800000427e10"), Some(Typed::Integer(13_800_000_427)));
        assert_eq!(typed(b"31.230416699999999"), Some(Typed::Double(31.230_416_7)));
        assert_eq!(typed(b"-5E-1"), Some(Typed::Double(-0.5)));
        for text in ["31.2304167", "13800000427", "1e999", "1e", "-", "1-2e5"] {
            assert_eq!(typed(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_deep_document_is_named_as_far_as_the_limit() {
        let text = format!("{}1", "[".repeat(100_000));
        let found = fields(&text);
        assert_eq!(found.len(), 1);
        assert!(found[0].0.ends_with("/0/…"));
    }

    proptest! {
        #[test]
        fn fields_come_in_order_and_inside_the_bytes(text in "[\\[\\]{}\":,\\\\a1 ]{0,80}") {
            let mut end = 0;
            Json.walk(text.as_bytes(), &mut |field| {
                assert!(field.range.start >= end && field.range.end <= text.len());
                end = field.range.end;
                ControlFlow::Continue(())
            });
        }
    }
}
