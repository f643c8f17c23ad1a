//! The rollback journal: what pages held before a transaction (SQLite file format, section 3).

use super::bytes::u32_at;
use super::header::page_size;
use std::ops::Range;

/// What one page held before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) page: u32,
    pub(super) bytes: &'a [u8],
    /// Offset of the page's bytes in the journal.
    pub(super) at: u64,
}

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const USUAL_SECTOR: usize = 512;

/// The size of pages that a journal's header gives.
pub(super) fn size_of_pages(bytes: &[u8]) -> Option<usize> {
    bytes.starts_with(&MAGIC).then(|| page_size(u32_at(bytes, 24)?)).flatten()
}

/// Bytes of a segment's header that say something.
const HEADER: usize = 28;

/// What a journal holds.
pub(super) struct Contents<'a> {
    /// All records whose checksum is right, in order.
    pub(super) records: Vec<Record<'a>>,
    /// The bytes that fill up headers and segments to whole sectors.
    pub(super) between: Vec<Range<usize>>,
}

/// Reads a journal.
///
/// A finished transaction may leave its journal with nothing but the header zeroed (`PRAGMA journal_mode=PERSIST`).
/// Then the checksum's start is unknown: the first record's tells it, and the others are held against that.
pub(super) fn contents(bytes: &[u8], page_size: usize) -> Contents<'_> {
    let (mut records, mut between) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let segment = bytes.get(at..).unwrap_or_default();
        let marked = segment.starts_with(&MAGIC);
        if !marked && at > 0 {
            break;
        }
        let sector = u32_at(segment, 20).filter(|_| marked).map_or(USUAL_SECTOR, |size| size as usize);
        let sector = if (32..=65_536).contains(&sector) { sector } else { USUAL_SECTOR };
        let nonce = u32_at(segment, 12).filter(|_| marked);
        between.push(if marked { at + HEADER..at + sector } else { at..at + sector });
        let end = segment_records(bytes, at + sector, page_size, nonce, &mut records);
        at = end.div_ceil(sector).saturating_mul(sector).max(at + sector);
        between.push(end..at);
    }
    Contents { records, between }
}

/// Reads records as long as their checksums are right; gives where it stopped.
fn segment_records<'a>(
    bytes: &'a [u8],
    mut at: usize,
    page_size: usize,
    mut nonce: Option<u32>,
    found: &mut Vec<Record<'a>>,
) -> usize {
    while let Some((page, content, sum)) = record(bytes, at, page_size) {
        let own = checksum(content);
        let nonce = *nonce.get_or_insert(sum.wrapping_sub(own));
        if page == 0 || nonce.wrapping_add(own) != sum {
            break;
        }
        found.push(Record { page, bytes: content, at: at as u64 + 4 });
        at += page_size + 8;
    }
    at
}

fn record(bytes: &[u8], at: usize, page_size: usize) -> Option<(u32, &[u8], u32)> {
    let content = bytes.get(at.checked_add(4)?..at.checked_add(4 + page_size)?)?;
    Some((u32_at(bytes, at)?, content, u32_at(bytes, at + 4 + page_size)?))
}

/// Every two-hundredth byte from the end, without the nonce (section 3, "page records").
fn checksum(page: &[u8]) -> u32 {
    let Some(first) = page.len().checked_sub(200) else { return 0 };
    (1..=first).rev().step_by(200).filter_map(|at| page.get(at)).map(|byte| u32::from(*byte)).sum()
}
