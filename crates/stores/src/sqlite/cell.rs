//! A page of a b-tree and its cells (SQLite file format, sections 1.6 and 2.3).

use super::bytes::{u16_at, u32_at, varint};
use super::header;
use std::ops::Range;

/// The types of b-tree pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    IndexInterior,
    TableInterior,
    IndexLeaf,
    TableLeaf,
}

impl Type {
    /// The type that a page's first byte gives.
    pub(super) fn of(page: &[u8], number: u32) -> Option<Self> {
        match page.get(head_of(number))? {
            2 => Some(Self::IndexInterior),
            5 => Some(Self::TableInterior),
            10 => Some(Self::IndexLeaf),
            13 => Some(Self::TableLeaf),
            _ => None,
        }
    }

    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::TableInterior | Self::TableLeaf)
    }

    fn is_interior(self) -> bool {
        matches!(self, Self::TableInterior | Self::IndexInterior)
    }
}

/// A record that a cell carries, as far as it stands on this page.
#[derive(Debug, Clone)]
pub(super) struct Local {
    /// Length of the whole record.
    pub(super) total: u64,
    /// Its first part, within the page.
    pub(super) range: Range<usize>,
    /// The first page of the rest.
    pub(super) overflow: Option<u32>,
}

/// One cell.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// All its bytes.
    pub(super) range: Range<usize>,
    /// The page of smaller keys, in interior pages.
    pub(super) child: Option<u32>,
    pub(super) row: Option<i64>,
    /// None in interior pages of tables, which hold no records.
    pub(super) record: Option<Local>,
}

/// A page of a b-tree.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Type,
    /// In the order of their keys. None of them overlaps another.
    pub(super) cells: Vec<Cell>,
    /// Where pointers to cells pointed to that is none.
    pub(super) broken: Vec<usize>,
    /// The page of the greatest keys, in interior pages.
    pub(super) last_child: Option<u32>,
    /// Where the array of pointers starts.
    pub(super) pointers: usize,
    /// Where it ends.
    pub(super) head_end: usize,
}

impl Node {
    /// None where the page is of no such type.
    pub(super) fn parse(page: &[u8], number: u32, usable: usize) -> Option<Self> {
        let (head, kind) = (head_of(number), Type::of(page, number)?);
        let count = usize::from(u16_at(page, head + 3)?);
        let pointers = head + if kind.is_interior() { 12 } else { 8 };
        let head_end = pointers + 2 * count;
        if head_end > usable.min(page.len()) {
            return None;
        }
        let last_child = if kind.is_interior() { u32_at(page, head + 8) } else { None };
        let mut node =
            Self { kind, cells: Vec::with_capacity(count), broken: Vec::new(), last_child, pointers, head_end };
        for at in (pointers..head_end).step_by(2).filter_map(|at| u16_at(page, at)).map(usize::from) {
            // A pointer into the header is none.
            match (at >= head_end).then(|| cell(page, at, kind, usable)).flatten() {
                Some(cell) => node.cells.push(cell),
                None => node.broken.push(at),
            }
        }
        node.drop_overlapping();
        Some(node)
    }

    /// Cells that overlap are not what SQLite writes, and would let a page of 64 KiB hold 32,000 records of 64 KiB.
    fn drop_overlapping(&mut self) {
        let mut order: Vec<usize> = (0..self.cells.len()).collect();
        order.sort_by_key(|index| (self.cells[*index].range.start, *index));
        let mut keep = vec![true; self.cells.len()];
        let mut end = 0;
        for index in order {
            let range = &self.cells[index].range;
            if range.start < end {
                keep[index] = false;
                self.broken.push(range.start);
            } else {
                end = range.end;
            }
        }
        let mut keep = keep.into_iter();
        self.cells.retain(|_| keep.next().unwrap_or(false));
    }

    /// What of the page no cell covers, in order: from behind the pointers to the end of the page.
    pub(super) fn gaps(&self, page_length: usize, mut covered: Vec<Range<usize>>) -> Vec<Range<usize>> {
        covered.sort_by_key(|range| range.start);
        let mut gaps = Vec::new();
        let mut at = self.head_end;
        for range in covered {
            if range.start > at {
                gaps.push(at..range.start);
            }
            at = at.max(range.end);
        }
        if at < page_length {
            gaps.push(at..page_length);
        }
        gaps
    }
}

/// Where the header of a page starts: on the first, behind that of the database.
fn head_of(number: u32) -> usize {
    if number == 1 { header::LENGTH } else { 0 }
}

fn cell(page: &[u8], start: usize, kind: Type, usable: usize) -> Option<Cell> {
    let page = page.get(..usable.min(page.len()))?;
    let mut at = start;
    let child = if kind.is_interior() {
        at += 4;
        Some(u32_at(page, start)?)
    } else {
        None
    };
    if kind == Type::TableInterior {
        let (row, length) = varint(page.get(at..)?)?;
        return Some(Cell { range: start..at + length, child, row: Some(row as i64), record: None });
    }
    let (total, length) = varint(page.get(at..)?)?;
    at += length;
    let mut row = None;
    if kind == Type::TableLeaf {
        let (id, length) = varint(page.get(at..)?)?;
        at += length;
        row = Some(id as i64);
    }
    let local = local_length(total, usable, kind);
    let range = at..at.checked_add(local)?;
    page.get(range.clone())?;
    let mut end = range.end;
    let overflow = if total > local as u64 {
        end += 4;
        Some(u32_at(page, range.end)?)
    } else {
        None
    };
    // A cell takes four bytes at least, so that a free block fits where it was.
    let end = end.max(start + 4).min(page.len());
    Some(Cell { range: start..end, child, row, record: Some(Local { total, range, overflow }) })
}

/// How much of a record stands in its cell (section 1.6: U, P, M, X, K).
fn local_length(total: u64, usable: usize, kind: Type) -> usize {
    let usable = usable as u64;
    let most = if kind == Type::TableLeaf { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
    if total <= most {
        return total as usize;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (total - least) % (usable - 4);
    (if fitting <= most { fitting } else { least }) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_overlap_count_once() {
        let mut page = vec![0; 512];
        page[0] = 13;
        page[4] = 3;
        for (at, target) in [(8, 400_u16), (10, 400), (12, 402)] {
            page[at..at + 2].copy_from_slice(&target.to_be_bytes());
        }
        page[400..406].copy_from_slice(&[4, 1, 3, 15, 15, b'x']);
        let node = Node::parse(&page, 2, 512).unwrap();
        assert_eq!(node.cells.len(), 1);
        assert_eq!(node.broken, [400, 402]);
        let covered = node.cells.iter().map(|cell| cell.range.clone()).collect();
        assert_eq!(node.gaps(512, covered), [14..400, 406..512]);
    }

    #[test]
    fn parts_of_long_records_that_stand_in_the_cell() {
        assert_eq!(local_length(4061, 4096, Type::TableLeaf), 4061);
        assert_eq!(local_length(4062, 4096, Type::TableLeaf), 489);
        assert_eq!(local_length(489 + 4092, 4096, Type::TableLeaf), 489);
        assert_eq!(local_length(1002, 4096, Type::IndexLeaf), 1002);
        assert_eq!(local_length(1003, 4096, Type::IndexLeaf), 489);
    }
}
