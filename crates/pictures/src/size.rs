//! Width and height as a picture file's head says them.

use crate::decode::Format;

/// Segments or chunks before the size; writers put it near the start.
const MOST_PARTS: usize = 4096;

/// Width and height in pixels, as they are stored: not turned as a camera's notes say.
pub(crate) fn size(file: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = match Format::of(file)? {
        Format::Jpeg => jpeg(file),
        Format::Png => Some((big(file, 16)?, big(file, 20)?)),
        Format::WebP => webp(file),
        Format::Gif => Some((little(file, 6)?, little(file, 8)?)),
        Format::Bmp => Some((long(file, 18)?, long(file, 22)?)),
        Format::Heif => None,
    }?;
    (width > 0 && height > 0).then_some((width, height))
}

/// The frame's head (ITU-T T.81, section B.2.2).
fn jpeg(file: &[u8]) -> Option<(u32, u32)> {
    let mut at: usize = 2;
    for _ in 0..MOST_PARTS {
        let &[first, marker] = file.get(at..)?.first_chunk()?;
        match (first, marker) {
            (0xFF, 0xFF) => at += 1,
            (0xFF, 0x01 | 0xD0..=0xD7) => at += 2,
            (0xFF, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF) => {
                let half = |at| Some(u32::from(u16::from_be_bytes(*file.get(at..)?.first_chunk()?)));
                return Some((half(at + 7)?, half(at + 5)?));
            }
            (0xFF, 0xDA | 0xD9) => return None,
            (0xFF, _) => at += 2 + usize::from(u16::from_be_bytes(*file.get(at + 2..)?.first_chunk()?)),
            _ => return None,
        }
    }
    None
}

/// RFC 9649, sections 2.5 to 2.7.
fn webp(file: &[u8]) -> Option<(u32, u32)> {
    match file.get(12..16)? {
        b"VP8X" => {
            let side =
                |at: usize| Some(1 + u32::from_le_bytes([*file.get(at)?, *file.get(at + 1)?, *file.get(at + 2)?, 0]));
            Some((side(24)?, side(27)?))
        }
        b"VP8L" => {
            let bits = u32::from_le_bytes(*file.get(21..)?.first_chunk()?);
            Some((1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)))
        }
        b"VP8 " => Some((little(file, 26)? & 0x3FFF, little(file, 28)? & 0x3FFF)),
        _ => None,
    }
}

fn big(file: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*file.get(at..)?.first_chunk()?))
}

fn little(file: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(*file.get(at..)?.first_chunk()?)))
}

/// Bitmaps may stand on their heads: then the height is negative.
fn long(file: &[u8], at: usize) -> Option<u32> {
    Some(i32::from_le_bytes(*file.get(at..)?.first_chunk()?).unsigned_abs())
}
