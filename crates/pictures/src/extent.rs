//! Where a picture in bytes ends, and where in it its pixels are coded: the bytes that no other picture has.

use crate::decode::Format;
use memchr::memmem;
use std::ops::Range;

/// Segments, chunks or scans of one picture that are followed, and places at which one format may begin.
const MOST_SEGMENTS: usize = 100_000;

/// A picture file inside other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    /// From its first byte to behind its last.
    pub(crate) whole: Range<usize>,
    /// The coded pixels, in order.
    pub(crate) coded: Vec<Range<usize>>,
    /// Whether the file itself says where it ends, and that is there. Otherwise it ends with the bytes, and others may
    /// begin in what looks like its own.
    pub(crate) is_closed: bool,
}

/// What finding the ends of pictures may cost: bytes that are scanned and segments that are followed. Without it,
/// bytes full of beginnings that end nowhere would be scanned once for each of them.
#[derive(Debug)]
pub(crate) struct Steps(usize);

impl Steps {
    /// For so many bytes: each four times.
    pub(crate) fn of(bytes: usize) -> Self {
        Self(bytes.saturating_mul(4).saturating_add(4096))
    }

    fn take(&mut self, steps: usize) -> Option<()> {
        let left = self.0.checked_sub(steps);
        self.0 = left.unwrap_or(0);
        left.map(|_| ())
    }

    /// Whether something was not followed to its end.
    pub(crate) fn are_spent(&self) -> bool {
        self.0 == 0
    }
}

/// Where pictures may begin, in order, and whether there are more. What begins within another picture is found too.
pub(crate) fn starts(bytes: &[u8]) -> (Vec<usize>, bool) {
    const MAGICS: [&[u8]; 3] = [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1A\n", b"RIFF"];
    let (mut all, mut are_more) = (Vec::new(), false);
    for magic in MAGICS {
        let mut found = memmem::find_iter(bytes, magic);
        all.extend(found.by_ref().take(MOST_SEGMENTS));
        are_more |= found.next().is_some();
    }
    let mut boxes = memmem::find_iter(bytes, b"ftyp").filter_map(|at| at.checked_sub(4));
    let is_heif = |start: &usize| bytes.get(*start..).is_some_and(|file| Format::of(file) == Some(Format::Heif));
    all.extend(boxes.by_ref().filter(is_heif).take(MOST_SEGMENTS));
    are_more |= boxes.next().is_some();
    // Formats whose beginning is too short to be looked for everywhere.
    if matches!(Format::of(bytes), Some(Format::Gif | Format::Bmp)) {
        all.push(0);
    }
    all.sort_unstable();
    (all, are_more)
}

/// The picture that begins there, if one does.
pub(crate) fn extent(bytes: &[u8], start: usize, steps: &mut Steps) -> Option<Extent> {
    let file = bytes.get(start..)?;
    let found = match Format::of(file)? {
        Format::Jpeg => jpeg(file, steps)?,
        Format::Png => png(file, steps)?,
        Format::WebP => webp(file, steps)?,
        Format::Heif => heif(file, steps)?,
        Format::Gif | Format::Bmp => {
            Extent { whole: 0..file.len(), coded: std::iter::once(0..file.len()).collect(), is_closed: false }
        }
    };
    let moved = |range: Range<usize>| range.start + start..range.end + start;
    Some(Extent { whole: moved(found.whole), coded: found.coded.into_iter().map(moved).collect(), ..found })
}

/// Segments up to the start of a scan, then the scan up to a marker that is none of it (ITU-T T.81 annex B). A picture
/// that is cut off ends with the bytes, or where something begins that is no segment.
fn jpeg(file: &[u8], steps: &mut Steps) -> Option<Extent> {
    let (mut at, mut coded, mut has_frame) = (2, Vec::new(), false);
    let open = |end: usize, coded: Vec<Range<usize>>| {
        let end = end.min(file.len());
        (!coded.is_empty()).then_some(Extent { whole: 0..end, coded, is_closed: false })
    };
    for _ in 0..MOST_SEGMENTS {
        steps.take(1)?;
        let Some(&[first, marker]) = file.get(at..).and_then(<[u8]>::first_chunk::<2>) else {
            return open(file.len(), coded);
        };
        match (first, marker) {
            (0xFF, 0xFF) => at += 1,
            (0xFF, 0xD9) if has_frame => return Some(Extent { whole: 0..at + 2, coded, is_closed: true }),
            (0xFF, 0x01 | 0xD0..=0xD7) => at += 2,
            (0xFF, 0xC0..=0xD7 | 0xDA..=0xFE) => {
                let Some(length) = length_at(file, at + 2) else { return open(file.len(), coded) };
                has_frame |= matches!(marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF);
                at += 2 + length;
                if marker == 0xDA {
                    has_frame.then_some(())?;
                    let end = scan_end(file, at);
                    steps.take(end.saturating_sub(at))?;
                    coded.push(at.min(end)..end);
                    at = end;
                }
            }
            _ => return open(at, coded),
        }
    }
    open(at, coded)
}

fn length_at(file: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(*file.get(at..)?.first_chunk()?)))
}

