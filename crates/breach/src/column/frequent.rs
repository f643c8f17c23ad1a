//! The most repeated values among millions, in a table of fixed size.

use crate::kept::{In, Out};
use crate::key::ByDigest;
use std::io;

/// Counters kept.
const COUNTERS: usize = 1024;
/// Counters kept of a column that is one of very many.
const COUNTERS_OF_MANY: usize = 64;

/// Misra and Gries 1982: every count is at most the true one, and at least that less one 1024th of all, or one 64th.
pub(crate) struct Frequent {
    counts: ByDigest<u64>,
    all: u64,
    most: usize,
}

impl Frequent {
    /// Nothing counted.
    pub(crate) fn new() -> Self {
        Self { counts: ByDigest::default(), all: 0, most: COUNTERS }
    }

    /// Nothing counted, and little memory to count in.
    pub(crate) fn small() -> Self {
        Self { most: COUNTERS_OF_MANY, ..Self::new() }
    }

    /// Counts a digest.
    pub(crate) fn add(&mut self, digest: u64) {
        self.all += 1;
        if let Some(count) = self.counts.get_mut(&digest) {
            *count += 1;
        } else if self.counts.len() < self.most {
            self.counts.insert(digest, 1);
        } else {
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// Writes what was counted.
    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.numbers(&[self.all, self.most as u64, self.counts.len() as u64])?;
        self.counts.iter().try_for_each(|(digest, count)| out.numbers(&[*digest, *count]))
    }

    /// Reads what was written.
    pub(crate) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        let (all, most) = (from.number()?, from.length(COUNTERS)?);
        let mut counts = ByDigest::default();
        for _ in 0..from.length(most)? {
            counts.insert(from.number()?, from.number()?);
        }
        Ok(Self { counts, all, most })
    }

    /// How many were counted, and how many of them at least are among the `most` that are most repeated. What was seen
    /// once is no repetition.
    pub(crate) fn of_most(&self, most: usize) -> (u64, u64) {
        let mut counts: Vec<u64> = self.counts.values().copied().filter(|count| *count > 1).collect();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        (self.all, counts.iter().take(most).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_found_among_a_hundred_thousand_others() {
        let mut frequent = Frequent::new();
        for n in 0..100_000u64 {
            frequent.add(n + 10);
            if n % 10 == 0 {
                frequent.add(1);
            }
        }
        let (all, most) = frequent.of_most(10);
        assert_eq!(all, 110_000);
        assert!((9_800..=10_000).contains(&most), "{most}");
    }

    #[test]
    fn different_values_are_not_repeated() {
        let mut frequent = Frequent::new();
        (0..500).for_each(|n| frequent.add(n));
        assert_eq!(frequent.of_most(10), (500, 0));
    }
}
