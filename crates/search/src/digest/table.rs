//! Numbers by eight-byte keys that are spread evenly: a bitmap answers nearly every miss.

use crate::kernel;

/// Bits of the bitmap for each entry. A key has three bits in one word (Putze, Sanders and Singler,
/// "Cache-, hash- and space-efficient Bloom filters"): one miss in some two hundred goes on to the buckets.
const FILTER_BITS: usize = 16;

/// An immutable table. Equal keys may stand for any count of numbers.
pub(crate) struct Table {
    filter: Filter,
    /// Where each bucket starts among the keys; one more than there are buckets.
    starts: Vec<u32>,
    bucket_shift: u32,
    keys: Vec<u64>,
    numbers: Vec<u32>,
}

impl Table {
    /// A table of those keys and numbers. Takes time linear in their count whatever the keys are.
    pub(crate) fn new(entries: &[(u64, u32)]) -> Self {
        let buckets = entries.len().next_power_of_two().max(2);
        let mut table = Self {
            filter: Filter::new(entries.iter().map(|(key, _)| *key)),
            starts: vec![0; buckets + 1],
            bucket_shift: 64 - buckets.ilog2(),
            keys: vec![0; entries.len()],
            numbers: vec![0; entries.len()],
        };
        table.count(entries);
        table.fill(entries);
        table
    }

    fn count(&mut self, entries: &[(u64, u32)]) {
        for (key, _) in entries {
            self.starts[(key >> self.bucket_shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
    }

    fn fill(&mut self, entries: &[(u64, u32)]) {
        let mut next = self.starts.clone();
        for (key, number) in entries {
            let slot = &mut next[(key >> self.bucket_shift) as usize];
            self.keys[*slot as usize] = *key;
            self.numbers[*slot as usize] = *number;
            *slot += 1;
        }
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// False where no number has that key; true nearly only where one has.
    #[inline]
    pub(crate) fn may_hold(&self, key: u64) -> bool {
        self.filter.may_hold(key)
    }

    /// A bit for each of at most 64 keys: whether a number may have it.
    pub(crate) fn may_hold_of(&self, keys: &[u64]) -> u64 {
        kernel::held(&self.filter.words, self.filter.shift, keys)
    }

    /// Calls `visit` with the numbers of that key. Made for keys that nearly never have one.
    #[inline]
    pub(crate) fn visit(&self, key: u64, visit: &mut dyn FnMut(u32)) {
        if self.may_hold(key) {
            self.find(key).for_each(visit);
        }
    }

    /// The numbers of that key, in the order in which they were given.
    pub(crate) fn find(&self, key: u64) -> impl Iterator<Item = u32> {
        let bucket = (key >> self.bucket_shift) as usize;
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        let entries = self.keys[range.clone()].iter().zip(&self.numbers[range]);
        entries.filter(move |(held, _)| **held == key).map(|(_, number)| *number)
    }
}

/// The bitmap alone, for keys that are looked up elsewhere where it holds them.
pub(crate) struct Filter {
    /// One bit for each value of a key's first bits.
    words: Vec<u64>,
    shift: u32,
}

impl Filter {
    /// A bitmap of those keys.
    pub(crate) fn new(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let bits = (keys.len().next_power_of_two().max(2) * FILTER_BITS).max(64);
        let mut filter = Self { words: vec![0; bits / 64], shift: 64 - bits.ilog2() };
        for key in keys {
            let (word, bits) = kernel::bits_of(filter.shift, key);
            filter.words[word] |= bits;
        }
        filter
    }

    /// False where no key is that one.
    #[inline]
    pub(crate) fn may_hold(&self, key: u64) -> bool {
        let (word, bits) = kernel::bits_of(self.shift, key);
        self.words.get(word).is_some_and(|held| held & bits == bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_was_put_in_and_nothing_else(
            keys in proptest::collection::vec(prop_oneof![any::<u64>(), 0u64..4, Just(u64::MAX)], 0..200),
            other in any::<u64>(),
        ) {
            let entries: Vec<(u64, u32)> = keys.iter().copied().zip(0..).collect();
            let table = Table::new(&entries);
            for key in keys.iter().copied().chain([other, 0, u64::MAX]) {
                let expected: Vec<u32> = entries.iter().filter(|(held, _)| *held == key).map(|(_, n)| *n).collect();
                prop_assert!(expected.is_empty() || table.may_hold(key));
                prop_assert_eq!(table.find(key).collect::<Vec<_>>(), expected);
            }
        }
    }
}
