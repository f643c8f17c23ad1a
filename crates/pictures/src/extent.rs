//! Where a picture in bytes ends, and where in it its pixels are coded: the bytes that no other picture has.

use crate::decode::Format;
use memchr::memmem;
use std::ops::Range;

/// Segments, chunks or scans of one picture that are followed.
const MOST_SEGMENTS: usize = 100_000;

/// A picture file inside other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    /// From its first byte to behind its last.
    pub(crate) whole: Range<usize>,
    /// The coded pixels, in order.
    pub(crate) coded: Vec<Range<usize>>,
}

/// Where pictures may begin, in order. What begins within another picture is found too.
pub(crate) fn starts(bytes: &[u8]) -> Vec<usize> {
    const MAGICS: [&[u8]; 3] = [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1A\n", b"RIFF"];
    let found = |magic| memmem::find_iter(bytes, magic).take(MOST_SEGMENTS);
    let mut all: Vec<usize> = MAGICS.into_iter().flat_map(found).collect();
    // Formats whose beginning is too short to be looked for everywhere.
    if matches!(Format::of(bytes), Some(Format::Gif | Format::Bmp)) {
        all.push(0);
    }
    all.sort_unstable();
    all
}

/// The picture that begins there, if one does.
pub(crate) fn extent(bytes: &[u8], start: usize) -> Option<Extent> {
    let file = bytes.get(start..)?;
    let (length, coded) = match Format::of(file)? {
        Format::Jpeg => jpeg(file)?,
        Format::Png => png(file)?,
        Format::WebP => webp(file)?,
        Format::Gif | Format::Bmp => (file.len(), std::iter::once(0..file.len()).collect()),
    };
    let moved = |range: Range<usize>| range.start + start..range.end + start;
    Some(Extent { whole: moved(0..length), coded: coded.into_iter().map(moved).collect() })
}

/// Segments up to the start of a scan, then the scan up to a marker that is none of it (ITU-T T.81 annex B). A picture
/// that is cut off ends with the bytes.
fn jpeg(file: &[u8]) -> Option<(usize, Vec<Range<usize>>)> {
    let (mut at, mut coded, mut has_frame) = (2, Vec::new(), false);
    for _ in 0..MOST_SEGMENTS {
        let &[first, marker] = file.get(at..)?.first_chunk::<2>()?;
        match (first, marker) {
            (0xFF, 0xFF) => at += 1,
            (0xFF, 0xD9) => return has_frame.then_some((at + 2, coded)),
            (0xFF, 0x01 | 0xD0..=0xD7) => at += 2,
            (0xFF, 0x02..=0xBF | 0xD8) => return None,
            (0xFF, _) => {
                let length = usize::from(u16::from_be_bytes(*file.get(at + 2..)?.first_chunk()?));
                has_frame |= matches!(marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF);
                at += 2 + length;
                if marker == 0xDA {
                    let end = scan_end(file, at);
                    coded.push(at.min(end)..end);
                    at = end;
                    if at + 2 > file.len() {
                        return has_frame.then_some((file.len(), coded));
                    }
                }
            }
            _ => return None,
        }
    }
    None
}

fn scan_end(file: &[u8], from: usize) -> usize {
    let rest = file.get(from..).unwrap_or_default();
    let ends = |at: &usize| !matches!(rest.get(at + 1), Some(0x00 | 0xD0..=0xD7 | 0xFF) | None);
    memchr::memchr_iter(0xFF, rest).find(ends).map_or(file.len(), |at| from + at)
}

/// Chunks (ISO/IEC 15948 section 5.3).
fn png(file: &[u8]) -> Option<(usize, Vec<Range<usize>>)> {
    let (mut at, mut coded) = (8, Vec::new());
    for _ in 0..MOST_SEGMENTS {
        let Some(&[a, b, c, d, kind @ ..]) = file.get(at..).and_then(<[u8]>::first_chunk::<8>) else { break };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let end = (at + 8).checked_add(length)?;
        if kind == *b"IDAT" {
            coded.push(at + 8..end.min(file.len()));
        }
        at = end.checked_add(4)?;
        if kind == *b"IEND" || at >= file.len() {
            break;
        }
    }
    (!coded.is_empty()).then_some((at.min(file.len()), coded))
}

/// RIFF chunks (RFC 9649 section 2.3).
fn webp(file: &[u8]) -> Option<(usize, Vec<Range<usize>>)> {
    let size = |at: usize| usize::try_from(u32::from_le_bytes(*file.get(at..)?.first_chunk()?)).ok();
    let end = size(4)?.checked_add(8)?.min(file.len());
    let (mut at, mut coded) = (12, Vec::new());
    for _ in 0..MOST_SEGMENTS {
        let Some(kind) = file.get(at..at + 4).filter(|_| at + 8 <= end) else { break };
        let length = size(at + 4)?;
        let data = at + 8..(at + 8).checked_add(length)?.min(end);
        at = data.end + (length & 1);
        if matches!(kind, b"VP8 " | b"VP8L" | b"ANMF") {
            coded.push(data);
        }
    }
    (!coded.is_empty()).then_some((end, coded))
}
