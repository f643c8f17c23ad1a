//! What is looked for beside values: planted files, by whoever knows their formats.
//!
//! The search undoes wrappings and keeps the account of places; what is in the undone bytes may need more than needles.
//! A picture that was encoded again has no byte in common with the original.

use dyetrace_case::{DatumId, Strength};
use std::fmt;
use std::ops::Range;
use std::panic::RefUnwindSafe;

/// Looks for planted files in bytes, undone as far as they can be. The same bytes must always give the same.
pub trait Beside: Send + Sync + RefUnwindSafe {
    /// Fewer bytes are not worth a look.
    fn shortest(&self) -> usize;

    /// Everything that is seen in the bytes, and what looking cost.
    fn look(&self, bytes: &[u8]) -> LookedBeside;
}

/// What a look gave. The same bytes always cost the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LookedBeside {
    /// Everything that was seen.
    pub seen: Vec<SeenBeside>,
    /// Work beside going through the bytes once, in bytes that are gone through meanwhile: pictures that were decoded.
    pub work: u64,
    /// Whether a limit left something unseen.
    pub is_cut: bool,
}

/// A planted file, or a part or likeness of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenBeside {
    /// Which datum.
    pub datum: DatumId,
    /// Where in the bytes. Looking at these bytes alone gives the same.
    pub range: Range<usize>,
    /// What was seen, in words: `the file itself`.
    pub form: String,
    /// How it ties to the planted file.
    pub strength: Strength,
    /// Bits of evidence against chance.
    pub bits: f64,
}

/// A text or bytes that stand for a datum and that no spelling gives: the name that a cache gives to a file's copy.
#[derive(Clone, PartialEq)]
pub struct Named {
    /// Which datum.
    pub datum: DatumId,
    /// What it is, in words.
    pub form: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Bits against chance, before places and forms are counted.
    pub bits: f64,
}

impl fmt::Debug for Named {
    /// Without the bytes: they stand for what was planted.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { datum, form, bytes, bits } = self;
        write!(out, "Named({datum:?}, {form}, {} bytes, {bits} bits)", bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_datum_is_not_printed() {
        let named =
            Named { datum: DatumId("photo".into()), form: "a name".into(), bytes: b"planted".into(), bits: 56.0 };
        let printed = format!("{named:?}");
        assert!(
            printed.contains("photo") && !printed.contains("planted") && !printed.contains("112, 108"),
            "{printed}"
        );
    }
}
