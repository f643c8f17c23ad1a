//! The textual lane: finds any of many byte strings in one pass that rejects nearly every position
//! by a look into a bitmap, also where the text is the string XORed with one unknown byte, or with
//! one unknown number added to every byte.
//!
//! A sample of four bytes is taken every third byte. Each pattern has the grams at its first three
//! offsets in a table, so whatever its alignment, exactly one of them is sampled. A hit is looked up
//! once more by eight bytes where the pattern is long enough, then compared. Letters are folded by
//! setting bit 5 of every byte, on both sides. The two shifted domains compare what a constant key
//! leaves unchanged: the exclusive or, or the difference, of neighbouring bytes. They take turns, so
//! that each is sampled every sixth byte.

use crate::kernel::{self, HALF, STRIDE};
use std::ops::Range;

/// Shortest pattern the filter takes.
pub(crate) const SHORTEST: usize = 6;

/// Shortest pattern that is found under an unknown key.
pub(crate) const SHORTEST_KEYED: usize = 10;

/// Bits of a table for each gram: few, because tables that leave the first-level caches cost more than
/// hits that are none.
const SPARSENESS: usize = 16;

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
    /// Grams of the plain domain.
    plain_grams: Table,
    /// Grams of both others.
    keyed_grams: Table,
    plain: Lane,
    xor: Lane,
    sum: Lane,
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
        let lane = |domain| Lane::new(domain, &bytes, &stored);
        let (plain, xor, sum) = (lane(Domain::Plain), lane(Domain::Xor), lane(Domain::Sum));
        let plain_grams = Table::new(&plain.grams(&bytes, &stored));
        let keyed_grams = Table::new(&[xor.grams(&bytes, &stored), sum.grams(&bytes, &stored)].concat());
        Self { plain_grams, keyed_grams, plain, xor, sum, bytes, patterns: stored }
    }

    /// Calls `visit` for every occurrence. Occurrences of one pattern come in order and each once.
    pub(crate) fn scan(&self, text: &[u8], visit: &mut dyn FnMut(Match)) {
        if self.patterns.is_empty() {
            return;
        }
        let mut waiting = [Waiting::default(), Waiting::default(), Waiting::default()];
        let end = kernel::hits(text, &self.plain_grams, &self.keyed_grams, |at, hits| {
            self.add_row(text, at, hits, &mut waiting, visit);
        });
        // What is left goes through the same test with zeros behind it.
        for (sample, at) in (end..text.len()).step_by(STRIDE).enumerate() {
            let eight = u64::from_le_bytes(eight_at(text, at));
            let [plain, keyed] = kernel::sample_hits(eight, sample, &self.plain_grams, &self.keyed_grams);
            let hits = u32::from(plain) << (sample % 2) | u32::from(keyed) << (HALF + sample % 2);
            self.add_row(text, at - sample % 2 * STRIDE, hits, &mut waiting, visit);
        }
        for (lane, waiting) in self.lanes().into_iter().zip(&mut waiting) {
            self.verify(text, lane, waiting, visit);
        }
    }

    fn lanes(&self) -> [&Lane; 3] {
        [&self.plain, &self.xor, &self.sum]
    }

    /// Keeps the sampled positions of a row until there are enough of their lane.
    #[inline]
    fn add_row(&self, text: &[u8], at: usize, hits: u32, waiting: &mut [Waiting; 3], visit: &mut dyn FnMut(Match)) {
        let mut left = hits;
        while left != 0 {
            let bit = left.trailing_zeros() as usize;
            left &= left - 1;
            // The two others take turns.
            let lane = if bit < HALF { 0 } else { 1 + bit % 2 };
            waiting[lane].add(at + bit % HALF * STRIDE);
        }
        for (lane, waiting) in self.lanes().into_iter().zip(waiting) {
            if waiting.is_full() {
                self.verify(text, lane, waiting, visit);
            }
        }
    }

    /// Looks up the sampled positions that wait, and forgets them. First all of them are asked about without a
    /// branch between, so that the processor has many fetches from far memory under way at once.
    #[inline(never)]
    fn verify(&self, text: &[u8], lane: &Lane, waiting: &mut Waiting, visit: &mut dyn FnMut(Match)) {
        let known = lane.known(text, waiting.places());
        let mut left = known[0] | known[1];
        while left != 0 {
            let number = left.trailing_zeros() as usize;
            left &= left - 1;
            let is_known = known.map(|known| known >> number & 1 == 1);
            if let Some(at) = waiting.places().get(number) {
                self.verify_at(text, *at, lane, is_known, visit);
            }
        }
        waiting.count = 0;
    }

    /// Compares the patterns that have the grams at a position.
    fn verify_at(&self, text: &[u8], at: usize, lane: &Lane, known: [bool; 2], visit: &mut dyn FnMut(Match)) {
        let left = text.len().saturating_sub(at);
        if left >= lane.domain.gram_bytes() {
            let word = u64::from_le_bytes(eight_at(text, at));
            let known = [known[0] && left >= 8, known[1]];
            lane.candidates(word, known, |entry| self.compare(text, at, lane.domain, entry, visit));
        }
    }

    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, domain: Domain, entry: Entry, visit: &mut dyn FnMut(Match)) {
        let Some(start) = at.checked_sub(usize::from(entry.offset)) else { return };
        if domain.check(u64::from_le_bytes(eight_at(text, start))) != entry.check {
            return;
        }
        let Some(pattern) = self.patterns.get(entry.pattern as usize) else { return };
        let range = start..start + pattern.length as usize;
        let first = pattern.start as usize;
        let Some(bytes) = self.bytes.get(first..first + range.len()) else { return };
        if let Some(key) = pattern.key_at(bytes, text, &range) {
            visit(Match { pattern: entry.pattern as usize, range, key });
        }
    }
}

