//! XML 1.0 and HTML: one pass over documents that may be cut or badly nested. Character references
//! are left to their own codec.

use super::table::About;
use super::{Coding, Field, Label, Structure, shown};
use std::ops::{ControlFlow, Range};

/// A document or a fragment of one.
pub(crate) struct Xml;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "text, attributes, CDATA sections and comments of XML and HTML, property lists and preferences among them",
    place: "whole bodies and whole fields",
    exact: true,
    source: "XML 1.0; HTML Living Standard",
};

const NAME: &str = "xml";
/// Deeper elements are read but not named.
const DEEPEST_NAMED: usize = 64;
/// Elements that HTML never closes (HTML Living Standard, section 13.1.2).
const VOID: [&[u8]; 13] = [
    b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"source", b"track", b"wbr",
];
/// Elements whose content is no markup in HTML.
const RAW: [&[u8]; 2] = [b"script", b"style"];

/// True where the bytes begin with a tag, a declaration or a comment, perhaps behind a byte order
/// mark.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    match text {
        [b'<', b'!' | b'?', next, ..] => next.is_ascii_alphabetic() || matches!(next, b'-' | b'['),
        [b'<', first, ..] if first.is_ascii_alphabetic() || *first == b'_' => {
            let name = text[1..].iter().take(128).take_while(|byte| in_name(**byte)).count();
            matches!(text.get(name + 1), Some(b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'))
        }
        _ => false,
    }
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.') || byte >= 0x80
}

impl Structure for Xml {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = Walker { bytes, open: Vec::new(), unnamed: 0 }.walk(visit);
    }
}

/// One open element.
#[derive(Debug, Clone)]
struct Open {
    name: Range<usize>,
    /// What tells it from its siblings: its attribute `name`, or the `key` before it in a property
    /// list. Empty where there is none.
    called: Range<usize>,
    /// Content of its last child `key`.
    key: Range<usize>,
}

struct Walker<'b> {
    bytes: &'b [u8],
    open: Vec<Open>,
    /// Open elements beyond [`DEEPEST_NAMED`].
    unnamed: usize,
}

