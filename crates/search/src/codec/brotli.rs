//! Brotli (RFC 7932) that fills the bytes. It has no magic number, so its first block must be
//! plausible, its end must be that of the bytes, and what comes out must look like content.

use super::content::looks_like_content;
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use crate::map::Map;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use std::ops::Range;

/// A brotli stream.
pub(crate) struct Brotli;

/// Its row in the table.
pub(crate) const ABOUT: About = About {
    name: "brotli",
    undoes: "brotli without the large-window extension, ended exactly where the bytes end",
    place: "a whole body or field",
    exact: false,
    source: "RFC 7932",
};

/// Shortest stream worth trying.
const SHORTEST: usize = 6;
/// Bytes that are looked at to tell text from a stream.
const LOOKED_AT: usize = 16;
/// Bytes decoded at a time.
const PIECE: usize = 32 << 10;
/// What a first block may promise for each byte of the stream: a run of one byte reaches ten
/// thousand.
const HIGHEST_RATIO: usize = 1 << 15;

/// Streams shorter than this are one block, or one and an empty last one.
const LONGEST_SINGLE_BLOCK: usize = 4096;
/// An empty last block.
const LAST_AND_EMPTY: u8 = 3;
/// A short stream has no room to repeat much.
const SHORT: usize = 256;
const HIGHEST_RATIO_OF_SHORT: usize = 64;
/// Bytes that a compressor may add.
const OVERHEAD: usize = 24;

impl Codec for Brotli {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        if may_be(bytes) {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let (out, cut) = decompress(bytes.get(span.clone())?, room)?;
        looks_like_content(&out).then(|| Unwrapped { cut, ..Unwrapped::new(out, Map::Whole(span)) })
    }
}

/// True where the bytes may be a stream.
pub(super) fn may_be(bytes: &[u8]) -> bool {
    let is_text = || bytes.iter().take(LOOKED_AT).all(|byte| (b' '..0x7f).contains(byte));
    bytes.len() >= SHORTEST && begins(bytes).unwrap_or(false) && !is_text()
}

/// What the first byte of a stream tells.
pub(super) enum Begins {
    /// No stream.
    Nothing,
    /// One block, perhaps.
    OneBlock,
    /// More blocks than one, perhaps.
    Several,
}

/// What of [`begins`] the first byte tells.
pub(super) const fn by_first(first: u8) -> Begins {
    let after_window = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, ..) => 1,
        (_, 0, 1) => return Begins::Nothing,
        (_, 0, _) => 7,
        _ => 4,
    };
    match first >> after_window & 3 {
        0b11 => Begins::Nothing,
        0b01 => Begins::OneBlock,
        _ => Begins::Several,
    }
}

/// False where a stream that begins so would be one block.
pub(super) fn may_have_several(bytes: &[u8]) -> bool {
    bytes.len() >= LONGEST_SINGLE_BLOCK || bytes.last() == Some(&LAST_AND_EMPTY)
}

/// The bytes, and whether there are more; `None` where the stream is broken or does not end with
/// the bytes.
fn decompress(stream: &[u8], room: usize) -> Option<(Vec<u8>, bool)> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut buffer = vec![0; PIECE.min(room.saturating_add(1))];
    let (mut out, mut total) = (Vec::new(), 0);
    let (mut available, mut consumed) = (stream.len(), 0);
    loop {
        let (mut free, mut produced) = (buffer.len(), 0);
        let result = BrotliDecompressStream(
            &mut available,
            &mut consumed,
            stream,
            &mut free,
            &mut produced,
            &mut buffer,
            &mut total,
            &mut state,
        );
        out.extend_from_slice(buffer.get(..produced)?);
        if out.len() > room {
            out.truncate(room);
            return Some((out, true));
        }
        match result {
            BrotliResult::ResultSuccess => return (available == 0).then_some((out, false)),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure | BrotliResult::NeedsMoreInput => return None,
        }
    }
}

