//! Zstandard (RFC 8878): frames one after another from the start of the bytes, and single frames
//! anywhere in them.

use super::table::About;
use super::{Codec, Unwrapped, embedded};
use crate::classify::Marks;
use crate::map::Map;
use memchr::memmem::Finder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::Read as _;
use std::ops::Range;
use std::sync::LazyLock;

/// Frames that begin where the bytes begin.
pub(crate) struct Zstd;
/// Frames further in.
pub(crate) struct EmbeddedZstd;

/// Its row in the table.
pub(crate) const ABOUT: About = About {
    name: "zstd",
    undoes: "zstd frames without a dictionary",
    place: "a whole body or field, or anywhere in bytes that are not text",
    exact: false,
    source: "RFC 8878",
};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&MAGIC));
/// The largest window accepted, in bytes. HTTP allows 8 MiB (RFC 9659); some senders use more.
const WINDOW: u64 = 32 << 20;
/// An empty last block and room for a checksum, which this decoder does not compare: ends a frame
/// that was cut short, so that the decoder gives up the window it holds back.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];
/// Bytes decoded at a time.
const PIECE: usize = 32 << 10;

impl Codec for Zstd {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        if bytes.starts_with(&MAGIC) {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let (out, cut) = frames(bytes.get(span.clone())?, room);
        (!out.is_empty()).then(|| Unwrapped { cut, ..Unwrapped::new(out, Map::Whole(span)) })
    }
}

impl Codec for EmbeddedZstd {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        embedded::frames(bytes, &FINDER, frame_length, visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        Zstd.unwrap(bytes, span, room)
    }
}

/// What the frames hold, until the room is full or a fault comes, and whether there is more.
fn frames(bytes: &[u8], room: usize) -> (Vec<u8>, bool) {
    let (mut rest, mut out) = (bytes, Vec::new());
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    while !rest.is_empty() {
        match decoder.reset(&mut rest) {
            Ok(()) => match blocks(&mut decoder, &mut rest, &mut out, room) {
                Some(true) => {}
                Some(false) => return (out, true),
                None => break,
            },
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                rest = rest.get(length as usize..).unwrap_or_default();
            }
            Err(_) => break,
        }
    }
    (out, false)
}

/// Decodes one frame: true at its end, false where the room is full, `None` after a fault.
fn blocks(decoder: &mut FrameDecoder, rest: &mut &[u8], out: &mut Vec<u8>, room: usize) -> Option<bool> {
    let mut buffer = vec![0; PIECE];
    loop {
        let finished = decoder.decode_blocks(&mut *rest, BlockDecodingStrategy::UptoBlocks(1)).ok();
        if finished.is_none() {
            let _ = decoder.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::All);
        }
        while let Ok(length @ 1..) = decoder.read(&mut buffer) {
            out.extend_from_slice(buffer.get(..length)?);
            if out.len() > room {
                out.truncate(room);
                return Some(false);
            }
        }
        if finished? {
            return Some(true);
        }
    }
}

/// The length of the frame at the start of the bytes (sections 3.1.1.1 and 3.1.1.2).
fn frame_length(frame: &[u8], steps: &mut usize) -> Option<usize> {
    let descriptor = *frame.get(4)?;
    let single = descriptor >> 5 & 1;
    let content_size = match descriptor >> 6 {
        0 => usize::from(single),
        flag => 1 << flag,
    };
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    if descriptor & 0x08 != 0 {
        return None;
    }
    let mut at = 5 + usize::from(1 - single) + dictionary + content_size;
    loop {
        *steps = steps.checked_sub(1)?;
        let [a, b, c] = *frame.get(at..)?.first_chunk::<3>()?;
        let header = u32::from_le_bytes([a, b, c, 0]);
        let size = (header >> 3) as usize;
        at += 3 + match header >> 1 & 3 {
            0 | 2 if size <= 128 << 10 => size,
            1 => 1,
            _ => return None,
        };
        if header & 1 == 1 {
            at += if descriptor & 4 == 0 { 0 } else { 4 };
            return (at <= frame.len()).then_some(at);
        }
    }
}

/// Compresses into one frame.
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn embedded(bytes: &[u8]) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        EmbeddedZstd.find(bytes, &Marks::default(), &mut |span| spans.push(span));
        spans
    }

    #[test]
    fn two_frames_from_the_start_and_what_came_before_a_cut() {
        let two = [wrap(b"one "), wrap(b"two")].concat();
        assert_eq!(Zstd.unwrap(&two, 0..two.len(), 100).unwrap().bytes, b"one two");
        let text: Vec<u8> = (0..60_000u32).flat_map(|n| format!("{n},").into_bytes()).collect();
        let cut = wrap(&text);
        let found = Zstd.unwrap(&cut, 0..cut.len() / 2, 1 << 20).unwrap();
        assert!(found.bytes.len() > 1000 && text.starts_with(&found.bytes));
    }

    #[test]
    fn a_bomb_stops_at_the_room() {
        let bomb = wrap(&vec![0; 4 << 20]);
        let found = Zstd.unwrap(&bomb, 0..bomb.len(), 1000).unwrap();
        assert_eq!((found.bytes.len(), found.cut), (1000, true));
    }

    #[test]
    fn a_body_of_headers_takes_few_steps() {
        let body = [&MAGIC[..], &[0x20, 0, 2, 0, 0]].concat().repeat(100_000);
        embedded(&body);
        let frames = [&MAGIC[..], &[0x20, 0, 1, 0, 0]].concat().repeat(100_000);
        assert!(embedded(&frames).len() < 20_000);
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_wherever_the_frame_lies(
            bytes in proptest::collection::vec(any::<u8>(), 1..2000),
            before in proptest::collection::vec(0..0x20u8, 1..40),
        ) {
            let frame = wrap(&bytes);
            let found = Zstd.unwrap(&frame, 0..frame.len(), 1 << 20).unwrap();
            prop_assert_eq!((found.bytes, found.map), (bytes, Map::Whole(0..frame.len())));
            let body = [&before[..], &frame, b"behind"].concat();
            prop_assert_eq!(embedded(&body), vec![Range { start: before.len(), end: before.len() + frame.len() }]);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let body = [&MAGIC[..], &bytes].concat();
            embedded(&body);
            Zstd.unwrap(&body, 0..body.len(), 1 << 16);
        }
    }
}
