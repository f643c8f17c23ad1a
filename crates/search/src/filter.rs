//! The textual lane: finds any of many byte strings in one pass that rejects most positions by
//! one look into a bitmap.
//!
//! A sample of four bytes is taken every `stride` bytes. Each needle has the four-byte grams at
//! its first `stride` offsets in the bitmap, so whatever its alignment, exactly one of them is
//! sampled; a hit is verified against the needles of its bucket. Letters are folded by setting
//! bit 5 of every byte, on both sides.

use std::ops::Range;

/// Shortest needle the filter takes.
pub(crate) const SHORTEST: usize = 6;

const GRAM: usize = 4;
/// 2^18 bits, 32 KiB.
const WORDS: usize = 4096;
const BUCKETS_LOG2: u32 = 12;
/// Samples between two looks at the result.
const BLOCK: usize = 8;
/// Bytes a block needs at the longest stride.
const BLOCK_BYTES: usize = 64;

/// One byte string to find.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// The bytes, at least [`SHORTEST`].
    pub(crate) bytes: Vec<u8>,
    /// ASCII letters match in either case.
    pub(crate) any_case: bool,
    /// A digit directly before or behind forbids the match.
    pub(crate) bounded: bool,
}

struct Entry {
    gram: u32,
    pattern: u32,
    offset: u32,
}

/// The compiled patterns.
pub(crate) struct Filter {
    patterns: Vec<Pattern>,
    bitmap: Box<[u64; WORDS]>,
    /// Where each bucket begins in `entries`; one more than there are buckets.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
    stride: usize,
}

impl Filter {
    /// Compiles the patterns; matches name them by their position in the list.
    pub(crate) fn new(patterns: Vec<Pattern>) -> Self {
        let shortest = patterns.iter().map(|pattern| pattern.bytes.len()).min().unwrap_or(SHORTEST);
        let stride = [8, 5, 4, 3].into_iter().find(|stride| stride + GRAM - 1 <= shortest).unwrap_or(1);
        let empty = vec![0; WORDS].into_boxed_slice();
        let mut bitmap: Box<[u64; WORDS]> = empty.try_into().unwrap_or_else(|_| unreachable!("made with that length"));
        let mut entries = Vec::new();
        for (number, pattern) in patterns.iter().enumerate() {
            for (offset, bytes) in pattern.bytes.array_windows::<GRAM>().take(stride).enumerate() {
                let gram = fold(*bytes);
                let hash = hash(gram);
                bitmap[(hash >> 6) as usize] |= 1 << (hash & 63);
                entries.push(Entry { gram, pattern: number as u32, offset: offset as u32 });
            }
        }
        entries.sort_by_key(|entry| (bucket(entry.gram), entry.gram, entry.pattern));
        let buckets = (0..=1 << BUCKETS_LOG2)
            .map(|number| entries.partition_point(|entry| bucket(entry.gram) < number) as u32)
            .collect();
        Self { patterns, bitmap, buckets, entries, stride }
    }

    /// Calls `visit(pattern, range)` for every occurrence. Occurrences of one pattern come in
    /// order and each once.
    pub(crate) fn scan(&self, text: &[u8], visit: &mut dyn FnMut(usize, Range<usize>)) {
        if self.patterns.is_empty() {
            return;
        }
        match self.stride {
            8 => self.scan_by::<8>(text, visit),
            5 => self.scan_by::<5>(text, visit),
            4 => self.scan_by::<4>(text, visit),
            3 => self.scan_by::<3>(text, visit),
            _ => self.scan_by::<1>(text, visit),
        }
    }

