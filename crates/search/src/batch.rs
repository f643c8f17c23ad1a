//! Undone spans waiting to be searched: decoded into one arena, because an ordinary document has a
//! candidate every few dozen bytes and giving each a search of its own would cost more than
//! everything else.

use crate::codec::{Unwrapped, base64, hex};
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
    /// A codec by name, with the number of its way back.
    Mapped(&'static str, u32),
    /// A field of the document at hand, with the number of its way back.
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
    /// What tells a step from others of its codec, and its map.
    ways: Vec<(Option<String>, Map)>,
}

impl Batch {
    /// Forgets all items.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.items.clear();
        self.skips.clear();
        self.ways.clear();
    }

    /// Bytes that it takes, but for what waits in it.
    pub(crate) fn memory(&self) -> usize {
        self.arena.capacity() + self.items.capacity() * size_of::<Item>() + self.sextets.capacity()
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

    /// Adds what a codec undid.
    pub(crate) fn push_unwrapped(&mut self, name: &'static str, encoded: Range<usize>, unwrapped: Unwrapped) {
        let undo = Undo::Mapped(name, self.ways.len() as u32);
        self.push_with(undo, encoded, &unwrapped.bytes, (unwrapped.detail, unwrapped.map));
    }

    /// Adds undone bytes with their map.
    pub(crate) fn push_mapped(&mut self, name: &'static str, encoded: Range<usize>, bytes: &[u8], map: Map) {
        let undo = Undo::Mapped(name, self.ways.len() as u32);
        self.push_with(undo, encoded, bytes, (None, map));
    }

    /// Adds the value of a field with its map.
    pub(crate) fn push_field(&mut self, codec: &'static str, encoded: Range<usize>, bytes: &[u8], map: Map) {
        let undo = Undo::Field(codec, self.ways.len() as u32);
        self.push_with(undo, encoded, bytes, (None, map));
    }

    fn push_with(&mut self, undo: Undo, encoded: Range<usize>, bytes: &[u8], way: (Option<String>, Map)) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.ways.push(way);
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
        let way = |number: u32| self.ways.get(number as usize).cloned().unwrap_or_else(|| (None, Map::shift(start)));
        let mut detail = None;
        let (name, end, map) = match item.undo {
            Undo::Hex => (hex::NAME, end, hex::map(start)),
            Undo::Guid => (hex::NAME, end, hex::guid_map(start)),
            Undo::Base64 => (base64::NAME, base64::padded_end(bytes, end), base64::map(start, Vec::new())),
            Undo::Lines(number) => {
                let skips = self.skips.get(number as usize).cloned().unwrap_or_default();
                (base64::NAME, base64::padded_end(bytes, end), base64::map(start, skips))
            }
            Undo::Mapped(name, number) | Undo::Field(name, number) => {
                let (told, map) = way(number);
                detail = told;
                (name, end, map)
            }
        };
        find.through(name, detail, &(start..end), &map, number);
    }
}

#[cfg(test)]
mod tests {
    use crate::proof::assert_proved;
    use crate::{Options, Scanner, Scratch};
    use dyetrace_case::{Blob, Message, Record, Secret, Subject};

    /// RFC 4648 section 7, without padding.
    fn base32_hex(bytes: &[u8]) -> String {
        let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
        let groups = (0..bytes.len() * 8).step_by(5);
        let values = groups.map(|first| (first..first + 5).fold(0, |value, at| value << 1 | bit(at)));
        values.map(|value| char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUV"[usize::from(value)])).collect()
    }

    #[test]
    fn the_trail_names_the_alphabet_of_what_was_undone_together_with_others() {
        let mut subject = Subject::default();
        subject.add("phone".parse().unwrap(), Secret::new("13812345427"));
        let scanner = Scanner::new(&subject, Options::default());
        let text = base32_hex(b"the number is 13812345427");
        assert_eq!(&text[..8], "EHK6A83E", "as written by Python's base64.b32hexencode");
        let body = format!("{{\"a\":\"{text}\"}}").into_bytes();
        let record = Record::of_request(Message { body: Some(Blob::from(body)), ..Message::default() });
        let sightings = scanner.search(&record, &mut Scratch::default()).sightings;
        assert_eq!(sightings.len(), 1);
        assert!(sightings[0].trail.to_string().contains("base32 hex alphabet"), "{}", sightings[0].trail);
        assert_proved(&scanner, &record, &sightings);
    }
}
