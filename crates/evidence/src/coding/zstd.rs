//! Zstandard (RFC 8878): frames and skippable frames one after another.

use super::stream::{End, PIECE, Source, Target};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::Read as _;

/// The largest window accepted, in bytes. HTTP allows 8 MiB (RFC 9659); some servers send more.
const WINDOW: u64 = 32 << 20;

/// An empty last block and room for a checksum, which this decoder does not compare: ends a frame
/// that was cut short, so that the decoder gives up the window it holds back.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Bytes behind the last frame that start no other are ignored.
pub(super) fn zstd(source: &mut Source<'_>, target: &mut Target) -> (End, bool) {
    let mut recognised = false;
    while starts_frame(source) {
        recognised = true;
        let end = frame(source, target);
        if end != End::Complete {
            return (end, true);
        }
    }
    (if recognised { End::Complete } else { End::Corrupt }, recognised)
}

fn starts_frame(source: &Source<'_>) -> bool {
    source.peek().map(u32::from_le_bytes).is_some_and(|magic| magic == 0xfd2f_b528 || magic & !0xf == 0x184d_2a50)
}

fn frame(source: &mut Source<'_>, target: &mut Target) -> End {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    match decoder.init(&mut *source) {
        Ok(()) => blocks(&mut decoder, source, target),
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
            source.advance(length as usize);
            End::Complete
        }
        Err(_) => End::Corrupt,
    }
}

fn blocks(decoder: &mut FrameDecoder, source: &mut Source<'_>, target: &mut Target) -> End {
    let mut buffer = vec![0; PIECE];
    loop {
        let finished = decoder.decode_blocks(&mut *source, BlockDecodingStrategy::UptoBlocks(1));
        let end = match finished {
            Ok(true) => Some(End::Complete),
            Ok(false) => None,
            Err(_) => Some(broken(decoder, source)),
        };
        while let Ok(length @ 1..) = decoder.read(&mut buffer) {
            if !target.push(buffer.get(..length).unwrap_or_default(), source.consumed()) {
                return End::Full;
            }
        }
        if let Some(end) = end {
            return end;
        }
    }
}

/// Ends the frame after a fault and says which one it was.
fn broken(decoder: &mut FrameDecoder, source: &Source<'_>) -> End {
    let _ = decoder.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::All);
    if source.left() == 0 { End::Truncated } else { End::Corrupt }
}
