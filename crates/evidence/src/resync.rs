//! What a reader does after bytes were lost, or where the start was not captured: look for the
//! next boundary, and keep account of what could not be read on the way.

use crate::layer::{Conn, Out};
use dyetrace_case::{Side, Time};

/// Whether a frame or packet could begin at the first of the bytes looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It does, as surely as the protocol lets one tell.
    Yes,
    /// It does not.
    No,
    /// More bytes are needed to tell.
    Undecided,
}

/// A search for the next boundary. It holds as many bytes as the test needs to decide.
#[derive(Default)]
pub(crate) struct Search {
    held: Vec<u8>,
    start: usize,
    skipped: u64,
}

/// Where a boundary was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Bytes before it.
    pub(crate) skipped: u64,
    /// The held bytes from the boundary on.
    pub(crate) rest: Vec<u8>,
}

impl Search {
    /// A search that begins with bytes at hand. They are looked at with the next call.
    pub(crate) fn starting_with(bytes: Vec<u8>) -> Self {
        Self { held: bytes, ..Self::default() }
    }

    /// Takes the next bytes. `fits` is asked for each place once, or again after `Undecided`; the
    /// answer must not depend on how the bytes were split.
    pub(crate) fn feed(&mut self, bytes: &[u8], fits: impl Fn(&[u8]) -> Fit) -> Option<Found> {
        self.held.extend_from_slice(bytes);
        while let Some(candidate) = self.held.get(self.start..).filter(|rest| !rest.is_empty()) {
            match fits(candidate) {
                Fit::Yes => return Some(Found { skipped: self.skipped, rest: candidate.to_vec() }),
                Fit::Undecided => break,
                Fit::No => {
                    self.start += 1;
                    self.skipped += 1;
                }
            }
        }
        if self.start > self.held.len() / 2 {
            self.held.drain(..self.start);
            self.start = 0;
        }
        None
    }

    /// The bytes end here: `fits` must decide.
    pub(crate) fn finish(mut self, fits: impl Fn(&[u8]) -> Fit) -> Result<Found, u64> {
        let decided = |bytes: &[u8]| if fits(bytes) == Fit::Yes { Fit::Yes } else { Fit::No };
        self.feed(&[], decided).ok_or(self.skipped)
    }

    /// Memory held, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Bytes taken so far, all of them without a boundary.
    pub(crate) fn unread(&self) -> u64 {
        self.skipped + (self.held.len() - self.start) as u64
    }
}

/// What could not be read in one direction, by reason; told once, at the end of the connection.
#[derive(Default)]
pub(crate) struct Losses(Vec<Loss>);

struct Loss {
    reason: &'static str,
    time: Option<Time>,
    bytes: u64,
    count: u64,
}

impl Losses {
    /// Adds a loss. Nothing is added for no bytes.
    pub(crate) fn add(&mut self, reason: &'static str, bytes: u64, time: Option<Time>) {
        if bytes == 0 {
            return;
        }
        match self.0.iter_mut().find(|loss| loss.reason == reason) {
            Some(loss) => {
                loss.bytes += bytes;
                loss.count += 1;
            }
            None => self.0.push(Loss { reason, time, bytes, count: 1 }),
        }
    }

    /// Emits one damage per reason.
    pub(crate) fn tell(&mut self, side: Side, conn: &Conn, out: &mut Out<'_>) {
        let from = if side == Side::Request { "client" } else { "server" };
        for loss in self.0.drain(..) {
            let times = if loss.count == 1 { String::new() } else { format!(" in {} places", loss.count) };
            let text = format!("{} bytes from the {from}{times}: {}", loss.bytes, loss.reason);
            out.damage(conn.damage(out.exhibit, loss.time, Some(loss.bytes), text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A boundary is `>` followed by two more of them.
    fn fits(bytes: &[u8]) -> Fit {
        match bytes.iter().take(3).position(|byte| *byte != b'>') {
            Some(_) => Fit::No,
            None if bytes.len() < 3 => Fit::Undecided,
            None => Fit::Yes,
        }
    }

    #[test]
    fn bytes_before_the_boundary_are_counted() {
        let mut search = Search::default();
        assert_eq!(search.feed(b"ab>>", fits), None);
        assert_eq!(search.unread(), 4);
        assert_eq!(search.feed(b">c", fits), Some(Found { skipped: 2, rest: b">>>c".to_vec() }));
    }

    #[test]
    fn at_the_end_what_is_undecided_is_refused() {
        let mut search = Search::default();
        assert_eq!(search.feed(b"ab>>", fits), None);
        assert_eq!(search.finish(fits), Err(4));
    }

    proptest! {
        #[test]
        fn any_split_finds_the_same_boundary(text in "[a>]{0,40}", piece in 1usize..5) {
            let whole = Search::default().feed(text.as_bytes(), fits);
            let mut search = Search::default();
            let mut found = None;
            let mut chunks = text.as_bytes().chunks(piece);
            for chunk in chunks.by_ref() {
                found = search.feed(chunk, fits);
                if found.is_some() {
                    break;
                }
            }
            let joined = found.map(|found| Found { rest: [found.rest, chunks.flatten().copied().collect()].concat(), ..found });
            prop_assert_eq!(joined, whole);
        }
    }
}
