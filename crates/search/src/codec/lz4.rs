//! LZ4: frames by their magic number, and bare blocks behind their length.

use super::table::About;
use super::{Codec, Unwrapped, embedded};
use crate::classify::Marks;
use crate::map::Map;
use memchr::memmem::Finder;
use std::ops::Range;
use std::sync::LazyLock;

/// A frame where the bytes begin.
pub(crate) struct Frame;
/// Frames further in.
pub(crate) struct EmbeddedFrame;
/// A block behind its decoded length in four bytes, lowest first, as most bindings write it.
pub(crate) struct SizedBlock;

/// Its row in the table.
pub(crate) const ABOUT: About = About {
    name: "lz4",
    undoes: "LZ4 frames without a dictionary; LZ4 blocks behind their decoded length in four bytes, lowest first",
    place: "a whole body or field; frames also anywhere in bytes that are not text",
    exact: false,
    source: "LZ4 Frame Format 1.6, LZ4 Block Format",
};

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&MAGIC));
/// Shortest sized block: the length, a token, and what a value has at least.
const SHORTEST_BLOCK: usize = 9;
/// One byte of a block stands for at most 255 decoded ones.
const HIGHEST_RATIO: usize = 255;

impl Codec for Frame {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        if Header::read(bytes).is_some() {
            visit(0..bytes.len());
        }
    }

    /// What came before a fault or a cut is kept.
    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let frame = bytes.get(span.clone())?;
        let mut out = Output { bytes: Vec::new(), room, window: 0, cut: false };
        for block in Blocks::new(frame)? {
            if !block.linked {
                out.window = out.bytes.len();
            }
            let data = frame.get(block.data.start..block.data.end.min(frame.len())).unwrap_or_default();
            let whole = if block.stored { out.literal(data) } else { unpack(data, &mut out) };
            if whole.is_none() {
                break;
            }
        }
        (!out.bytes.is_empty()).then(|| Unwrapped { cut: out.cut, ..Unwrapped::new(out.bytes, Map::Whole(span)) })
    }
}

impl Codec for EmbeddedFrame {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        embedded::frames(bytes, &FINDER, frame_length, visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        Frame.unwrap(bytes, span, room)
    }
}

impl Codec for SizedBlock {
    fn name(&self) -> &'static str {
        ABOUT.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let Some((length, block)) = bytes.split_first_chunk() else { return };
        let length = u32::from_le_bytes(*length) as usize;
        let believable =
            length > 0 && length / HIGHEST_RATIO <= block.len() && block.len() <= length + length / 255 + 16;
        if bytes.len() >= SHORTEST_BLOCK && believable {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let (length, block) = bytes.get(span.clone())?.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let mut out = Output { bytes: Vec::new(), room: room.min(length), window: 0, cut: false };
        let whole = unpack(block, &mut out);
        let cut = out.cut && room < length;
        let right = cut || (whole.is_some() && out.bytes.len() == length);
        right.then(|| Unwrapped { cut, ..Unwrapped::new(out.bytes, Map::Whole(span)) })
    }
}

/// Decoded bytes, of which copies may refer to those from `window` on.
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    pub(super) room: usize,
    pub(super) window: usize,
    /// The room did not suffice.
    pub(super) cut: bool,
}

impl Output {
    /// Appends bytes; `None` once the room is full.
    pub(super) fn literal(&mut self, bytes: &[u8]) -> Option<()> {
        let free = self.room.saturating_sub(self.bytes.len());
        self.cut |= bytes.len() > free;
        self.bytes.extend_from_slice(bytes.get(..free).unwrap_or(bytes));
        (!self.cut).then_some(())
    }

    /// Appends bytes that stand `distance` further back; `None` where there are none, or once the
    /// room is full.
    pub(super) fn copy(&mut self, distance: usize, length: usize) -> Option<()> {
        let mut from = self.bytes.len().checked_sub(distance).filter(|from| distance > 0 && *from >= self.window)?;
        let free = self.room.saturating_sub(self.bytes.len());
        self.cut |= length > free;
        let mut left = length.min(free);
        while left > 0 {
            let piece = left.min(self.bytes.len() - from);
            self.bytes.extend_from_within(from..from + piece);
            from += piece;
            left -= piece;
        }
        (!self.cut).then_some(())
    }
}

/// Decodes one block; `None` where it is broken or the room is full.
fn unpack(block: &[u8], out: &mut Output) -> Option<()> {
    let mut rest = block;
    loop {
        let (token, after) = rest.split_first()?;
        rest = after;
        let literals = length(usize::from(token >> 4), &mut rest)?;
        let (literal, after) = rest.split_at(literals.min(rest.len()));
        out.literal(literal).filter(|()| literal.len() == literals)?;
        if after.is_empty() {
            return Some(());
        }
        let (distance, after) = after.split_first_chunk()?;
        rest = after;
        let match_length = length(usize::from(token & 15), &mut rest)?;
        out.copy(usize::from(u16::from_le_bytes(*distance)), match_length.checked_add(4)?)?;
    }
}

