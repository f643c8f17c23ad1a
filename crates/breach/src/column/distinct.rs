//! How many different values: exactly while they are few, estimated from then on.

use crate::kept::{In, Out};
use std::io;

/// Most digests kept one by one.
const EXACT: usize = 32_768;
/// Most digests kept one by one of a column that is one of very many: they take as much memory as the registers.
const EXACT_OF_MANY: usize = 1024;
/// Registers of the estimate: 2^14, for a standard error of 1.04 / √2^14 = 0.81 %.
const REGISTERS: usize = 1 << 14;

/// Counts different digests of 64 bits.
pub(crate) enum Distinct {
    /// The digests themselves, open addressing, 0 for a free slot; and how many are held.
    Exact { slots: Vec<u64>, held: usize, zero: bool, most: usize },
    /// HyperLogLog (Flajolet et al. 2007).
    Estimate(Box<Registers>),
}

/// Registers, and what none of them is below: most digests of a large column would raise none, and need not be held
/// against theirs.
pub(crate) struct Registers {
    runs: [u8; REGISTERS],
    floor: u8,
    /// Digests since the floor was looked for.
    since: usize,
}

impl Registers {
    fn new(floor: u8) -> Box<Self> {
        Box::new(Self { runs: [0; REGISTERS], floor, since: 0 })
    }

    fn add_all(&mut self, digests: &[u64]) {
        let limit = u64::MAX >> self.floor;
        for digest in digests.iter().filter(|digest| **digest << 14 <= limit) {
            raise(&mut self.runs, *digest);
        }
        self.since += digests.len();
        if self.since >= 4 * REGISTERS {
            self.since = 0;
            self.floor = self.floor.max(self.runs.iter().copied().min().unwrap_or(0));
        }
    }
}

impl Distinct {
    /// Nothing counted.
    pub(crate) fn new() -> Self {
        Self::Exact { slots: Vec::new(), held: 0, zero: false, most: EXACT }
    }

    /// Nothing counted, and little memory to count in.
    pub(crate) fn small() -> Self {
        Self::Exact { slots: Vec::new(), held: 0, zero: false, most: EXACT_OF_MANY }
    }

    /// Counts a digest.
    #[inline]
    pub(crate) fn add(&mut self, digest: u64) {
        match self {
            Self::Estimate(registers) => raise(&mut registers.runs, digest),
            Self::Exact { slots, held, zero, most } => {
                if digest == 0 {
                    *zero = true;
                    return;
                }
                if (*held + 1) * 2 > slots.len() {
                    grow(slots);
                }
                *held += usize::from(insert(slots, digest));
                if *held > *most {
                    self.become_estimate();
                }
            }
        }
    }

    /// Counts digests. Where each is waited for by the next, memory is waited for as often: so they come together.
    pub(crate) fn add_all(&mut self, digests: &[u64]) {
        let mut rest = digests;
        while let (false, [digest, others @ ..]) = (self.is_estimate(), rest) {
            self.add(*digest);
            rest = others;
        }
        if let Self::Estimate(registers) = self {
            registers.add_all(rest);
        }
    }

    /// What it takes of memory.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Exact { slots, .. } => slots.len() * size_of::<u64>(),
            Self::Estimate(_) => REGISTERS,
        }
    }

    /// Whether digests are no longer kept one by one.
    pub(crate) fn is_estimate(&self) -> bool {
        matches!(self, Self::Estimate(_))
    }

    /// What no register of an estimate is below; `None` where there is no estimate.
    pub(crate) fn floor(&self) -> Option<u8> {
        if let Self::Estimate(registers) = self { Some(registers.floor) } else { None }
    }

    /// Nothing counted, for what will be added to an estimate that has this floor.
    pub(crate) fn estimating(floor: u8) -> Self {
        Self::Estimate(Registers::new(floor))
    }

    /// Counts what the other counted, too. What comes out does not depend on what was counted where.
    pub(crate) fn merge(&mut self, other: &Self) {
        match other {
            Self::Exact { slots, zero, .. } => {
                slots.iter().filter(|digest| **digest != 0).for_each(|digest| self.add(*digest));
                if *zero {
                    self.add(0);
                }
            }
            Self::Estimate(others) => {
                self.become_estimate();
                if let Self::Estimate(registers) = self {
                    registers.runs.iter_mut().zip(&others.runs).for_each(|(one, other)| *one = (*one).max(*other));
                }
            }
        }
    }

    /// Writes what was counted.
    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        match self {
            Self::Exact { slots, held, zero, most } => {
                out.numbers(&[0, *most as u64, u64::from(*zero), *held as u64])?;
                slots.iter().filter(|digest| **digest != 0).try_for_each(|digest| out.number(*digest))
            }
            Self::Estimate(registers) => {
                out.number(1)?;
                out.bytes(&registers.runs)
            }
        }
    }

    /// Reads what was written.
    pub(crate) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        if from.number()? == 1 {
            let mut registers = Registers::new(0);
            from.bytes(&mut registers.runs)?;
            return Ok(Self::Estimate(registers));
        }
        let most = from.length(EXACT)?;
        let mut distinct = Self::Exact { slots: Vec::new(), held: 0, zero: from.number()? == 1, most };
        for _ in 0..from.length(most)? {
            distinct.add(from.number()?);
        }
        Ok(distinct)
    }

    fn become_estimate(&mut self) {
        let Self::Exact { slots, zero, .. } = self else { return };
        let mut registers = Registers::new(0);
        slots.iter().filter(|digest| **digest != 0).for_each(|digest| raise(&mut registers.runs, *digest));
        if *zero {
            raise(&mut registers.runs, 0);
        }
        *self = Self::Estimate(registers);
    }

    /// How many different digests there were, and whether that is exact.
    pub(crate) fn count(&self) -> (u64, bool) {
        match self {
            Self::Exact { held, zero, .. } => (*held as u64 + u64::from(*zero), true),
            Self::Estimate(registers) => (estimate(&registers.runs), false),
        }
    }
}

