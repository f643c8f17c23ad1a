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
    let mut newest: HashMap<&[u8], (usize, bool)> = HashMap::new();
    let changes = records.iter().flat_map(|record| batch(&record.bytes).unwrap_or_default());
    for (count, change) in changes.enumerate() {
        newest.insert(change.key, (count, change.value.is_none()));
    }
    let mut number = 0;
    for record in &records {
        let Some(changes) = batch(&record.bytes) else {
            give_record(record, out);
            continue;
        };
        for change in changes {
            let state = match newest.get(change.key) {
                Some((last, _)) if *last == number && change.value.is_some() => State::Live,
                Some((_, false)) => State::Superseded,
                _ => State::Deleted,
            };
            number += 1;
            give(&change.placed(record, state), out);
        }
    }
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
        match (fragment.kind, open.take()) {
            (3 | 4, Some(mut record)) if out.charge(content.len()) => {
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
/// None where the bytes are not just that.
fn batch(record: &[u8]) -> Option<Vec<InBatch<'_>>> {
    let (first, count) = (u64_at(record, 0)?, u32_at(record, 8)?);
    let mut at = 12;
    let mut changes = Vec::new();
    while at < record.len() {
        let kind = *record.get(at)?;
        let (key, key_range) = prefixed(record, at + 1)?;
        at = key_range.end;
        let (value, value_range) = match kind {
            0 => (None, at..at),
            1 => prefixed(record, at).map(|(value, range)| (Some(value), range))?,
            _ => return None,
        };
        at = value_range.end;
        let sequence = first.wrapping_add(changes.len() as u64);
        changes.push(InBatch { key, key_range, value, value_range, sequence });
    }
    (changes.len() == count as usize && count > 0).then_some(changes)
}
