//! HEIF (ISO/IEC 23008-12) with HEVC (ITU-T H.265), as telephones write it, or with AV1 (AVIF): one coded picture, or a grid of
//! tiles. Only brightness is kept. Transparency is not looked at; collages (`iovl`) and moving pictures are not read.
//!
//! Boxes and HEVC are those of the `heifer` crates. They bound the size of a picture but not how often its slices may
//! come, nor how often items may name each other, so both are bounded here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use heifer_isobmff::boxes::{ColorInfo, Property};
use heifer_isobmff::{BoxIter, HeifFile, ItemId};

#[cfg(feature = "avif")]
use super::av1;
#[cfg(feature = "heif")]
use super::hevc;
use super::{Allowance, Rows, Unreadable};
use crate::exif::upright;
use crate::luma::Luma;

/// Bytes of the tables of items. A picture of 200 megapixels in tiles has some 40 KB; reading them takes time by their
/// square.
const LONGEST_TABLES: usize = 128 << 10;
/// The least side of a tile (ISO/IEC 23008-12 section 6.6.2.3). Smaller ones would cost far more than what they show.
const LEAST_TILE: usize = 64;
/// Bytes of parameters that come with each tile; most have some hundred.
const PARAMETERS: usize = 4096;
/// Turns that are followed; a file needs two.
const TURNS: usize = 8;

pub(super) fn decode(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    // The decoder is young; what it does not expect is damage and not our end.
    catch_unwind(AssertUnwindSafe(|| decode_unguarded(file, limits))).unwrap_or(Err(Unreadable::Damaged))
}

fn decode_unguarded(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    let has_short_tables = BoxIter::new(file)
        .map_while(Result::ok)
        .all(|found| found.header.box_type.0 != *b"meta" || found.content.len() <= LONGEST_TABLES);
    if !has_short_tables {
        return Err(Unreadable::TooLarge);
    }
    let heif = HeifFile::parse(file).map_err(damaged)?;
    let kind = heif.primary_item().map_err(damaged)?.item_type.0;
    let luma = match &kind {
        b"hvc1" | b"av01" => one(&heif, file.len(), limits),
        b"grid" => grid(&heif, file.len(), limits),
        _ => Err(Unreadable::Damaged),
    }?;
    Ok(turned(luma, &heif))
}

/// One coded picture.
fn one(heif: &HeifFile<'_>, length: usize, limits: &Allowance) -> Result<Luma, Unreadable> {
    let size = size_of(heif, heif.primary_id)?;
    limits.check(size.0, size.1)?;
    let tile = Tile::decode((heif, heif.primary_id), size, limits, &mut coded_bytes(length, 1))?;
    let mut shown = Shown::of(heif, size);
    let mut line = vec![0; size.0];
    for y in 0..size.1 {
        tile.row(y, &mut line);
        shown.push(&line);
    }
    shown.rows.finish()
}

/// Tiles of one size, row by row; those on the right and at the bottom may stand out (ISO/IEC 23008-12 section 6.6.2.3).
fn grid(heif: &HeifFile<'_>, length: usize, limits: &Allowance) -> Result<Luma, Unreadable> {
    let grid = heif.grid(heif.primary_id).map_err(damaged)?;
    let tiles = heif.referenced_items(heif.primary_id, b"dimg");
    let (columns, rows_of_tiles) = (usize::from(grid.columns), usize::from(grid.rows));
    let first = *tiles.first().ok_or(Unreadable::Damaged)?;
    if tiles.len() != columns * rows_of_tiles {
        return Err(Unreadable::Damaged);
    }
    let size = size_of(heif, first)?;
    if size.0.min(size.1) < LEAST_TILE {
        return Err(Unreadable::Damaged);
    }
    // What is decoded, not what is shown of it, is what costs.
    let whole = (size.0.saturating_mul(columns), size.1.saturating_mul(rows_of_tiles));
    limits.check(whole.0, whole.1)?;
    let (width, height) = (grid.output_width as usize, grid.output_height as usize);
    limits.refuse(width, height)?;
    if width > whole.0 || height > whole.1 {
        return Err(Unreadable::Damaged);
    }
    limits.check_memory(width.saturating_mul(size.1))?;
    let mut shown = Shown::of(heif, (width, height));
    let mut left = coded_bytes(length, tiles.len());
    let mut band = vec![0; width * size.1];
    let mut line = vec![0; size.0];
    for row_of_tiles in tiles.chunks_exact(columns) {
        for (column, tile) in row_of_tiles.iter().enumerate() {
            let from = column * size.0;
            if from >= width {
                break;
            }
            let tile = Tile::decode((heif, *tile), size, limits, &mut left)?;
            for (y, band) in band.chunks_exact_mut(width).enumerate() {
                tile.row(y, &mut line);
                let length = size.0.min(width - from);
                if let (Some(place), Some(line)) = (band.get_mut(from..from + length), line.get(..length)) {
                    place.copy_from_slice(line);
                }
            }
        }
        band.chunks_exact(width).take(height - shown.came).for_each(|line| shown.push(line));
        if shown.came == height {
            break;
        }
    }
    shown.rows.finish()
}

