//! XML as it stands: attributes, text and comments, each with a path of elements and its exact place. For evidence a
//! broken document is worth as much as a good one: nothing is validated.

mod scan;

use crate::names::Names;
use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::path::{self, Path};
use crate::place::Place;
use scan::{Event, Scanner};
use std::borrow::Cow;
use std::ops::Range;

/// Reads a document. UTF-16 is converted first, and its values have no places in the file.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    match utf16(bytes) {
        Some(units) if out.charge(bytes.len()) => {
            let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            Reader::new(text.as_bytes(), true, out).read();
        }
        Some(_) => out.damage(File::Main, 0..bytes.len() as u64, Damaged::Limit),
        None => Reader::new(bytes, false, out).read(),
    }
}

/// The units of a document that starts with a byte-order mark of UTF-16.
fn utf16(bytes: &[u8]) -> Option<impl Iterator<Item = u16>> {
    let big = match bytes.get(..2)? {
        [0xfe, 0xff] => true,
        [0xff, 0xfe] => false,
        _ => return None,
    };
    let unit = move |pair: &[u8]| {
        let pair = [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)];
        if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    };
    Some(bytes.get(2..)?.chunks_exact(2).map(unit))
}

struct Reader<'a, 'r, 'o> {
    bytes: &'a [u8],
    converted: bool,
    path: Path,
    names: Names<'a>,
    /// What a property list's `<key>` says of the element behind it, and at which depth.
    key: Option<(usize, Range<usize>)>,
    /// Whether the element that is open is a `<key>`.
    in_key: bool,
    /// Whether it was said that paths are cut.
    unnamed: bool,
    out: &'r mut Out<'o>,
}

impl<'a, 'r, 'o> Reader<'a, 'r, 'o> {
    fn new(bytes: &'a [u8], converted: bool, out: &'r mut Out<'o>) -> Self {
        Self {
            bytes,
            converted,
            path: Path::default(),
            names: Names::default(),
            key: None,
            in_key: false,
            unnamed: false,
            out,
        }
    }

    fn read(&mut self) {
        let mut scanner = Scanner::new(self.bytes);
        while let Some(event) = scanner.next() {
            match event {
                Event::Open { name, attributes, empty } => self.open(name, attributes, empty),
                Event::Close(name) => {
                    self.name(name, "name of an element");
                    self.close();
                }
                Event::Text(range) if self.in_key => {
                    self.key = self.path.depth().checked_sub(1).map(|depth| (depth, range.clone()));
                    self.give(range, "", Form::Key, true);
                }
                Event::Text(range) => self.give(range, "", Form::Text, true),
                Event::Verbatim(range) => self.give(range, "", Form::Text, false),
                Event::Comment(range) => self.give(range, "comment", Form::Text, false),
                Event::Broken(range) => {
                    self.out.damage(File::Main, range.start as u64..range.end as u64, Damaged::Markup);
                    self.give(range, "broken markup", Form::Raw, false);
                }
            }
        }
    }

    fn open(&mut self, name: Range<usize>, attributes: Range<usize>, empty: bool) {
        let start = name.start as u64..name.end as u64;
        let element = self.text(name.clone());
        let end = attributes.end;
        let (attributes, rest) = scan::attributes(self.bytes, attributes);
        let label = attributes.iter().find(|(name, _)| LABELS.contains(&self.bytes.get(name.clone()).unwrap_or(b"")));
        let key = self.key.take_if(|(depth, _)| *depth == self.path.depth()).map(|(_, range)| range);
        let label = label.map(|(_, value)| value.clone()).or(key).map(|range| self.text(range));
        self.in_key = element == "key";
        let named = self.path.open(&element, label.as_deref(), self.out.limits.depth);
        if !named && !std::mem::replace(&mut self.unnamed, true) {
            self.out.damage(File::Main, start, Damaged::Limit);
        }
        self.name(name, "name of an element");
        for (name, value) in attributes {
            self.name(name.clone(), "name of an attribute");
            let name = self.text(name).into_owned();
            let is_label = LABELS.contains(&name.as_bytes());
            self.give(value, &name, if is_label { Form::Key } else { Form::Text }, true);
        }
        if trimmed(self.bytes, rest..end).is_some() {
            self.out.damage(File::Main, rest as u64..end as u64, Damaged::Markup);
            self.give(rest..end, "", Form::Raw, false);
        }
        if empty {
            self.close();
        }
    }

    fn close(&mut self) {
        self.in_key = false;
        self.path.close();
    }

