//! Bytes too many to be held: they pass in windows, and the end of each is held back.
//!
//! Windows end at multiples of [`BLOCK`] and begin a tail's length before the end of the one before, wherever the
//! reads were cut: any split of the bytes gives the same windows. No form of a value that fits in the tail has sent a
//! byte when it is found, unless everything was let go because the sender paused ([`Sieve::window`] with `all`).

/// Windows end at multiples of this.
const BLOCK: u64 = 64 << 10;

/// Bytes on their way.
pub(super) struct Sieve {
    buffer: Vec<u8>,
    /// Offset of the buffer's first byte.
    base: u64,
    /// Offset of the first byte that was not released.
    released: u64,
    /// Offset of the end of the last window.
    looked: u64,
    tail: u64,
}

/// What is to be looked at together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) bytes: Vec<u8>,
    /// Bytes that were in the window before.
    pub(super) seen: u64,
    /// Bytes that were released.
    pub(super) gone: u64,
}

impl Sieve {
    /// Holds back a tail of so many bytes.
    pub(super) fn new(tail: usize) -> Self {
        Self { buffer: Vec::new(), base: 0, released: 0, looked: 0, tail: tail as u64 }
    }

    /// Takes bytes that were sent.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Offset of the first byte that was not released.
    pub(super) fn released(&self) -> u64 {
        self.released
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.released == self.end()
    }

    /// Whether a whole block waits.
    pub(super) fn is_full(&self) -> bool {
        self.end() >= self.next_end()
    }

    /// What is to be looked at next: a whole block, or what there is where `all` is to be.
    pub(super) fn window(&mut self, all: bool) -> Option<Window> {
        let end = if self.is_full() { self.next_end() } else { self.end() };
        if end <= self.looked || !(all || self.is_full()) {
            return None;
        }
        let start = self.looked.saturating_sub(self.tail).max(self.base);
        let bytes = self.buffer.get(self.index(start)..self.index(end)).unwrap_or_default().to_vec();
        let window = Window { bytes, seen: self.looked - start, gone: self.released.saturating_sub(start) };
        self.looked = end;
        Some(window)
    }

    /// The last window is to pass on with these bytes.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        let end = self.index(self.looked);
        let start = end.saturating_sub(bytes.len());
        if let Some(place) = self.buffer.get_mut(start..end).filter(|place| place.len() == bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// What may leave: what was looked at without the tail, or with it where `all` is to.
    pub(super) fn release(&mut self, all: bool) -> Vec<u8> {
        let until = if all { self.looked } else { self.looked.saturating_sub(self.tail) }.max(self.released);
        let bytes = self.buffer.get(self.index(self.released)..self.index(until)).unwrap_or_default().to_vec();
        self.released = until;
        let keep_from = self.looked.saturating_sub(self.tail).max(self.base);
        self.buffer.drain(..self.index(keep_from).min(self.buffer.len()));
        self.base = keep_from;
        bytes
    }

    fn end(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    fn next_end(&self) -> u64 {
        (self.looked / BLOCK + 1) * BLOCK
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Windows and output for bytes that come in pieces of these lengths.
    fn through(bytes: &[u8], mut cuts: impl Iterator<Item = usize>, tail: usize) -> (Vec<Window>, Vec<u8>) {
        let (mut sieve, mut windows, mut out) = (Sieve::new(tail), Vec::new(), Vec::new());
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            rest = others;
            sieve.push(piece);
            while let Some(window) = sieve.window(false) {
                windows.push(window);
                out.extend(sieve.release(false));
            }
        }
        windows.extend(sieve.window(true));
        out.extend(sieve.release(true));
        assert!(sieve.is_empty());
        (windows, out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_split_gives_the_same_windows_and_the_same_output(
            length in 0usize..300_000,
            cuts in proptest::collection::vec(1usize..90_000, 1..40),
            tail in 0usize..70_000,
        ) {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7 + at / 251) as u8).collect();
            let whole = through(&bytes, std::iter::empty(), tail);
            let split = through(&bytes, cuts.iter().copied().cycle(), tail);
            prop_assert!(whole == split);
            prop_assert!(whole.1 == bytes);
        }

        #[test]
        fn nothing_of_a_value_has_left_when_a_window_shows_it_whole(at in 0usize..200_000, length in 1usize..400) {
            let mut sieve = Sieve::new(400);
            sieve.push(&vec![b'.'; at]);
            sieve.push(&vec![b'#'; length]);
            sieve.push(&vec![b'.'; 1000]);
            let mut shown = 0;
            while shown < length {
                sieve.release(false);
                let mut window = sieve.window(false).or_else(|| sieve.window(true)).expect("the value is in some window");
                let first = window.bytes.iter().position(|byte| *byte == b'#');
                shown = first.map_or(0, |first| window.bytes.split_off(first).partition_point(|byte| *byte == b'#'));
            }
            prop_assert!(sieve.released() <= at as u64);
        }
    }

    #[test]
    fn a_pause_lets_everything_go_and_the_next_window_still_has_the_tail() {
        let mut sieve = Sieve::new(4);
        sieve.push(b"abcdef");
        assert_eq!(sieve.window(true).unwrap().bytes, b"abcdef");
        assert_eq!(sieve.release(true), b"abcdef");
        sieve.push(b"gh");
        assert_eq!(sieve.window(true).unwrap(), Window { bytes: b"cdefgh".to_vec(), seen: 4, gone: 4 });
        sieve.replace(b"cdefGH");
        assert_eq!(sieve.release(true), b"GH");
    }
}
