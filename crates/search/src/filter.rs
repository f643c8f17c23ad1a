//! The textual lane: finds any of many byte strings in one pass that rejects nearly every position
//! by a look into a bitmap, also where the text is the string XORed with one unknown byte, or with
//! one unknown number added to every byte.
//!
//! A sample of eight bytes is taken every `stride` bytes. Each pattern has the grams at its first
//! `stride` offsets in the bitmap, so whatever its alignment, exactly one of them is sampled. A hit
//! is looked up once more by eight bytes where the pattern is long enough, then compared. Letters are
//! folded by setting bit 5 of every byte, on both sides. The two shifted domains compare what a
//! constant key leaves unchanged: the exclusive or, or the difference, of neighbouring bytes.

#![expect(clippy::inline_always, reason = "as calls, these would cost more than they do")]

use std::ops::Range;

/// Shortest pattern the filter takes.
pub(crate) const SHORTEST: usize = 6;

/// Shortest pattern that is found under an unknown key.
pub(crate) const SHORTEST_KEYED: usize = 10;

/// Samples between two looks at the result.
const BLOCK: usize = 8;
/// Bytes a block needs at the longest stride.
const BLOCK_BYTES: usize = 64 + 8;
/// Bits of the bitmap for each gram.
const SPARSENESS: usize = 32;

/// How the text may differ from the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Not at all.
    Plain,
    /// Every byte XORed with the same byte, not zero.
    Xor,
    /// The same number, not zero, added to every byte modulo 256.
    Sum,
}

/// One byte string to find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern<'p> {
    /// The bytes: at least [`SHORTEST`], outside the plain domain [`SHORTEST_KEYED`].
    pub(crate) bytes: &'p [u8],
    /// ASCII letters match in either case. Plain domain only.
    pub(crate) any_case: bool,
    /// A digit directly before or behind forbids the match.
    pub(crate) bounded: bool,
    /// How the text may differ.
    pub(crate) domain: Domain,
}

/// One occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// The pattern by its position in the list.
    pub(crate) pattern: usize,
    /// Where.
    pub(crate) range: Range<usize>,
    /// What every byte was XORed with or had added to it; 0 in the plain domain.
    pub(crate) key: u8,
}

/// The compiled patterns.
pub(crate) struct Filter {
    bytes: Vec<u8>,
    patterns: Vec<Stored>,
    plain: Lane,
    xor: Lane,
    sum: Lane,
    stride: usize,
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    start: u32,
    length: u32,
    any_case: bool,
    bounded: bool,
    domain: Domain,
}