/// Bytes of coded pictures that are read of a file. Items may share theirs, which would otherwise be read once for each.
fn coded_bytes(length: usize, pictures: usize) -> usize {
    length.saturating_mul(2).saturating_add(pictures.saturating_mul(PARAMETERS))
}

/// What is shown of a picture: all, or what a clean aperture leaves of it (ISO/IEC 14496-12 section 12.1.4), as of
/// pictures whose sides are no multiple of a coding block.
struct Shown {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// Rows of the whole that came.
    came: usize,
    rows: Rows,
}

impl Shown {
    fn of(heif: &HeifFile<'_>, size: (usize, usize)) -> Self {
        let aperture = heif.item_properties(heif.primary_id).ok().and_then(|mut all| all.find_map(aperture));
        let ((left, width), (top, height)) = match aperture {
            Some((across, down)) => (across.of(size.0), down.of(size.1)),
            None => ((0, size.0), (0, size.1)),
        };
        Self { left, top, width, height, came: 0, rows: Rows::new(width, height) }
    }

    /// The next row of the whole.
    fn push(&mut self, line: &[u8]) {
        if (self.top..self.top + self.height).contains(&self.came) {
            self.rows.push(line.get(self.left..self.left + self.width).unwrap_or_default(), 1);
        }
        self.came += 1;
    }
}

/// A side of a clean aperture: its length, and how far its middle is from that of the picture.
struct Side {
    length: f64,
    offset: f64,
}

impl Side {
    /// Where it begins, and how long it is, on a side of the picture: at least one pixel, none beyond.
    fn of(&self, side: usize) -> (usize, usize) {
        let length = (self.length.round().clamp(1.0, side as f64)) as usize;
        let start = self.offset + (side as f64 - length as f64) / 2.0;
        ((start.round().clamp(0.0, (side - length) as f64)) as usize, length)
    }
}

fn aperture(property: &Property) -> Option<(Side, Side)> {
    let Property::CleanAperture { width, height, horiz_offset, vert_offset } = property else { return None };
    let side = |length: &(u32, u32), offset: &(i32, u32)| {
        let is_number = length.1 != 0 && offset.1 != 0;
        is_number.then(|| Side {
            length: f64::from(length.0) / f64::from(length.1),
            offset: f64::from(offset.0) / f64::from(offset.1),
        })
    };
    Some((side(width, horiz_offset)?, side(height, vert_offset)?))
}

/// The size that an item says it has.
fn size_of(heif: &HeifFile<'_>, item: ItemId) -> Result<(usize, usize), Unreadable> {
    let (width, height) = heif.image_size(item).map_err(damaged)?.ok_or(Unreadable::Damaged)?;
    if width == 0 || height == 0 { Err(Unreadable::Damaged) } else { Ok((width as usize, height as usize)) }
}

/// A coded picture.
struct Tile {
    samples: Samples,
    is_full_range: bool,
}

/// What a decoder gave.
enum Samples {
    #[cfg(feature = "heif")]
    Hevc(hevc::Frame),
    #[cfg(feature = "avif")]
    Av1(av1::Decoded),
}