fn grow(slots: &mut Vec<u64>) {
    let mut larger = vec![0; (slots.len() * 2).max(64)];
    for digest in slots.iter().filter(|digest| **digest != 0) {
        insert(&mut larger, *digest);
    }
    *slots = larger;
}

/// Adds a digest where it is not yet; there is always a free slot.
fn insert(slots: &mut [u64], digest: u64) -> bool {
    let mask = slots.len() - 1;
    let mut at = digest as usize & mask;
    loop {
        match slots.get_mut(at) {
            Some(slot) if *slot == 0 => {
                *slot = digest;
                return true;
            }
            Some(slot) if *slot == digest => return false,
            _ => at = (at + 1) & mask,
        }
    }
}

/// The register that the first 14 bits name holds the longest run of zeros that was seen in the other 50, and one.
fn raise(registers: &mut [u8; REGISTERS], digest: u64) {
    let run = ((digest << 14 | 1 << 13).leading_zeros() + 1) as u8;
    if let Some(register) = registers.get_mut((digest >> 50) as usize) {
        *register = (*register).max(run);
    }
}

/// Ertl 2017, "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6: without the bias that the
/// first estimator has where it changes over from counting empty registers.
fn estimate(registers: &[u8; REGISTERS]) -> u64 {
    const RUNS: usize = 50;
    let mut counts = [0u32; RUNS + 2];
    for register in registers {
        if let Some(count) = counts.get_mut(usize::from(*register)) {
            *count += 1;
        }
    }
    let m = REGISTERS as f64;
    let mut z = m * tau(1.0 - f64::from(counts[RUNS + 1]) / m);
    for run in (1..=RUNS).rev() {
        z = 0.5 * (z + f64::from(counts[run]));
    }
    z += m * sigma(f64::from(counts[0]) / m);
    (m * m / (2.0 * core::f64::consts::LN_2 * z)).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// Digests as a pseudorandom function gives them (the finaliser of `SplitMix64`).
    fn digest(n: u64) -> u64 {
        let n = (n ^ n >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let n = (n ^ n >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        n ^ n >> 31
    }

    #[test]
    fn many_values_are_estimated_within_four_standard_errors() {
        for count in [40_000u64, 60_000, 100_000, 1_000_000, 3_000_000] {
            let mut distinct = Distinct::new();
            (1..=count).for_each(|n| distinct.add(digest(n.wrapping_mul(0x9E37_79B9_7F4A_7C15))));
            (1..=count / 2).for_each(|n| distinct.add(digest(n.wrapping_mul(0x9E37_79B9_7F4A_7C15))));
            let (estimate, exact) = distinct.count();
            let error = (estimate as f64 / count as f64 - 1.0).abs();
            assert!(!exact && error < 4.0 * 0.0081, "{count}: {estimate}");
        }
    }

    #[test]
    fn of_one_column_among_very_many_few_digests_are_kept() {
        let mut distinct = Distinct::small();
        (1..=1024).for_each(|n| distinct.add(digest(n)));
        assert_eq!(distinct.count(), (1024, true));
        assert!(matches!(&distinct, Distinct::Exact { slots, .. } if slots.len() * 8 <= REGISTERS));
        (1025..=5000).for_each(|n| distinct.add(digest(n)));
        let (estimate, exact) = distinct.count();
        assert!(!exact && (4800..5200).contains(&estimate), "{estimate}");
    }

    /// What is left out because it raises no register is left out of parts, too.
    #[test]
    fn registers_are_the_same_with_a_floor_and_without() {
        let runs = |distinct: &Distinct| match distinct {
            Distinct::Estimate(registers) => registers.runs,
            Distinct::Exact { .. } => panic!("exact"),
        };
        let digests: Vec<u64> = (1..=600_000).map(digest).chain([0, 1 << 49, u64::MAX]).collect();
        let (mut slow, mut fast) = (Distinct::new(), Distinct::new());
        for digest in &digests {
            slow.add(*digest);
        }
        let (first, rest) = digests.split_at(400_000);
        first.chunks(256).for_each(|digests| fast.add_all(digests));
        let floor = fast.floor().unwrap();
        assert!(floor > 0);
        let mut part = Distinct::estimating(floor);
        part.add_all(rest);
        fast.merge(&part);
        assert_eq!(runs(&slow), runs(&fast));
    }

    proptest! {
        #[test]
        fn few_values_are_counted_exactly(values in proptest::collection::vec(0u64..500, 0..2000)) {
            let mut distinct = Distinct::new();
            for value in &values {
                distinct.add(*value);
            }
            let expected = values.iter().collect::<HashSet<_>>().len() as u64;
            prop_assert_eq!(distinct.count(), (expected, true));
        }
    }
}
