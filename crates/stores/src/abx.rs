//! Android's binary XML of version 12 and later (`ABX\0`; `BinaryXmlSerializer` in AOSP's `frameworks/base`). The
//! system keeps its settings in it; the `SharedPreferences` of apps stay text.

use crate::names::Names;
use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::path::{self, Path};
use crate::place::Place;
use std::borrow::Cow;
use std::ops::Range;

pub(crate) const MAGIC: &[u8] = b"ABX\0";

/// Reads a document. What cannot be read to its end is given raw from there.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let (path, names) = (Path::default(), Names::default());
    let mut reader = Reader { bytes, at: MAGIC.len(), interned: Vec::new(), path, names, tag: None, out };
    while reader.at < bytes.len() {
        let start = reader.at;
        if reader.token().is_none() {
            let rest = bytes.get(start..).unwrap_or_default();
            out.damage(File::Main, start as u64..bytes.len() as u64, Damaged::Markup);
            let place = Place::Named { name: "broken markup", at: start as u64 };
            return out.raw(place, rest, start as u64, File::Main, State::Live);
        }
    }
}

struct Reader<'a, 'r, 'o> {
    bytes: &'a [u8],
    at: usize,
    /// Where each interned text stands.
    interned: Vec<Range<usize>>,
    path: Path,
    names: Names<'a>,
    /// The element whose attributes are being read: it is named by one of them, so its path waits.
    tag: Option<Range<usize>>,
    out: &'r mut Out<'o>,
}

impl<'a> Reader<'a, '_, '_> {
    /// One token: what happens in the low half of its first byte, the value's type in the high half.
    fn token(&mut self) -> Option<()> {
        let token = *self.bytes.get(self.at)?;
        self.at += 1;
        let (event, kind) = (token & 0x0f, token >> 4);
        if event != ATTRIBUTE {
            self.open(None);
        }
        match event {
            2 => {
                let name = self.interned()?;
                self.name(name.clone(), "name of an element");
                self.tag = Some(name);
            }
            3 => {
                let name = self.interned()?;
                self.name(name, "name of an element");
                self.path.close();
            }
            ATTRIBUTE => {
                let name = self.interned()?;
                self.name(name.clone(), "name of an attribute");
                self.attribute(name, kind)?;
            }
            _ => self.value(kind, "", Form::Text)?,
        }
        Some(())
    }

    /// Gives a name that says something. The path is that of what is open: the element itself still waits.
    fn name(&mut self, name: Range<usize>, what: &str) {
        if self.names.is_new(self.bytes.get(name.clone()).unwrap_or_default()) {
            self.give(name, what, Form::Key);
        }
    }

    /// Names the element that waits, if one does.
    fn open(&mut self, label: Option<&str>) {
        if let Some(tag) = self.tag.take() {
            let tag = self.text(tag);
            self.path.open(&tag, label, self.out.limits.depth);
        }
    }

    fn attribute(&mut self, name: Range<usize>, kind: u8) -> Option<()> {
        let name = self.text(name);
        if name != "name" || self.tag.is_none() {
            self.open(None);
            return self.value(kind, &name, Form::Text);
        }
        let before = self.at;
        let label = match kind {
            2 => self.prefixed()?,
            3 => self.interned()?,
            _ => 0..0,
        };
        let label = self.text(label);
        self.open(Some(&label));
        // Interned texts must not be counted twice.
        if kind == 3 && self.bytes.get(before..before + 2) == Some(&[0xff, 0xff]) {
            let range = self.interned.last()?.clone();
            self.give(range, "name", Form::Key);
            return Some(());
        }
        self.at = before;
        self.value(kind, &name, Form::Key)
    }

    fn value(&mut self, kind: u8, attribute: &str, form: Form) -> Option<()> {
        match kind {
            2 => {
                let range = self.prefixed()?;
                self.give(range, attribute, form);
            }
            3 => {
                let again = self.bytes.get(self.at..self.at + 2)? != [0xff, 0xff];
                let range = self.interned()?;
                if again && !self.out.charge(range.len()) {
                    self.out.damage(File::Main, self.at as u64..self.bytes.len() as u64, Damaged::Limit);
                    return None;
                }
                self.give(range, attribute, form);
            }
            4 | 5 => {
                let range = self.prefixed()?;
                self.give(range, attribute, Form::Blob);
            }
            6..=11 => {
                let range = self.take(if matches!(kind, 6 | 7 | 10) { 4 } else { 8 })?;
                self.number(range, kind, attribute);
            }
            12 | 13 => {
                let text = if kind == 12 { "true" } else { "false" };
                self.give_as(self.at - 1..self.at, attribute, Form::Text, text);
            }
            _ => {}
        }
        Some(())
    }

