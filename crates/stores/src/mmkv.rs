//! MMKV (Tencent): a length, then keys and values one behind the other; a key that stands again supersedes itself,
//! one without a value is removed (`Core/MMKV.cpp`, `Core/MiniPBCoder.cpp`). Whatever stands behind the length is what
//! longer contents left. Encrypted files are read as far as that: raw.

use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::place::Place;
use crate::varint::{prefixed, u32_at, varint};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// The length before everything.
const LENGTH: usize = 4;
/// Files grow by pages of memory.
const PAGE: u64 = 4096;

/// Whether a file of this length may be one that starts so: it fills pages, and its entries end where the length says,
/// or stand up to the end of the start. The format has no mark.
pub(crate) fn begins(head: &[u8], length: u64) -> bool {
    let fills_pages = length > 0 && length.is_multiple_of(PAGE);
    let end = u32_at(head, 0).map_or(u64::MAX, |size| u64::from(size) + LENGTH as u64);
    let Some((entries, whole)) = entries(head).filter(|_| fills_pages && end <= length) else { return false };
    !entries.is_empty() && (whole || end > head.len() as u64)
}

/// A key, and its value where it has one.
struct Entry<'a> {
    key: &'a [u8],
    key_at: Range<usize>,
    value: &'a [u8],
    value_at: Range<usize>,
}

/// The entries, and whether they end where the length says.
fn entries(bytes: &[u8]) -> Option<(Vec<Entry<'_>>, bool)> {
    let end = LENGTH.checked_add(u32_at(bytes, 0)? as usize)?;
    let content = bytes.get(..end.min(bytes.len()))?;
    // A number that once was the count of bytes: a placeholder.
    let (_, placeholder) = varint(content.get(LENGTH..)?)?;
    let mut at = LENGTH + placeholder;
    let mut entries = Vec::new();
    while at < end {
        let entry = prefixed(content, at).and_then(|(key, key_at)| {
            let (value, value_at) = prefixed(content, key_at.end)?;
            let is_key = !key.is_empty() && std::str::from_utf8(key).is_ok_and(|key| !key.contains(char::is_control));
            is_key.then_some(Entry { key, key_at, value, value_at })
        });
        let Some(entry) = entry else { return Some((entries, false)) };
        at = entry.value_at.end;
        entries.push(entry);
    }
    Some((entries, content.len() == end))
}

/// Reads a file.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let Some((entries, whole)) = entries(bytes) else {
        out.damage(File::Main, 0..bytes.len() as u64, Damaged::Header);
        return out.raw(Place::Named { name: "raw bytes", at: 0 }, bytes, 0, File::Main, State::Unallocated);
    };
    let mut newest: HashMap<&[u8], usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        newest.insert(entry.key, index);
    }
    for (index, entry) in entries.iter().enumerate() {
        let last = newest.get(entry.key).copied().unwrap_or(index);
        let removed = entries.get(last).is_none_or(|last| last.value.is_empty());
        let state = match last == index {
            _ if removed => State::Deleted,
            true => State::Live,
            false => State::Superseded,
        };
        give(entry, state, out);
    }
    let read_to = entries.last().map_or(LENGTH, |entry| entry.value_at.end);
    let end = (LENGTH + u32_at(bytes, 0).unwrap_or(0) as usize).min(bytes.len());
    if !whole {
        out.damage(File::Main, read_to as u64..end as u64, Damaged::Entry);
    }
    let from = if whole { end } else { read_to };
    let place = Place::Named { name: "behind the last entry,", at: from as u64 };
    out.raw(place, bytes.get(from..).unwrap_or_default(), from as u64, File::Main, State::Unallocated);
}