impl Filter {
    /// Compiles the patterns; matches name them by their position in the list.
    pub(crate) fn new<'p>(patterns: impl IntoIterator<Item = Pattern<'p>>) -> Self {
        let mut bytes = Vec::new();
        let mut stored = Vec::new();
        for pattern in patterns {
            stored.push(Stored {
                start: bytes.len() as u32,
                length: pattern.bytes.len() as u32,
                any_case: pattern.any_case,
                bounded: pattern.bounded,
                domain: pattern.domain,
            });
            bytes.extend_from_slice(pattern.bytes);
        }
        let fits = |stride: usize| {
            stored.iter().all(|pattern| {
                pattern.domain.stride(stride) + pattern.domain.gram_bytes() - 1 <= pattern.length as usize
            })
        };
        let stride = [8, 5, 4, 3, 2].into_iter().find(|stride| fits(*stride)).unwrap_or(1);
        let lane = |domain| Lane::new(domain, &bytes, &stored, stride);
        let (plain, xor, sum) = (lane(Domain::Plain), lane(Domain::Xor), lane(Domain::Sum));
        Self { plain, xor, sum, bytes, patterns: stored, stride }
    }

    /// Calls `visit` for every occurrence. Occurrences of one pattern come in order and each once.
    pub(crate) fn scan(&self, text: &[u8], visit: &mut dyn FnMut(Match)) {
        if self.patterns.is_empty() {
            return;
        }
        match self.stride {
            8 => self.scan_by::<8>(text, visit),
            5 => self.scan_by::<5>(text, visit),
            4 => self.scan_by::<4>(text, visit),
            3 => self.scan_by::<3>(text, visit),
            2 => self.scan_by::<2>(text, visit),
            _ => self.scan_by::<1>(text, visit),
        }
    }

    fn scan_by<const STRIDE: usize>(&self, text: &[u8], visit: &mut dyn FnMut(Match)) {
        if self.xor.is_empty() && self.sum.is_empty() {
            let plain = |word| self.plain.test(Domain::Plain.gram(word));
            self.scan_with::<STRIDE>(text, plain, plain, visit);
        } else {
            // Patterns of the keyed domains are long enough for every second sample.
            let even = |word| self.plain.test(Domain::Plain.gram(word)) | self.xor.test(Domain::Xor.gram(word));
            let odd = |word| self.plain.test(Domain::Plain.gram(word)) | self.sum.test(Domain::Sum.gram(word));
            self.scan_with::<STRIDE>(text, even, odd, visit);
        }
    }

    #[inline(always)]
    fn scan_with<const STRIDE: usize>(
        &self,
        text: &[u8],
        even: impl Fn(u64) -> u64 + Copy,
        odd: impl Fn(u64) -> u64 + Copy,
        visit: &mut dyn FnMut(Match),
    ) {
        let mut at = 0;
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>()) {
            self.verify_all(text, at, samples::<STRIDE>(block, even, odd), STRIDE, visit);
            at += BLOCK * STRIDE;
        }
        // What is left goes through the same test with zeros behind it.
        let rest = text.get(at..).unwrap_or_default();
        let mut padded = [0; 2 * BLOCK_BYTES];
        padded[..rest.len()].copy_from_slice(rest);
        for from in (0..rest.len()).step_by(BLOCK * STRIDE) {
            if let Some(block) = padded.get(from..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>()) {
                self.verify_all(text, at + from, samples::<STRIDE>(block, even, odd), STRIDE, visit);
            }
        }
    }

    fn verify_all(&self, text: &[u8], at: usize, mut hits: u64, stride: usize, visit: &mut dyn FnMut(Match)) {
        while hits != 0 {
            let sample = hits.trailing_zeros() as usize;
            let keyed = if sample.is_multiple_of(2) { &self.xor } else { &self.sum };
            self.verify(text, at + sample * stride, keyed, visit);
            hits &= hits - 1;
        }
    }

    /// Looks up one sampled position in the plain lane and the keyed lane that was tested there.
    #[inline(never)]
    fn verify(&self, text: &[u8], at: usize, keyed: &Lane, visit: &mut dyn FnMut(Match)) {
        let rest = text.get(at..).unwrap_or_default();
        let mut padded = [0; 8];
        let length = rest.len().min(8);
        padded[..length].copy_from_slice(&rest[..length]);
        let word = u64::from_le_bytes(padded);
        for lane in [&self.plain, keyed] {
            if length >= lane.domain.gram_bytes() && lane.test(lane.domain.gram(word)) & 1 == 1 {
                lane.candidates(word, length == 8, &mut |entry| self.compare(text, at, entry, visit));
            }
        }
    }

    fn compare(&self, text: &[u8], at: usize, entry: Entry, visit: &mut dyn FnMut(Match)) {
        let Some(pattern) = self.patterns.get(entry.pattern as usize) else { return };
        let Some(start) = at.checked_sub(entry.offset as usize) else { return };
        let range = start..start + pattern.length as usize;
        let first = pattern.start as usize;
        let Some(bytes) = self.bytes.get(first..first + range.len()) else { return };
        if let Some(key) = pattern.key_at(bytes, text, &range) {
            visit(Match { pattern: entry.pattern as usize, range, key });
        }
    }
}

/// One bit for each sample of the block.
#[inline(always)]
fn samples<const STRIDE: usize>(block: &[u8; BLOCK_BYTES], even: impl Fn(u64) -> u64, odd: impl Fn(u64) -> u64) -> u64 {
    let word = |sample: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&block[sample * STRIDE..sample * STRIDE + 8]);
        u64::from_le_bytes(bytes)
    };
    let mut hits = 0;
    for pair in 0..BLOCK / 2 {
        hits |= (even(word(2 * pair)) & 1) << (2 * pair);
        hits |= (odd(word(2 * pair + 1)) & 1) << (2 * pair + 1);
    }
    hits
}

