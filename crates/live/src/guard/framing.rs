//! Finding a body's content and end in the bytes that carry it (RFC 9112 sections 6 and 7).

use super::head::{self, Fields, Framing};
use std::ops::Range;

/// Bytes of one line of a chunk, and of all trailers.
const LINE: usize = 4 << 10;
const TRAILERS: usize = 16 << 10;

/// Follows a body from byte to byte.
pub(super) struct Unframer {
    state: State,
    /// A line that is not whole yet, or trailers.
    line: Vec<u8>,
    trailers: Fields,
}

enum State {
    /// Content of this many bytes, and nothing behind it.
    Length(u64),
    /// Content up to the end of the connection.
    UntilEnd,
    ChunkSize,
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    Trailers,
    Done,
}

/// What some bytes were.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes that belong to the body, with its framing.
    pub(super) consumed: usize,
    /// Which of them are content.
    pub(super) content: Range<usize>,
}

impl Unframer {
    /// For a body whose end is known so.
    pub(super) fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Nothing | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilEnd => State::UntilEnd,
        };
        Self { state, line: Vec::new(), trailers: Vec::new() }
    }

    /// Whether the body is over.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Fields behind the body.
    pub(super) fn trailers(self) -> Fields {
        self.trailers
    }

    /// Reads on, at most to the end of one run of content.
    ///
    /// # Errors
    /// What is wrong with the framing.
    pub(super) fn step(&mut self, input: &[u8]) -> Result<Step, &'static str> {
        let content = |length| Step { consumed: length, content: 0..length };
        match &mut self.state {
            State::Done => Ok(content(0)),
            State::UntilEnd => Ok(content(input.len())),
            State::Length(left) | State::Chunk(left) => {
                let length = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= length as u64;
                if *left == 0 {
                    self.state = if matches!(self.state, State::Length(_)) { State::Done } else { State::ChunkEnd };
                }
                Ok(content(length))
            }
            State::ChunkSize | State::ChunkEnd | State::Trailers => self.line(input),
        }
    }

    fn line(&mut self, input: &[u8]) -> Result<Step, &'static str> {
        let until = input.iter().position(|byte| *byte == b'\n').map_or(input.len(), |at| at + 1);
        self.line.extend_from_slice(input.get(..until).unwrap_or_default());
        let most = if matches!(self.state, State::Trailers) { TRAILERS } else { LINE };
        if self.line.len() > most {
            return Err("a line of the framing is too long");
        }
        if self.line.ends_with(b"\n") {
            self.whole_line()?;
        }
        Ok(Step { consumed: until, content: 0..0 })
    }

    fn whole_line(&mut self) -> Result<(), &'static str> {
        let bare = self.line.strip_suffix(b"\r\n").ok_or("a line of the framing ends without a carriage return")?;
        if bare.contains(&b'\r') && !matches!(self.state, State::Trailers) {
            return Err("a line of the framing has a carriage return within");
        }
        self.state = match self.state {
            State::ChunkSize => match chunk_size(bare).ok_or("a chunk's size is no number")? {
                0 => State::Trailers,
                size => State::Chunk(size),
            },
            State::ChunkEnd if bare.is_empty() => State::ChunkSize,
            State::Trailers if self.line == b"\r\n" || self.line.ends_with(b"\r\n\r\n") => {
                self.trailers = head::trailers(&self.line)?;
                State::Done
            }
            // Trailers are collected until the empty line.
            State::Trailers => return Ok(()),
            _ => return Err("a chunk is longer than it says"),
        };
        self.line.clear();
        Ok(())
    }
}

/// Hexadecimal digits; extensions behind a semicolon are nobody's (RFC 9112 section 7.1.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
    let is_number = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    is_number.then(|| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(mut input: &[u8], framing: Framing, cut: usize) -> Result<(Vec<u8>, usize, Fields), &'static str> {
        let (mut unframer, mut out, whole) = (Unframer::new(framing), Vec::new(), input.len());
        while !unframer.is_done() && !input.is_empty() {
            let piece = &input[..cut.min(input.len())];
            let step = unframer.step(piece)?;
            out.extend_from_slice(&piece[step.content]);
            input = &input[step.consumed..];
        }
        Ok((out, whole - input.len(), unframer.trailers()))
    }

    proptest! {
        #[test]
        fn chunks_of_any_size_read_in_pieces_of_any_size_say_the_same(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..20),
            cut in 1usize..60,
        ) {
            let mut sent = Vec::new();
            for chunk in &chunks {
                sent.extend_from_slice(format!("{:x};name=value\r\n", chunk.len()).as_bytes());
                sent.extend_from_slice(chunk);
                sent.extend_from_slice(b"\r\n");
            }
            sent.extend_from_slice(b"0\r\nX-Sum: 1\r\nY: 2\r\n\r\nGET /next");
            let (said, used, trailers) = content(&sent, Framing::Chunked, cut).unwrap();
            prop_assert_eq!(said, chunks.concat());
            prop_assert_eq!(used, sent.len() - b"GET /next".len());
            prop_assert_eq!(trailers.len(), 2);
        }
    }

    #[test]
    fn chunks_that_could_be_read_differently_are_refused() {
        for wrong in [
            &b"3\nabc\r\n0\r\n\r\n"[..],
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"-3\r\nabc\r\n",
            b"0x3\r\nabc\r\n",
            b" 3\r\nabc\r\n",
            b"3\r\r\nabc\r\n",
            b"ffffffffffffffff\r\nabc\r\n",
            b"\r\n",
            b"0\r\nContent-Length: 5\r\n\r\n",
            b"0\r\nbad line\r\n\r\n",
        ] {
            assert!(content(wrong, Framing::Chunked, 99).is_err(), "{:?}", String::from_utf8_lossy(wrong));
        }
        assert!(content(&[b'1'; 5000], Framing::Chunked, 7).is_err());
    }

    #[test]
    fn a_length_is_kept() {
        assert_eq!(content(b"abcdef", Framing::Length(4), 3).unwrap(), (b"abcd".to_vec(), 4, Vec::new()));
        assert_eq!(content(b"abcdef", Framing::Nothing, 3).unwrap().1, 0);
        assert_eq!(content(b"abcdef", Framing::UntilEnd, 4).unwrap().0, b"abcdef");
    }
}
