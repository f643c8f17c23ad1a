//! Divisions of runs into blocks, and how many there are: the arithmetic of the exact test.
//!
//! A planted value divides the runs into blocks with equal value; a field that follows it shows
//! the same division. Had the values been dealt to the runs by lot, each division into blocks of
//! these sizes were equally likely (Fisher, "The Design of Experiments", 1935, chapter 2), so the
//! chance that the dealt one is among the *k* that the fields of the case show is *k* over the
//! number of all: exact for all those fields at once, however many follow one another (Westfall
//! and Young, "Resampling-Based Multiple Testing", 1993). Fields that cannot show a division of
//! these sizes (constants, random numbers) do not count (Tarone, Biometrics 46, 1990).

use std::collections::BTreeSet;

/// Runs as bits: bit *n* is run *n*.
pub(super) type Runs = u64;

/// Most runs that are compared.
pub(super) const MOST_RUNS: usize = 64;

/// A division of runs into blocks, sorted; no block is empty and none shares a run with another.
pub(super) type Partition = Vec<Runs>;

/// Runs with equal labels form a block.
pub(super) fn by_label<T: Ord>(labels: &[T]) -> Partition {
    let distinct: BTreeSet<&T> = labels.iter().collect();
    let block = |label: &T| {
        labels
            .iter()
            .take(MOST_RUNS)
            .enumerate()
            .filter(|(_, other)| *other == label)
            .fold(0, |set, (n, _)| set | 1 << n)
    };
    let mut blocks: Partition = distinct.into_iter().map(block).filter(|block| *block != 0).collect();
    blocks.sort_unstable();
    blocks
}

/// The division of some of the runs only.
pub(super) fn restricted(partition: &[Runs], to: Runs) -> Partition {
    let mut blocks: Partition = partition.iter().map(|block| block & to).filter(|block| *block != 0).collect();
    blocks.sort_unstable();
    blocks
}

/// Sizes of the blocks, sorted.
pub(super) fn sizes(partition: &[Runs]) -> Vec<u32> {
    let mut sizes: Vec<u32> = partition.iter().map(|block| block.count_ones()).collect();
    sizes.sort_unstable();
    sizes
}

/// Number of ways to divide runs into blocks of these sizes: *n*! / (∏ *size*! · ∏ *same*!), where
/// *same* counts the blocks of one size, whose order does not matter.
pub(super) fn ways(sizes: &[u32]) -> f64 {
    let factorial = |n: u64| (1..=n).map(|k| (k as f64).ln()).sum::<f64>();
    let runs: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
    let within: f64 = sizes.iter().map(|size| factorial(u64::from(*size))).sum();
    let distinct: BTreeSet<u32> = sizes.iter().copied().collect();
    let alike = |size: &u32| factorial(sizes.iter().filter(|other| *other == size).count() as u64);
    let among: f64 = distinct.iter().map(alike).sum();
    (factorial(runs) - within - among).exp().round().max(1.0)
}

/// True where no block has a run of another block between two of its own: a change that happened
/// once, at some time, would divide the runs like this.
pub(super) fn is_contiguous(partition: &[Runs], order: &[usize]) -> bool {
    let block_of = |run: &usize| partition.iter().position(|block| block >> run & 1 == 1);
    let sequence: Vec<usize> = order.iter().filter(|run| **run < MOST_RUNS).filter_map(block_of).collect();
    let changes = sequence.windows(2).filter(|two| two[0] != two[1]).count();
    changes < partition.len()
}

/// Collects the divisions that fields show.
pub(super) struct Divisions {
    sizes: Vec<u32>,
    all: Runs,
    found: BTreeSet<Partition>,
    tried: BTreeSet<Vec<Runs>>,
    gave_up: bool,
}

/// Steps spent on counting divisions in all.
pub(super) const MOST_STEPS: u64 = 5_000_000;

