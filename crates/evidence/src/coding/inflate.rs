//! DEFLATE (RFC 1951), bare or in its two wrappers: zlib (RFC 1950) and gzip (RFC 1952).

use super::stream::{End, PIECE, Source, Target};
use crate::layer::Limits;
use dyetrace_case::{Blob, Flag};
use flate2::{Decompress, FlushDecompress, Status};

/// What stands around the deflated bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapper {
    /// Nothing.
    Raw,
    /// A two-byte header and a checksum.
    Zlib,
    /// A gzip member.
    Gzip,
}

/// Inflates one stream piece by piece.
struct Inflater {
    state: Decompress,
    buffer: Vec<u8>,
}

/// The progress of one [`Inflater::step`].
struct Step<'a> {
    /// Coded bytes that were read.
    consumed: usize,
    /// What they decode to.
    decoded: &'a [u8],
    /// How the stream ended, where it did.
    end: Option<End>,
}

impl Inflater {
    fn new(wrapper: Wrapper) -> Self {
        let state = match wrapper {
            Wrapper::Raw => Decompress::new(false),
            Wrapper::Zlib => Decompress::new(true),
            Wrapper::Gzip => Decompress::new_gzip(15),
        };
        Self { state, buffer: vec![0; PIECE] }
    }

    /// Inflates some of `input`. A step that consumes and decodes nothing wants more input.
    fn step(&mut self, input: &[u8]) -> Step<'_> {
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

    /// Inflates all of `source` up to the end of the stream.
    fn run(&mut self, source: &mut Source<'_>, target: &mut Target) -> End {
        loop {
            let input = source.window();
            let at_end = input.is_empty();
            let step = self.step(input);
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

    /// Gives back the end of a message that its sender took off.
    fn flush(&mut self, target: &mut Target, consumed: u64) -> End {
        let mut tail = &FLUSH[..];
        loop {
            let step = self.step(tail);
            tail = tail.get(step.consumed..).unwrap_or_default();
            if !target.push(step.decoded, consumed) {
                return End::Full;
            }
            if step.end.is_some() || (step.consumed == 0 && step.decoded.is_empty()) {
                return step.end.unwrap_or(End::Truncated);
            }
        }
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
    Inflater::new(wrapper).run(source, target)
}

/// Inflates messages that share one window (RFC 7692 section 7.2.2).
pub(crate) struct MessageInflater(Inflater);

/// What a sender takes off the end of each message, which ends at a byte boundary.
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

impl MessageInflater {
    pub(crate) fn new() -> Self {
        Self(Inflater::new(Wrapper::Raw))
    }

    /// Inflates the next message. After any flag the window is not what the sender's is.
    pub(crate) fn message(&mut self, body: &Blob, limits: &Limits) -> (Option<Blob>, Option<Flag>) {
        let mut source = Source::new(body);
        let mut target = Target::new(limits);
        let mut end = self.0.run(&mut source, &mut target);
        while end == End::Complete && source.left() > 0 {
            // A final block inside the message ends the stream, and another one follows.
            self.0 = Inflater::new(Wrapper::Raw);
            end = self.0.run(&mut source, &mut target);
        }
        match end {
            End::Complete => self.0 = Inflater::new(Wrapper::Raw),
            End::Truncated => end = self.0.flush(&mut target, source.consumed()),
            End::Corrupt | End::Full => {}
        }
        let flag = match end {
            End::Complete | End::Truncated => None,
            End::Full => Some(Flag::Cut(target.dropped().saturating_add(source.left()).max(1))),
            End::Corrupt if target.is_empty() => return (None, Some(Flag::Undecoded("permessage-deflate".to_owned()))),
            End::Corrupt => Some(Flag::Incomplete),
        };
        (Some(target.finish()), flag)
    }
}