impl Tile {
    /// Takes the bytes that are read from those that are left.
    fn decode(
        (heif, item): (&HeifFile<'_>, ItemId),
        size: (usize, usize),
        limits: &Allowance,
        left: &mut usize,
    ) -> Result<Self, Unreadable> {
        limits.refuse(size.0, size.1)?;
        let samples = match &heif.item(item).map_err(damaged)?.item_type.0 {
            #[cfg(feature = "heif")]
            b"hvc1" => Samples::Hevc(hevc::decode((heif, item), size, limits, left)?),
            #[cfg(feature = "avif")]
            b"av01" => {
                limits.check_memory(av1::memory(size))?;
                let stream = heif.item_data(item).map_err(damaged)?;
                *left = left.checked_sub(stream.len()).ok_or(Unreadable::TooLarge)?;
                Samples::Av1(av1::first_picture(&stream, size)?)
            }
            _ => return Err(Unreadable::Damaged),
        };
        let told = heif.item_properties(item).map_err(damaged)?.find_map(|property| match property {
            Property::Color(ColorInfo::Nclx { full_range, .. }) => Some(*full_range),
            _ => None,
        });
        Ok(Self { is_full_range: told.unwrap_or(samples.is_full_range()), samples })
    }

    /// The brightness of a row, of as many pixels as `line` has.
    fn row(&self, y: usize, line: &mut [u8]) {
        let depth = self.samples.depth().clamp(8, 16) - 8;
        for (pixel, sample) in line.iter_mut().zip(self.samples.row(y)) {
            let sample = (sample >> depth).min(255) as u8;
            *pixel = if self.is_full_range { sample } else { stretched(sample) };
        }
    }
}

impl Samples {
    fn is_full_range(&self) -> bool {
        match self {
            #[cfg(feature = "heif")]
            Self::Hevc(frame) => frame.full_range,
            #[cfg(feature = "avif")]
            Self::Av1(decoded) => decoded.is_full_range,
        }
    }

    fn depth(&self) -> u8 {
        match self {
            #[cfg(feature = "heif")]
            Self::Hevc(frame) => frame.bit_depth[0],
            #[cfg(feature = "avif")]
            Self::Av1(decoded) => decoded.depth as u8,
        }
    }

    fn row(&self, y: usize) -> &[u16] {
        match self {
            #[cfg(feature = "heif")]
            Self::Hevc(frame) => frame.planes[0].get(y * frame.widths[0] as usize..).unwrap_or_default(),
            #[cfg(feature = "avif")]
            Self::Av1(decoded) => decoded.row(y),
        }
    }
}

/// Brightness from 16 to 235, as video has it (ITU-R BT.601), from 0 to 255.
fn stretched(sample: u8) -> u8 {
    (i32::from(sample) - 16).clamp(0, 219).wrapping_mul(255).div_euclid(219) as u8
}

/// Turned and mirrored as the file says, in its order. What its EXIF says of that is meant for JPEG.
fn turned(luma: Luma, heif: &HeifFile<'_>) -> Luma {
    let Ok(properties) = heif.item_properties(heif.primary_id) else { return luma };
    let turn = |property: &Property| match property {
        Property::Rotation(1) => Some(8),
        Property::Rotation(2) => Some(3),
        Property::Rotation(3) => Some(6),
        Property::Mirror(true) => Some(4),
        Property::Mirror(false) => Some(2),
        _ => None,
    };
    properties.filter_map(turn).take(TURNS).fold(luma, upright)
}

fn damaged<E>(_: E) -> Unreadable {
    Unreadable::Damaged
}

#[cfg(all(test, feature = "heif"))]
mod tests {
    use super::*;
    use crate::decode::hevc::tests::coded;
    use crate::decode::{Limits, decode as decode_file};
    use crate::drawings::photo;
    use proptest::prelude::*;

