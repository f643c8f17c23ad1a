//! Logs (`doc/log_format.md`): blocks of 32 KiB with records or parts of records, each record a batch of changes.

use super::{Change, checksum, give};
use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::place::Place;
use crate::varint::{prefixed, u16_at, u32_at, u64_at};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;

/// Whether the first record has the right checksum.
pub(crate) fn is_log(bytes: &[u8]) -> bool {
    fragment(bytes, 0).is_some_and(|fragment| fragment.right && matches!(fragment.kind, 1 | 2))
}

/// A record, in one piece or put together.
struct Record<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where it starts, when in one piece.
    at: Option<u64>,
    range: Range<u64>,
}

/// Reads a log: changes where records are batches of them, other records (those of a `MANIFEST`) as they are.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let records = records(bytes, out);
    let newest = newest(&records, out);
    let mut number = 0;
    for record in &records {
        let Some(changes) = Changes::of(&record.bytes) else {
            give_record(record, out);
            continue;
        };
        for change in changes {
            let state = match newest.get(change.key) {
                Some((_, true)) => State::Deleted,
                Some((last, false)) if *last != number => State::Superseded,
                // A key that a limit kept from being remembered is not called old.
                None if change.value.is_none() => State::Deleted,
                _ => State::Live,
            };
            number += 1;
            give(&change.placed(record, state), out);
        }
    }
}

/// The newest change of each key: its number among all, and whether it removed the key.
type Newest<'r> = HashMap<&'r [u8], (usize, bool)>;

/// Changes take two bytes and what is remembered of a key many more: that is charged.
fn newest<'r>(records: &'r [Record<'_>], out: &mut Out<'_>) -> Newest<'r> {
    let mut newest = Newest::new();
    let changes = records.iter().filter_map(|record| Some((&record.range, Changes::of(&record.bytes)?)));
    let changes = changes.flat_map(|(range, changes)| changes.map(move |change| (range, change)));
    for (count, (range, change)) in changes.enumerate() {
        let range = range.start as usize..range.end as usize;
        if newest.contains_key(change.key) || out.charge_aloud(size_of::<(&[u8], (usize, bool))>(), &range) {
            newest.insert(change.key, (count, change.value.is_none()));
        }
    }
    newest
}

fn give_record(record: &Record<'_>, out: &mut Out<'_>) {
    let place = Place::Named { name: "a record of a log", at: record.range.start };
    let at = record.at.map(|_| record.range.clone());
    let bytes = match (&record.bytes, record.at) {
        (Cow::Borrowed(bytes), Some(_)) => Cow::Borrowed(*bytes),
        (bytes, _) => Cow::Owned(bytes.to_vec()),
    };
    out.value(Value { place, bytes, file: File::Main, at, state: State::Live, form: Form::Raw });
}

/// All records, with what is wrong between them.
fn records<'a>(bytes: &'a [u8], out: &mut Out<'_>) -> Vec<Record<'a>> {
    let mut records = Vec::new();
    let mut open: Option<Record<'a>> = None;
    let mut at = 0;
    while at < bytes.len() {
        let block_end = (at / BLOCK + 1) * BLOCK;
        let room = block_end.min(bytes.len()) - at;
        let Some(fragment) = fragment(bytes, at).filter(|_| room >= HEADER) else {
            unread(bytes, at..block_end.min(bytes.len()), out);
            at = block_end;
            continue;
        };
        let range = fragment.range.start as u64..fragment.range.end as u64;
        if !fragment.right {
            out.damage(File::Main, range.clone(), Damaged::Checksum);
        }
        let content = bytes.get(fragment.range.clone()).unwrap_or_default();
        at = fragment.range.end;
        // A record may be empty: what is remembered of it is more than its seven bytes.
        if !out.charge_aloud(size_of::<Record<'_>>(), &(at..bytes.len())) {
            let place = Place::Named { name: "behind the last record that was read,", at: range.start };
            let rest = bytes.get(fragment.range.start..).unwrap_or_default();
            out.raw(place, rest, range.start, File::Main, State::Unallocated);
            break;
        }
        match (fragment.kind, open.take()) {
            (3 | 4, Some(mut record)) if out.charge_aloud(content.len(), &fragment.range) => {
                record.bytes.to_mut().extend_from_slice(content);
                record.range.end = range.end;
                record.at = None;
                if fragment.kind == 4 { records.push(record) } else { open = Some(record) }
            }
            (kind, before) => {
                // A record that never ended, or a part without its start, is still worth reading.
                records.extend(before);
                let record = Record { bytes: Cow::Borrowed(content), at: Some(range.start), range };
                if kind == 2 { open = Some(record) } else { records.push(record) }
            }
        }
    }
    records.extend(open);
    records
}

