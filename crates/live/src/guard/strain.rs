//! A body too long to be held: windows of what it says, and bytes as they were sent to pass on.

use super::coding::Decoder;
use super::sieve::{Sieve, Window};
use std::collections::VecDeque;

/// Coded bytes are decoded in blocks that end at multiples of this, so that reads do not matter.
const BLOCK: usize = 16 << 10;

/// Coded bytes may wait for what they say to be looked at; where there are more, they say nothing.
const WAITING: usize = 1 << 20;

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
    /// Bytes of these blocks.
    waiting_bytes: usize,
    /// Bytes not decoded yet, and how many of them the decoder has taken.
    undecoded: Vec<u8>,
    taken: usize,
    produced: u64,
    /// Whether the bytes turned out not to be what their coding says.
    is_broken: bool,
}

impl Strain {
    /// Holds back a tail of so many decoded bytes.
    pub(super) fn new(tail: usize, decoder: Option<Decoder>) -> Self {
        let coded = decoder.map(|decoder| Coded {
            decoder,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            undecoded: Vec::new(),
            taken: 0,
            produced: 0,
            is_broken: false,
        });
        Self { sieve: Sieve::new(tail), tail, coded, broke: false, left: 0 }
    }

    /// Behind a head of so many bytes, which have left.
    pub(super) fn behind(self, head: usize) -> Self {
        Self { left: head as u64, ..self }
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
        while !self.sieve.is_full() && self.coded.as_mut().is_some_and(|coded| coded.step(&mut self.sieve, all)) {}
        if self.coded.as_ref().is_some_and(|coded| coded.is_broken) {
            // What was decoded is looked at before the bytes pass as they are.
            let window = self.sieve.window(true);
            if window.is_some() {
                return window;
            }
            self.give_up();
        }
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
                coded.waiting_bytes -= block.len();
                out.extend_from_slice(&block);
            }
        }
        self.left += out.len() as u64;
        out
    }

    /// Bytes that have left, as they were sent.
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

    fn give_up(&mut self) {
        let Some(coded) = self.coded.take() else { return };
        self.broke = true;
        self.sieve = Sieve::new(self.tail);
        coded.waiting.iter().for_each(|(_, block)| self.sieve.push(block));
        self.sieve.push(&coded.undecoded);
    }
}

impl Coded {
    /// Decodes some. False where more input is needed, or none can be decoded any more.
    fn step(&mut self, sieve: &mut Sieve, all: bool) -> bool {
        let length = BLOCK.min(self.undecoded.len());
        if length < BLOCK && !all || length == 0 || self.is_broken {
            return false;
        }
        let mut out = Vec::new();
        let input = self.undecoded.get(self.taken..length).unwrap_or_default();
        let stepped = self.decoder.step(input, &mut out);
        sieve.push(&out);
        self.taken += stepped.as_ref().unwrap_or(&0);
        self.produced += out.len() as u64;
        if stepped.is_ok() && self.taken == length && out.is_empty() {
            self.block_is_done(length);
        } else if stepped.is_err() || stepped == Ok(0) && out.is_empty() {
            self.is_broken = true;
        }
        !self.is_broken
    }

    fn block_is_done(&mut self, length: usize) {
        let rest = self.undecoded.split_off(length);
        self.waiting.push_back((self.produced, std::mem::replace(&mut self.undecoded, rest)));
        self.waiting_bytes += length;
        self.taken = 0;
        self.is_broken = self.waiting_bytes > WAITING;
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
        let mut strain = Strain::new(100, Decoder::new("gzip"));
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
        let mut strain = Strain::new(100, Decoder::new("gzip"));
        strain.push(b"not gzip at all");
        assert_eq!(strain.window(true).unwrap().bytes, b"not gzip at all");
        assert!(strain.broke() && !strain.broke());
        assert_eq!(strain.release(true), b"not gzip at all");
    }

    /// Windows of what was pushed, which is let go as far as it was looked at.
    fn let_go(strain: &mut Strain, all: bool) -> (Vec<Window>, Vec<u8>) {
        let (mut windows, mut out) = (Vec::new(), Vec::new());
        while let Some(window) = strain.window(all) {
            windows.push(window);
            out.extend(strain.release(false));
        }
        out.extend(strain.release(all));
        (windows, out)
    }

    #[test]
    fn coded_bytes_that_say_nothing_do_not_wait_for_ever() {
        // One byte in a stored block (RFC 1951 section 3.2.4), and then empty ones.
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let sent = [&head[..], &[0, 1, 0, 0xfe, 0xff, b'a'], &[0, 0, 0, 0xff, 0xff].repeat(600_000)].concat();
        let mut strain = Strain::new(100, Decoder::new("gzip"));
        let (mut out, mut most) = (Vec::new(), 0);
        for piece in sent.chunks(BLOCK) {
            strain.push(piece);
            out.extend(let_go(&mut strain, false).1);
            let waits = strain.coded.as_ref().map_or(0, |coded| coded.waiting_bytes + coded.undecoded.len());
            most = most.max(waits);
        }
        out.extend(let_go(&mut strain, true).1);
        assert!(strain.broke(), "it is told");
        assert!(most <= WAITING + 2 * BLOCK, "{most}");
        assert!(out == sent);
    }

    #[test]
    fn what_was_decoded_before_a_coding_broke_is_looked_at() {
        let said: Vec<u8> = (0..30_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
        let sent = [gzip(&said), b"\x1f not gzip".to_vec()].concat();
        let mut strain = Strain::new(100, Decoder::new("gzip"));
        strain.push(&sent);
        let (windows, out) = let_go(&mut strain, true);
        assert!(windows[0].bytes == said);
        assert!(windows.last().unwrap().bytes.ends_with(b"not gzip"));
        assert!(strain.broke() && out == sent);
    }
}
