//! The first picture of an AV1 stream, in brightness alone (AV1 Bitstream & Decoding Process Specification, version 1.0.0 with
//! errata 1), as AVIF files have it: a key frame, which needs no other picture. Colours are read over: nothing of brightness
//! depends on them.
//!
//! Decoded are all depths, subsamplings and monochrome, up to the deblocking filter. What comes after it hardly changes what is seen
//! (by half a level of 255 in the mean) and takes as long as all the rest: directional enhancement, loop restoration, film grain.
//! Refused: pictures that are stored narrower than they are (`superres`).

#![allow(
    clippy::struct_excessive_bools,
    clippy::similar_names,
    clippy::many_single_char_names,
    reason = "headers are flags, and levels and rows are what the specification calls them"
)]

mod bits;
mod block;
mod copies;
mod deblock;
mod header;
mod kinds;
mod modes;
mod notes;
mod palette;
mod plane;
mod predict;
mod probabilities;
mod reconstruct;
mod residual;
mod symbols;
mod tables;
mod tile;
mod transform;
mod weights;

use super::Unreadable;
use bits::Bits;
use copies::Motions;
use header::{Frame, Sequence};
use notes::Notes;
use plane::Plane;
use tile::{Canvas, Tile};
use weights::Weights;

/// Units of a stream that are looked at: a picture has a few, and as many as tiles at most.
const UNITS: usize = 4200;

/// A decoded picture.
pub(super) struct Decoded {
    plane: Plane,
    width: usize,
    pub(super) depth: u32,
    pub(super) is_full_range: bool,
}

impl Decoded {
    /// The samples of a row.
    pub(super) fn row(&self, y: usize) -> &[u16] {
        self.plane.run(0, y, self.width)
    }
}

/// What the format allows and is not read here.
fn refused() -> Unreadable {
    Unreadable::Damaged
}

/// Bytes that are held for a picture of this size: samples, and what is noted of each block of 4 by 4 pixels, up to 20.
pub(super) fn memory((width, height): (usize, usize)) -> usize {
    let samples = width.saturating_add(128).saturating_mul(height.saturating_add(128));
    samples.saturating_mul(2).saturating_add(samples.div_ceil(16).saturating_mul(20))
}

/// Decodes the first picture of a stream, where it has the size that was allowed for.
pub(super) fn first_picture(stream: &[u8], size: (usize, usize)) -> Result<Decoded, Unreadable> {
    let mut sequence: Option<Sequence> = None;
    let mut picture: Option<Picture> = None;
    for unit in Units(stream).take(UNITS) {
        match unit.kind {
            1 if sequence.is_none() => sequence = Some(Sequence::read(unit.data)?),
            3 | 6 if picture.is_none() => {
                let sequence = sequence.take().ok_or(Unreadable::Damaged)?;
                let (frame, rest) = Frame::read(unit.data, &sequence)?;
                if (frame.width, frame.height) != size {
                    return Err(if frame.width > size.0 || frame.height > size.1 {
                        Unreadable::TooLarge
                    } else {
                        Unreadable::Damaged
                    });
                }
                let mut begun = Picture::new(sequence, frame);
                if unit.kind == 6 {
                    begun.tiles(rest)?;
                }
                picture = Some(begun);
            }
            4 => picture.as_mut().ok_or(Unreadable::Damaged)?.tiles(unit.data)?,
            _ => {}
        }
        if let Some(picture) = picture.take_if(|picture| picture.is_complete()) {
            return Ok(picture.finish());
        }
    }
    Err(Unreadable::Damaged)
}

/// Open bitstream units (section 5.3).
struct Units<'a>(&'a [u8]);

struct Unit<'a> {
    kind: u8,
    data: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = Unit<'a>;

    fn next(&mut self) -> Option<Unit<'a>> {
        let (head, mut rest) = self.0.split_first()?;
        if head & 4 != 0 {
            rest = rest.get(1..)?;
        }
        let mut length = rest.len();
        if head & 2 != 0 {
            (length, rest) = length_of(rest)?;
        }
        let (data, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Unit { kind: head >> 3 & 15, data })
    }
}

/// `leb128()`.
fn length_of(data: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_u64;
    for (at, byte) in data.iter().enumerate().take(8) {
        length |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(length).ok()?, data.get(at + 1..)?));
        }
    }
    None
}

/// A picture whose tiles come.
struct Picture {
    sequence: Sequence,
    frame: Frame,
    canvas: Canvas,
    weights: Weights,
    /// Tiles that came, in their order.
    came: usize,
}

impl Picture {
    fn new(sequence: Sequence, frame: Frame) -> Self {
        let (rows, columns) = (frame.block_rows(), frame.block_columns());
        // Transforms may stand out of the picture, but not out of a superblock.
        let plane = Plane::new((4 * columns).next_multiple_of(128), (4 * rows).next_multiple_of(128));
        let motions = frame.copies.then(|| Motions::new(rows, columns));
        let canvas = Canvas { plane, notes: Notes::new(rows, columns), motions };
        Self { sequence, frame, canvas, weights: Weights::new(), came: 0 }
    }

