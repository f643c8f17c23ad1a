//! Undone spans waiting to be searched: decoded into one arena, because an ordinary document has a
//! candidate every few dozen bytes and giving each a search of its own would cost more than
//! everything else.

use crate::codec::{base64, hex};
use crate::find::Find;
use crate::map::Map;
use std::ops::Range;

/// Decoded bytes after which the arena is searched: what stays in the first-level cache.
pub(crate) const FULL: usize = 16 << 10;

/// How an item was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undo {
    /// One run of base64.
    Base64,
    /// Base64 in several lines; the number is that of the list of line ends.
    Lines(u32),
    /// Pairs of hexadecimal digits.
    Hex,
    /// A UUID in text.
    Guid,
    /// A codec by name, with the number of its map.
    Mapped(&'static str, u32),
    /// A field of the document at hand, with the number of its map.
    Field(&'static str, u32),
}

/// One undone span.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// How.
    pub(crate) undo: Undo,
    /// Where in the bytes at hand, without padding.
    pub(crate) encoded: Range<usize>,
    /// Where in the arena.
    pub(crate) decoded: Range<usize>,
}

/// Items and their arena. Reused, so that small pieces of text need no allocation.
#[derive(Default)]
pub(crate) struct Batch {
    /// Decoded bytes, one item behind the other.
    pub(crate) arena: Vec<u8>,
    /// In the order of the arena.
    pub(crate) items: Vec<Item>,
    /// Sextets of the run at hand.
    pub(crate) sextets: Vec<u8>,
    /// Where line ends were skipped, as the position map wants them.
    skips: Vec<Vec<(usize, usize)>>,
    maps: Vec<Map>,
}

impl Batch {
    /// Forgets all items.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.items.clear();
        self.skips.clear();
        self.maps.clear();
    }

    /// True where it should be searched before more is added.
    pub(crate) fn is_full(&self) -> bool {
        self.arena.len() >= FULL
    }

    /// The item's bytes.
    pub(crate) fn decoded(&self, item: &Item) -> &[u8] {
        self.arena.get(item.decoded.clone()).unwrap_or_default()
    }

    /// Adds what was appended to the arena from `start` on.
    pub(crate) fn push(&mut self, undo: Undo, encoded: Range<usize>, start: usize) {
        if self.arena.len() > start {
            self.items.push(Item { undo, encoded, decoded: start..self.arena.len() });
        }
    }

    /// Adds undone bytes with their map.
    pub(crate) fn push_mapped(&mut self, name: &'static str, encoded: Range<usize>, bytes: &[u8], map: Map) {
        let undo = Undo::Mapped(name, self.maps.len() as u32);
        self.push_with(undo, encoded, bytes, map);
    }

    /// Adds the value of a field with its map.
    pub(crate) fn push_field(&mut self, codec: &'static str, encoded: Range<usize>, bytes: &[u8], map: Map) {
        let undo = Undo::Field(codec, self.maps.len() as u32);
        self.push_with(undo, encoded, bytes, map);
    }

    fn push_with(&mut self, undo: Undo, encoded: Range<usize>, bytes: &[u8], map: Map) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.maps.push(map);
        self.push(undo, encoded, start);
    }

    /// Decodes base64 characters that are already [`Self::sextets`], from the given one on.
    pub(crate) fn base64(&mut self, run: &Range<usize>, from: usize) {
        let start = self.arena.len();
        base64::pack_into(self.sextets.get(from..).unwrap_or_default(), &mut self.arena);
        self.push(Undo::Base64, run.start + from..run.end, start);
    }

    /// Decodes the lines of one base64 text.
    pub(crate) fn base64_lines(&mut self, bytes: &[u8], lines: &[Range<usize>]) {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return };
        let start = self.arena.len();
        let mut skips = Vec::new();
        self.sextets.clear();
        for line in lines {
            if !self.sextets.is_empty() {
                skips.push((self.sextets.len(), line.start - first.start - self.sextets.len()));
            }
            base64::sextets_into(&bytes[line.clone()], &mut self.sextets);
        }
        base64::pack_into(&self.sextets, &mut self.arena);
        self.push(Undo::Lines(self.skips.len() as u32), first.start..last.end, start);
        self.skips.push(skips);
    }

    /// Decodes hexadecimal digits at every alignment.
    pub(crate) fn hex(&mut self, bytes: &[u8], digits: &Range<usize>) {
        for digits in hex::alignments(digits) {
            let start = self.arena.len();
            hex::decode_into(&bytes[digits.clone()], &mut self.arena);
            self.push(Undo::Hex, digits, start);
        }
    }

    /// Adds the step that undid the item. `bytes` are the bytes at hand, `number` that of the decoded ones.
    pub(crate) fn through(&self, item: &Item, bytes: &[u8], number: u64, find: &mut Find) {
        let Range { start, end } = item.encoded.clone();
        let mapped = |number: u32| self.maps.get(number as usize).cloned().unwrap_or_else(|| Map::shift(start));
        let (name, end, map) = match item.undo {
            Undo::Hex => (hex::NAME, end, hex::map(start)),
            Undo::Guid => (hex::NAME, end, hex::guid_map(start)),
            Undo::Base64 => (base64::NAME, base64::padded_end(bytes, end), base64::map(start, Vec::new())),
            Undo::Lines(number) => {
                let skips = self.skips.get(number as usize).cloned().unwrap_or_default();
                (base64::NAME, base64::padded_end(bytes, end), base64::map(start, skips))
            }
            Undo::Mapped(name, number) | Undo::Field(name, number) => (name, end, mapped(number)),
        };
        find.through(name, None, &(start..end), &map, number);
    }
}
