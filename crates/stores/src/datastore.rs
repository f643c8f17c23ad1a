//! Android's DataStore of preferences (`.preferences_pb`): one Protocol Buffers message, a map from text to a value of
//! seven types (`preferences.proto` in AndroidX).

use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::place::Place;
use crate::varint::{u32_at, u64_at, varint};
use std::borrow::Cow;
use std::ops::Range;

/// Reads a file: every field of every message in it. What of a message cannot be read is given raw.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let whole = 0..bytes.len();
    each(bytes, &whole, Place::Whole, out, &mut |field, out| match (field.number, field.wire) {
        (1, 2) => preference(bytes, &field.range, out),
        _ => undeclared(bytes, Place::Whole, field, State::Live, out),
    });
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

/// A key and its value. Of several, the last counts (Protocol Buffers, "Last One Wins").
fn preference(bytes: &[u8], entry: &Range<usize>, out: &mut Out<'_>) {
    let keys = || Fields::within(bytes, entry).filter(|field| field.number == 1 && field.wire == 2);
    let newest_key = keys().last().map_or(entry.start..entry.start, |field| field.range);
    let newest_value = newest_value(bytes, entry);
    let name = String::from_utf8_lossy(bytes.get(newest_key.clone()).unwrap_or_default());
    let place = Place::Key { key: &name, sequence: None };
    each(bytes, entry, place, out, &mut |field, out| match (field.number, field.wire) {
        (1, 2) => give(bytes, place, field.range.clone(), Form::Key, state(field.range == newest_key), out),
        (2, 2) => each(bytes, &field.range, place, out, &mut |member, out| {
            value(bytes, place, member, state(Some(member.range.start) == newest_value), out);
        }),
        _ => undeclared(bytes, place, field, State::Live, out),
    });
}

/// Where the member starts that is the value, in whichever of the entry's value messages it stands last.
fn newest_value(bytes: &[u8], entry: &Range<usize>) -> Option<usize> {
    let values = Fields::within(bytes, entry).filter(|field| field.number == 2 && field.wire == 2);
    let members = values.flat_map(|value| Fields::within(bytes, &value.range));
    members.filter(|member| (1..=8).contains(&member.number)).last().map(|member| member.range.start)
}

fn state(is_newest: bool) -> State {
    if is_newest { State::Live } else { State::Superseded }
}

