//! The write-ahead log: frames, each with one page (SQLite file format, section 4).

use super::bytes::u32_at;
use super::header::page_size;

/// One page in the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) page: u32,
    pub(super) bytes: &'a [u8],
    /// Offset of the page's bytes in the log.
    pub(super) at: u64,
    /// Pages of the database after the commit that this frame ends; 0 where it ends none.
    pub(super) commits: u32,
}

/// A log.
#[derive(Debug)]
pub(super) struct Wal<'a> {
    pub(super) page_size: usize,
    pub(super) frames: Vec<Frame<'a>>,
    /// So many first frames have the log's own salts and right checksums.
    pub(super) valid: usize,
    /// So many first frames belong to transactions that were finished.
    pub(super) committed: usize,
    /// For each frame, how many first frames there are up to the end of its transaction.
    pub(super) ends: Vec<u32>,
    /// Where the last whole frame ends.
    pub(super) end: usize,
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

impl<'a> Wal<'a> {
    /// None where the header says what cannot be.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let magic = u32_at(bytes, 0)?;
        if magic & !1 != 0x377f_0682 || bytes.len() < HEADER {
            return None;
        }
        let page_size = page_size(u32_at(bytes, 8)?)?;
        let mut sum = Sum { big_endian: magic & 1 == 1, first: 0, second: 0 };
        sum.add(bytes.get(..24)?);
        let salts = bytes.get(16..24)?;
        let mut wal = Self { page_size, frames: Vec::new(), valid: 0, committed: 0, ends: Vec::new(), end: HEADER };
        let mut in_order = sum.is(bytes.get(24..32)?);
        let whole = bytes.get(HEADER..)?.chunks_exact(FRAME_HEADER + page_size);
        for chunk in whole {
            let (head, page) = chunk.split_at(FRAME_HEADER);
            let at = (wal.end + FRAME_HEADER) as u64;
            let frame = Frame { page: u32_at(head, 0)?, bytes: page, at, commits: u32_at(head, 4)? };
            in_order = in_order && head.get(8..16) == Some(salts) && frame.page != 0;
            if in_order {
                sum.add(head.get(..8)?);
                sum.add(page);
                in_order = sum.is(head.get(16..24)?);
            }
            wal.push(frame, in_order);
        }
        wal.ends = wal.ends();
        Some(wal)
    }

    fn ends(&self) -> Vec<u32> {
        let mut end = self.frames.len() as u32;
        let mut ends: Vec<u32> = Vec::with_capacity(self.frames.len());
        for (index, frame) in self.frames.iter().enumerate().rev() {
            if frame.commits != 0 {
                end = index as u32 + 1;
            }
            ends.push(end);
        }
        ends.reverse();
        ends
    }

    fn push(&mut self, frame: Frame<'a>, in_order: bool) {
        self.end += FRAME_HEADER + frame.bytes.len();
        self.frames.push(frame);
        if in_order {
            self.valid = self.frames.len();
            if frame.commits != 0 {
                self.committed = self.valid;
            }
        }
    }
}

/// The running checksum (section 4.2).
struct Sum {
    big_endian: bool,
    first: u32,
    second: u32,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |bytes: [u8; 4]| if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        for pair in bytes.chunks_exact(8) {
            let Some((&even, &odd)) = pair.first_chunk().zip(pair.last_chunk()) else { continue };
            self.first = self.first.wrapping_add(word(even)).wrapping_add(self.second);
            self.second = self.second.wrapping_add(word(odd)).wrapping_add(self.first);
        }
    }

    /// Whether this is the sum; it is written big-endian in either case.
    fn is(&self, written: &[u8]) -> bool {
        u32_at(written, 0) == Some(self.first) && u32_at(written, 4) == Some(self.second)
    }
}
