//! The header of a database: the first hundred bytes of its first page (SQLite file format, section 1.3).

use super::bytes::{u16_at, u32_at};
use std::ops::Range;

/// How the database writes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// What of the header matters to a reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) page_size: usize,
    /// Bytes of a page that are used; the rest belongs to extensions.
    pub(super) usable: usize,
    /// Pages that the database says it has; none where an old library wrote last and did not count.
    pub(super) pages: Option<u32>,
    pub(super) first_free: u32,
    pub(super) encoding: Encoding,
}

pub(super) const LENGTH: usize = 100;
/// Bytes that are kept for later versions: zeros.
pub(super) const RESERVED: Range<usize> = 72..92;

impl Header {
    /// None where the header says what cannot be.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < LENGTH || !bytes.starts_with(b"SQLite format 3\0") {
            return None;
        }
        let page_size = page_size(u32::from(u16_at(bytes, 16)?))?;
        let usable = page_size.checked_sub(usize::from(*bytes.get(20)?)).filter(|usable| *usable >= 480)?;
        let counted = u32_at(bytes, 24) == u32_at(bytes, 92);
        Some(Self {
            page_size,
            usable,
            pages: u32_at(bytes, 28).filter(|pages| counted && *pages > 0),
            first_free: u32_at(bytes, 32)?,
            encoding: match u32_at(bytes, 56)? {
                2 => Encoding::Utf16Le,
                3 => Encoding::Utf16Be,
                _ => Encoding::Utf8,
            },
        })
    }

    /// What is assumed where no first page is at hand.
    pub(super) fn assumed(page_size: usize) -> Self {
        Self { page_size, usable: page_size, pages: None, first_free: 0, encoding: Encoding::Utf8 }
    }
}

/// A size of pages as headers give it: a power of two from 512 to 65536, which stands as 1 in two bytes.
pub(super) fn page_size(written: u32) -> Option<usize> {
    let size = if written == 1 { 65_536 } else { written };
    (size.is_power_of_two() && (512..=65_536).contains(&size)).then_some(size as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_pages() {
        assert_eq!(page_size(1), Some(65_536));
        assert_eq!(page_size(4096), Some(4096));
        assert_eq!([0, 256, 4000, 131_072].map(page_size), [None; 4]);
    }
}