    fn scan_by<const STRIDE: usize>(&self, text: &[u8], visit: &mut dyn FnMut(usize, Range<usize>)) {
        let mut at = 0;
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>()) {
            let mut hits = 0;
            for sample in 0..BLOCK {
                let from = sample * STRIDE;
                hits |= self.test(fold([block[from], block[from + 1], block[from + 2], block[from + 3]]));
            }
            if hits & 1 != 0 {
                self.verify_from(text, at, at + BLOCK * STRIDE, STRIDE, visit);
            }
            at += BLOCK * STRIDE;
        }
        self.verify_from(text, at, text.len(), STRIDE, visit);
    }

    /// Bit 0 is set where the gram may begin part of a pattern.
    fn test(&self, gram: u32) -> u64 {
        let hash = hash(gram);
        self.bitmap[(hash >> 6) as usize] >> (hash & 63)
    }

    fn verify_from(
        &self,
        text: &[u8],
        from: usize,
        to: usize,
        stride: usize,
        visit: &mut dyn FnMut(usize, Range<usize>),
    ) {
        for at in (from..to).step_by(stride) {
            let Some(bytes) = text.get(at..).and_then(|rest| rest.first_chunk::<GRAM>()) else { return };
            let gram = fold(*bytes);
            if self.test(gram) & 1 != 0 {
                self.verify(text, at, gram, visit);
            }
        }
    }

    #[cold]
    fn verify(&self, text: &[u8], at: usize, gram: u32, visit: &mut dyn FnMut(usize, Range<usize>)) {
        let number = bucket(gram) as usize;
        let (Some(first), Some(last)) = (self.buckets.get(number), self.buckets.get(number + 1)) else { return };
        for entry in self.entries.get(*first as usize..*last as usize).unwrap_or_default() {
            let Some(pattern) = self.patterns.get(entry.pattern as usize) else { continue };
            let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
            let range = start..start + pattern.bytes.len();
            if entry.gram == gram && pattern.is_at(text, &range) {
                visit(entry.pattern as usize, range);
            }
        }
    }
}

impl Pattern {
    fn is_at(&self, text: &[u8], range: &Range<usize>) -> bool {
        let Some(found) = text.get(range.clone()) else { return false };
        let same = if self.any_case { found.eq_ignore_ascii_case(&self.bytes) } else { found == self.bytes };
        let digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
        same && !(self.bounded && (digit(range.start.checked_sub(1)) || digit(Some(range.end))))
    }
}

fn fold(bytes: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 6.4) to 18 bits.
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1) >> 14
}

fn bucket(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1) >> (32 - BUCKETS_LOG2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(bytes: &[u8], any_case: bool) -> Pattern {
        Pattern { bytes: bytes.to_vec(), any_case, bounded: false }
    }

    fn found(filter: &Filter, text: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        filter.scan(text, &mut |pattern, range| found.push((pattern, range.start)));
        found.sort_unstable();
        found
    }

    #[test]
    fn letters_match_in_either_case_only_where_allowed() {
        let filter = Filter::new(vec![pattern(b"Someone@example.com", true), pattern(b"Qm7xTr2p", false)]);
        assert_eq!(found(&filter, b"to SOMEONE@EXAMPLE.COM qm7xtr2p"), [(0, 3)]);
    }

    #[test]
    fn a_bounded_number_is_not_part_of_a_longer_one() {
        let bounded = Pattern { bytes: b"31.230".to_vec(), any_case: false, bounded: true };
        let filter = Filter::new(vec![bounded]);
        assert_eq!(found(&filter, b"31.2304 131.230 31.230,"), [(0, 16)]);
    }

    proptest! {
        #[test]
        fn finds_what_plain_comparison_finds(
            patterns in proptest::collection::vec("[ab]{6,14}", 1..6),
            text in "[ab]{0,400}",
        ) {
            let filter = Filter::new(patterns.iter().map(|p| pattern(p.as_bytes(), false)).collect());
            let text = text.as_bytes();
            let mut expected = Vec::new();
            for (number, pattern) in patterns.iter().enumerate() {
                expected.extend((0..text.len()).filter(|at| text[*at..].starts_with(pattern.as_bytes())).map(|at| (number, at)));
            }
            prop_assert_eq!(found(&filter, text), expected);
        }
    }
}
