//! Chunked transfer coding (RFC 9112 section 7.1), piece by piece.

use super::head::{Field, parse_fields};
use memchr::memchr;

/// Longest line with a chunk's size and its extensions.
const LONGEST_SIZE_LINE: usize = 4096;

/// Undoes the coding of one body.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    state: State,
    /// The line (or the trailer section) that is not complete.
    line: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// Before or in a line with a size.
    #[default]
    Size,
    /// Before that many bytes of data.
    Data(u64),
    /// Before the line end behind the data.
    DataEnd,
    /// In the trailer section, in the line that begins at that offset of it.
    Trailer(usize),
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Some of the body.
    Data(&'a [u8]),
    /// The end of the body, and the trailer fields.
    End(Vec<Field>),
    /// Bytes that are no chunk. Nothing more can be read of this body.
    Bad(Vec<u8>),
}

impl Chunked {
    /// Memory held, in bytes.
    pub(super) fn held(&self) -> usize {
        self.line.len()
    }

    /// Takes the next piece off `input`. `None` where more is needed.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8], head: usize, fields: usize) -> Option<Piece<'a>> {
        while !input.is_empty() {
            let piece = match self.state {
                State::Data(left) => return Some(self.data(left, input)),
                State::Size | State::DataEnd => self.line(input),
                State::Trailer(start) => self.trailer(start, input, head, fields),
            };
            if piece.is_some() {
                return piece;
            }
        }
        None
    }

    /// Bytes of the current chunk's data that are still to come, where the body is inside one.
    pub(super) fn data_left(&self) -> Option<u64> {
        match self.state {
            State::Data(left) => Some(left),
            _ => None,
        }
    }

    /// Counts bytes of the current chunk's data that are missing. At most [`Chunked::data_left`].
    pub(super) fn skip(&mut self, count: u64) {
        if let State::Data(left) = self.state {
            self.advance(left.saturating_sub(count));
        }
    }

    fn data<'a>(&mut self, left: u64, input: &mut &'a [u8]) -> Piece<'a> {
        let length = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let (data, rest) = input.split_at(length);
        *input = rest;
        self.advance(left - length as u64);
        Piece::Data(data)
    }

    fn advance(&mut self, left: u64) {
        self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
    }

    fn line<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        let complete = take_line(&mut self.line, input, LONGEST_SIZE_LINE);
        if !complete {
            return (self.line.len() >= LONGEST_SIZE_LINE).then(|| self.bad());
        }
        match (self.state, self.line.trim_ascii()) {
            (State::DataEnd, []) => self.state = State::Size,
            (State::Size, line) => match chunk_size(line) {
                Some(0) => self.state = State::Trailer(0),
                Some(size) => self.state = State::Data(size),
                None => return Some(self.bad()),
            },
            _ => return Some(self.bad()),
        }
        self.line.clear();
        None
    }

    fn trailer<'a>(&mut self, start: usize, input: &mut &'a [u8], head: usize, fields: usize) -> Option<Piece<'a>> {
        let complete = take_line(&mut self.line, input, head);
        if !complete {
            return (self.line.len() >= head).then(|| self.bad());
        }
        let empty = self.line.get(start..).unwrap_or_default().trim_ascii().is_empty();
        self.state = State::Trailer(self.line.len());
        empty.then(|| Piece::End(parse_fields(&self.line, fields).0))
    }

    fn bad<'a>(&mut self) -> Piece<'a> {
        Piece::Bad(std::mem::take(&mut self.line))
    }
}

/// Moves bytes up to a line end, and no more than make `line` `limit` bytes long. True where the
/// line is complete.
fn take_line(line: &mut Vec<u8>, input: &mut &[u8], limit: usize) -> bool {
    let window = input.get(..limit.saturating_sub(line.len())).unwrap_or(input);
    let newline = memchr(b'\n', window);
    let (taken, rest) = input.split_at(newline.map_or(window.len(), |at| at + 1));
    line.extend_from_slice(taken);
    *input = rest;
    newline.is_some()
}

/// The size in hexadecimal before extensions and white space.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at(end);
    let extension = rest.trim_ascii_start().first().is_none_or(|byte| *byte == b';');
    let digits = std::str::from_utf8(digits).ok().filter(|_| extension)?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn undo(bytes: &[u8], piece: usize) -> (Vec<u8>, Option<Vec<Field>>, bool) {
        let (mut chunked, mut body) = (Chunked::default(), Vec::new());
        for mut input in bytes.chunks(piece) {
            while let Some(piece) = chunked.next(&mut input, 1000, 10) {
                match piece {
                    Piece::Data(data) => body.extend_from_slice(data),
                    Piece::End(trailers) => return (body, Some(trailers), false),
                    Piece::Bad(_) => return (body, None, true),
                }
            }
        }
        (body, None, false)
    }

    #[test]
    fn chunks_are_joined_and_trailers_read() {
        let bytes = b"4\r\nWiki\r\n06 ; a=b\r\npedia \n1\nX\r\n0\r\nA: b\r\nC: d\r\n\r\n";
        for piece in [1, 2, 3, 7, 100] {
            let (body, trailers, _) = undo(bytes, piece);
            assert_eq!(body, b"Wikipedia X");
            assert_eq!(trailers.unwrap(), [(b"A".to_vec(), b"b".to_vec()), (b"C".to_vec(), b"d".to_vec())]);
        }
    }

    #[test]
    fn hostile_sizes_are_bad() {
        for bytes in [&b"-1\r\n"[..], b"\r\n", b"1x\r\n", b"11111111111111111\r\n", b"2\r\nabc\r\n", &[b'0'; 5000]] {
            assert!(undo(bytes, 100).2, "{} bytes", bytes.len());
        }
        assert_eq!(undo(b"ffffffffffffffff\r\nabc", 2), (b"abc".to_vec(), None, false));
    }

    proptest! {
        #[test]
        fn undoing_inverts_chunking(body in proptest::collection::vec(any::<u8>(), 0..300), size in 1usize..50, piece in 1usize..60) {
            let mut coded = Vec::new();
            for chunk in body.chunks(size) {
                coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                coded.extend_from_slice(chunk);
                coded.extend_from_slice(b"\r\n");
            }
            coded.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(undo(&coded, piece), (body, Some(Vec::new()), false));
        }
    }
}