fn scan_end(file: &[u8], from: usize) -> usize {
    let rest = file.get(from..).unwrap_or_default();
    let ends = |at: &usize| !matches!(rest.get(at + 1), Some(0x00 | 0xD0..=0xD7 | 0xFF) | None);
    memchr::memchr_iter(0xFF, rest).find(ends).map_or(file.len(), |at| from + at)
}

/// Chunks (ISO/IEC 15948 section 5.3).
fn png(file: &[u8], steps: &mut Steps) -> Option<Extent> {
    let (mut at, mut coded, mut is_closed) = (8, Vec::new(), false);
    for _ in 0..MOST_SEGMENTS {
        steps.take(1)?;
        let Some(&[a, b, c, d, kind @ ..]) = file.get(at..).and_then(<[u8]>::first_chunk::<8>) else { break };
        let end = (at + 8).saturating_add(u32::from_be_bytes([a, b, c, d]) as usize);
        if kind == *b"IDAT" {
            coded.push(at + 8..end.min(file.len()));
        }
        at = end.saturating_add(4);
        is_closed = kind == *b"IEND" && at <= file.len();
        if is_closed || at >= file.len() {
            break;
        }
    }
    (!coded.is_empty()).then_some(Extent { whole: 0..at.min(file.len()), coded, is_closed })
}

/// RIFF chunks (RFC 9649 section 2.3).
fn webp(file: &[u8], steps: &mut Steps) -> Option<Extent> {
    let size = |at: usize| Some(u32::from_le_bytes(*file.get(at..)?.first_chunk()?) as usize);
    let told = size(4)?.saturating_add(8);
    let end = told.min(file.len());
    let (mut at, mut coded) = (12, Vec::new());
    for _ in 0..MOST_SEGMENTS {
        steps.take(1)?;
        let Some(kind) = file.get(at..at + 4).filter(|_| at + 8 <= end) else { break };
        let length = size(at + 4)?;
        let data = at + 8..(at + 8).saturating_add(length).min(end);
        at = data.end + (length & 1);
        if matches!(kind, b"VP8 " | b"VP8L" | b"ANMF") {
            coded.push(data);
        }
    }
    (!coded.is_empty()).then_some(Extent { whole: 0..end, coded, is_closed: told <= file.len() })
}

