//! Chains of codecs.

use super::mixed;
use crate::codec::encoders::{ALL, Encoder};

/// Of the chains of three codecs, one in so many is tried.
const ONE_IN: u64 = 24;
/// Longest result of a chain that is hidden.
const LONGEST: usize = 16 << 10;

/// Codecs by number, innermost first.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Chain(Vec<usize>);

/// The bare value, each codec alone, all pairs, and a sample of the chains of three or all.
pub(super) fn chains(all: bool) -> Vec<Chain> {
    let codecs = 0..ALL.len();
    let mut chains = vec![Chain(Vec::new())];
    chains.extend(codecs.clone().map(|one| Chain(vec![one])));
    chains.extend(codecs.clone().flat_map(|one| codecs.clone().map(move |two| Chain(vec![one, two]))));
    for number in 0..ALL.len().pow(3) {
        if all || mixed(number as u64).is_multiple_of(ONE_IN) {
            let digit = |place: u32| number / ALL.len().pow(place) % ALL.len();
            chains.push(Chain(vec![digit(0), digit(1), digit(2)]));
        }
    }
    chains
}

impl Chain {
    /// Number of codecs.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Outermost first: `base64 > gzip`.
    pub(super) fn name(&self) -> String {
        let names: Vec<String> = self.codecs().rev().map(Encoder::shown).collect();
        if names.is_empty() { "as typed".to_owned() } else { names.join(" > ") }
    }

    /// True where what the chain gives can stand in that carrier.
    pub(super) fn fits(&self, carrier: &str) -> bool {
        let gives_text = self.codecs().next_back().is_none_or(|outermost| outermost.gives_text);
        gives_text || matches!(carrier, "body" | "multipart")
    }

    /// The value behind all codecs; `None` where one of them does not take what the one before gives, or leaves it
    /// as it is: that is a shorter chain.
    pub(super) fn wrap(&self, value: &[u8]) -> Option<Vec<u8>> {
        let wrap = |bytes: Vec<u8>, codec: &Encoder| {
            (codec.wrap)(&bytes).filter(|wrapped| wrapped.len() <= LONGEST && *wrapped != bytes)
        };
        self.codecs().try_fold(value.to_vec(), wrap)
    }

    fn codecs(&self) -> impl DoubleEndedIterator<Item = &'static Encoder> {
        self.0.iter().filter_map(|number| ALL.get(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_that_changes_nothing_is_no_part_of_a_chain() {
        let number = |name: &str| ALL.iter().position(|encoder| encoder.shown() == name).unwrap();
        let [base64, rot13, percent] = ["base64", "rot13", "percent"].map(number);
        assert!(Chain(vec![base64]).wrap(b"13800000427").is_some());
        for idle in [vec![rot13], vec![percent], vec![rot13, base64]] {
            assert_eq!(Chain(idle).wrap(b"13800000427"), None);
        }
    }
}