/// Sections 9.1 and 9.2: whether a stream may begin so. `None` where the bytes end first.
fn begins(bytes: &[u8]) -> Option<bool> {
    let word = u64::from_le_bytes(*bytes.first_chunk::<8>().unwrap_or(&padded(bytes)));
    let after_window = match (word & 1, word >> 1 & 7, word >> 4 & 7) {
        (0, ..) => 1,
        (_, 0, 1) => return Some(false),
        (_, 0, _) => 7,
        _ => 4,
    };
    let (is_last, rest) = (word >> after_window & 1 == 1, word >> (after_window + 1));
    let rest = match (is_last, rest & 1) {
        (true, 1) => return Some(false),
        (true, _) => rest >> 1,
        (false, _) => rest,
    };
    let nibbles = 4 + (rest & 3) as u32;
    if nibbles == 7 {
        return Some(false);
    }
    let length = rest >> 2 & ((1 << (4 * nibbles)) - 1);
    // A last nibble of zero is not allowed where there are more than four.
    if nibbles > 4 && length >> (4 * (nibbles - 1)) == 0 {
        return Some(false);
    }
    let length = usize::try_from(length).ok()? + 1;
    let stored = !is_last && rest >> (2 + 4 * nibbles) & 1 == 1;
    if !is_last && !may_have_several(bytes) {
        return Some(false);
    }
    let ratio = if bytes.len() < SHORT { HIGHEST_RATIO_OF_SHORT } else { HIGHEST_RATIO };
    let shrinks = bytes.len() <= length + length / 8 + OVERHEAD;
    Some(if stored { length < bytes.len() } else { length / ratio <= bytes.len() && (!is_last || shrinks) })
}

fn padded(bytes: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    word
}

/// The bytes in uncompressed meta-blocks and an empty last one.
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bits: u64 = 0;
    let mut count = 0;
    for (index, chunk) in bytes.chunks(1 << 16).enumerate() {
        if index == 0 {
            // A window of 64 KiB is one zero bit.
            count = 1;
        }
        // Not last, four nibbles of length minus one, uncompressed.
        bits |= ((chunk.len() as u64 - 1) << 3 | 1 << 19) << count;
        count += 20;
        out.extend_from_slice(&bits.to_le_bytes()[..usize::div_ceil(count, 8)]);
        (bits, count) = (0, 0);
        out.extend_from_slice(chunk);
    }
    out.push(3);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Written by Google's encoder at qualities 1, 5 and 11.
    const KNOWN: &[(&str, &str)] = &[
        (
            "8b13807b2270686f6e65223a223133383030303030343237222c226e616d65223a22736f6d656f6e65227d03",
            r#"{"phone":"13800000427","name":"someone"}"#,
        ),
        (
            "1b27000004627394fa65c30b8aad49df4219830d38700aa4c8c61ba9ac4e8f6a192c5af9f442b87b0437e403",
            r#"{"phone":"13800000427","name":"someone"}"#,
        ),
        (
            "1b4a006005646ea97e9d90688d8d01c14990a0c2061c380418ec336e3aec80ad5f2c935337438c61a32fe573509f65ffe19d826d27612b5300",
            "the quick brown fox jumps over the lazy dog, and again: the quick brown fox",
        ),
    ];

    /// A million zeros.
    const BOMB: &str = "f4ff1ff04bc0c4638140ee7d80feff037e0980382c02d0bd0fd0ff7fc02f0110870500baf701faff0ff82500e2b00040f73e40ffff01bf04401c1600e8de07e8ff3fe0970088c30200ddfb00fdff07fc1200715800a07b1f503f42815f02200e0b00f4730200";

    fn undo(bytes: &[u8]) -> Option<Unwrapped> {
        let mut span = None;
        Brotli.find(bytes, &Marks::default(), &mut |found| span = Some(found));
        Brotli.unwrap(bytes, span?, 1 << 20)
    }

    #[test]
    fn what_the_reference_encoder_writes() {
        for (hex, text) in KNOWN {
            let found = undo(&unhex(hex)).unwrap();
            assert_eq!(String::from_utf8(found.bytes).unwrap(), *text);
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_end_must_be_the_end_and_the_room_is_kept() {
        let wrapped = wrap(b"some text that is content");
        assert!(undo(&wrapped).is_some());
        assert_eq!(undo(&[&wrapped[..], b"x"].concat()), None);
        assert_eq!(undo(&wrapped[..wrapped.len() - 1]), None);
        let bomb = unhex(BOMB);
        let found = Brotli.unwrap(&bomb, 0..bomb.len(), 1000).unwrap();
        assert_eq!((found.bytes, found.cut), (vec![b'0'; 1000], true));
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(text in "[ -~]{3,2000}") {
            prop_assert_eq!(undo(&wrap(text.as_bytes())).map(|found| found.bytes), Some(text.into_bytes()));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            undo(&bytes);
        }
    }
}
