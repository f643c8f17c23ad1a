//! A body too long to be held: windows of what it says, and bytes as they were sent to pass on.

use super::coding::Decoder;
use super::sieve::{Sieve, Window};
use std::collections::VecDeque;

/// Coded bytes are decoded in blocks that end at multiples of this, so that reads do not matter.
const BLOCK: usize = 16 << 10;

/// A long body on its way.
pub(super) struct Strain {
    sieve: Sieve,
    tail: usize,
    coded: Option<Coded>,
    broke: bool,
    left: u64,
}

/// What was sent, beside what it says.
struct Coded {
    decoder: Decoder,
    /// Whole blocks, and the offset in the decoded bytes up to which each goes.
    waiting: VecDeque<(u64, Vec<u8>)>,
    /// Bytes not decoded yet, and how many of them the decoder has taken.
    undecoded: Vec<u8>,
    taken: usize,
    produced: u64,
}

impl Strain {
    /// Holds back a tail of so many decoded bytes.
    pub(super) fn new(tail: usize, decoder: Option<Decoder>) -> Self {
        let coded = decoder.map(|decoder| Coded {
            decoder,
            waiting: VecDeque::new(),
            undecoded: Vec::new(),
            taken: 0,
            produced: 0,
        });
        Self { sieve: Sieve::new(tail), tail, coded, broke: false, left: 0 }
    }

    /// Takes bytes as they were sent.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.coded {
            Some(coded) => coded.undecoded.extend_from_slice(bytes),
            None => self.sieve.push(bytes),
        }
    }

    /// What is to be looked at next. With `all`, whatever there is.
    pub(super) fn window(&mut self, all: bool) -> Option<Window> {
        while !self.sieve.is_full() && self.decode(all) {}
        self.sieve.window(all)
    }

    /// The last window is to pass on with these bytes. What is coded stays as it is.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        if self.coded.is_none() {
            self.sieve.replace(bytes);
        }
    }

    /// What may leave, as it was sent. With `all`, everything that was looked at.
    pub(super) fn release(&mut self, all: bool) -> Vec<u8> {
        let mut out = self.sieve.release(all);
        if let Some(coded) = &mut self.coded {
            out.clear();
            let released = self.sieve.released();
            while let Some((_, block)) = coded.waiting.pop_front_if(|(end, _)| *end <= released) {
                out.extend_from_slice(&block);
            }
        }
        self.left += out.len() as u64;
        out
    }

    /// Bytes released, as they were sent.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// What undid the coding.
    pub(super) fn into_decoder(self) -> Option<Decoder> {
        self.coded.map(|coded| coded.decoder)
    }

    /// Whether it passes as it was sent or not at all.
    pub(super) fn is_coded(&self) -> bool {
        self.coded.is_some()
    }

    /// Whether bytes wait that were not released.
    pub(super) fn is_empty(&self) -> bool {
        let waits = |coded: &Coded| !coded.waiting.is_empty() || !coded.undecoded.is_empty();
        self.sieve.is_empty() && !self.coded.as_ref().is_some_and(waits)
    }

    /// Whether the coding turned out not to be what it says; true once. The bytes pass as they are from there.
    pub(super) fn broke(&mut self) -> bool {
        std::mem::take(&mut self.broke)
    }

    /// Decodes some. False where more input is needed.
    fn decode(&mut self, all: bool) -> bool {
        let Some(coded) = &mut self.coded else { return false };
        let stepped = coded.step(&mut self.sieve, all);
        if stepped.is_err() {
            self.give_up();
        }
        stepped.unwrap_or(false)
    }

    fn give_up(&mut self) {
        let Some(coded) = self.coded.take() else { return };
        self.broke = true;
        self.sieve = Sieve::new(self.tail);
        coded.waiting.iter().for_each(|(_, block)| self.sieve.push(block));
        self.sieve.push(&coded.undecoded);
    }
}

impl Coded {
    fn step(&mut self, sieve: &mut Sieve, all: bool) -> Result<bool, super::coding::Broken> {
        let length = BLOCK.min(self.undecoded.len());
        if length < BLOCK && !all || length == 0 {
            return Ok(false);
        }
        let mut out = Vec::new();
        let input = self.undecoded.get(self.taken..length).unwrap_or_default();
        let consumed = self.decoder.step(input, &mut out)?;
        self.taken += consumed;
        self.produced += out.len() as u64;
        sieve.push(&out);
        if self.taken == length && out.is_empty() {
            let rest = self.undecoded.split_off(length);
            self.waiting.push_back((self.produced, std::mem::replace(&mut self.undecoded, rest)));
            self.taken = 0;
        } else if consumed == 0 && out.is_empty() {
            return Err(super::coding::Broken);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Windows, output, and what had left at each window.
    type Passed = (Vec<(Window, usize)>, Vec<u8>);

    fn through(sent: &[u8], mut cuts: impl Iterator<Item = usize>) -> Passed {
        let mut strain = Strain::new(100, Decoder::new("gzip", sent));
        let (mut windows, mut out, mut rest) = (Vec::new(), Vec::new(), sent);
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            rest = others;
            strain.push(piece);
            let all = rest.is_empty();
            while let Some(window) = strain.window(all) {
                windows.push((window, out.len()));
                out.extend(strain.release(false));
            }
        }
        out.extend(strain.release(true));
        assert!(strain.is_empty());
        (windows, out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_split_of_coded_bytes_gives_the_same_windows_and_they_pass_as_sent(
            length in 0usize..200_000,
            cuts in proptest::collection::vec(1usize..30_000, 1..20),
        ) {
            let said: Vec<u8> = (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
            let sent = gzip(&said);
            let whole = through(&sent, std::iter::empty());
            let split = through(&sent, cuts.iter().copied().cycle());
            prop_assert!(whole == split);
            prop_assert!(whole.1 == sent);
            let shown: Vec<u8> =
                whole.0.iter().flat_map(|(window, _)| window.bytes[window.seen as usize..].to_vec()).collect();
            prop_assert!(shown == said);
        }
    }

    #[test]
    fn a_coding_that_lies_is_told_and_its_bytes_are_looked_at_as_they_are() {
        let mut strain = Strain::new(100, Decoder::new("gzip", b""));
        strain.push(b"not gzip at all");
        assert_eq!(strain.window(true).unwrap().bytes, b"not gzip at all");
        assert!(strain.broke() && !strain.broke());
        assert_eq!(strain.release(true), b"not gzip at all");
    }
}