/// Boxes (ISO/IEC 14496-12 section 4.2), of which `mdat` holds the coded pixels. Nothing says where the file ends: it
/// goes on as long as boxes of it do.
fn heif(file: &[u8], steps: &mut Steps) -> Option<Extent> {
    const KINDS: [&[u8]; 8] = [b"ftyp", b"meta", b"mdat", b"free", b"skip", b"wide", b"moov", b"uuid"];
    let (mut at, mut coded, mut is_closed) = (0, Vec::new(), false);
    for _ in 0..MOST_SEGMENTS {
        steps.take(1)?;
        let Some(kind) = file.get(at + 4..at + 8).filter(|kind| KINDS.contains(kind)) else { break };
        let (head, length) = match u32::from_be_bytes(*file.get(at..)?.first_chunk()?) {
            0 => (8, file.len() - at),
            1 => (16, usize::try_from(u64::from_be_bytes(*file.get(at + 8..)?.first_chunk()?)).ok()?),
            length => (8, length as usize),
        };
        let end = at.saturating_add(length.max(head));
        is_closed = end <= file.len();
        let end = end.min(file.len());
        if kind == b"mdat" && at + head < end {
            coded.push(at + head..end);
        }
        at = end;
    }
    (!coded.is_empty()).then_some(Extent { whole: 0..at, coded, is_closed })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends of all pictures that begin in the bytes, and the steps that were left.
    fn all(bytes: &[u8]) -> (Vec<Extent>, Steps) {
        let mut steps = Steps::of(bytes.len());
        let found = starts(bytes).0.into_iter().filter_map(|start| extent(bytes, start, &mut steps)).collect();
        (found, steps)
    }

    #[test]
    fn beginnings_without_an_end_are_not_followed_once_for_each_of_them() {
        let segments = b"\xFF\xD8\xFF\xE0\x00\x04".repeat(200_000);
        assert_eq!(all(&segments).0, []);
        // Every one of these leads to a scan of everything behind it, if a frame is not asked for first …
        let scans = [b"\xFF\xD8\xFF\xDA\x00\x02".repeat(1000), vec![7; 1 << 20]].concat();
        let (found, steps) = all(&scans);
        assert!(found.is_empty() && !steps.are_spent());
        // … and with a frame that is there the steps are spent, and said to be.
        let mut framed = Vec::new();
        for _ in 0..100 {
            framed.extend(b"\xFF\xD8\xFF\xC0\x00\x02\xFF\xDA\x00\x02\xFF\x00");
        }
        let framed: Vec<u8> = framed.into_iter().chain(std::iter::repeat_n(7, 1 << 20)).collect();
        assert!(all(&framed).0.len() <= 100);
        let chunks = [b"\x89PNG\r\n\x1A\n".as_slice(), &b"\0\0\0\0tEXt\0\0\0\0".repeat(50_000)].concat().repeat(4);
        assert_eq!(all(&chunks).0, []);
    }

    #[test]
    fn many_beginnings_that_lead_to_one_place_spend_the_steps_and_no_more() {
        // Each beginning's first segment ends where one frame and one scan of everything follow.
        let count = 2000_usize;
        let target = count * 6;
        let mut bytes = Vec::new();
        for index in 0..count {
            bytes.extend(b"\xFF\xD8\xFF\xE0");
            bytes.extend(((target - index * 6 - 4) as u16).to_be_bytes());
        }
        bytes.extend(b"\xFF\xC0\x00\x02\xFF\xDA\x00\x02");
        bytes.extend(std::iter::repeat_n(7, 1 << 20));
        let (found, steps) = all(&bytes);
        assert!(steps.are_spent() && found.len() <= 5, "{}", found.len());
    }

    #[test]
    fn a_picture_that_is_cut_off_is_open_and_ends_where_another_begins() {
        let picture = b"\xFF\xD8\xFF\xC0\x00\x02\xFF\xDA\x00\x02\x01\x02\x03\xFF\xD9";
        let (found, _) = all(&[&picture[..13], &picture[..]].concat());
        let ends: Vec<_> = found.iter().map(|found| (found.whole.clone(), found.is_closed)).collect();
        assert_eq!(ends, [(0..13, false), (13..28, true)]);
    }

    #[cfg(feature = "heif")]
    #[test]
    fn the_pixels_of_heif_are_in_its_data_and_nowhere_else() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/pictures_decode/");
        let file = std::fs::read(format!("{folder}colour.heic")).unwrap();
        let bytes = [b"before".as_slice(), &file, b"behind"].concat();
        let (found, _) = all(&bytes);
        let [found] = &found[..] else { panic!("{found:?}") };
        assert!(found.whole == (6..6 + file.len()) && found.is_closed);
        let [coded] = &found.coded[..] else { panic!("{found:?}") };
        assert_eq!(&bytes[coded.start - 4..coded.start], b"mdat");
        let cut = all(&bytes[..bytes.len() - 100]).0;
        assert!(!cut[0].is_closed);
    }

    #[test]
    fn a_length_that_leads_beyond_the_bytes_closes_nothing() {
        let png = b"\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIDAT12345678";
        assert_eq!(all(png).0.first().map(|found| (found.whole.clone(), found.is_closed)), Some((0..24, false)));
        let riff = b"RIFF\xFF\xFF\xFF\xFFWEBPVP8L\x02\0\0\0ab";
        assert_eq!(all(riff).0.first().map(|found| found.is_closed), Some(false));
    }
}
