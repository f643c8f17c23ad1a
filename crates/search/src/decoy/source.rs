//! Where decoys' characters come from: no randomness, so that the same subject always has the
//! same decoys.

use sha2::{Digest, Sha256};

/// SHA-256 of a seed and a counter, block after block.
pub(super) struct Source {
    seed: [u8; 32],
    block: [u8; 32],
    used: usize,
    counter: u64,
    /// Bits of chance that were taken, those of each number rounded down.
    pub(super) drawn_bits: u32,
}

impl Source {
    /// Decided by kind, value and number.
    pub(super) fn new(kind: &str, value: &[u8], number: u32) -> Self {
        let mut hash = Sha256::new();
        for field in [b"decoy".as_slice(), kind.as_bytes(), value, &number.to_be_bytes()] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        Self { seed: hash.finalize().into(), block: [0; 32], used: 32, counter: 0, drawn_bits: 0 }
    }

    /// A number under `below`, each nearly equally likely (the bias is `below` / 2^32); 0 for 0.
    pub(super) fn below(&mut self, below: usize) -> usize {
        let Some(word) = self.block.get(self.used..).and_then(|rest| rest.first_chunk::<4>()).copied() else {
            self.refill();
            return self.below(below);
        };
        self.used += 4;
        self.drawn_bits += below.checked_ilog2().unwrap_or(0);
        (u32::from_be_bytes(word) as usize * below) >> 32
    }

    fn refill(&mut self) {
        let hash = Sha256::new().chain_update(self.seed).chain_update(self.counter.to_be_bytes());
        (self.block, self.used) = (hash.finalize().into(), 0);
        self.counter += 1;
    }

    /// One of a list; `None` of an empty one.
    pub(super) fn one_of<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        list.get(self.below(list.len())).copied()
    }

    /// A number from `low` to `high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(usize::try_from(high - low + 1).unwrap_or(0)) as i64
    }

    /// A decimal digit; not 0 where the digit it stands for was not 0 and leads a number.
    pub(super) fn digit(&mut self, leads: bool, original: char) -> char {
        let number = if leads && original != '0' { 1 + self.below(9) } else { self.below(10) };
        char::from(b'0' + number as u8)
    }
}
