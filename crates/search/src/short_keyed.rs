//! Values of eight and nine bytes under one unknown byte, XORed or added.
//!
//! The filter samples too rarely for them. They are looked for where few bytes are concerned: as
//! whole fields, as whole decoded runs, and in bytes that are not text. As in the filter, what a
//! constant key leaves unchanged is compared: the difference of neighbouring bytes.

use crate::filter::{Domain, SHORTEST_KEYED, difference};
use crate::sampled::{self, STRIDE};
use std::ops::Range;

/// Bytes of which the differences are looked up, the shortest value.
const LOOKED_UP: usize = 8;
/// Lengths of the values.
const LENGTHS: Range<usize> = LOOKED_UP..SHORTEST_KEYED;
/// Bits that tell most other bytes at a glance.
const SLOTS: usize = 1 << 14;
/// The same for the differences of five bytes anywhere in a value.
const SAMPLED_SLOTS: usize = 1 << 16;

/// One value that was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Met {
    /// The needle.
    pub(crate) needle: u32,
    /// Where.
    pub(crate) range: Range<usize>,
    /// XOR or addition.
    pub(crate) domain: Domain,
    /// What every byte was XORed with or had added to it, not zero.
    pub(crate) key: u8,
}

/// The values, by the differences of their first eight bytes.
pub(crate) struct ShortKeyed {
    values: foldhash::HashMap<u64, Vec<(u32, Vec<u8>)>>,
    /// One bit for each hash of the values' differences.
    slots: Slots,
    /// The same for all that a short run of hexadecimal digits may begin with, whatever its length.
    starts: Slots,
    /// The same for five bytes from each of a value's first [`STRIDE`] bytes on.
    sampled: Box<[u64; SAMPLED_SLOTS / 64]>,
}

type Slots = Box<[u64; SLOTS / 64]>;

impl Default for ShortKeyed {
    fn default() -> Self {
        let slots = || Box::new([0; SLOTS / 64]);
        Self { values: foldhash::HashMap::default(), slots: slots(), starts: slots(), sampled: Box::new([0; _]) }
    }
}

impl ShortKeyed {
    /// Adds a value, where it has such a length.
    pub(crate) fn add(&mut self, needle: u32, value: &[u8]) {
        let Some(word) = first_word(value).filter(|_| LENGTHS.contains(&value.len())) else { return };
        for domain in [Domain::Xor, Domain::Sum] {
            let differences = differences(domain, word);
            set(&mut self.slots, differences);
            self.values.entry(differences).or_default().push((needle, value.to_vec()));
            for (word, bit) in (0..STRIDE).map(|at| sampled_slot(domain, word >> (8 * at))) {
                self.sampled[word] |= bit;
            }
        }
    }

    /// Adds what a run may begin with that is undone only for it.
    pub(crate) fn add_start(&mut self, value: &[u8]) {
        if let Some(word) = first_word(value) {
            set(&mut self.starts, differences(Domain::Xor, word));
            set(&mut self.starts, differences(Domain::Sum, word));
        }
    }

    /// True where the bytes may begin with such a start, under a key or not.
    pub(crate) fn may_begin(&self, bytes: [u8; LOOKED_UP]) -> bool {
        let word = u64::from_le_bytes(bytes);
        is_set(&self.starts, differences(Domain::Xor, word)) || is_set(&self.starts, differences(Domain::Sum, word))
    }

    /// Lengths of the values, where there are any.
    pub(crate) fn lengths(&self) -> Range<usize> {
        if self.values.is_empty() { 0..0 } else { LENGTHS }
    }

    /// True where the bytes from there on begin like a value under a key.
    pub(crate) fn may_stand_at(&self, bytes: &[u8], start: usize) -> bool {
        let word = bytes.get(start..).and_then(first_word);
        word.is_some_and(|word| {
            is_set(&self.slots, differences(Domain::Xor, word)) || is_set(&self.slots, differences(Domain::Sum, word))
        })
    }

    /// True where bytes of that length may be a whole value.
    pub(crate) fn has_length(&self, length: usize) -> bool {
        LENGTHS.contains(&length) && !self.values.is_empty()
    }

    /// Calls `visit` for each value that the bytes are.
    pub(crate) fn whole(&self, bytes: &[u8], visit: &mut dyn FnMut(Met)) {
        if self.has_length(bytes.len()) {
            self.at(bytes, 0, &mut |met| {
                if met.range.end == bytes.len() {
                    visit(met);
                }
            });
        }
    }