/// Eight bytes from there on, zeros behind the end.
#[inline]
fn eight_at(text: &[u8], at: usize) -> [u8; 8] {
    let rest = text.get(at..).unwrap_or_default();
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 8];
        padded.iter_mut().zip(rest).for_each(|(padded, byte)| *padded = *byte);
        padded
    })
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
    fn stride(self) -> usize {
        if self == Self::Plain { STRIDE } else { 2 * STRIDE }
    }

    /// What eight bytes and a key have in common with eight bytes and another key.
    #[inline]
    fn word(self, word: u64) -> u64 {
        match self {
            Self::Plain => word | 0x2020_2020_2020_2020,
            Self::Xor => word ^ (word >> 8),
            Self::Sum => difference(word >> 8, word),
        }
    }

    #[inline]
    pub(crate) fn gram(self, word: u64) -> u32 {
        self.word(word) as u32
    }

    /// A number that tells nearly all other bytes from the first eight of a pattern.
    fn check(self, word: u64) -> u16 {
        // The shortest pattern of the plain domain has six bytes.
        let start = if self == Self::Plain { self.word(word) & 0xffff_ffff_ffff } else { self.long_gram(word) };
        (hash_long(start) >> 16) as u16
    }

    /// All that is unchanged in eight bytes.
    fn long_gram(self, word: u64) -> u64 {
        // The last byte has no neighbour.
        if self == Self::Plain { self.word(word) } else { self.word(word) & 0x00ff_ffff_ffff_ffff }
    }
}

/// Subtracts byte by byte modulo 256 (Knuth, The Art of Computer Programming 7.1.3).
#[inline]
pub(crate) fn difference(from: u64, what: u64) -> u64 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    ((from | HIGH).wrapping_sub(what & !HIGH)) ^ ((from ^ !what) & HIGH)
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    pattern: u32,
    offset: u16,
    /// [`Domain::check`] of the pattern, asked before the pattern is fetched from memory that is seldom at hand.
    check: u16,
}

/// The grams of one domain, with where they are from.
struct Lane {
    domain: Domain,
    /// By eight bytes.
    long: Buckets,
    /// By the gram alone, where the pattern ends before that.
    short: Buckets,
}

impl Lane {
    fn new(domain: Domain, bytes: &[u8], patterns: &[Stored]) -> Self {
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for_each_gram(domain, bytes, patterns, |entry, word, whole| {
            if whole {
                long.push((hash_long(domain.long_gram(word)), entry));
            } else {
                short.push((hash(domain.gram(word)), entry));
            }
        });
        Self { domain, long: Buckets::new(&long), short: Buckets::new(&short) }
    }