    fn number(&mut self, range: Range<usize>, kind: u8, attribute: &str) {
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        let wide = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let narrow = wide as u32;
        let (form, text) = match kind {
            6 | 7 => (Form::Integer, (narrow as i32).to_string()),
            8 | 9 => (Form::Integer, (wide as i64).to_string()),
            10 => (Form::Real, f32::from_bits(narrow).to_string()),
            _ => (Form::Real, f64::from_bits(wide).to_string()),
        };
        self.give_as(range, attribute, form, &text);
    }

    fn give(&mut self, range: Range<usize>, attribute: &str, form: Form) {
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        if !bytes.is_empty() {
            self.out_value(Cow::Borrowed(bytes), range, attribute, form);
        }
    }

    fn give_as(&mut self, range: Range<usize>, attribute: &str, form: Form, text: &str) {
        self.out_value(Cow::Owned(text.as_bytes().to_vec()), range, attribute, form);
    }

    fn out_value(&mut self, bytes: Cow<'_, [u8]>, range: Range<usize>, attribute: &str, form: Form) {
        let path = self.path.with(attribute);
        let at = Some(range.start as u64..range.end as u64);
        self.out.value(Value { place: Place::Path(&path), bytes, file: File::Main, at, state: State::Live, form });
    }

    fn text(&self, range: Range<usize>) -> Cow<'a, str> {
        path::label(self.bytes.get(range).unwrap_or_default())
    }

    /// A text that is written once and then named by its number; a new one has the number 0xffff.
    fn interned(&mut self) -> Option<Range<usize>> {
        let number = self.number16()?;
        if number != 0xffff {
            return self.interned.get(usize::from(number)).cloned();
        }
        let range = self.prefixed()?;
        self.interned.push(range.clone());
        Some(range)
    }

    fn prefixed(&mut self) -> Option<Range<usize>> {
        let length = usize::from(self.number16()?);
        self.take(length)
    }

    fn number16(&mut self) -> Option<u16> {
        let range = self.take(2)?;
        Some(u16::from_be_bytes(self.bytes.get(range)?.try_into().ok()?))
    }

    fn take(&mut self, length: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(length)?;
        self.bytes.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }
}

const ATTRIBUTE: u8 = 15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::{Found, Limits};

    fn interned(text: &str) -> Vec<u8> {
        [&[0xff, 0xff], &prefixed(text)[..]].concat()
    }

    fn prefixed(text: &str) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
    }

    /// `<map><string name="phone">13800000427</string><int name="uid" value="-7"/><boolean value="true"/></map>` as the
    /// serializer writes it.
    fn document() -> Vec<u8> {
        let mut document = MAGIC.to_vec();
        document.push(0x10);
        document.extend([vec![0x32], interned("map")].concat());
        document.extend([vec![0x32], interned("string"), vec![0x2f], interned("name"), prefixed("phone")].concat());
        document.extend([vec![0x24], prefixed("13800000427"), vec![0x33, 0, 1]].concat());
        document.extend([vec![0x32], interned("int"), vec![0x3f, 0, 2], interned("uid")].concat());
        document.extend([vec![0x6f], interned("value"), (-7_i32).to_be_bytes().to_vec(), vec![0x33, 0, 3]].concat());
        document.extend([vec![0x32], interned("boolean"), vec![0xcf, 0, 5, 0x33, 0, 6]].concat());
        document.extend([0x33, 0, 0, 0x11]);
        document
    }

    fn values(document: &[u8]) -> Vec<(String, String)> {
        let mut values = Vec::new();
        let limits = Limits::default();
        let mut found = |found: Found<'_>| {
            if let Found::Value(value) = found {
                values.push((value.place.to_string(), String::from_utf8_lossy(&value.bytes).into_owned()));
            }
        };
        read(document, &mut Out::new(&limits, &mut found));
        values
    }

    #[test]
    fn elements_and_typed_attributes() {
        let expected = [
            ("map/string \"phone\"@name", "phone"),
            ("map/string \"phone\"", "13800000427"),
            ("map/int \"uid\"@name", "uid"),
            ("map/int \"uid\"@value", "-7"),
            ("map/boolean@value", "true"),
        ];
        let values = values(&document());
        let values: Vec<(&str, &str)> = values.iter().map(|(place, text)| (place.as_str(), text.as_str())).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn names_are_given_once() {
        let mut document = MAGIC.to_vec();
        document.extend([vec![0x32], interned("user13800000427"), vec![0xcf], interned("pin0423")].concat());
        document.extend([0x33, 0, 0, 0x32, 0, 0, 0xcf, 0, 1, 0x33, 0, 0]);
        let texts: Vec<String> = values(&document).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["user13800000427", "pin0423", "true", "true"]);
    }

    #[test]
    fn every_cut_is_read_as_far_as_it_goes() {
        let document = document();
        for end in 4..document.len() {
            values(&document[..end]);
        }
        let cut = values(&document[..document.len() - 25]);
        assert_eq!(cut[1].1, "13800000427");
    }
}
