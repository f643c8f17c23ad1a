//! Tables (`doc/table_format.md`): a footer, an index of blocks, blocks that Snappy may have compressed.

use super::block::Entries;
use super::{Change, checksum, give};
use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::place::Place;
use crate::varint::{u32_at, varint};
use std::borrow::Cow;
use std::ops::Range;

const FOOTER: usize = 48;
const MAGIC: [u8; 8] = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();
/// A block's trailer: how it is compressed, and a checksum.
const TRAILER: usize = 5;

pub(crate) fn is_table(bytes: &[u8]) -> bool {
    bytes.len() >= FOOTER && bytes.ends_with(&MAGIC)
}

/// Reads a table. A block that cannot be read is given raw.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let footer = bytes.len().checked_sub(FOOTER).and_then(|at| bytes.get(at..)).unwrap_or_default();
    let handles = index_handle(footer);
    let index = handles.as_ref().and_then(|(range, _)| block(bytes, range, out));
    let Some((index, (_, handles_end))) = index.zip(handles) else {
        out.damage(File::Main, 0..bytes.len() as u64, Damaged::Header);
        return out.raw(Place::Named { name: "raw bytes", at: 0 }, bytes, 0, File::Main, State::Unallocated);
    };
    let mut reader = Table { last: Vec::new(), last_state: State::Live };
    let mut end = 0;
    let mut entries = Entries::of(&index.content);
    for entry in entries.by_ref() {
        let Some(handle) = index.content.get(entry.value).and_then(handle) else {
            out.damage(File::Main, index.range.clone(), Damaged::Entry);
            continue;
        };
        let at = handle.start as u64..handle.end as u64;
        // Blocks stand one behind the other. What names one twice would have it read twice.
        if handle.start < end {
            out.damage(File::Main, at, Damaged::Reference);
            continue;
        }
        between(bytes, end..handle.start, out);
        end = handle.end.saturating_add(TRAILER);
        if let Some(block) = block(bytes, &handle, out) {
            reader.block(&block, out);
        } else {
            let raw = bytes.get(handle.clone()).unwrap_or_default();
            let place = Place::Named { name: "a block that cannot be read", at: at.start };
            out.raw(place, raw, at.start, File::Main, State::Unallocated);
        }
    }
    if !entries.whole {
        out.damage(File::Main, index.range.clone(), Damaged::Entry);
    }
    between(bytes, end..index.range.start as usize, out);
    // Its keys are those of the data, or shorter ones between them.
    index.raw("in the index of blocks,", 0..index.content.len(), out);
    let footer = bytes.len() - FOOTER;
    between(bytes, (index.range.end as usize).saturating_add(TRAILER)..footer, out);
    between(bytes, footer + handles_end..bytes.len() - MAGIC.len(), out);
}

/// Bytes that no block of data covers: filters, statistics, and what is left over.
fn between(bytes: &[u8], range: Range<usize>, out: &mut Out<'_>) {
    let at = range.start as u64;
    let place = Place::Named { name: "between blocks of data,", at };
    out.raw(place, bytes.get(range).unwrap_or_default(), at, File::Main, State::Unallocated);
}

/// Where the index stands: the second of the footer's two handles; and where the handles end in the footer.
fn index_handle(footer: &[u8]) -> Option<(Range<usize>, usize)> {
    let mut end = 0;
    for _ in 0..2 {
        end += varint(footer.get(end..)?)?.1;
    }
    let index = handle(footer.get(end..)?)?;
    for _ in 0..2 {
        end += varint(footer.get(end..)?)?.1;
    }
    Some((index, end))
}

fn handle(bytes: &[u8]) -> Option<Range<usize>> {
    let (offset, length) = varint(bytes)?;
    let (size, _) = varint(bytes.get(length..)?)?;
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(usize::try_from(size).ok()?)?)
}

/// A block without compression.
struct Block<'a> {
    content: Cow<'a, [u8]>,
    /// Where it starts, where its bytes are those of the file.
    at: Option<u64>,
    range: Range<u64>,
}

impl Block<'_> {
    /// Gives a part of it raw: in its place where it has one.
    fn raw(&self, name: &'static str, range: Range<usize>, out: &mut Out<'_>) {
        let part = self.content.get(range.clone()).unwrap_or_default();
        if let Some(at) = self.at.map(|at| at + range.start as u64) {
            return out.raw(Place::Named { name, at }, part, at, File::Main, State::Unallocated);
        }
        let place = Place::Named { name, at: self.range.start };
        if out.charge_aloud(part.len(), &(self.range.start as usize..self.range.end as usize)) {
            let (bytes, state) = (Cow::Owned(part.to_vec()), State::Unallocated);
            out.value(Value { place, bytes, file: File::Main, at: None, state, form: Form::Raw });
        }
    }
}

