//! What a camera wrote into a picture file: when, where, with what, and how it was held (EXIF 2.32, CIPA DC-008).
//!
//! The block is found by walking the file's own parts, and read leniently: a value that is not where it should be is
//! none, and the rest is read on.

use crate::decode::Format;
use crate::luma::Luma;
use crate::tiff::{EXIF_DIRECTORY, GPS_DIRECTORY, Tiff};
use std::ops::Range;

/// What is read of a camera's notes. Its `Debug` says which there are and none of their values: they may be planted.
#[derive(Clone, PartialEq, Default)]
pub struct Exif {
    /// When the picture was taken, as it is written: `YYYY:MM:DD HH:MM:SS`, local time.
    pub taken: Option<String>,
    /// The camera's maker.
    pub make: Option<String>,
    /// The camera.
    pub model: Option<String>,
    /// Degrees north, -90 to 90.
    pub latitude: Option<f64>,
    /// Degrees east, -180 to 180.
    pub longitude: Option<f64>,
    /// How the camera was held, 1 to 8 (tag 0x0112); 1 is upright.
    pub orientation: Option<u8>,
}

impl std::fmt::Debug for Exif {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let there = [
            ("taken", self.taken.is_some()),
            ("make", self.make.is_some()),
            ("model", self.model.is_some()),
            ("place", self.latitude.is_some() && self.longitude.is_some()),
            ("orientation", self.orientation.is_some()),
        ];
        out.debug_list().entries(there.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name)).finish()
    }
}

/// A camera's notes in a picture file. `None` where there is no such block.
pub fn exif(file: &[u8]) -> Option<Exif> {
    let tiff = Tiff::new(file.get(block(file)?)?)?;
    let main = tiff.main();
    let inner = |tag| tiff.pointed(&main, tag).unwrap_or_default();
    let (details, place) = (inner(EXIF_DIRECTORY), inner(GPS_DIRECTORY));
    let text = |directory, tag| tiff.text(directory, tag).map(|(text, _)| text);
    let degrees = |tag, letter, negative| tiff.degrees(&place, tag, letter, negative).map(|(degrees, _)| degrees);
    Some(Exif {
        taken: text(&details, 0x9003).or_else(|| text(&main, 0x0132)),
        make: text(&main, 0x010F),
        model: text(&main, 0x0110),
        latitude: degrees(2, 1, "S").filter(|degrees| degrees.abs() <= 90.0),
        longitude: degrees(4, 3, "W").filter(|degrees| degrees.abs() <= 180.0),
        orientation: tiff
            .short(&main, 0x0112)
            .and_then(|value| u8::try_from(value).ok())
            .filter(|value| (1..=8).contains(value)),
    })
}

/// A picture as it was seen: turned and mirrored as the orientation says.
pub(crate) fn upright(luma: Luma, orientation: u8) -> Luma {
    let (transposed, mirrored, flipped) = match orientation {
        2 => (false, true, false),
        3 => (false, true, true),
        4 => (false, false, true),
        5 => (true, false, false),
        6 => (true, true, false),
        7 => (true, true, true),
        8 => (true, false, true),
        _ => return luma,
    };
    laid(&luma, transposed, mirrored, flipped).unwrap_or(luma)
}

/// Transposed, then left and right exchanged, then top and bottom.
fn laid(luma: &Luma, transposed: bool, mirrored: bool, flipped: bool) -> Option<Luma> {
    let (width, height) = if transposed { (luma.height(), luma.width()) } else { (luma.width(), luma.height()) };
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        let y = if flipped { height - 1 - y } else { y };
        let pixel = |x: usize| {
            let x = if mirrored { width - 1 - x } else { x };
            let (x, y) = if transposed { (y, x) } else { (x, y) };
            luma.row(y).get(x).copied().unwrap_or_default()
        };
        pixels.extend((0..width).map(pixel));
    }
    Luma::new(width, height, pixels)
}

/// Where the TIFF structure of a camera's notes lies in a picture file.
pub(crate) fn block(file: &[u8]) -> Option<Range<usize>> {
    let found = match Format::of(file)? {
        Format::Jpeg => in_jpeg(file),
        Format::Png => in_png(file),
        Format::WebP => in_webp(file),
        Format::Gif | Format::Bmp | Format::Heif => None,
    }?;
    let headed = file.get(found.clone())?.starts_with(HEAD);
    Some(if headed { found.start + HEAD.len()..found.end } else { found })
}

const HEAD: &[u8] = b"Exif\0\0";

fn in_jpeg(file: &[u8]) -> Option<Range<usize>> {
    let mut at = 2;
    while let [0xFF, marker, high, low, ..] = file.get(at..)? {
        let length = usize::from(u16::from_be_bytes([*high, *low])).max(2);
        let segment = at + 4..at + 2 + length;
        match marker {
            0xE1 if file.get(segment.clone()).is_some_and(|segment| segment.starts_with(HEAD)) => return Some(segment),
            0xDA | 0xD9 => return None,
            _ => at = segment.end,
        }
    }
    None
}