impl Stored {
    /// The key under which the text in the range is the pattern.
    fn key_at(&self, bytes: &[u8], text: &[u8], range: &Range<usize>) -> Option<u8> {
        let found = text.get(range.clone())?;
        let (first, wanted) = (*found.first()?, *bytes.first()?);
        let (key, same) = match self.domain {
            Domain::Plain if self.any_case => (0, found.eq_ignore_ascii_case(bytes)),
            Domain::Plain => (0, found == bytes),
            Domain::Xor => {
                let key = first ^ wanted;
                (key, key != 0 && found.iter().zip(bytes).all(|(found, byte)| found ^ key == *byte))
            }
            Domain::Sum => {
                let key = first.wrapping_sub(wanted);
                (key, key != 0 && found.iter().zip(bytes).all(|(found, byte)| found.wrapping_sub(key) == *byte))
            }
        };
        let digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
        (same && !(self.bounded && (digit(range.start.checked_sub(1)) || digit(Some(range.end))))).then_some(key)
    }
}

impl Domain {
    /// Bytes of text that one gram depends on.
    fn gram_bytes(self) -> usize {
        if self == Self::Plain { 4 } else { 5 }
    }

    /// Bytes between two samples of the domain.
    fn stride(self, stride: usize) -> usize {
        if self == Self::Plain { stride } else { 2 * stride }
    }

    /// What eight bytes and a key have in common with eight bytes and another key.
    #[inline(always)]
    fn word(self, word: u64) -> u64 {
        match self {
            Self::Plain => word | 0x2020_2020_2020_2020,
            Self::Xor => word ^ (word >> 8),
            Self::Sum => difference(word >> 8, word),
        }
    }

    #[inline(always)]
    fn gram(self, word: u64) -> u32 {
        self.word(word) as u32
    }

    /// All that is unchanged in eight bytes.
    fn long_gram(self, word: u64) -> u64 {
        // The last byte has no neighbour.
        if self == Self::Plain { self.word(word) } else { self.word(word) & 0x00ff_ffff_ffff_ffff }
    }
}

/// Subtracts byte by byte modulo 256 (Knuth, The Art of Computer Programming 7.1.3).
#[inline(always)]
pub(crate) fn difference(from: u64, what: u64) -> u64 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    ((from | HIGH).wrapping_sub(what & !HIGH)) ^ ((from ^ !what) & HIGH)
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    pattern: u32,
    offset: u32,
}

/// The grams of one domain.
struct Lane {
    domain: Domain,
    /// One bit for each hash of four bytes; a power of two.
    bitmap: Vec<u64>,
    shift: u32,
    long: Buckets,
    short: Buckets,
}

impl Lane {
    fn new(domain: Domain, bytes: &[u8], patterns: &[Stored], stride: usize) -> Self {
        let (mut long, mut short, mut grams) = (Vec::new(), Vec::new(), Vec::new());
        for (number, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| pattern.domain == domain) {
            let text = &bytes[pattern.start as usize..][..pattern.length as usize];
            for offset in 0..domain.stride(stride) {
                let mut padded = [0; 8];
                let rest = text.get(offset..).unwrap_or_default();
                let length = rest.len().min(8);
                padded[..length].copy_from_slice(&rest[..length]);
                let word = u64::from_le_bytes(padded);
                grams.push(domain.gram(word));
                let entry = Entry { pattern: number as u32, offset: offset as u32 };
                if length == 8 {
                    long.push((hash_long(domain.long_gram(word)), entry));
                } else {
                    short.push((hash(domain.gram(word)), entry));
                }
            }
        }
        let bits = (grams.len() * SPARSENESS).next_power_of_two().clamp(1 << 12, 1 << 22);
        let shift = 32 - bits.trailing_zeros();
        let mut bitmap = vec![0u64; if grams.is_empty() { 0 } else { bits / 64 }];
        for gram in grams {
            let hash = hash(gram) >> shift;
            bitmap[(hash >> 6) as usize] |= 1 << (hash & 63);
        }
        Self { domain, bitmap, shift, long: Buckets::new(&long), short: Buckets::new(&short) }
    }

    fn is_empty(&self) -> bool {
        self.bitmap.is_empty()
    }

    /// Bit 0 is set where the gram may begin part of a pattern.
    #[inline(always)]
    fn test(&self, gram: u32) -> u64 {
        let hash = hash(gram) >> self.shift;
        self.bitmap.get((hash >> 6) as usize).map_or(0, |word| word >> (hash & 63))
    }

    /// The entries whose grams have the hash of those of the word.
    fn candidates(&self, word: u64, whole: bool, visit: &mut dyn FnMut(Entry)) {
        if whole {
            self.long.of(hash_long(self.domain.long_gram(word)), visit);
        }
        self.short.of(hash(self.domain.gram(word)), visit);
    }
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 6.4).
#[inline(always)]
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1)
}