/// A length: 15 in the token continues in further bytes, of which 255 continues again.
fn length(token: usize, rest: &mut &[u8]) -> Option<usize> {
    let mut length = token;
    if token == 15 {
        loop {
            let (more, after) = rest.split_first()?;
            *rest = after;
            length = length.checked_add(usize::from(*more))?;
            if *more != 255 {
                break;
            }
        }
    }
    Some(length)
}

/// What the beginning of a frame says.
struct Header {
    linked: bool,
    block_checksums: bool,
    content_checksum: bool,
    largest_block: usize,
    length: usize,
}

impl Header {
    fn read(frame: &[u8]) -> Option<Self> {
        let [flags, block] = *frame.strip_prefix(&MAGIC)?.first_chunk::<2>()?;
        let has = |bit: u8| flags >> bit & 1 == 1;
        let known = flags >> 6 == 1 && !has(1) && !has(0) && block & 0x8f == 0 && block >> 4 >= 4;
        known.then_some(Self {
            linked: !has(5),
            block_checksums: has(4),
            content_checksum: has(2),
            largest_block: 1 << (8 + 2 * u32::from(block >> 4)),
            length: 7 + if has(3) { 8 } else { 0 },
        })
    }
}

/// One block of a frame.
struct Block {
    data: Range<usize>,
    stored: bool,
    linked: bool,
}

/// The blocks of a frame, up to the end mark or the first that cannot be one.
struct Blocks<'f> {
    frame: &'f [u8],
    header: Header,
    at: usize,
    ended: bool,
}

impl<'f> Blocks<'f> {
    fn new(frame: &'f [u8]) -> Option<Self> {
        let header = Header::read(frame)?;
        Some(Self { frame, at: header.length, header, ended: false })
    }
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let word = u32::from_le_bytes(*self.frame.get(self.at..)?.first_chunk()?);
        let (size, start) = ((word & 0x7fff_ffff) as usize, self.at + 4);
        if word == 0 {
            self.ended = true;
            self.at = start + if self.header.content_checksum { 4 } else { 0 };
        }
        if word == 0 || size > self.header.largest_block {
            return None;
        }
        self.at = start + size + if self.header.block_checksums { 4 } else { 0 };
        Some(Block { data: start..start + size, stored: word >> 31 == 1, linked: self.header.linked })
    }
}

/// The length of a whole frame at the start of the bytes.
fn frame_length(frame: &[u8], steps: &mut usize) -> Option<usize> {
    *steps = steps.checked_sub(1)?;
    let mut blocks = Blocks::new(frame)?;
    while blocks.next().is_some() {
        *steps = steps.checked_sub(1)?;
    }
    (blocks.ended && blocks.at <= frame.len()).then_some(blocks.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
    use proptest::prelude::*;
    use std::io::Write as _;

    fn frame(bytes: &[u8], linked: bool) -> Vec<u8> {
        let mode = if linked { BlockMode::Linked } else { BlockMode::Independent };
        let info = FrameInfo::new().block_mode(mode).block_checksums(linked).content_checksum(!linked);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn sized(bytes: &[u8]) -> Option<Unwrapped> {
        let mut span = None;
        SizedBlock.find(bytes, &Marks::default(), &mut |found| span = Some(found));
        SizedBlock.unwrap(bytes, span?, 1 << 20)
    }

    fn embedded(bytes: &[u8]) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        EmbeddedFrame.find(bytes, &Marks::default(), &mut |span| spans.push(span));
        spans
    }

    #[test]
    fn a_bomb_stops_at_the_room() {
        let bomb = lz4_flex::block::compress_prepend_size(&vec![0; 1 << 20]);
        let found = SizedBlock.unwrap(&bomb, 0..bomb.len(), 1000).unwrap();
        assert_eq!((found.bytes.len(), found.cut), (1000, true));
        let bomb = frame(&vec![0; 1 << 20], false);
        let found = Frame.unwrap(&bomb, 0..bomb.len(), 1000).unwrap();
        assert_eq!((found.bytes.len(), found.cut), (1000, true));
    }

    #[test]
    fn a_body_of_headers_takes_few_steps() {
        let body = [&MAGIC[..], &[0x60, 0x40, 0, 0, 0, 0, 0]].concat().repeat(100_000);
        assert!(embedded(&body).len() < 20_000);
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(
            words in proptest::collection::vec("[a-f]{1,9}", 1..400),
            times in 1usize..60,
            before in proptest::collection::vec(5..0x20u8, 1..40),
            linked: bool,
        ) {
            let text = words.concat().repeat(times).into_bytes();
            let coded = frame(&text, linked);
            let found = Frame.unwrap(&coded, 0..coded.len(), 1 << 20).unwrap();
            prop_assert!(found.bytes == text && !found.cut);
            let body = [&before[..], &coded, b"behind"].concat();
            prop_assert_eq!(embedded(&body), vec![Range { start: before.len(), end: before.len() + coded.len() }]);
            let block = lz4_flex::block::compress_prepend_size(&text);
            prop_assert!(block.len() < SHORTEST_BLOCK || sized(&block).unwrap().bytes == text);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), length in 0..2000u32) {
            sized(&[&length.to_le_bytes()[..], &bytes].concat());
            let body = [&MAGIC[..], &[0x60, 0x40, 0], &bytes].concat();
            embedded(&body);
            Frame.unwrap(&body, 0..body.len(), 1 << 16);
        }
    }
}
