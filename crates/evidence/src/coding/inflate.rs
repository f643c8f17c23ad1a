//! DEFLATE (RFC 1951), bare or in its two wrappers: zlib (RFC 1950) and gzip (RFC 1952).

use super::stream::{End, PIECE, Source, Target};
use flate2::{Decompress, FlushDecompress, Status};

/// What stands around the deflated bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapper {
    /// Nothing.
    Raw,
    /// A two-byte header and a checksum.
    Zlib,
    /// A gzip member.
    Gzip,
}

/// Inflates one stream piece by piece.
pub(crate) struct Inflater {
    state: Decompress,
    buffer: Vec<u8>,
}

/// The progress of one [`Inflater::step`].
pub(crate) struct Step<'a> {
    /// Coded bytes that were read.
    pub(crate) consumed: usize,
    /// What they decode to.
    pub(crate) decoded: &'a [u8],
    /// How the stream ended, where it did.
    pub(crate) end: Option<End>,
}

impl Inflater {
    pub(crate) fn new(wrapper: Wrapper) -> Self {
        let state = match wrapper {
            Wrapper::Raw => Decompress::new(false),
            Wrapper::Zlib => Decompress::new(true),
            Wrapper::Gzip => Decompress::new_gzip(15),
        };
        Self { state, buffer: vec![0; PIECE] }
    }

    /// Inflates some of `input`. A step that consumes and decodes nothing wants more input.
    pub(crate) fn step(&mut self, input: &[u8]) -> Step<'_> {
        let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
        let status = self.state.decompress(input, &mut self.buffer, FlushDecompress::None);
        let consumed = (self.state.total_in() - before_in) as usize;
        let produced = (self.state.total_out() - before_out) as usize;
        let end = match status {
            Ok(Status::StreamEnd) => Some(End::Complete),
            Ok(_) => None,
            Err(_) => Some(End::Corrupt),
        };
        Step { consumed, decoded: self.buffer.get(..produced).unwrap_or_default(), end }
    }
}

/// gzip: one member or several. Bytes behind the last member that start no other are ignored, as
/// servers pad. Returns true where the magic number was there.
pub(super) fn gzip(source: &mut Source<'_>, target: &mut Target) -> (End, bool) {
    if !starts_member(source) {
        return (End::Corrupt, false);
    }
    loop {
        let end = inflate(source, target, Wrapper::Gzip);
        if end != End::Complete || !starts_member(source) {
            return (end, true);
        }
    }
}

/// deflate means zlib (RFC 9110 section 8.4.1.2), but bare deflated bytes are common, and gzip
/// under this name occurs.
pub(super) fn deflate(source: &mut Source<'_>, target: &mut Target) -> (End, bool) {
    if starts_member(source) {
        return gzip(source, target);
    }
    let zlib = source.peek().is_some_and(is_zlib_header);
    (inflate(source, target, if zlib { Wrapper::Zlib } else { Wrapper::Raw }), zlib)
}

fn starts_member(source: &Source<'_>) -> bool {
    source.peek() == Some([0x1f, 0x8b, 8])
}

/// Method 8, window at most 32 KiB, check bits right (RFC 1950 section 2.2).
fn is_zlib_header([method, flags]: [u8; 2]) -> bool {
    method & 0x0f == 8 && method >> 4 <= 7 && u16::from_be_bytes([method, flags]) % 31 == 0
}

fn inflate(source: &mut Source<'_>, target: &mut Target, wrapper: Wrapper) -> End {
    let mut inflater = Inflater::new(wrapper);
    loop {
        let input = source.window();
        let at_end = input.is_empty();
        let step = inflater.step(input);
        source.advance(step.consumed);
        if !target.push(step.decoded, source.consumed()) {
            return End::Full;
        }
        if let Some(end) = step.end {
            return end;
        }
        if step.consumed == 0 && step.decoded.is_empty() {
            return if at_end { End::Truncated } else { End::Corrupt };
        }
    }
}