    /// Calls `visit` for each value anywhere in the bytes.
    pub(crate) fn anywhere(&self, bytes: &[u8], visit: &mut dyn FnMut(Met)) {
        if self.values.is_empty() {
            return;
        }
        let may_be_known = |eight| {
            let word = u64::from_le_bytes(eight);
            self.is_sampled(Domain::Xor, word) | self.is_sampled(Domain::Sum, word)
        };
        sampled::each_place(bytes, may_be_known, |at| {
            if self.may_stand_at(bytes, at) {
                self.at(bytes, at, visit);
            }
        });
    }

    /// True where the first five of the bytes may be five of a value under a key.
    #[inline]
    fn is_sampled(&self, domain: Domain, word: u64) -> bool {
        let (word, bit) = sampled_slot(domain, word);
        self.sampled[word] & bit != 0
    }

    fn at(&self, bytes: &[u8], at: usize, visit: &mut dyn FnMut(Met)) {
        let Some(word) = bytes.get(at..).and_then(first_word) else { return };
        for domain in [Domain::Xor, Domain::Sum] {
            let differences = differences(domain, word);
            if !is_set(&self.slots, differences) {
                continue;
            }
            for (needle, value) in self.values.get(&differences).into_iter().flatten() {
                let range = at..at + value.len();
                if let Some(key) = bytes.get(range.clone()).and_then(|found| key(domain, found, value)) {
                    visit(Met { needle: *needle, range, domain, key });
                }
            }
        }
    }
}

/// The one key, not zero, under which the value is what was found.
fn key(domain: Domain, found: &[u8], value: &[u8]) -> Option<u8> {
    let key_of = |found: u8, byte: u8| if domain == Domain::Xor { found ^ byte } else { found.wrapping_sub(byte) };
    let key = key_of(*found.first()?, *value.first()?);
    (key != 0 && found.iter().zip(value).all(|(found, byte)| key_of(*found, *byte) == key)).then_some(key)
}

fn first_word(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<LOOKED_UP>().map(|start| u64::from_le_bytes(*start))
}

/// The seven differences; those of XOR and of addition are told apart by the highest byte.
fn differences(domain: Domain, word: u64) -> u64 {
    let all = if domain == Domain::Xor { word ^ (word >> 8) } else { difference(word >> 8, word) };
    (all & 0x00ff_ffff_ffff_ffff) | (u64::from(domain == Domain::Sum) << 63)
}

/// Where the four differences of the first five bytes have their bit.
#[inline]
fn sampled_slot(domain: Domain, word: u64) -> (usize, u64) {
    let slot = (differences(domain, word) & 0x8000_0000_ffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    ((slot >> 6) as usize, 1 << (slot & 63))
}

fn slot(differences: u64) -> usize {
    (differences.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) as usize
}

fn set(slots: &mut Slots, differences: u64) {
    let slot = slot(differences);
    slots[slot >> 6] |= 1 << (slot & 63);
}

fn is_set(slots: &Slots, differences: u64) -> bool {
    let slot = slot(differences);
    slots[slot >> 6] >> (slot & 63) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_is_met_under_every_key_wherever_it_stands(
            value in proptest::collection::vec(any::<u8>(), 8..10),
            before in proptest::collection::vec(any::<u8>(), 0..20),
            after in proptest::collection::vec(any::<u8>(), 0..20),
            key in 1u8..,
        ) {
            let mut known = ShortKeyed::default();
            known.add(7, &value);
            for domain in [Domain::Xor, Domain::Sum] {
                let hidden: Vec<u8> = value
                    .iter()
                    .map(|byte| if domain == Domain::Xor { byte ^ key } else { byte.wrapping_add(key) })
                    .collect();
                let wanted = |start: usize| Met { needle: 7, range: start..start + value.len(), domain, key };
                let mut all = Vec::new();
                known.whole(&hidden, &mut |met| all.push(met));
                prop_assert!(all.contains(&wanted(0)));
                all.clear();
                known.anywhere(&[&before[..], &hidden, &after].concat(), &mut |met| all.push(met));
                prop_assert!(all.contains(&wanted(before.len())));
            }
        }
    }

    #[test]
    fn longer_and_other_fields_and_the_value_itself_are_none() {
        let mut known = ShortKeyed::default();
        known.add(1, b"EK1234567");
        for bytes in [&b"EK1234567"[..], b"FJ02147658", b"EK1234568", b"FH0325476\0"] {
            known.whole(bytes, &mut |met| panic!("{met:?}"));
        }
    }
}