fn give(entry: &Entry<'_>, state: State, out: &mut Out<'_>) {
    let key = String::from_utf8_lossy(entry.key);
    let place = Place::Key { key: &key, sequence: None };
    let span = |range: &Range<usize>| Some(range.start as u64..range.end as u64);
    let (file, at) = (File::Main, span(&entry.key_at));
    out.value(Value { place, bytes: Cow::Borrowed(entry.key), file, at, state, form: Form::Key });
    if entry.value.is_empty() {
        return;
    }
    // Texts and bytes have their length before them once more; numbers do not, and are told by nothing.
    let (bytes, at) = match prefixed(entry.value, 0) {
        Some((text, range)) if range.end == entry.value.len() && !text.is_empty() => {
            (text, entry.value_at.end - text.len()..entry.value_at.end)
        }
        _ => (entry.value, entry.value_at.clone()),
    };
    let form = if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(char::is_control)) {
        Form::Text
    } else {
        Form::Blob
    };
    out.value(Value { place, bytes: Cow::Borrowed(bytes), file, at: span(&at), state, form });
    number(entry, place, state, out);
}

/// A value that is one varint from its first byte to its last may be a number: it is given as one, too.
fn number(entry: &Entry<'_>, place: Place<'_>, state: State, out: &mut Out<'_>) {
    if let Some((number, length)) = varint(entry.value)
        && length == entry.value.len()
    {
        let bytes = Cow::Owned((number as i64).to_string().into_bytes());
        let at = Some(entry.value_at.start as u64..entry.value_at.end as u64);
        out.value(Value { place, bytes, file: File::Main, at, state, form: Form::Integer });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::{Found, Limits};

    fn entry(key: &str, value: &[u8]) -> Vec<u8> {
        [&[key.len() as u8], key.as_bytes(), &[value.len() as u8], value].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        [&[text.len() as u8], text.as_bytes()].concat()
    }

    /// A file as the library writes it: the placeholder is 0x00ffffff.
    fn file() -> Vec<u8> {
        let mut content = vec![0xff, 0xff, 0xff, 0x07];
        content.extend(entry("phone", &text("13900000000")));
        content.extend(entry("uid", &[0xac, 0x02]));
        content.extend(entry("phone", &text("13800000427")));
        content.extend(entry("gone", &text("was here")));
        content.extend(entry("gone", b""));
        let mut file = (content.len() as u32).to_le_bytes().to_vec();
        file.extend(content);
        file.extend(b"left over from longer contents");
        file.resize(PAGE as usize, 0);
        file
    }

    fn values(file: &[u8]) -> Vec<(String, State, Form)> {
        let mut values = Vec::new();
        let limits = Limits::default();
        let mut found = |found: Found<'_>| {
            if let Found::Value(value) = found {
                if let (Cow::Borrowed(bytes), Some(at)) = (&value.bytes, value.at) {
                    assert_eq!(*bytes, &file[at.start as usize..at.end as usize]);
                }
                values.push((String::from_utf8_lossy(&value.bytes).into_owned(), value.state, value.form));
            }
        };
        read(file, &mut Out::new(&limits, &mut found));
        values
    }

    #[test]
    fn the_last_entry_of_a_key_is_live() {
        let file = file();
        assert!(begins(&file, file.len() as u64));
        assert!(begins(&file[..40], file.len() as u64), "as far as it is at hand");
        let values = values(&file);
        let states =
            |text: &str| values.iter().filter(|value| value.0 == text).map(|value| value.1).collect::<Vec<_>>();
        assert_eq!(states("13900000000"), [State::Superseded]);
        assert_eq!(states("13800000427"), [State::Live]);
        assert_eq!(states("was here"), [State::Deleted]);
        assert_eq!(states("left over from longer contents"), [State::Unallocated]);
        assert!(values.contains(&("300".to_owned(), State::Live, Form::Integer)));
    }

    #[test]
    fn what_does_not_end_where_it_says_is_not_one() {
        let mut file = file();
        file[0] += 1;
        assert!(!begins(&file, file.len() as u64));
        assert!(!begins(&[0; PAGE as usize], PAGE), "an empty one holds nothing to tell it by");
        values(&file);
    }
}