    fn text(&self, range: Range<usize>) -> Cow<'a, str> {
        path::label(self.bytes.get(range).unwrap_or_default())
    }

    /// Gives a name that says something.
    fn name(&mut self, name: Range<usize>, what: &str) {
        let Some(name) = trimmed(self.bytes, name) else { return };
        if self.names.is_new(self.bytes.get(name.clone()).unwrap_or_default()) {
            self.give(name, what, Form::Key, false);
        }
    }

    /// Gives a range of the document, without the space around it.
    fn give(&mut self, range: Range<usize>, attribute: &str, form: Form, escaped: bool) {
        let Some(range) = trimmed(self.bytes, range) else { return };
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        let bytes = if escaped { scan::unescape(bytes) } else { Cow::Borrowed(bytes) };
        let at = (!self.converted).then_some(range.start as u64..range.end as u64);
        let bytes = if self.converted { Cow::Owned(bytes.into_owned()) } else { bytes };
        let path = self.path.with(attribute);
        self.out.value(Value { place: Place::Path(&path), bytes, file: File::Main, at, state: State::Live, form });
    }
}

/// Attributes that tell elements of the same name apart: that of `SharedPreferences`, and the usual ones.
const LABELS: [&[u8]; 4] = [b"name", b"key", b"id", b"android:name"];

fn trimmed(bytes: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let inner = bytes.get(range.clone())?;
    let start = range.start + inner.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let end = range.start + inner.iter().rposition(|byte| !byte.is_ascii_whitespace())? + 1;
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::{Found, Limits};

    fn values(document: &[u8]) -> Vec<(String, String, Option<Range<u64>>)> {
        let mut values = Vec::new();
        let limits = Limits::default();
        let mut found = |found: Found<'_>| {
            if let Found::Value(value) = found {
                if matches!(value.bytes, Cow::Borrowed(_)) {
                    let at = value.at.clone().unwrap();
                    assert_eq!(&document[at.start as usize..at.end as usize], &*value.bytes);
                }
                let text = String::from_utf8_lossy(&value.bytes).into_owned();
                values.push((value.place.to_string(), text, value.at));
            }
        };
        read(document, &mut Out::new(&limits, &mut found));
        values
    }

    #[test]
    fn shared_preferences() {
        let document = "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n    <string name=\"phone\">138 &amp; \
                        0427</string>\n    <int name=\"uid\" value=\"77\" />\n    <set name=\"tags\"><string>a</string></set>\n</map>\n";
        let values = values(document.as_bytes());
        let pairs: Vec<(&str, &str)> =
            values.iter().map(|(place, value, _)| (place.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("map/string \"phone\"@name", "phone"),
                ("map/string \"phone\"", "138 & 0427"),
                ("map/int \"uid\"@name", "uid"),
                ("map/int \"uid\"@value", "77"),
                ("map/set \"tags\"@name", "tags"),
                ("map/set \"tags\"/string", "a"),
            ]
        );
        let escaped = values[1].2.clone().unwrap();
        assert_eq!(&document[escaped.start as usize..escaped.end as usize], "138 &amp; 0427");
    }

    #[test]
    fn property_lists_name_values_by_their_keys() {
        let values = values(
            b"<plist><dict><key>user</key><dict><key>phone</key><string>138</string></dict><key>n</key><integer>7\
              </integer></dict></plist>",
        );
        let places: Vec<&str> = values.iter().map(|(place, _, _)| place.as_str()).collect();
        assert_eq!(places[2], "plist/dict/dict \"user\"/string \"phone\"");
        assert_eq!(places[4], "plist/dict/integer \"n\"");
    }

    #[test]
    fn what_is_broken_is_given_raw() {
        let values = values(b"<a><b c='1>secret value");
        assert_eq!(values.last().unwrap().1, "<b c='1>secret value");
    }

    #[test]
    fn utf16_documents_are_converted() {
        let document: Vec<u8> = "\u{feff}<a>\u{4e2d}</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(values(&document), [("a".to_owned(), "\u{4e2d}".to_owned(), None)]);
    }

    #[test]
    fn what_a_tag_holds_beside_attributes_is_given_raw() {
        let values = values(b"<a x='1' 13800000427>y</a>");
        assert_eq!(values[1].1, "13800000427");
    }

    #[test]
    fn names_are_given_once() {
        let values = values(
            b"<?xml version='1.0' seed='sesame'?><map><user13800000427/><user13800000427 pin0423='x'/></map\
            13900000000>",
        );
        let given: Vec<&str> = values.iter().map(|(_, value, _)| value.as_str()).collect();
        let expected = ["xml version='1.0' seed='sesame'", "user13800000427", "pin0423", "x", "map13900000000"];
        assert_eq!(given, expected);
        assert_eq!(values[1].0, "map/user13800000427@name of an element");
    }

    #[test]
    fn comments_and_verbatim_sections_are_read() {
        let values = values(b"<a><!-- old: 1 --><![CDATA[x <&> y]]></a>");
        assert_eq!(values[0].1, "old: 1");
        assert_eq!(values[1].1, "x <&> y");
    }

    #[test]
    fn depth_is_bounded_and_comes_back() {
        let document = "<a>".repeat(100_000) + "x" + &"</a>".repeat(100_000) + "<b>y</b>";
        let values = values(document.as_bytes());
        assert_eq!(values[1].0, "b");
        assert!(values[0].0.len() < 600);
    }
}
