//! Cuts a document into tags and text, in one pass.

use std::borrow::Cow;
use std::ops::Range;

/// What stands next in a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The start of an element.
    Open {
        /// Its name.
        name: Range<usize>,
        /// What stands behind the name.
        attributes: Range<usize>,
        /// Whether it ends at once.
        empty: bool,
    },
    /// The end of an element: what stands in its tag.
    Close(Range<usize>),
    /// Text with escapes.
    Text(Range<usize>),
    /// Text without escapes.
    Verbatim(Range<usize>),
    /// A comment, a processing instruction or a declaration, but for the usual one of XML, which says nothing.
    Comment(Range<usize>),
    /// Markup that does not close, up to the end of the document.
    Broken(Range<usize>),
}

/// A position in a document.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, at }
    }

    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            let start = self.at;
            let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
            let text = memchr::memchr(b'<', rest).unwrap_or(rest.len());
            if text > 0 {
                self.at += text;
                return Some(Event::Text(start..self.at));
            }
            let (event, end) =
                markup(rest, start).unwrap_or((Some(Event::Broken(start..self.bytes.len())), rest.len()));
            self.at += end;
            if event.is_some() {
                return event;
            }
        }
    }
}

/// The markup at the start of `rest`, which stands at `start`, and how long it is. No event for the usual declaration
/// of XML, which says nothing.
fn markup(rest: &[u8], start: usize) -> Option<(Option<Event>, usize)> {
    let inside = |open: usize, close: &[u8]| {
        let end = memchr::memmem::find(rest.get(open..)?, close)? + open;
        Some((start + open..start + end, end + close.len()))
    };
    if rest.starts_with(b"<!--") {
        return inside(4, b"-->").map(|(range, end)| (Some(Event::Comment(range)), end));
    }
    if rest.starts_with(b"<![CDATA[") {
        return inside(9, b"]]>").map(|(range, end)| (Some(Event::Verbatim(range)), end));
    }
    if rest.starts_with(b"<?") {
        let (range, end) = inside(2, b"?>")?;
        let content = rest.get(2..end - 2).unwrap_or_default();
        return Some(((!is_usual_declaration(content)).then_some(Event::Comment(range)), end));
    }
    if rest.starts_with(b"<!") {
        return inside(2, b">").map(|(range, end)| (Some(Event::Comment(range)), end));
    }
    let end = tag_end(rest)?;
    let closes = rest.starts_with(b"</");
    let event = if closes { Event::Close(start + 2..start + end) } else { opened(rest.get(..end)?, start) };
    Some((Some(event), end + 1))
}

/// Values of the declaration that many documents share (XML 1.0, section 2.8).
const USUAL: [&[u8]; 8] = [b"1.0", b"1.1", b"yes", b"no", b"utf-8", b"utf-16", b"iso-8859-1", b"us-ascii"];

/// Whether the inside of a processing instruction is a declaration that only says what others say.
fn is_usual_declaration(content: &[u8]) -> bool {
    let Some(start) = content.strip_prefix(b"xml ").map(|_| 4) else { return false };
    let (attributes, rest) = attributes(content, start..content.len());
    let is_usual = |(name, value): &Attribute| {
        let [name, value] = [name, value].map(|range| content.get(range.clone()).unwrap_or_default());
        [&b"version"[..], b"encoding", b"standalone"].contains(&name)
            && USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(value))
    };
    attributes.iter().all(is_usual) && content.get(rest..).unwrap_or_default().trim_ascii().is_empty()
}

/// Where the `>` of a tag stands, outside of quotes.
fn tag_end(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', rest.get(at..)?)?;
        let mark = *rest.get(at)?;
        if mark == b'>' {
            return Some(at);
        }
        at += memchr::memchr(mark, rest.get(at + 1..)?)? + 2;
    }
}

fn opened(tag: &[u8], start: usize) -> Event {
    let empty = tag.ends_with(b"/");
    let end = if empty { tag.len() - 1 } else { tag.len() };
    let name = tag.iter().position(u8::is_ascii_whitespace).unwrap_or(end).min(end).max(1);
    Event::Open { name: start + 1..start + name, attributes: start + name..start + end.max(name), empty }
}