/// The rest of a block in which no record starts. Zeros are what an unused block holds.
fn unread(bytes: &[u8], range: Range<usize>, out: &mut Out<'_>) {
    let rest = bytes.get(range.clone()).unwrap_or_default();
    if rest.iter().any(|byte| *byte != 0) {
        out.damage(File::Main, range.start as u64..range.end as u64, Damaged::Entry);
        let place = Place::Named { name: "between records", at: range.start as u64 };
        out.raw(place, rest, range.start as u64, File::Main, State::Unallocated);
    }
}

/// A record, or a part of one, in a block.
struct Fragment {
    /// 1 for a whole record, 2 to 4 for its first, middle and last parts.
    kind: u8,
    range: Range<usize>,
    /// Whether the checksum is right.
    right: bool,
}

fn fragment(bytes: &[u8], at: usize) -> Option<Fragment> {
    let block_end = (at / BLOCK + 1) * BLOCK;
    let length = usize::from(u16_at(bytes, at + 4)?);
    let kind = *bytes.get(at + 6)?;
    let range = at + HEADER..at + HEADER + length;
    if !(1..=4).contains(&kind) || range.end > block_end {
        return None;
    }
    let content = bytes.get(range.clone())?;
    let right = u32_at(bytes, at)? == checksum::masked(&[&[kind], content]);
    Some(Fragment { kind, range, right })
}

/// A change as it stands in its batch.
struct InBatch<'r> {
    key: &'r [u8],
    key_range: Range<usize>,
    value: Option<&'r [u8]>,
    value_range: Range<usize>,
    sequence: u64,
}

impl<'r> InBatch<'r> {
    fn placed(&self, record: &Record<'_>, state: State) -> Change<'r> {
        let place = |range: &Range<usize>| Some(record.at? + range.start as u64..record.at? + range.end as u64);
        let (key_at, value_at) = (place(&self.key_range), place(&self.value_range));
        Change { key: self.key, key_at, value: self.value, value_at, sequence: self.sequence, state }
    }
}

/// The changes of a batch (`db/write_batch.cc`): the number of the first, their count, and one behind the other.
#[derive(Clone)]
struct Changes<'r> {
    record: &'r [u8],
    at: usize,
    sequence: u64,
}

impl<'r> Changes<'r> {
    /// None where the bytes are not just a batch.
    fn of(record: &'r [u8]) -> Option<Self> {
        let changes = Self { record, at: 12, sequence: u64_at(record, 0)? };
        let announced = u32_at(record, 8)? as usize;
        let mut all = changes.clone();
        let count = all.by_ref().count();
        (all.at == record.len() && count == announced && count > 0).then_some(changes)
    }

    /// The next change, and where it ends.
    fn change(&self) -> Option<(InBatch<'r>, usize)> {
        let kind = *self.record.get(self.at)?;
        let (key, key_range) = prefixed(self.record, self.at + 1)?;
        let (value, value_range) = match kind {
            0 => (None, key_range.end..key_range.end),
            1 => prefixed(self.record, key_range.end).map(|(value, range)| (Some(value), range))?,
            _ => return None,
        };
        let end = value_range.end;
        Some((InBatch { key, key_range, value, value_range, sequence: self.sequence }, end))
    }
}

impl<'r> Iterator for Changes<'r> {
    type Item = InBatch<'r>;

    fn next(&mut self) -> Option<InBatch<'r>> {
        let (change, end) = self.change()?;
        self.at = end;
        self.sequence = self.sequence.wrapping_add(1);
        Some(change)
    }
}