    fn count(&self) -> (usize, usize) {
        (self.frame.rows.len() - 1, self.frame.columns.len() - 1)
    }

    fn is_complete(&self) -> bool {
        let (rows, columns) = self.count();
        self.came == rows * columns
    }

    /// `tile_group_obu` (section 5.11.1).
    fn tiles(&mut self, data: &[u8]) -> Result<(), Unreadable> {
        let (rows, columns) = self.count();
        let mut bits = Bits::new(data);
        let (mut first, mut last) = (0, rows * columns - 1);
        if rows * columns > 1 && bits.flag() {
            first = bits.take(self.frame.tile_bits) as usize;
            last = bits.take(self.frame.tile_bits) as usize;
        }
        if first != self.came || last < first || last >= rows * columns {
            return Err(Unreadable::Damaged);
        }
        let mut rest = bits.rest();
        for index in first..=last {
            let tile;
            (tile, rest) =
                if index == last { (rest, &rest[..0]) } else { self.cut(rest).ok_or(Unreadable::Damaged)? };
            let place = (index / columns, index % columns);
            Tile::new((&self.sequence, &self.frame), &mut self.canvas, &self.weights, tile, place).decode()?;
        }
        self.came = last + 1;
        Ok(())
    }

    /// A tile with its length, and what is behind it.
    fn cut<'a>(&self, data: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (length, rest) = data.split_at_checked(self.frame.tile_size_bytes)?;
        let length = length.iter().rev().fold(0_usize, |all, byte| all << 8 | usize::from(*byte)) + 1;
        rest.split_at_checked(length)
    }

    fn finish(mut self) -> Decoded {
        let depth = self.sequence.depth;
        deblock::deblock(&mut self.canvas.plane, &self.canvas.notes, &self.frame, depth);
        Decoded { plane: self.canvas.plane, width: self.frame.width, depth, is_full_range: self.sequence.is_full_range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Limits, decode};
    use proptest::prelude::*;

    /// Pictures of all encoders, of 64 by 64 pixels and more.
    const SEEDS: [&str; 10] =
        ["colour", "grey", "turned", "tiles", "matrices", "changes", "deep", "svt", "palette", "copied"];

    fn seed(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/pictures_decode/");
        std::fs::read(format!("{folder}{name}.avif")).unwrap()
    }

    #[test]
    fn units_that_lie_about_their_length_end_the_stream() {
        assert_eq!(Units(&[0x12, 0, 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1]).count(), 1);
        assert_eq!(Units(&[0x12; 1]).count(), 0);
        assert_eq!(first_picture(&[0x12, 0].repeat(1 << 16), (64, 64)).err(), Some(Unreadable::Damaged));
    }

    /// That another decoder gives the same samples is in `tests/files.rs`.
    #[test]
    fn the_seeds_have_what_they_are_named_after() {
        let frame = |name: &str| {
            let file = seed(name);
            let heif = heifer_isobmff::HeifFile::parse(&file).unwrap();
            let stream = heif.item_data(heif.primary_id).unwrap();
            let unit = |kinds: [u8; 2]| Units(&stream).find(|unit| kinds.contains(&unit.kind)).unwrap();
            let sequence = Sequence::read(unit([1, 1]).data).unwrap();
            (Frame::read(unit([3, 6]).data, &sequence).unwrap().0, sequence)
        };
        assert!(frame("matrices").0.matrix_of(0).is_some());
        assert!(frame("changes").0.quantiser_shift.is_some() && frame("changes").0.filter_shift.is_some());
        assert!(frame("deep").0.has_segments() && frame("deep").1.depth == 10);
        assert!(frame("palette").0.has_screen_content && !frame("palette").0.copies);
        assert!(frame("copied").0.copies);
        assert!(frame("grey").1.is_monochrome && frame("grey").0.is_lossless(0));
        assert!(!frame("limited").1.is_full_range);
    }

    #[test]
    fn a_picture_without_its_data_ends_soon() {
        // The header of a large picture, and nothing of its tile.
        let file = seed("svt");
        let mut cut = file.clone();
        cut.truncate(file.len() - file.len() / 2);
        assert!(decode(&cut, &Limits::default()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn damage_is_told_and_panics_nowhere(
            which in 0..SEEDS.len(),
            flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            let mut file = seed(SEEDS[which]);
            for (at, value) in flips {
                let at = at.index(file.len());
                file[at] ^= value;
            }
            // Not through the decoder of files, which catches panics.
            let Ok(heif) = heifer_isobmff::HeifFile::parse(&file) else { return Ok(()) };
            for item in 1..4 {
                let (Ok(stream), Ok(Some(size))) = (heif.item_data(item), heif.image_size(item)) else { continue };
                let size = (size.0 as usize, size.1 as usize);
                if size.0.saturating_mul(size.1) > 1 << 16 {
                    continue;
                }
                if let Ok(decoded) = first_picture(&stream, size) {
                    let is_sample = |sample: &u16| sample >> decoded.depth == 0;
                    prop_assert!((0..size.1).all(|y| decoded.row(y).iter().all(is_sample)));
                }
            }
        }
    }
}
