//! Blocks of a table: keys that share their first bytes with the key before (`doc/table_format.md`).

use crate::varint::{u32_at, varint};
use std::ops::Range;

/// One entry of a block.
pub(super) struct Entry {
    /// Bytes of the key that are those of the key before.
    pub(super) shared: usize,
    /// Where the other bytes of the key stand in the block.
    pub(super) key: Range<usize>,
    /// Where the value stands in the block.
    pub(super) value: Range<usize>,
}

/// The entries of a block, up to the first that cannot be read.
pub(super) struct Entries<'b> {
    block: &'b [u8],
    at: usize,
    /// Whether the last entry was read, and the block ends as it must.
    pub(super) whole: bool,
}

impl<'b> Entries<'b> {
    pub(super) fn of(block: &'b [u8]) -> Self {
        let restarts = block.len().checked_sub(4).and_then(|at| u32_at(block, at)).unwrap_or(0) as usize;
        let end = restarts.checked_mul(4).and_then(|length| block.len().checked_sub(length.checked_add(4)?));
        let restarts = end.and_then(|end| block.get(end..block.len() - 4));
        let whole = end.zip(restarts).is_some_and(|(end, restarts)| are_restarts(restarts, end));
        Self { block: block.get(..end.unwrap_or(0)).unwrap_or_default(), at: 0, whole }
    }

    fn entry(&self) -> Option<Entry> {
        let mut at = self.at;
        let mut number = || {
            let (number, length) = varint(self.block.get(at..)?)?;
            at += length;
            usize::try_from(number).ok()
        };
        let (shared, own, value) = (number()?, number()?, number()?);
        let key = at..at.checked_add(own)?;
        let value = key.end..key.end.checked_add(value)?;
        (value.end <= self.block.len()).then_some(Entry { shared, key, value })
    }
}

/// Whether these are places of entries, in order: what stands there instead would be in no entry.
fn are_restarts(bytes: &[u8], end: usize) -> bool {
    let mut places = bytes.chunks_exact(4).map(|place| u32_at(place, 0).map_or(usize::MAX, |place| place as usize));
    let first_is_start = places.next().is_none_or(|first| first == 0);
    first_is_start && places.try_fold(0, |before, at| (before < at && at < end).then_some(at)).is_some()
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.at >= self.block.len() {
            return None;
        }
        let entry = self.entry();
        self.whole &= entry.is_some();
        self.at = entry.as_ref().map_or(self.block.len(), |entry| entry.value.end);
        entry
    }
}
