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
/// Bytes of the longest number.
const LONGEST_VARINT: usize = 10;
/// Files grow by pages of memory.
const PAGE: u64 = 4096;

/// Whether a file of this length may be one that starts so: it fills pages, and its entries end where the length says,
/// or the start breaks off within one that may end there. The format has no mark.
pub(crate) fn begins(head: &[u8], length: u64) -> bool {
    let fills_pages = length > 0 && length.is_multiple_of(PAGE);
    let end = u32_at(head, 0).map_or(u64::MAX, |size| u64::from(size) + LENGTH as u64);
    let Some(mut entries) = Entries::of(head).filter(|_| fills_pages && end <= length) else { return false };
    entries.by_ref().count() > 0 && (entries.is_whole() || entries.breaks_off())
}

/// A key, and its value where it has one.
struct Entry<'a> {
    key: &'a [u8],
    key_at: Range<usize>,
    value: &'a [u8],
    value_at: Range<usize>,
}

/// The entries, up to the first that is none.
#[derive(Clone)]
struct Entries<'a> {
    /// Up to where the length says, or less where less is at hand.
    content: &'a [u8],
    at: usize,
    /// Where the length says that the last entry ends.
    end: usize,
}

impl<'a> Entries<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let end = LENGTH.checked_add(u32_at(bytes, 0)? as usize)?;
        let content = bytes.get(..end.min(bytes.len()))?;
        // A number that once was the count of bytes: a placeholder.
        let (_, placeholder) = varint(content.get(LENGTH..)?)?;
        Some(Self { content, at: LENGTH + placeholder, end })
    }

    /// Whether the last entry ends where the length says.
    fn is_whole(&self) -> bool {
        self.at == self.end
    }

    /// Whether the next entry goes on behind what is at hand, and not behind where the length says.
    fn breaks_off(&self) -> bool {
        let end_of = |at: usize| {
            let (length, before) = varint(self.content.get(at..)?)?;
            Some((at + before).saturating_add(usize::try_from(length).unwrap_or(usize::MAX)))
        };
        let at_hand = self.content.len();
        let beyond = |at: usize, end: Option<usize>| match end {
            Some(end) => at_hand < end && end <= self.end,
            None => at_hand < self.end && at_hand - at < LONGEST_VARINT,
        };
        match end_of(self.at) {
            Some(key_end) if key_end <= at_hand => beyond(key_end, end_of(key_end)),
            key_end => beyond(self.at, key_end),
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let (key, key_at) = prefixed(self.content, self.at)?;
        let (value, value_at) = prefixed(self.content, key_at.end)?;
        let is_key = !key.is_empty() && std::str::from_utf8(key).is_ok_and(|key| !key.contains(char::is_control));
        let entry = is_key.then_some(Entry { key, key_at, value, value_at })?;
        self.at = entry.value_at.end;
        Some(entry)
    }
}

/// The last entry of each key: its number among all, and whether it removed the key.
type Newest<'a> = HashMap<&'a [u8], (usize, bool)>;

/// Reads a file.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let Some(entries) = Entries::of(bytes) else {
        out.damage(File::Main, 0..bytes.len() as u64, Damaged::Header);
        return out.raw(Place::Named { name: "raw bytes", at: 0 }, bytes, 0, File::Main, State::Unallocated);
    };
    let newest = newest(entries.clone(), out);
    let mut read = entries;
    for (index, entry) in read.by_ref().enumerate() {
        let state = match newest.get(entry.key) {
            Some((_, true)) => State::Deleted,
            Some((last, false)) if *last != index => State::Superseded,
            // A key that a limit kept from being remembered is not called old.
            None if entry.value.is_empty() => State::Deleted,
            _ => State::Live,
        };
        give(&entry, state, out);
    }
    if !read.is_whole() {
        out.damage(File::Main, read.at as u64..read.content.len() as u64, Damaged::Entry);
    }
    let from = read.at;
    let place = Place::Named { name: "behind the last entry,", at: from as u64 };
    out.raw(place, bytes.get(from..).unwrap_or_default(), from as u64, File::Main, State::Unallocated);
}

/// Entries take three bytes and what is remembered of a key many more: that is charged.
fn newest<'a>(entries: Entries<'a>, out: &mut Out<'_>) -> Newest<'a> {
    let mut newest = Newest::new();
    for (index, entry) in entries.enumerate() {
        if newest.contains_key(entry.key) || out.charge_aloud(size_of::<(&[u8], (usize, bool))>(), &entry.key_at) {
            newest.insert(entry.key, (index, entry.value.is_empty()));
        }
    }
    newest
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

    #[test]
    fn a_start_is_one_only_where_it_breaks_off_inside_an_entry() {
        let mut content = vec![0xff, 0xff, 0xff, 0x07];
        for n in 0..400 {
            content.extend(entry(&format!("key{n:03}"), &text("a value of some length")));
        }
        let mut file = (content.len() as u32).to_le_bytes().to_vec();
        file.extend(content);
        file.resize(4 * PAGE as usize, 0);
        for end in 100..200 {
            assert!(begins(&file[..end], 4 * PAGE), "{end} bytes of it");
            // One good entry, and then something that is none, within what is at hand.
            let mut other = file[..end].to_vec();
            other[4 + 4 + 31 + 1..][..3].copy_from_slice(&[0xff; 3]);
            assert!(!begins(&other, 4 * PAGE), "{end} bytes of another");
        }
    }
}