/// Calls back for every field of a message, and gives the rest raw where one cannot be read.
fn each(
    bytes: &[u8],
    message: &Range<usize>,
    place: Place<'_>,
    out: &mut Out<'_>,
    take: &mut dyn FnMut(&Field, &mut Out<'_>),
) {
    let mut fields = Fields::within(bytes, message);
    for field in fields.by_ref() {
        take(&field, out);
    }
    if fields.at < fields.end {
        out.damage(File::Main, fields.at as u64..fields.end as u64, Damaged::Entry);
        let place = match place {
            Place::Whole => Place::Named { name: "raw bytes", at: fields.at as u64 },
            place => place,
        };
        let rest = bytes.get(fields.at..fields.end).unwrap_or_default();
        out.raw(place, rest, fields.at as u64, File::Main, State::Live);
    }
}

/// A member of a value, as `preferences.proto` declares them.
fn value(bytes: &[u8], place: Place<'_>, field: &Field, state: State, out: &mut Out<'_>) {
    let real = match (field.number, field.wire) {
        (1, 0) if field.varint <= 1 => {
            return number(place, field, Form::Text, (field.varint == 1).to_string(), state, out);
        }
        (5, 2) => return give(bytes, place, field.range.clone(), Form::Text, state, out),
        (6, 2) => {
            return each(bytes, &field.range, place, out, &mut |text, out| match (text.number, text.wire) {
                (1, 2) => give(bytes, place, text.range.clone(), Form::Text, state, out),
                _ => undeclared(bytes, place, text, state, out),
            });
        }
        (2, 5) => u32_at(bytes, field.range.start).map(|bits| f32::from_bits(bits).to_string()),
        (7, 1) => u64_at(bytes, field.range.start).map(|bits| f64::from_bits(bits).to_string()),
        _ => None,
    };
    match real {
        Some(real) => number(place, field, Form::Real, real, state, out),
        None => undeclared(bytes, place, field, state, out),
    }
}

/// A field that the format does not declare: its bytes, or its number.
fn undeclared(bytes: &[u8], place: Place<'_>, field: &Field, state: State, out: &mut Out<'_>) {
    let start = field.range.start;
    let integer = match field.wire {
        2 => return give(bytes, place, field.range.clone(), Form::Blob, state, out),
        0 => field.varint,
        5 => u32_at(bytes, start).map_or(0, u64::from),
        _ => u64_at(bytes, start).unwrap_or(0),
    };
    number(place, field, Form::Integer, (integer as i64).to_string(), state, out);
    // Eight bytes that are a text are one.
    if field.wire != 0 {
        give(bytes, place, field.range.clone(), Form::Blob, state, out);
    }
}

fn number(place: Place<'_>, field: &Field, form: Form, text: String, state: State, out: &mut Out<'_>) {
    let at = Some(field.range.start as u64..field.range.end as u64);
    out.value(Value { place, bytes: Cow::Owned(text.into_bytes()), file: File::Main, at, state, form });
}

fn give(bytes: &[u8], place: Place<'_>, range: Range<usize>, form: Form, state: State, out: &mut Out<'_>) {
    let at = Some(range.start as u64..range.end as u64);
    let Some(bytes) = bytes.get(range).filter(|bytes| !bytes.is_empty()) else { return };
    out.value(Value { place, bytes: Cow::Borrowed(bytes), file: File::Main, at, state, form });
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

    /// Values with their states, and where something could not be read.
    fn everything(file: &[u8]) -> (Vec<(String, State)>, Vec<Range<u64>>) {
        let (mut values, mut damages) = (Vec::new(), Vec::new());
        let limits = Limits::default();
        let mut found = |found: Found<'_>| match found {
            Found::Value(value) => {
                values.push((format!("{} = {}", value.place, String::from_utf8_lossy(&value.bytes)), value.state));
            }
            Found::Damage(damage) => damages.push(damage.at),
        };
        read(file, &mut Out::new(&limits, &mut found));
        (values, damages)
    }

    #[test]
    fn of_repeated_fields_the_last_counts_and_all_are_given() {
        let file = field(
            1,
            &[field(1, b"old"), field(2, &field(5, b"13800000427")), field(1, b"new"), field(2, &field(5, b"none"))]
                .concat(),
        );
        let (values, damages) = everything(&file);
        let expected = [
            ("key new = old", State::Superseded),
            ("key new = 13800000427", State::Superseded),
            ("key new = new", State::Live),
            ("key new = none", State::Live),
        ];
        assert_eq!(values, expected.map(|(value, state)| (value.to_owned(), state)));
        assert_eq!(damages, []);
    }

    #[test]
    fn numbers_that_nothing_declares_are_given() {
        let phone = [3 << 3, 0xab, 0x97, 0xad, 0xb4, 0x33];
        let in_entry = field(1, &[field(1, b"k"), phone.to_vec()].concat());
        let as_boolean = field(1, &[field(1, b"k"), field(2, &[&[1 << 3], &phone[1..]].concat())].concat());
        let fixed = [&[4 << 3 | 1][..], &13_800_000_427_u64.to_le_bytes()].concat();
        for file in [phone.to_vec(), in_entry, as_boolean, fixed] {
            let (values, damages) = everything(&file);
            assert!(values.iter().any(|(value, _)| value.ends_with(" = 13800000427")), "{values:?}");
            assert_eq!(damages, []);
        }
    }

    #[test]
    fn what_ends_a_message_early_is_said_and_given_raw() {
        // Seven is no wire type: in a value, and in a set of texts.
        let broken = [&[5 << 3 | 7][..], b"13800000427"].concat();
        for value in [broken.clone(), field(6, &broken)] {
            let file = field(1, &[field(1, b"k"), field(2, &value)].concat());
            let (values, damages) = everything(&file);
            let [damage] = damages.as_slice() else { panic!("not one damage: {damages:?}") };
            assert_eq!(*damage, file.len() as u64 - 12..file.len() as u64);
            assert!(values.iter().any(|(value, _)| value.ends_with("13800000427")), "{values:?}");
        }
    }
}