    fn difference(left: &Luma, right: &Luma) -> f64 {
        assert_eq!((left.width(), left.height()), (right.width(), right.height()));
        let sum: u32 = left.pixels().iter().zip(right.pixels()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        f64::from(sum) / left.pixels().len() as f64
    }

    #[test]
    fn a_picture_and_a_grid_of_tiles_are_what_was_written() {
        for (width, height) in [(300, 200), (700, 530)] {
            let picture = photo(width, height, 5);
            let file = coded(&picture);
            assert_eq!(file.windows(4).any(|word| word == b"grid"), width > 512);
            let read = decode_file(&file, &Limits::default()).unwrap();
            assert!(difference(&picture, &read) < 4.0, "{}", difference(&picture, &read));
        }
    }

    #[test]
    fn what_is_decoded_is_counted_and_not_what_is_shown_of_it() {
        let file = coded(&photo(700, 530, 5));
        let just_shown = Limits { pixels: 700 * 530, ..Limits::default() };
        assert!(matches!(decode_file(&file, &just_shown), Err(Unreadable::TooLarge)), "four tiles of 512 by 512");
        let little = Limits { memory: 512 * 512, ..Limits::default() };
        assert!(matches!(decode_file(&file, &little), Err(Unreadable::TooLarge)));
    }

    #[test]
    fn bytes_that_tiles_share_are_not_read_once_for_each_of_them() {
        let mut file = coded(&photo(700, 530, 5));
        // All four tiles are the first one, and that is most of the file.
        let heif = HeifFile::parse(&file).unwrap();
        let tiles = heif.referenced_items(heif.primary_id, b"dimg").to_vec();
        let wanted: Vec<u8> = tiles.iter().flat_map(|tile| (*tile as u16).to_be_bytes()).collect();
        let at = file.windows(wanted.len()).position(|bytes| bytes == wanted).unwrap();
        let same = (tiles[0] as u16).to_be_bytes().repeat(tiles.len());
        file[at..at + same.len()].copy_from_slice(&same);
        let heif = HeifFile::parse(&file).unwrap();
        assert!(grid(&heif, file.len(), &Allowance::of(Limits::default())).is_ok());
        let one = heif.hevc_bitstream(tiles[0]).unwrap().len();
        let few = one.saturating_sub(3 * PARAMETERS) / 2;
        assert_eq!(grid(&heif, few, &Allowance::of(Limits::default())).err(), Some(Unreadable::TooLarge));
    }

    #[test]
    fn tables_that_are_too_long_are_not_read() {
        let mut file = coded(&photo(64, 64, 1));
        let meta = file.windows(4).position(|word| word == b"meta").unwrap() - 4;
        file.truncate(meta);
        file.extend(((200 << 10) as u32).to_be_bytes());
        file.extend(b"meta");
        file.resize(meta + (200 << 10), 0);
        assert!(matches!(decode_file(&file, &Limits::default()), Err(Unreadable::TooLarge)));
    }

    #[test]
    fn tiles_that_are_smaller_than_any_writers_are_not_decoded() {
        let mut file = coded(&photo(700, 530, 5));
        let size = [512_u32, 512].map(u32::to_be_bytes).concat();
        let at = file.windows(8).position(|bytes| bytes == size).unwrap();
        file[at..at + 8].copy_from_slice(&[8_u32, 8].map(u32::to_be_bytes).concat());
        let heif = HeifFile::parse(&file).unwrap();
        assert_eq!(size_of(&heif, heif.referenced_items(heif.primary_id, b"dimg")[0]).unwrap(), (8, 8));
        let allowance = Allowance::of(Limits::default());
        assert_eq!(grid(&heif, file.len(), &allowance).err(), Some(Unreadable::Damaged));
        assert_eq!(allowance.pixels.get(), 0, "none was decoded");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn damage_is_told_and_ends_nothing(cut in 0usize..4000, flips in proptest::collection::vec((0usize..4000, any::<u8>()), 0..8)) {
            let mut file = coded(&photo(80, 60, 2));
            file.truncate(file.len() - cut % file.len() / 4);
            for (at, value) in flips {
                let at = at % file.len();
                file[at] = value;
            }
            let limits = Limits { pixels: 1 << 18, memory: 16 << 20 };
            if let Ok(luma) = decode_file(&file, &limits) {
                prop_assert_eq!(luma.pixels().len(), luma.width() * luma.height());
            }
        }
    }
}
