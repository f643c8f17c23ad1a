//! Snappy: the framing format by its magic, and bare blocks whose length comes out exactly.

use super::content::varint;
use super::lz4::Output;
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use crate::map::Map;
use std::ops::Range;

/// The framing format.
pub(crate) struct Framed;
/// A bare block.
pub(crate) struct Block;

/// Its row in the table.
pub(crate) const ABOUT: About = About {
    name: "snappy",
    undoes: "the framing format; bare blocks",
    place: "a whole body or field",
    exact: false,
    source: "Snappy framing format, 2015-10-14; Snappy compressed format description",
};

const MAGIC: &[u8] = b"\xff\x06\x00\x00sNaPpY";
/// A bare block proves itself by its length alone, so that must not be tiny.
const SHORTEST: usize = 8;
/// Three bytes of a block stand for at most 64 decoded ones.
const HIGHEST_RATIO: usize = 22;

impl Codec for Framed {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        if bytes.starts_with(MAGIC) {
            visit(0..bytes.len());
        }
    }

    /// What came before a fault or a cut is kept.
    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let mut rest = bytes.get(span.clone())?.strip_prefix(MAGIC)?;
        let mut out = Output { bytes: Vec::new(), room, window: 0, cut: false };
        while let Some(([kind, a, b, c], after)) = rest.split_first_chunk() {
            let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
            let (chunk, after) = after.split_at(length.min(after.len()));
            // A masked CRC-32C stands before the data.
            let data = chunk.get(4..).unwrap_or_default();
            out.window = out.bytes.len();
            let whole = match kind {
                0 => varint(data).and_then(|(_, block)| unpack(block, &mut out)),
                1 => out.literal(data),
                0x80.. => Some(()),
                _ => None,
            };
            if whole.is_none() {
                break;
            }
            rest = after;
        }
        (!out.bytes.is_empty()).then(|| Unwrapped { cut: out.cut, ..Unwrapped::new(out.bytes, Map::Whole(span)) })
    }
}

impl Codec for Block {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        if believable(bytes).is_some() {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let (length, block) = believable(bytes.get(span.clone())?)?;
        let mut out = Output { bytes: Vec::new(), room: room.min(length), window: 0, cut: false };
        let whole = unpack(block, &mut out);
        let cut = out.cut && room < length;
        let right = cut || (whole.is_some() && out.bytes.len() == length);
        right.then(|| Unwrapped { cut, ..Unwrapped::new(out.bytes, Map::Whole(span)) })
    }
}

/// True where the bytes may be a bare block.
pub(super) fn may_be_block(bytes: &[u8]) -> bool {
    believable(bytes).is_some()
}

/// The promised length and the block, where a compressor could have made the one of the other: it
/// adds at most a sixth and 32 bytes, and begins with a literal.
fn believable(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, block) = varint(bytes)?;
    let length = usize::try_from(length).ok()?;
    let fits = length >= SHORTEST && length / HIGHEST_RATIO <= block.len() && block.len() <= length + length / 6 + 32;
    (fits && block.first()?.is_multiple_of(4)).then_some((length, block))
}

/// Decodes one block without its length; `None` where it is broken or the room is full.
fn unpack(block: &[u8], out: &mut Output) -> Option<()> {
    let mut rest = block;
    while let Some((tag, after)) = rest.split_first() {
        let high = usize::from(tag >> 2);
        let number = |width: usize| {
            let bytes = after.get(..width)?;
            Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
        };
        rest = match tag & 3 {
            0 => {
                let width = high.saturating_sub(59);
                let length = if width == 0 { high } else { number(width)? } + 1;
                let (literal, after) = after.get(width..)?.split_at_checked(length)?;
                out.literal(literal)?;
                after
            }
            1 => {
                out.copy((high >> 3) << 8 | number(1)?, 4 + (high & 7))?;
                after.get(1..)?
            }
            kind => {
                let width = usize::from(kind) * 2 - 2;
                out.copy(number(width)?, high + 1)?;
                after.get(width..)?
            }
        };
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn framed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.into_inner().unwrap()
    }

    fn undo(codec: &dyn Codec, bytes: &[u8], room: usize) -> Option<Unwrapped> {
        let mut span = None;
        codec.find(bytes, &Marks::default(), &mut |found| span = Some(found));
        codec.unwrap(bytes, span?, room)
    }

    #[test]
    fn a_bomb_stops_at_the_room() {
        let zeros = vec![0; 1 << 20];
        for (codec, bomb) in
            [(&Block as &dyn Codec, snap::raw::Encoder::new().compress_vec(&zeros).unwrap()), (&Framed, framed(&zeros))]
        {
            let found = undo(codec, &bomb, 1000).unwrap();
            assert_eq!((found.bytes.len(), found.cut), (1000, true));
        }
    }

    #[test]
    fn the_length_must_come_out_exactly() {
        let mut block = snap::raw::Encoder::new().compress_vec(b"some text of thirty-one letters").unwrap();
        assert!(undo(&Block, &block, 1000).is_some());
        block[0] += 1;
        assert_eq!(undo(&Block, &block, 1000), None);
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(words in proptest::collection::vec("[a-f]{1,9}", 8..400), times in 1usize..60) {
            let text = words.concat().repeat(times).into_bytes();
            let block = snap::raw::Encoder::new().compress_vec(&text).unwrap();
            prop_assert!(undo(&Block, &block, 1 << 20).unwrap().bytes == text);
            prop_assert!(undo(&Framed, &framed(&text), 1 << 20).unwrap().bytes == text);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), first in 8..0x80u8) {
            undo(&Block, &[&[first, 0][..], &bytes].concat(), 1 << 16);
            undo(&Framed, &[MAGIC, &[0, 40, 0, 0], &bytes].concat(), 1 << 16);
        }
    }
}