    fn grams(&self, bytes: &[u8], patterns: &[Stored]) -> Vec<u32> {
        let mut grams = Vec::new();
        for_each_gram(self.domain, bytes, patterns, |_, word, _| grams.push(self.domain.gram(word)));
        grams
    }

    /// For at most 64 positions a bit each: whether there may be entries with eight bytes from there on, and whether
    /// there may be some with the gram alone.
    fn known(&self, text: &[u8], places: &[usize]) -> [u64; 2] {
        match self.domain {
            Domain::Plain => self.known_in(Domain::Plain, text, places),
            Domain::Xor => self.known_in(Domain::Xor, text, places),
            Domain::Sum => self.known_in(Domain::Sum, text, places),
        }
    }

    /// Compiled for each domain, so that the loop has no branch.
    #[inline]
    fn known_in(&self, domain: Domain, text: &[u8], places: &[usize]) -> [u64; 2] {
        let (mut long, mut short) = ([0; MOST_WAITING], [0; MOST_WAITING]);
        for ((at, long), short) in places.iter().zip(&mut long).zip(&mut short) {
            let word = u64::from_le_bytes(eight_at(text, *at));
            *long = hash_long(domain.long_gram(word));
            *short = hash(domain.gram(word));
        }
        let count = places.len().min(MOST_WAITING);
        [kernel::known(&self.long.known, &long[..count]), kernel::known(&self.short.known, &short[..count])]
    }

    /// The entries whose grams have the hash of those of the word, where such are known.
    fn candidates(&self, word: u64, [long, short]: [bool; 2], mut visit: impl FnMut(Entry)) {
        if long {
            self.long.of(hash_long(self.domain.long_gram(word)), &mut visit);
        }
        if short {
            self.short.of(hash(self.domain.gram(word)), &mut visit);
        }
    }
}

/// Most sampled positions that wait: a bit for each in one number.
const MOST_WAITING: usize = 64;

/// Sampled positions of one lane that wait to be looked up together.
struct Waiting {
    places: [usize; MOST_WAITING],
    count: usize,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { places: [0; MOST_WAITING], count: 0 }
    }
}

impl Waiting {
    #[inline]
    fn add(&mut self, at: usize) {
        if let Some(place) = self.places.get_mut(self.count) {
            *place = at;
            self.count += 1;
        }
    }

    /// True where another row might not find room.
    fn is_full(&self) -> bool {
        self.count + HALF > MOST_WAITING
    }

    fn places(&self) -> &[usize] {
        self.places.get(..self.count).unwrap_or_default()
    }
}

/// Calls `visit` with each place in a pattern of the domain where a sample may fall, the eight bytes from
/// there on, and whether the pattern is as long as that.
fn for_each_gram(domain: Domain, bytes: &[u8], patterns: &[Stored], mut visit: impl FnMut(Entry, u64, bool)) {
    for (number, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| pattern.domain == domain) {
        let text = &bytes[pattern.start as usize..][..pattern.length as usize];
        let check = domain.check(u64::from_le_bytes(eight_at(text, 0)));
        for offset in 0..domain.stride() {
            let entry = Entry { pattern: number as u32, offset: offset as u16, check };
            visit(entry, u64::from_le_bytes(eight_at(text, offset)), offset + 8 <= text.len());
        }
    }
}

/// A set of grams that answers nearly every miss (Putze, Sanders and Singler, "Cache-, Hash- and
/// Space-Efficient Bloom Filters", section 3: all bits of one element are in one word).
pub(crate) struct Table {
    /// Only as many as the shift lets through are ever used; a fixed number spares the question, asked for each gram,
    /// whether there is such a word. Memory that nobody touches is not taken from the system.
    words: Box<[u32; MOST_WORDS]>,
    shift: u32,
}

/// Words of the largest table: four mebibits.
pub(crate) const MOST_WORDS: usize = 1 << 17;