impl Walker<'_> {
    fn walk(&mut self, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut at = 0;
        while at < self.bytes.len() {
            let tag = self.find(b'<', at);
            self.text(at..tag, visit)?;
            let rest = &self.bytes[tag..];
            at = match rest {
                _ if rest.starts_with(b"<!--") => self.section(tag + 4, b"-->", " comment", visit)?,
                _ if rest.starts_with(b"<![CDATA[") => self.section(tag + 9, b"]]>", "", visit)?,
                [b'<', b'!' | b'?', ..] => self.find(b'>', tag) + 1,
                [b'<', b'/', ..] => self.close(tag),
                [b'<', first, ..] if in_name(*first) => self.element(tag, visit)?,
                [] => tag,
                _ => tag + 1,
            };
        }
        ControlFlow::Continue(())
    }

    /// Offset of the next such byte, or of the end.
    fn find(&self, byte: u8, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        memchr::memchr(byte, rest).map_or(self.bytes.len(), |found| at + found)
    }

    /// Text between tags, without the white space around it.
    fn text(
        &mut self,
        range: Range<usize>,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let text = &self.bytes[range.clone()];
        let start = range.start + text.len() - text.trim_ascii_start().len();
        let trimmed = start..start + text.trim_ascii().len();
        if trimmed.is_empty() {
            return ControlFlow::Continue(());
        }
        if let [.., parent, last] = &mut self.open[..]
            && self.bytes.get(last.name.clone()) == Some(b"key")
        {
            parent.key = trimmed.clone();
        }
        self.visit(trimmed, "", visit)
    }

    /// What lies between `start` and the end mark; gives the offset behind that.
    fn section(
        &self,
        start: usize,
        end: &[u8],
        suffix: &str,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<(), usize> {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = memchr::memmem::find(rest, end).unwrap_or(rest.len());
        if let ControlFlow::Break(()) = self.visit(start..start + length, suffix, visit) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue((start + length + end.len()).min(self.bytes.len()))
    }

    /// An end tag closes the innermost element of its name and all within; without one, nothing.
    fn close(&mut self, tag: usize) -> usize {
        let name = self.name(tag + 2);
        if self.unnamed > 0 {
            self.unnamed -= 1;
        } else if let Some(depth) = self.open.iter().rposition(|open| self.bytes[open.name.clone()] == self.bytes[name.clone()]) {
            self.open.truncate(depth);
        }
        self.find(b'>', name.end) + 1
    }

    fn name(&self, start: usize) -> Range<usize> {
        let rest = self.bytes.get(start..).unwrap_or_default();
        start..start + rest.iter().take_while(|byte| in_name(**byte)).count()
    }

    /// A start tag and its attributes; gives the offset behind it.
    fn element(
        &mut self,
        tag: usize,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<(), usize> {
        let name = self.name(tag + 1);
        let key = self.open.last_mut().map_or(0..0, |parent| std::mem::take(&mut parent.key));
        let named = self.open.len() < DEEPEST_NAMED;
        if named {
            self.open.push(Open { name: name.clone(), called: key, key: 0..0 });
        } else {
            self.unnamed += 1;
        }
        let mut at = name.end;
        while let Some(attribute) = self.attribute(at) {
            at = attribute.end;
            let label = &self.bytes[attribute.name.clone()];
            if named && label == b"name" && let Some(open) = self.open.last_mut() {
                open.called = attribute.value.clone();
            }
            if let ControlFlow::Break(()) = self.visit_attribute(&attribute, visit) {
                return ControlFlow::Break(());
            }
        }
        let end = self.find(b'>', at);
        let empty = self.bytes[at..end].ends_with(b"/");
        let folded = self.bytes[name].to_ascii_lowercase();
        if empty || VOID.contains(&&folded[..]) {
            if named { drop(self.open.pop()) } else { self.unnamed -= 1 }
        } else if RAW.contains(&&folded[..]) {
            return self.raw(end + 1, visit);
        }
        ControlFlow::Continue(end + 1)
    }

    /// Content up to the next end tag that could be this element's.
    fn raw(&mut self, start: usize, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<(), usize> {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let is_end = |at: &usize| rest[at + 2..].first().is_some_and(|byte| matches!(byte | 0x20, b's'));
        let length = memchr::memmem::find_iter(rest, b"</").find(is_end).unwrap_or(rest.len());
        match self.text(start.min(self.bytes.len())..(start + length).min(self.bytes.len()), visit) {
            ControlFlow::Break(()) => ControlFlow::Break(()),
            ControlFlow::Continue(()) => ControlFlow::Continue(start + length),
        }
    }

    /// The next attribute of the tag, where there is one before it ends.
    fn attribute(&self, at: usize) -> Option<Attribute> {
        let blank = |at: usize| {
            let rest = self.bytes.get(at..).unwrap_or_default();
            at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
        };
        let name = self.name(blank(at));
        if name.is_empty() {
            return None;
        }
        let equals = blank(name.end);
        if self.bytes.get(equals) != Some(&b'=') {
            return Some(Attribute { value: name.end..name.end, end: name.end, name });
        }
        let start = blank(equals + 1);
        let quote = self.bytes.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        if let Some(quote) = quote {
            let end = self.find(quote, start + 1);
            return Some(Attribute { name, value: start + 1..end, end: (end + 1).min(self.bytes.len()) });
        }
        let rest = self.bytes.get(start..).unwrap_or_default();
        let end = start + rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'>').count();
        Some(Attribute { name, value: start..end, end })
    }

    fn visit_attribute(
        &self,
        attribute: &Attribute,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if attribute.value.is_empty() {
            return ControlFlow::Continue(());
        }
        let label = || format!("{}@{}", self.path(), shown(&self.bytes[attribute.name.clone()]));
        visit(&Field::new(NAME, Label::Made(&label), attribute.value.clone(), Coding::Plain))
    }

    fn visit(
        &self,
        range: Range<usize>,
        suffix: &str,
        visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if range.is_empty() {
            return ControlFlow::Continue(());
        }
        let label = || self.path() + suffix;
        visit(&Field::new(NAME, Label::Made(&label), range, Coding::Plain))
    }

    /// Names of the open elements, like the steps of an XPath, with what they are called by.
    fn path(&self) -> String {
        let name = |range: &Range<usize>| shown(self.bytes.get(range.clone()).unwrap_or_default());
        let step = |open: &Open| match open.called.is_empty() {
            true => format!("/{}", name(&open.name)),
            false => format!("/{}[{}]", name(&open.name), name(&open.called)),
        };
        let path: String = self.open.iter().map(step).collect();
        if self.unnamed > 0 { path + "/…" } else { path }
    }
}

struct Attribute {
    name: Range<usize>,
    /// Without quotes.
    value: Range<usize>,
    /// Offset behind it.
    end: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::seen;
    use proptest::prelude::*;

    fn fields(text: &str) -> Vec<(String, String)> {
        seen(&Xml, text.as_bytes())
            .into_iter()
            .map(|field| (field.label, String::from_utf8_lossy(&text.as_bytes()[field.range]).into_owned()))
            .collect()
    }

    fn expect(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(label, text)| ((*label).to_owned(), (*text).to_owned())).collect();
        assert!(begins(text.as_bytes()), "{text}");
        assert_eq!(fields(text), expected, "{text}");
    }

    #[test]
    fn elements_attributes_and_sections_have_paths() {
        expect(
            "<?xml version=\"1.0\"?>\n<a><b id='7' x=\"\">\n text &amp; more </b><c/><![CDATA[<raw>]]><!-- old --></a>",
            &[("/a/b@id", "7"), ("/a/b", "text &amp; more"), ("/a", "<raw>"), ("/a comment", " old ")],
        );
        expect("<s:Envelope xmlns:s=\"u\"><s:Body>x</s:Body></s:Envelope>", &[("/s:Envelope@xmlns:s", "u"), ("/s:Envelope/s:Body", "x")]);
    }

    #[test]
    fn property_lists_and_preferences_name_their_values() {
        expect(
            "<plist><dict><key>phone</key><string>138</string><key>on</key><true/><string>x</string></dict></plist>",
            &[("/plist/dict/key", "phone"), ("/plist/dict/string[phone]", "138"), ("/plist/dict/key", "on"), ("/plist/dict/string", "x")],
        );
        expect("<map><string name=\"psk\">secret</string></map>", &[("/map/string[psk]@name", "psk"), ("/map/string[psk]", "secret")]);
    }

    #[test]
    fn html_is_read_as_it_is_written_in_the_wild() {
        expect(
            "<!DOCTYPE html><html><meta charset=utf-8><body><p>one<br>two<script>if (a</b) {}</script><i>x</body></html>",
            &[
                ("/html/meta@charset", "utf-8"),
                ("/html/body/p", "one"),
                ("/html/body/p", "two"),
                ("/html/body/p/script", "if (a</b) {}"),
                ("/html/body/p/i", "x"),
            ],
        );
    }

    #[test]
    fn cut_documents_are_read_and_other_text_is_not_xml() {
        expect("<a b=\"cut he", &[("/a@b", "cut he")]);
        expect("<a><b>cut he", &[("/a/b", "cut he")]);
        for text in ["< 5", "<3", "<-", "<a", "<someone@example.com>", "a<b>", ""] {
            assert!(!begins(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn deep_and_hostile_documents_cost_no_more_than_their_bytes() {
        assert!(fields(&format!("{}x", "<a>".repeat(200_000)))[0].0.ends_with("/a/…"));
        for part in ["<", "<a ", "</a>", "<!--", "<![CDATA[", "<a b=\"", "<script></", "<a b='>", "</"] {
            fields(&part.repeat(100_000));
        }
    }

    proptest! {
        #[test]
        fn what_was_written_comes_out(pairs in proptest::collection::vec(("[a-z]{3,9}", "[a-z0-9+/.]{1,40}", "[a-z0-9 ]{1,20}"), 1..6)) {
            let text: String = pairs.iter().map(|(name, content, attribute)| format!("<x{name} v=\"{attribute}\">\n{content}\n</x{name}>")).collect();
            let expected: Vec<_> = pairs.iter().flat_map(|(name, content, attribute)| {
                [(format!("/r/x{name}@v"), attribute.clone()), (format!("/r/x{name}"), content.clone())]
            }).collect();
            prop_assert_eq!(fields(&format!("<r>{text}</r>")), expected);
        }

        #[test]
        fn fields_come_in_order_and_inside_the_bytes(text in "[<>/!a\"'= \\[\\]?-]{0,80}") {
            let mut end = 0;
            Xml.walk(text.as_bytes(), &mut |field| {
                assert!(field.range.start >= end && field.range.end <= text.len());
                end = field.range.end;
                ControlFlow::Continue(())
            });
        }
    }
}
