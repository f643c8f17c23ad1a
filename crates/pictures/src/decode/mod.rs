//! Picture files into brightness. What a file is, its first bytes say; its name is not asked.

#[cfg(feature = "avif")]
mod av1;
mod bmp;
mod gif;
#[cfg(any(feature = "heif", feature = "avif"))]
mod heif;
#[cfg(feature = "heif")]
mod hevc;
mod jpeg;
mod png;
mod webp;

use crate::exif::{exif, upright};
use crate::luma::{Luma, Shrinker, factor_for};
use std::cell::Cell;

/// What one file may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pixels that a file may say it has.
    pub pixels: u64,
    /// Bytes that a decoder may hold.
    pub memory: usize,
}

impl Default for Limits {
    /// 100 megapixels, 256 MiB.
    fn default() -> Self {
        Self { pixels: 100_000_000, memory: 256 << 20 }
    }
}

/// Longest side of a picture that is read: what JPEG can say.
const LONGEST_SIDE: usize = 65_535;

/// The limits of one file, and how many pixels were decoded of it.
struct Allowance {
    limits: Limits,
    pixels: Cell<u64>,
}

impl Allowance {
    fn of(limits: Limits) -> Self {
        Self { limits, pixels: Cell::new(0) }
    }

    /// Charges a size that is not refused.
    fn check(&self, width: usize, height: usize) -> Result<(), Unreadable> {
        self.refuse(width, height)?;
        let pixels = (width as u64).saturating_mul(height as u64);
        self.pixels.set(self.pixels.get().saturating_add(pixels));
        Ok(())
    }

    /// Refuses sizes that are no picture's, before anything is allocated for them.
    fn refuse(&self, width: usize, height: usize) -> Result<(), Unreadable> {
        if width == 0 || height == 0 {
            return Err(Unreadable::Damaged);
        }
        let pixels = (width as u64).saturating_mul(height as u64);
        if pixels > self.limits.pixels || width.max(height) > LONGEST_SIDE {
            return Err(Unreadable::TooLarge);
        }
        Ok(())
    }

    /// Takes back what was charged for rows that did not come and cost nothing.
    fn give_back(&self, width: usize, rows: usize) {
        let pixels = (width as u64).saturating_mul(rows as u64);
        self.pixels.set(self.pixels.get().saturating_sub(pixels));
    }

    /// Refuses what would be held in memory all at once.
    fn check_memory(&self, bytes: usize) -> Result<(), Unreadable> {
        if bytes > self.limits.memory { Err(Unreadable::TooLarge) } else { Ok(()) }
    }
}

/// Why a file was not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// Its first bytes are those of no format that is read here.
    NotAPicture,
    /// It says it has more pixels, or would take more memory, than [`Limits`] allow, or a side longer than 65,535 pixels.
    TooLarge,
    /// It ends before half of its rows, contradicts its format, or is coded in a way of it that is not read.
    Damaged,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::NotAPicture => "not a picture of a known format",
            Self::TooLarge => "the picture is larger than the limits allow",
            Self::Damaged => "the picture is damaged",
        })
    }
}

impl std::error::Error for Unreadable {}

/// A picture format that is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// ITU-T T.81, baseline and progressive.
    Jpeg,
    /// ISO/IEC 15948.
    Png,
    /// RFC 9649.
    WebP,
    /// GIF87a and GIF89a: the first frame.
    Gif,
    /// Windows bitmaps without compression.
    Bmp,
    /// ISO/IEC 23008-12 with HEVC, where the feature `heif` is, and with AV1 (AVIF), where `avif` is.
    Heif,
}

impl Format {
    /// The format that a file's first bytes are of.
    pub fn of(file: &[u8]) -> Option<Self> {
        match file {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'B', b'M', _, _, _, _, _, _, _, _, _, _, _, _, 40 | 52 | 56 | 108 | 124, 0, 0, 0, ..] => Some(Self::Bmp),
            _ if is_heif(file) => Some(Self::Heif),
            _ => None,
        }
    }
}