/// Where the name and the value of an attribute stand.
pub(crate) type Attribute = (Range<usize>, Range<usize>);

/// Names and values of attributes, and where the rest begins that is none.
pub(crate) fn attributes(bytes: &[u8], within: Range<usize>) -> (Vec<Attribute>, usize) {
    let mut found = Vec::new();
    let mut at = within.start;
    while let Some(rest) = bytes.get(at..within.end).filter(|rest| !rest.is_empty()) {
        let Some((name, value, end)) = attribute(rest) else { break };
        found.push((at + name.start..at + name.end, at + value.start..at + value.end));
        at += end;
    }
    (found, at)
}

fn attribute(rest: &[u8]) -> Option<(Range<usize>, Range<usize>, usize)> {
    let start = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let equals = memchr::memchr(b'=', rest.get(start..)?)? + start;
    let name = rest.get(start..equals)?.trim_ascii_end().len();
    let open = rest.get(equals + 1..)?.iter().position(|byte| !byte.is_ascii_whitespace())? + equals + 1;
    let mark = *rest.get(open)?;
    if mark == b'"' || mark == b'\'' {
        let end = memchr::memchr(mark, rest.get(open + 1..)?)? + open + 1;
        return Some((start..start + name, open + 1..end, end + 1));
    }
    let bare = rest.get(open..)?;
    let end = open + bare.iter().position(u8::is_ascii_whitespace).unwrap_or(bare.len());
    Some((start..start + name, open..end, end))
}

/// Longest escape that is undone: `&#x0010ffff;`.
const LONGEST_ESCAPE: usize = 12;

/// Text without its escapes (XML 1.0, section 4.6, and characters by number). Unknown ones stay as they are.
pub(crate) fn unescape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (before, escape) = rest.split_at(at);
        text.extend_from_slice(before);
        let window = escape.get(..escape.len().min(LONGEST_ESCAPE)).unwrap_or_default();
        let undone = memchr::memchr(b';', window).and_then(|end| Some((escaped(window.get(1..end)?)?, end + 1)));
        let length = if let Some((c, length)) = undone {
            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            length
        } else {
            text.push(b'&');
            1
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
    Cow::Owned(text)
}

fn escaped(name: &[u8]) -> Option<char> {
    let number = |digits: &[u8], radix| {
        let digits = std::str::from_utf8(digits).ok()?;
        char::from_u32(u32::from_str_radix(digits, radix).ok()?)
    };
    match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes() {
        assert_eq!(&*unescape(b"a&lt;&#20013;&#x4e2d;&unknown;&"), "a<\u{4e2d}\u{4e2d}&unknown;&".as_bytes());
    }

    #[test]
    fn a_quoted_sign_ends_no_tag() {
        let document = b"<a b='>' c=\"x\">";
        let mut scanner = Scanner::new(document);
        let Some(Event::Open { attributes: range, empty: false, .. }) = scanner.next() else { panic!("not a tag") };
        let values: Vec<&[u8]> = attributes(document, range).0.into_iter().map(|(_, value)| &document[value]).collect();
        assert_eq!(values, [b">", b"x"]);
    }

    proptest! {
        #[test]
        fn every_scan_ends_and_ranges_lie_inside(document in "[<>/!?a='\" \\[\\]&;-]{0,60}") {
            let mut scanner = Scanner::new(document.as_bytes());
            let mut events = 0;
            while let Some(event) = scanner.next() {
                events += 1;
                prop_assert!(events <= document.len());
                if let Event::Open { attributes: range, .. } = event {
                    prop_assert!(range.end <= document.len());
                    attributes(document.as_bytes(), range);
                }
            }
        }

        #[test]
        fn what_is_escaped_comes_back(text in "[a&<>\"';#x0-9]{0,40}") {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            prop_assert_eq!(&*unescape(escaped.as_bytes()), text.as_bytes());
        }
    }
}