impl Divisions {
    /// Divisions of the runs `all` into blocks of these sizes.
    pub(super) fn new(sizes: Vec<u32>, all: Runs) -> Self {
        Self { sizes, all, found: BTreeSet::new(), tried: BTreeSet::new(), gave_up: false }
    }

    /// Adds every division that a field shows. `sets` holds, for each of its values, the runs in
    /// which the value was sent. `steps` is what may still be spent.
    pub(super) fn add(&mut self, sets: &BTreeSet<Runs>, steps: &mut u64) {
        let fits = |set: &&Runs| self.sizes.contains(&set.count_ones());
        let sets: Vec<Runs> = sets.iter().filter(fits).copied().collect();
        if sets.len() >= self.sizes.len() && self.tried.insert(sets.clone()) {
            let sizes = self.sizes.clone();
            self.cover(&sets, self.all, &sizes, &mut Vec::new(), steps);
        }
    }

    /// Exact cover: takes a set that holds the first run left, then covers the rest.
    fn cover(&mut self, sets: &[Runs], left: Runs, sizes: &[u32], chosen: &mut Vec<Runs>, steps: &mut u64) {
        if left == 0 {
            let mut partition = chosen.clone();
            partition.sort_unstable();
            self.found.insert(partition);
            return;
        }
        let first = left & left.wrapping_neg();
        for set in sets {
            if *steps == 0 {
                self.gave_up = true;
                return;
            }
            *steps -= 1;
            let Some(at) = sizes.iter().position(|size| *size == set.count_ones()) else { continue };
            if set & first != 0 && set & !left == 0 {
                let mut rest = sizes.to_vec();
                rest.remove(at);
                chosen.push(*set);
                self.cover(sets, left & !set, &rest, chosen, steps);
                chosen.pop();
            }
        }
    }

    /// True where there was too much to count.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Number of different divisions shown, or all that are possible where counting gave up.
    pub(super) fn count(&self) -> f64 {
        if self.gave_up { ways(&self.sizes) } else { self.found.len() as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_can_be_divided_in_so_many_ways() {
        for (sizes, expected) in [
            (&[1, 1][..], 1.0),
            (&[1, 2], 3.0),
            (&[2, 2], 3.0),
            (&[2, 3], 10.0),
            (&[3, 3], 10.0),
            (&[4, 4], 35.0),
            (&[2, 2, 2], 15.0),
            (&[2, 2, 2, 2], 105.0),
            (&[5, 5], 126.0),
            (&[2, 2, 2, 2, 2], 945.0),
        ] {
            assert!((ways(sizes) - expected).abs() < 1e-6, "{sizes:?}");
        }
    }

    #[test]
    fn interleaved_runs_are_no_change_in_time() {
        let abab = by_label(&["a", "b", "a", "b"]);
        assert_eq!(abab, [0b0101, 0b1010]);
        assert!(!is_contiguous(&abab, &[0, 1, 2, 3]) && is_contiguous(&abab, &[0, 2, 1, 3]));
    }

    proptest! {
        /// A field that shows all sets of runs shows every division: enumeration agrees with the formula.
        #[test]
        fn all_divisions_are_counted(labels in proptest::collection::vec(0u8..3, 2..8)) {
            let partition = by_label(&labels);
            let all = (1u64 << labels.len()) - 1;
            let mut divisions = Divisions::new(sizes(&partition), all);
            divisions.add(&(1..=all).collect(), &mut MOST_STEPS.clone());
            prop_assert!((divisions.count() - ways(&sizes(&partition))).abs() < 0.5);
        }

        /// A field with one value a run shows the division its values make, and no other.
        #[test]
        fn a_plain_field_shows_one_division(labels in proptest::collection::vec(0u8..3, 2..8)) {
            let partition = by_label(&labels);
            let mut divisions = Divisions::new(sizes(&partition), (1u64 << labels.len()) - 1);
            divisions.add(&partition.iter().copied().collect(), &mut MOST_STEPS.clone());
            prop_assert_eq!(divisions.found.into_iter().collect::<Vec<_>>(), vec![partition]);
        }
    }
}