/// Whether a file says that it is HEIF of a kind that is read here (ISO/IEC 23008-12, annex B.4; AV1 Image File Format,
/// section 8). What is in it may be coded otherwise.
fn is_heif(file: &[u8]) -> bool {
    const EITHER: [&[u8]; 2] = [b"mif1", b"mif2"];
    const HEVC: [&[u8]; 2] = [b"heic", b"heix"];
    const AV1: [&[u8]; 1] = [b"avif"];
    let (hevc, av1) = (cfg!(feature = "heif"), cfg!(feature = "avif"));
    file.get(4..8) == Some(b"ftyp")
        && file.get(8..12).is_some_and(|brand| {
            (hevc || av1) && EITHER.contains(&brand) || hevc && HEVC.contains(&brand) || av1 && AV1.contains(&brand)
        })
}

/// The brightness of a picture file, upright (as its EXIF orientation says) and at working size.
pub fn decode(file: &[u8], limits: &Limits) -> Result<Luma, Unreadable> {
    decode_counted(file, limits).0
}

/// The same, and how many pixels were decoded for it: also of a file that turned out to be damaged.
pub fn decode_counted(file: &[u8], limits: &Limits) -> (Result<Luma, Unreadable>, u64) {
    let allowance = Allowance::of(*limits);
    let luma = decode_within(file, &allowance);
    (luma, allowance.pixels.get())
}

fn decode_within(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    let luma = match Format::of(file).ok_or(Unreadable::NotAPicture)? {
        Format::Jpeg => jpeg::decode(file, limits),
        Format::Png => png::decode(file, limits),
        Format::WebP => webp::decode(file, limits),
        Format::Gif => gif::decode(file, limits),
        Format::Bmp => bmp::decode(file, limits),
        #[cfg(any(feature = "heif", feature = "avif"))]
        Format::Heif => return heif::decode(file, limits),
        #[cfg(not(any(feature = "heif", feature = "avif")))]
        Format::Heif => return Err(Unreadable::NotAPicture),
    }?;
    Ok(upright(luma, exif(file).and_then(|notes| notes.orientation).unwrap_or(1)))
}

/// Brightness of a colour (ITU-R BT.601), as JPEG has it.
fn brightness(red: u8, green: u8, blue: u8) -> u8 {
    ((19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue) + 32_768) >> 16) as u8
}

/// Takes rows as they are decoded and keeps a picture of working size.
struct Rows {
    width: usize,
    height: usize,
    came: usize,
    shrinker: Option<Shrinker>,
    pixels: Vec<u8>,
    line: Vec<u8>,
}

impl Rows {
    fn new(width: usize, height: usize) -> Self {
        let shrinker = (factor_for(width, height) > 1).then(|| Shrinker::new(width, height));
        Self { width, height, came: 0, shrinker, pixels: Vec::new(), line: Vec::with_capacity(width) }
    }

    /// The next row, `channels` bytes a pixel: brightness, brightness and opacity, colours, or colours and opacity.
    /// What lies behind a transparent pixel is not known; its colour is taken as it is written.
    fn push(&mut self, row: &[u8], channels: usize) {
        self.line.clear();
        match channels {
            1 => self.line.extend_from_slice(row),
            2 => self.line.extend(row.iter().step_by(2)),
            _ => self.line.extend(row.chunks_exact(channels.max(1)).map(|pixel| match pixel {
                [red, green, blue, ..] => brightness(*red, *green, *blue),
                _ => 0,
            })),
        }
        self.line.resize(self.width, 0);
        self.came += 1;
        match &mut self.shrinker {
            Some(shrinker) => shrinker.push(&self.line),
            None => self.pixels.extend_from_slice(&self.line),
        }
    }

    /// The picture; rows that did not come are grey. [`Unreadable::Damaged`] where those are more than half.
    fn finish(mut self) -> Result<Luma, Unreadable> {
        if self.came * 2 < self.height || self.came == 0 {
            return Err(Unreadable::Damaged);
        }
        let picture = if let Some(shrinker) = self.shrinker {
            shrinker.finish()
        } else {
            self.pixels.resize(self.width * self.height, 128);
            Luma::new(self.width, self.height, self.pixels)
        };
        picture.ok_or(Unreadable::Damaged)
    }
}

/// All rows of a decoded picture.
fn from_pixels(width: usize, height: usize, channels: usize, pixels: &[u8]) -> Result<Luma, Unreadable> {
    let mut rows = Rows::new(width, height);
    let length = width.checked_mul(channels).filter(|length| *length > 0).ok_or(Unreadable::TooLarge)?;
    for row in pixels.chunks_exact(length).take(height) {
        rows.push(row, channels);
    }
    rows.finish()
}
