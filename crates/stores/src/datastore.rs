//! Android's DataStore of preferences (`.preferences_pb`): one Protocol Buffers message, a map from text to a value of
//! seven types (`preferences.proto` in AndroidX).

use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::place::Place;
use crate::varint::{u32_at, u64_at, varint};
use std::borrow::Cow;
use std::ops::Range;

/// Reads a file. What cannot be read to its end is given raw from there.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let mut fields = Fields { bytes, at: 0, end: bytes.len() };
    for field in fields.by_ref() {
        match (field.number, field.wire) {
            (1, 2) => preference(bytes, &field.range, out),
            (_, 2) => give(bytes, Place::Whole, field.range, Form::Blob, out),
            _ => {}
        }
    }
    if fields.at < bytes.len() {
        let at = fields.at as u64;
        out.damage(File::Main, at..bytes.len() as u64, Damaged::Entry);
        let rest = bytes.get(fields.at..).unwrap_or_default();
        out.raw(Place::Named { name: "raw bytes", at }, rest, at, File::Main, State::Live);
    }
}

/// Whether the bytes are such a message from the first to the last, and hold a preference.
pub(crate) fn is_datastore(bytes: &[u8]) -> bool {
    let mut fields = Fields { bytes, at: 0, end: bytes.len() };
    let mut count = 0;
    for field in fields.by_ref() {
        if field.number != 1 || field.wire != 2 {
            return false;
        }
        count += 1;
    }
    count > 0 && fields.at == bytes.len()
}

/// A key and its value.
fn preference(bytes: &[u8], entry: &Range<usize>, out: &mut Out<'_>) {
    let fields: Vec<Field> = Fields::within(bytes, entry).collect();
    let text = |number| fields.iter().find(|field| field.number == number && field.wire == 2);
    let key = text(1).map_or(0..0, |field| field.range.clone());
    let name = String::from_utf8_lossy(bytes.get(key.clone()).unwrap_or_default());
    let place = Place::Key { key: &name, sequence: None };
    give(bytes, place, key, Form::Key, out);
    for field in text(2).iter().flat_map(|value| Fields::within(bytes, &value.range)) {
        value(bytes, place, &field, out);
    }
    let read_to = fields.last().map_or(entry.start, |field| field.range.end);
    for field in fields.iter().filter(|field| field.wire == 2 && field.number > 2) {
        give(bytes, place, field.range.clone(), Form::Blob, out);
    }
    if read_to < entry.end {
        out.damage(File::Main, read_to as u64..entry.end as u64, Damaged::Entry);
    }
}

fn value(bytes: &[u8], place: Place<'_>, field: &Field, out: &mut Out<'_>) {
    let start = field.range.start;
    let number = match (field.number, field.wire) {
        (5, 2) => return give(bytes, place, field.range.clone(), Form::Text, out),
        (6, 2) => {
            let texts = Fields::within(bytes, &field.range).filter(|text| text.wire == 2);
            return texts.for_each(|text| give(bytes, place, text.range, Form::Text, out));
        }
        (_, 2) => return give(bytes, place, field.range.clone(), Form::Blob, out),
        (1, 0) => (Form::Text, (field.varint != 0).to_string()),
        (_, 0) => (Form::Integer, (field.varint as i64).to_string()),
        (_, 5) => (Form::Real, u32_at(bytes, start).map_or_else(String::new, |bits| f32::from_bits(bits).to_string())),
        _ => (Form::Real, u64_at(bytes, start).map_or_else(String::new, |bits| f64::from_bits(bits).to_string())),
    };
    let at = Some(start as u64..field.range.end as u64);
    let (bytes, file, state) = (Cow::Owned(number.1.into_bytes()), File::Main, State::Live);
    out.value(Value { place, bytes, file, at, state, form: number.0 });
}

fn give(bytes: &[u8], place: Place<'_>, range: Range<usize>, form: Form, out: &mut Out<'_>) {
    let at = Some(range.start as u64..range.end as u64);
    let Some(bytes) = bytes.get(range).filter(|bytes| !bytes.is_empty()) else { return };
    out.value(Value { place, bytes: Cow::Borrowed(bytes), file: File::Main, at, state: State::Live, form });
}

/// One field of a message.
struct Field {
    number: u64,
    wire: u64,
    varint: u64,
    range: Range<usize>,
}

/// The fields of a message, up to the first that cannot be read.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    fn within(bytes: &'a [u8], range: &Range<usize>) -> Self {
        Self { bytes, at: range.start, end: range.end.min(bytes.len()) }
    }

    fn read(&self) -> Option<Field> {
        let (tag, length) = varint(self.bytes.get(self.at..self.end)?)?;
        let start = self.at + length;
        let rest = self.bytes.get(start..self.end)?;
        let (number, wire) = (tag >> 3, tag & 7);
        let (value, range) = match wire {
            0 => varint(rest).map(|(value, length)| (value, start..start + length))?,
            1 => (0, start..start + 8),
            5 => (0, start..start + 4),
            2 => {
                let (size, length) = varint(rest)?;
                let start = start + length;
                (size, start..start.checked_add(usize::try_from(size).ok()?)?)
            }
            _ => return None,
        };
        (range.end <= self.end && number > 0).then_some(Field { number, wire, varint: value, range })
    }
}

impl Iterator for Fields<'_> {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        let field = self.read()?;
        self.at = field.range.end;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::{Found, Limits};

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, content.len() as u8], content].concat()
    }

    #[test]
    fn preferences_of_all_types() {
        let entry = |key: &str, value: &[u8]| field(1, &[field(1, key.as_bytes()), field(2, value)].concat());
        let file = [
            entry("phone", &field(5, b"13800000427")),
            entry("uid", &[3 << 3, 0xac, 0x02]),
            entry("agreed", &[1 << 3, 1]),
            entry("tags", &field(6, &[field(1, b"a"), field(1, b"b")].concat())),
            entry("rate", &[&[7 << 3 | 1][..], &1.5_f64.to_le_bytes()].concat()),
        ]
        .concat();
        assert!(is_datastore(&file) && !is_datastore(&file[..file.len() - 1]));
        let mut values = Vec::new();
        let limits = Limits::default();
        let mut found = |found: Found<'_>| {
            if let Found::Value(value) = found
                && value.form != Form::Key
            {
                values.push(format!("{} = {}", value.place, String::from_utf8_lossy(&value.bytes)));
            }
        };
        read(&file, &mut Out::new(&limits, &mut found));
        let expected = [
            "key phone = 13800000427",
            "key uid = 300",
            "key agreed = true",
            "key tags = a",
            "key tags = b",
            "key rate = 1.5",
        ];
        assert_eq!(values, expected);
    }
}