fn hash_long(gram: u64) -> u32 {
    (gram.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

/// Entries by hash.
struct Buckets {
    /// Where each bucket begins; one more than there are buckets, which are a power of two.
    starts: Vec<u32>,
    entries: Vec<(u32, Entry)>,
    shift: u32,
}

impl Buckets {
    fn new(entries: &[(u32, Entry)]) -> Self {
        let log2 = (entries.len() * 4).next_power_of_two().trailing_zeros().clamp(4, 20);
        let shift = 32 - log2;
        let mut starts = vec![0u32; (1 << log2) + 1];
        for (hash, _) in entries {
            starts[(hash >> shift) as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut sorted = vec![(0, Entry { pattern: 0, offset: 0 }); entries.len()];
        for (hash, entry) in entries {
            let place = &mut next[(hash >> shift) as usize];
            sorted[*place as usize] = (*hash, *entry);
            *place += 1;
        }
        Self { starts, entries: sorted, shift }
    }

    fn of(&self, hash: u32, visit: &mut dyn FnMut(Entry)) {
        let number = (hash >> self.shift) as usize;
        let (Some(first), Some(last)) = (self.starts.get(number), self.starts.get(number + 1)) else { return };
        for (found, entry) in self.entries.get(*first as usize..*last as usize).unwrap_or_default() {
            if *found == hash {
                visit(*entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(bytes: &[u8], any_case: bool) -> Pattern<'_> {
        Pattern { bytes, any_case, bounded: false, domain: Domain::Plain }
    }

    fn found(filter: &Filter, text: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        filter.scan(text, &mut |found_at| found.push((found_at.pattern, found_at.range.start)));
        found.sort_unstable();
        found
    }

    #[test]
    fn letters_match_in_either_case_only_where_allowed() {
        let filter = Filter::new([pattern(b"Someone@example.com", true), pattern(b"Qm7xTr2p", false)]);
        assert_eq!(found(&filter, b"to SOMEONE@EXAMPLE.COM qm7xtr2p"), [(0, 3)]);
    }

    #[test]
    fn a_bounded_number_is_not_part_of_a_longer_one() {
        let bounded = Pattern { bytes: b"31.230", any_case: false, bounded: true, domain: Domain::Plain };
        let filter = Filter::new([bounded]);
        assert_eq!(found(&filter, b"31.2304 131.230 31.230,"), [(0, 16)]);
    }

    proptest! {
        #[test]
        fn finds_what_plain_comparison_finds(
            patterns in proptest::collection::vec("[ab]{6,14}", 1..6),
            text in "[ab]{0,400}",
        ) {
            let filter = Filter::new(patterns.iter().map(|p| pattern(p.as_bytes(), false)));
            let text = text.as_bytes();
            let mut expected = Vec::new();
            for (number, pattern) in patterns.iter().enumerate() {
                expected.extend((0..text.len()).filter(|at| text[*at..].starts_with(pattern.as_bytes())).map(|at| (number, at)));
            }
            prop_assert_eq!(found(&filter, text), expected);
        }

        #[test]
        fn finds_under_every_key_wherever_it_stands(
            value in proptest::collection::vec(any::<u8>(), 10..20),
            before in proptest::collection::vec(any::<u8>(), 0..90),
            after in proptest::collection::vec(any::<u8>(), 0..90),
            key in 1u8..,
        ) {
            let all = [Domain::Plain, Domain::Xor, Domain::Sum];
            let filter = Filter::new(all.map(|domain| Pattern { bytes: &value, any_case: false, bounded: false, domain }));
            for domain in all {
                let undo = |byte: &u8| match domain {
                    Domain::Plain => *byte,
                    Domain::Xor => byte ^ key,
                    Domain::Sum => byte.wrapping_add(key),
                };
                let middle: Vec<u8> = value.iter().map(undo).collect();
                let text = [&before[..], &middle, &after].concat();
                let mut keys = Vec::new();
                filter.scan(&text, &mut |found| {
                    if found.range.start == before.len() && all[found.pattern] == domain {
                        keys.push(found.key);
                    }
                });
                prop_assert_eq!(keys, [if domain == Domain::Plain { 0 } else { key }]);
            }
        }
    }
}
