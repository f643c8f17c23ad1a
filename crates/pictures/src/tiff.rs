//! The structure in which cameras write their notes (TIFF 6.0, section 2), read leniently: a value that is not where it
//! should be is none.

use std::ops::Range;

/// The entry that points to what the camera did (EXIF 2.32, section 4.6.3).
pub(crate) const EXIF_DIRECTORY: u16 = 0x8769;
/// The entry that points to where it was.
pub(crate) const GPS_DIRECTORY: u16 = 0x8825;
/// Entries of one directory; cameras write some sixty.
const MOST_ENTRIES: usize = 512;
/// Characters of a text.
pub(crate) const LONGEST_TEXT: usize = 256;

/// A TIFF structure (TIFF 6.0, section 2).
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    big: bool,
}

/// One entry of a directory: tag, type, count, and where its four bytes stand.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    tag: u16,
    kind: u16,
    count: usize,
    at: usize,
}

impl<'a> Tiff<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let big = match bytes {
            [b'I', b'I', 42, 0, ..] => false,
            [b'M', b'M', 0, 42, ..] => true,
            _ => return None,
        };
        Some(Self { bytes, big })
    }

    fn half(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    pub(crate) fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    pub(crate) fn directory(&self, at: u32) -> Vec<Entry> {
        let at = at as usize;
        let count = self.half(at).map_or(0, usize::from).min(MOST_ENTRIES);
        let entry = |index: usize| {
            let at = at.checked_add(2 + 12 * index)?;
            let (tag, kind, count) = (self.half(at)?, self.half(at + 2)?, self.number(at + 4)? as usize);
            Some(Entry { tag, kind, count, at: at + 8 })
        };
        (0..count).map_while(entry).collect()
    }

    pub(crate) fn pointed(&self, directory: &[Entry], tag: u16) -> Option<Vec<Entry>> {
        let entry = directory.iter().find(|entry| entry.tag == tag)?;
        Some(self.directory(self.number(entry.at)?))
    }

    pub(crate) fn short(&self, directory: &[Entry], tag: u16) -> Option<u16> {
        self.half(directory.iter().find(|entry| entry.tag == tag && entry.kind == 3)?.at)
    }

    /// The directory that the head points to.
    pub(crate) fn main(&self) -> Vec<Entry> {
        self.number(4).map(|at| self.directory(at)).unwrap_or_default()
    }

    /// The directory behind the main one, which is about the embedded thumbnail.
    pub(crate) fn second(&self) -> Vec<Entry> {
        let behind = || {
            let at = self.number(4)? as usize;
            let entries = usize::from(self.half(at)?);
            self.number(at.checked_add(2 + 12 * entries)?).filter(|next| *next != 0)
        };
        behind().map(|at| self.directory(at)).unwrap_or_default()
    }

    /// A number of two or four bytes.
    pub(crate) fn whole(&self, directory: &[Entry], tag: u16) -> Option<u32> {
        let entry = directory.iter().find(|entry| entry.tag == tag && entry.count == 1)?;
        match entry.kind {
            3 => self.half(entry.at).map(u32::from),
            4 => self.number(entry.at),
            _ => None,
        }
    }

    /// The bytes of an entry's values, `size` bytes each, as far as they are read.
    fn values(&self, entry: &Entry, size: usize, most: usize) -> Option<Range<usize>> {
        let start = if entry.count.checked_mul(size)? <= 4 { entry.at } else { self.number(entry.at)? as usize };
        let range = start..start.checked_add(entry.count.min(most) * size)?;
        (range.end <= self.bytes.len()).then_some(range)
    }

    /// A text without what pads it, and where it lies.
    pub(crate) fn text(&self, directory: &[Entry], tag: u16) -> Option<(String, Range<usize>)> {
        let entry = directory.iter().find(|entry| entry.tag == tag && matches!(entry.kind, 2 | 129))?;
        self.trimmed(self.values(entry, 1, LONGEST_TEXT)?)
    }

    /// A text behind eight bytes that name its character code (EXIF 2.32, section 4.6.6): those of ASCII and of none.
    pub(crate) fn comment(&self, directory: &[Entry], tag: u16) -> Option<(String, Range<usize>)> {
        let entry = directory.iter().find(|entry| entry.tag == tag && entry.kind == 7 && entry.count > 8)?;
        let range = self.values(entry, 1, LONGEST_TEXT)?;
        let is_text =
            matches!(self.bytes.get(range.clone())?.first_chunk::<8>()?, b"ASCII\0\0\0" | [0, 0, 0, 0, 0, 0, 0, 0]);
        if is_text { self.trimmed(range.start + 8..range.end) } else { None }
    }

    fn trimmed(&self, range: Range<usize>) -> Option<(String, Range<usize>)> {
        let bytes = self.bytes.get(range.clone())?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let bytes = bytes.get(..end)?;
        let start = bytes.len() - bytes.trim_ascii_start().len();
        let text = bytes.trim_ascii();
        let place = range.start + start..range.start + start + text.len();
        (!text.is_empty()).then(|| (String::from_utf8_lossy(text).into_owned(), place))
    }

    /// One fraction.
    pub(crate) fn fraction(&self, directory: &[Entry], tag: u16) -> Option<(f64, Range<usize>)> {
        let entry = directory.iter().find(|entry| entry.tag == tag && entry.kind == 5 && entry.count == 1)?;
        let range = self.values(entry, 8, 1)?;
        let (above, below) = (self.number(range.start)?, self.number(range.start + 4)?);
        (below != 0).then(|| (f64::from(above) / f64::from(below), range))
    }

    /// Degrees, minutes and seconds, each a fraction; negative where the letter of `letter_tag` is `negative`. Also
    /// where the fractions lie.
    pub(crate) fn degrees(
        &self,
        directory: &[Entry],
        tag: u16,
        letter_tag: u16,
        negative: &str,
    ) -> Option<(f64, Range<usize>)> {
        let entry = directory.iter().find(|entry| entry.tag == tag && entry.kind == 5 && entry.count == 3)?;
        let range = self.values(entry, 8, 3)?;
        let (mut degrees, mut is_there) = (0.0, false);
        for (index, unit) in [1.0, 60.0, 3600.0].into_iter().enumerate() {
            let at = range.start + 8 * index;
            let (above, below) = (self.number(at)?, self.number(at + 4)?);
            if below == 0 {
                // Writers that know no seconds write them as nothing over nothing.
                continue;
            }
            is_there = true;
            degrees += f64::from(above) / f64::from(below) / unit;
        }
        let (letter, _) = self.text(directory, letter_tag)?;
        let degrees = if letter.eq_ignore_ascii_case(negative) { -degrees } else { degrees };
        is_there.then_some((degrees, range))
    }
}
