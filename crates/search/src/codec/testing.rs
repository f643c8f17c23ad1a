//! What the tests of documents share.

use super::{Coding, Structure, Typed};
use crate::split_mix::{STEP, SplitMix64};
use std::ops::{ControlFlow, Range};

/// A visited field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// The label as shown, empty where there is none.
    pub(crate) label: String,
    /// Where the value lies.
    pub(crate) range: Range<usize>,
    /// The type given.
    pub(crate) typed: Typed,
    /// The pieces of the value.
    pub(crate) chunks: Vec<Range<usize>>,
}

/// Every field of a document. Checks that each begins no earlier than the one before and that all
/// lie inside the bytes.
pub(crate) fn seen(structure: &dyn Structure, bytes: &[u8]) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    structure.walk(bytes, &mut |field| {
        let range = field.range.clone();
        assert!(range.start < range.end && range.end <= bytes.len(), "{range:?} of {} bytes", bytes.len());
        assert!(field.coding != Coding::Plain || field.chunks.iter().all(|chunk| chunk.end <= range.end));
        all.push(Seen {
            label: field.label.detail().unwrap_or_default(),
            range,
            typed: field.typed,
            chunks: field.chunks.to_vec(),
        });
        ControlFlow::Continue(())
    });
    all
}

/// Bytes that look random, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut row = SplitMix64(seed.wrapping_mul(STEP) ^ 0xD1B5_4A32_D192_ED03);
    std::iter::repeat_with(|| row.draw().to_le_bytes()).flatten().take(length).collect()
}