fn block<'a>(bytes: &'a [u8], handle: &Range<usize>, out: &mut Out<'_>) -> Option<Block<'a>> {
    let at = handle.start as u64..handle.end as u64;
    let Some((raw, trailer)) = bytes.get(handle.clone()).zip(bytes.get(handle.end..handle.end.checked_add(TRAILER)?))
    else {
        out.damage(File::Main, at, Damaged::Short);
        return None;
    };
    if u32_at(trailer, 1) != Some(checksum::masked(&[raw, trailer.get(..1)?])) {
        out.damage(File::Main, at.clone(), Damaged::Checksum);
    }
    match trailer.first()? {
        0 => Some(Block { content: Cow::Borrowed(raw), at: Some(at.start), range: at }),
        1 => match inflated(raw, out) {
            Ok(content) => Some(Block { content: Cow::Owned(content), at: None, range: at }),
            Err(damaged) => {
                out.damage(File::Main, at, damaged);
                None
            }
        },
        _ => {
            out.damage(File::Main, at, Damaged::Compression);
            None
        }
    }
}

/// Snappy makes no more than 64 bytes out of three (its longest copy), so a length beyond that is a lie.
const HIGHEST_RATIO: usize = 22;

fn inflated(raw: &[u8], out: &mut Out<'_>) -> Result<Vec<u8>, Damaged> {
    let length = snap::raw::decompress_len(raw).map_err(|_| Damaged::Compression)?;
    if length > raw.len().saturating_mul(HIGHEST_RATIO) {
        return Err(Damaged::Compression);
    }
    if length > out.limits.value || !out.charge(length) {
        return Err(Damaged::Limit);
    }
    snap::raw::Decoder::new().decompress_vec(raw).map_err(|_| Damaged::Compression)
}

/// What is remembered from entry to entry: changes of one key stand together, the newest first.
struct Table {
    /// The key before, with the number of its change.
    last: Vec<u8>,
    /// What an older change of the same key is.
    last_state: State,
}

/// A number and a kind stand behind each key: eight bytes.
const SUFFIX: usize = 8;

impl Table {
    fn block(&mut self, block: &Block<'_>, out: &mut Out<'_>) {
        let content: &[u8] = &block.content;
        let mut entries = Entries::of(content);
        for entry in entries.by_ref() {
            if !out.charge(entry.shared.min(self.last.len())) {
                return out.damage(File::Main, block.range.clone(), Damaged::Limit);
            }
            let own = content.get(entry.key.clone()).unwrap_or_default();
            let older = self.take_key(entry.shared, own);
            let Some((key, suffix)) = self.last.split_last_chunk::<SUFFIX>() else {
                out.damage(File::Main, block.range.clone(), Damaged::Entry);
                block.raw("an entry without a number,", entry.key.start..entry.value.end, out);
                continue;
            };
            let number = u64::from_le_bytes(*suffix);
            let removed = suffix[0] == 0;
            let state = if older { self.last_state } else { State::Live };
            // A removal says that older changes of the key are deleted, and is deleted itself.
            self.last_state = if removed { State::Deleted } else { State::Superseded };
            let place = |range: Range<usize>| {
                let start = block.at?;
                Some(start + range.start as u64..start + range.end as u64)
            };
            let whole_key = entry.shared == 0 && own.len() >= SUFFIX;
            let key_at = whole_key.then(|| place(entry.key.start..entry.key.end - SUFFIX)).flatten();
            let value = content.get(entry.value.clone());
            let state = if removed { State::Deleted } else { state };
            // The key is borrowed from the block where it stands there whole.
            let key = if key_at.is_some() { own.get(..own.len() - SUFFIX).unwrap_or(key) } else { key };
            let value_at = place(entry.value.clone());
            give(&Change { key, key_at, value, value_at, sequence: number >> 8, state }, out);
        }
        if !entries.whole {
            out.damage(File::Main, block.range.clone(), Damaged::Entry);
            block.raw("a block that cannot be read", 0..content.len(), out);
        }
    }

    /// Makes the next key out of the one before; tells whether it is the same but for the number of its change.
    fn take_key(&mut self, shared: usize, own: &[u8]) -> bool {
        let before = self.last.split_last_chunk::<SUFFIX>().map(|(key, _)| key.to_vec());
        self.last.truncate(shared);
        self.last.extend_from_slice(own);
        let key = self.last.split_last_chunk::<SUFFIX>().map(|(key, _)| key);
        before.is_some() && before.as_deref() == key
    }
}