/// Two hash functions: the first gives the word and a bit, the second two other bits.
pub(crate) const FACTORS: [u32; 2] = [0x9E37_79B1, 0x85EB_CA77];
/// The first bit's number begins with this bit of the first hash.
pub(crate) const FIRST_BIT: i32 = 10;
/// The last bit's number begins with this bit of the second hash, of which the second one has the highest.
pub(crate) const THIRD_BIT: i32 = 22;

impl Table {
    pub(crate) fn new(grams: &[u32]) -> Self {
        let bits = (distinct(grams) * SPARSENESS).next_power_of_two().clamp(1 << 12, 32 * MOST_WORDS);
        let shift = 32 - (bits / 32).trailing_zeros();
        let mut table = Self { words: zeros(), shift };
        for gram in grams {
            let (place, bits) = table.place(*gram);
            table.words[place as usize % MOST_WORDS] |= bits;
        }
        table
    }

    /// False where no gram is this one; true nearly only where one is.
    pub(crate) fn may_hold(&self, gram: u32) -> bool {
        let (place, bits) = self.place(gram);
        self.word(place) & bits == bits
    }

    fn place(&self, gram: u32) -> (u32, u32) {
        let [first, second] = FACTORS.map(|factor| gram.wrapping_mul(factor));
        (first >> self.shift, 1 << (first >> FIRST_BIT & 31) | 1 << (second >> 27) | 1 << (second >> THIRD_BIT & 31))
    }

    /// Bits to drop from the first hash for the number of the word.
    pub(crate) fn shift(&self) -> u32 {
        self.shift
    }

    /// All words.
    pub(crate) fn words(&self) -> &[u32; MOST_WORDS] {
        &self.words
    }

    /// The word of that number.
    #[inline]
    pub(crate) fn word(&self, place: u32) -> u32 {
        self.words[place as usize % MOST_WORDS]
    }
}

/// On the heap from the start: the stack has no room for it.
#[expect(clippy::large_stack_arrays, reason = "never made: the vector has as many")]
fn zeros() -> Box<[u32; MOST_WORDS]> {
    vec![0; MOST_WORDS].try_into().unwrap_or_else(|_| Box::new([0; MOST_WORDS]))
}

/// About how many different grams there are: not counted are the few whose hashes begin alike.
fn distinct(grams: &[u32]) -> usize {
    let mut seen = vec![0u64; 1 << (DISTINCT_BITS - 6)];
    for gram in grams {
        let hash = hash(*gram) >> (32 - DISTINCT_BITS);
        seen[(hash >> 6) as usize] |= 1 << (hash & 63);
    }
    seen.iter().map(|word| word.count_ones() as usize).sum()
}

/// Bits of a hash that tell grams apart when they are counted.
const DISTINCT_BITS: u32 = 20;

/// Multiplicative hashing (Knuth, The Art of Computer Programming 6.4).
#[inline]
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1)
}

fn hash_long(gram: u64) -> u32 {
    (gram.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

/// Entries by hash.
struct Buckets {
    /// Small enough to stay in the cache, unlike the rest: it answers most misses.
    known: Table,
    /// Where each bucket begins; one more than there are buckets, which are a power of two.
    starts: Vec<u32>,
    entries: Vec<(u32, Entry)>,
    shift: u32,
}

impl Buckets {
    fn new(entries: &[(u32, Entry)]) -> Self {
        let log2 = entries.len().next_power_of_two().trailing_zeros().clamp(4, 20);
        let shift = 32 - log2;
        let mut starts = vec![0u32; (1 << log2) + 1];
        for (hash, _) in entries {
            starts[(hash >> shift) as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut sorted = vec![(0, Entry { pattern: 0, offset: 0, check: 0 }); entries.len()];
        for (hash, entry) in entries {
            let place = &mut next[(hash >> shift) as usize];
            sorted[*place as usize] = (*hash, *entry);
            *place += 1;
        }
        let known = Table::new(&entries.iter().map(|(hash, _)| *hash).collect::<Vec<_>>());
        Self { known, starts, entries: sorted, shift }
    }

    #[inline(never)]
    fn of(&self, hash: u32, visit: &mut impl FnMut(Entry)) {
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
