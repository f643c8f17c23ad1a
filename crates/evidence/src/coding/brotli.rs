//! Brotli (RFC 7932), without the large-window extension, which HTTP does not allow.

use super::stream::{End, PIECE, Source, Target};
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

/// Brotli has no magic number: nothing is ever recognised for sure.
pub(super) fn brotli(source: &mut Source<'_>, target: &mut Target) -> (End, bool) {
    (decompress(source, target), false)
}

fn decompress(source: &mut Source<'_>, target: &mut Target) -> End {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut buffer = vec![0; PIECE];
    let mut total = 0;
    loop {
        let input = source.window();
        let (mut available, mut consumed) = (input.len(), 0);
        let (mut room, mut produced) = (buffer.len(), 0);
        let result = BrotliDecompressStream(
            &mut available,
            &mut consumed,
            input,
            &mut room,
            &mut produced,
            &mut buffer,
            &mut total,
            &mut state,
        );
        let at_end = input.is_empty();
        source.advance(consumed);
        if !target.push(buffer.get(..produced).unwrap_or_default(), source.consumed()) {
            return End::Full;
        }
        match result {
            BrotliResult::ResultSuccess => return End::Complete,
            BrotliResult::ResultFailure => return End::Corrupt,
            BrotliResult::NeedsMoreInput if at_end => return End::Truncated,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
    }
}