fn in_png(file: &[u8]) -> Option<Range<usize>> {
    let mut at: usize = 8;
    while let [a, b, c, d, kind @ ..] = file.get(at..)? {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let contents = at + 8..(at + 8).checked_add(length)?;
        if kind.starts_with(b"eXIf") {
            return (contents.end <= file.len()).then_some(contents);
        }
        at = contents.end.checked_add(4)?;
    }
    None
}

fn in_webp(file: &[u8]) -> Option<Range<usize>> {
    let mut at: usize = 12;
    while let [kind @ .., a, b, c, d] = file.get(at..at.checked_add(8)?)? {
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let contents = at + 8..(at + 8).checked_add(length)?;
        if kind == b"EXIF" {
            return (contents.end <= file.len()).then_some(contents);
        }
        at = contents.end.checked_add(length % 2)?;
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tiff::LONGEST_TEXT;

    /// A TIFF block with a camera's notes, in either byte order.
    pub(crate) fn written(big: bool) -> Vec<u8> {
        let half = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let number = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut out = if big { b"MM\0\x2A".to_vec() } else { b"II\x2A\0".to_vec() };
        out.extend(number(8));
        let entry = |out: &mut Vec<u8>, tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            out.extend(half(tag));
            out.extend(half(kind));
            out.extend(number(count));
            out.extend(value);
        };
        // Main directory of five entries at 8 (66 bytes), place directory of four at 74 (54 bytes), data from 128.
        out.extend(half(5));
        entry(&mut out, 0x010F, 2, 4, *b"Abc\0");
        entry(&mut out, 0x0110, 2, 8, number(176));
        let [high, low] = half(6);
        entry(&mut out, 0x0112, 3, 1, [high, low, 0, 0]);
        entry(&mut out, 0x0132, 2, 20, number(184));
        entry(&mut out, GPS_DIRECTORY, 4, 1, number(74));
        out.extend(number(0));
        out.extend(half(4));
        entry(&mut out, 1, 2, 2, *b"S\0\0\0");
        entry(&mut out, 2, 5, 3, number(128));
        entry(&mut out, 3, 2, 2, *b"E\0\0\0");
        entry(&mut out, 4, 5, 3, number(152));
        out.extend(number(0));
        for value in [33, 1, 30, 1, 3600, 100, 151, 1, 15, 1, 0, 0] {
            out.extend(number(value));
        }
        out.extend(b"Model 1\0");
        out.extend(b"2024:05:06 07:08:09\0");
        out
    }

    pub(crate) fn in_a_jpeg(block: &[u8]) -> Vec<u8> {
        let mut file = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xE1];
        file.extend(u16::try_from(block.len() + 8).unwrap().to_be_bytes());
        file.extend(b"Exif\0\0");
        file.extend(block);
        file
    }

    #[test]
    fn notes_are_read_in_both_byte_orders_and_all_containers() {
        for big in [false, true] {
            let block = written(big);
            let mut png = b"\x89PNG\r\n\x1A\n\0\0\0\x02tEXtab\0\0\0\0".to_vec();
            png.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
            png.extend(b"eXIf");
            png.extend(&block);
            let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x03\0\0\0abc\0EXIF".to_vec();
            webp.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
            webp.extend(&block);
            for file in [in_a_jpeg(&block), png, webp] {
                let notes = exif(&file).unwrap();
                assert_eq!(notes.make.as_deref(), Some("Abc"));
                assert_eq!(notes.model.as_deref(), Some("Model 1"));
                assert_eq!(notes.taken.as_deref(), Some("2024:05:06 07:08:09"));
                assert!((notes.latitude.unwrap() + 33.51).abs() < 1e-9);
                assert!((notes.longitude.unwrap() - 151.25).abs() < 1e-9);
                assert_eq!(notes.orientation, Some(6));
                assert!(!format!("{notes:?}").contains("Model 1"), "values are not shown");
            }
        }
    }

    #[test]
    fn a_picture_is_laid_upright() {
        // Seen: 1 2 3 over 4 5 6. The camera wrote it in one of eight ways.
        let seen = Luma::new(3, 2, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let written: [(u8, usize, [u8; 6]); 8] = [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [3, 6, 2, 5, 1, 4]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [4, 1, 5, 2, 6, 3]),
        ];
        for (orientation, width, pixels) in written {
            let stored = Luma::new(width, 6 / width, pixels.to_vec()).unwrap();
            assert!(upright(stored, orientation) == seen, "orientation {orientation}");
        }
    }

    proptest! {
        #[test]
        fn hostile_notes_neither_panic_nor_grow(at in 0_usize..210, value in any::<u8>(), end in 0_usize..260, big in any::<bool>()) {
            let mut block = written(big);
            if let Some(byte) = block.get_mut(at) {
                *byte = value;
            }
            let mut file = in_a_jpeg(&block);
            file.truncate(end);
            if let Some(notes) = exif(&file) {
                let longest = [notes.taken, notes.make, notes.model].into_iter().flatten().map(|text| text.len()).max();
                prop_assert!(longest.unwrap_or(0) <= 3 * LONGEST_TEXT);
                prop_assert!(notes.latitude.is_none_or(|degrees| degrees.abs() <= 90.0));
            }
        }
    }
}
