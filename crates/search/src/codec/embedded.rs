//! gzip (RFC 1952), zlib (RFC 1950) and zip entries (APPNOTE 6.3.10) anywhere in bytes that are not
//! text. Where a stream ends is known only by inflating it, so it is inflated to be measured, and
//! all measuring of one body together has a limit in proportion to the body.

use super::deflate::with_inflater;
use super::plausible::begins_deflate;
use super::sense::is_mostly_text;
use super::table::About;
use super::{Codec, Unwrapped, shown};
use crate::classify::Marks;
use crate::map::Map;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use flate2::{Decompress, FlushDecompress, Status};
use memchr::memmem::Finder;
use std::io::Read as _;
use std::ops::Range;
use std::sync::LazyLock;

/// gzip members that do not begin where the bytes begin.
pub(crate) struct EmbeddedGzip;
/// zlib streams that do not begin where the bytes begin.
pub(crate) struct EmbeddedZlib;
/// A bare DEFLATE stream behind a short header. Nothing marks it, so it must be whole and hold text.
pub(crate) struct EmbeddedDeflate;
/// Entries of a zip archive, each by itself, named as it is named there.
pub(crate) struct Zip;

/// The row of zip entries in the table.
pub(crate) const ABOUT_ZIP: About = About {
    name: "zip",
    undoes: "deflated and stored entries of zip archives, not encrypted",
    place: "anywhere in bytes that are not text",
    exact: false,
    source: "PKWARE APPNOTE 6.3.10, sections 4.3.7 and 4.4",
};

/// Longest header before a bare stream.
const LONGEST_HEADER: usize = 64;
/// Shortest result of a bare stream.
const SHORTEST_BARE: u64 = 16;
/// A stream that the bytes' end cuts proves itself by this many decoded bytes.
const SHORTEST_CUT: usize = 64;
/// Decoded bytes from which a zlib stream counts without its checksum.
const SHORTEST_UNCHECKED: u64 = 32;
/// Bytes inflated at a time.
const PIECE: usize = 16 << 10;
/// Cost of an attempt beside the bytes it reads and writes.
const ATTEMPT: usize = 64;
/// Bytes of a zip entry's header before its name.
const ZIP_HEADER: usize = 30;

impl Codec for EmbeddedGzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let signatures = GZIP.find_iter(bytes);
        measured(bytes, signatures, visit, |rest| Some((gzip_header(rest)?, 8)), |_| true);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let start = gzip_header(bytes.get(span.clone())?)?;
        inflated(bytes, span, start, room)
    }
}

impl Codec for EmbeddedDeflate {
    fn name(&self) -> &'static str {
        "deflate"
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        with_inflater(|inflater| bare_stream(bytes, inflater)).into_iter().for_each(visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        inflated(bytes, span, 0, room)
    }
}

/// A bare stream behind a short header. From within a stream the rest may be read, too: the first
/// reading is the right one, and that of all bytes is undone as a whole.
fn bare_stream(bytes: &[u8], inflater: &mut Decompress) -> Option<Range<usize>> {
    let mut left = Fuel::of(bytes);
    for at in 0..bytes.len().min(LONGEST_HEADER) {
        let stream = &bytes[at..];
        if !begins_deflate(stream) || !holds_text(inflater, stream, &mut left) {
            continue;
        }
        if at == 0 || has_header(&bytes[..at]) {
            return None;
        }
        if let Some(length) = measure(inflater, stream, &mut left)
            && inflater.total_out() >= SHORTEST_BARE
        {
            return Some(at..at + length);
        }
    }
    None
}

/// The inflater, made when it is first needed: that costs more than looking for signatures in vain.
fn made(inflater: &mut Option<Decompress>) -> &mut Decompress {
    inflater.get_or_insert_with(|| Decompress::new(false))
}

/// True where the bytes before a stream are the header of gzip, zlib or a zip entry, by which it is
/// found already.
fn has_header(before: &[u8]) -> bool {
    let zlib = |pair: &[u8]| pair[0] == 0x78 && u16::from_be_bytes([pair[0], pair[1]]).is_multiple_of(31);
    let has = |signature: &[u8]| memchr::memmem::find(before, signature).is_some();
    before.windows(2).any(zlib) || has(&[0x1f, 0x8b, 8]) || has(b"PK\x03\x04")
}

/// True where the first bytes that come out are text.
fn holds_text(inflater: &mut Decompress, stream: &[u8], left: &mut Fuel) -> bool {
    let mut head = [0; LONGEST_HEADER];
    inflater.reset(false);
    let enough = left.spend(ATTEMPT).then(|| inflater.decompress(stream, &mut head, FlushDecompress::None));
    let length = (inflater.total_out() as usize).min(head.len());
    matches!(enough, Some(Ok(_))) && is_mostly_text(&head[..length])
}

impl Codec for EmbeddedZlib {
    fn name(&self) -> &'static str {
        "zlib"
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let signatures = memchr::memchr_iter(0x78, bytes);
        let head = |rest: &[u8]| matches!(rest, [_, 0x01 | 0x5e | 0x9c | 0xda, ..]).then_some((2, 4));
        // Two bytes prove little, so the checksum of a short stream has to be right.
        measured(bytes, signatures, visit, head, |stream| {
            let mut start = Vec::new();
            let read = ZlibDecoder::new(stream).take(SHORTEST_UNCHECKED).read_to_end(&mut start);
            start.len() as u64 == SHORTEST_UNCHECKED || read.is_ok()
        });
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        inflated(bytes, span, 2, room)
    }
}

impl Codec for Zip {
    fn name(&self) -> &'static str {
        ABOUT_ZIP.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let mut left = Fuel::of(bytes);
        let mut inflater = None;
        let mut from = 0;
        for at in ENTRY.find_iter(bytes) {
            let Some(entry) = bytes.get(at..).filter(|_| at >= from).and_then(Entry::read) else { continue };
            let stored = entry.known_length.filter(|length| entry.data + length <= bytes.len() - at);
            let length = match stored {
                Some(length) => Some(entry.data + length),
                None if entry.is_deflated => bytes
                    .get(at + entry.data..)
                    .and_then(|data| Some(entry.data + measure(made(&mut inflater), data, &mut left)?)),
                None => None,
            };
            if let Some(length) = length.filter(|_| left.spend(ATTEMPT)) {
                visit(at..at + length);
                from = at + length;
            }
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let entry = Entry::read(bytes.get(span.clone())?)?;
        let name = bytes.get(span.start + ZIP_HEADER..)?.get(..entry.name).map(shown).filter(|name| !name.is_empty());
        if entry.is_deflated {
            return inflated(bytes, span, entry.data, room).map(|found| Unwrapped { detail: name, ..found });
        }
        let start = span.start + entry.data;
        let data = bytes.get(start..span.end).filter(|data| !data.is_empty())?;
        let kept = data.get(..room).unwrap_or(data);
        let cut = kept.len() < data.len();
        Some(Unwrapped { bytes: kept.to_vec(), map: Map::shift(start), cut, detail: name })
    }
}

/// Made once: that costs more than looking for it in a few dozen bytes.
static GZIP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&[0x1f, 0x8b, 8]));
static ENTRY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"PK\x03\x04"));

/// Visits the frames that begin with `magic` anywhere but at the start, measured by their block
/// headers, without decoding. `length` counts down its steps over blocks and frames: headers whose
/// blocks overlap must not cost more than the bytes are long.
pub(super) fn frames(
    bytes: &[u8],
    magic: &Finder<'_>,
    length: impl Fn(&[u8], &mut usize) -> Option<usize>,
    visit: &mut dyn FnMut(Range<usize>),
) {
    let mut steps = 64 + bytes.len() / 64;
    let mut from = 1;
    for at in magic.find_iter(bytes) {
        let Some(frame) = bytes.get(at..).filter(|_| at >= from) else { continue };
        if let Some(length) = length(frame, &mut steps) {
            visit(at..at + length);
            from = at + length;
        }
    }
}

/// The header of a zip entry.
struct Entry {
    /// Where its data begins.
    data: usize,
    /// Length of its name.
    name: usize,
    /// Length of its data, where the header says it.
    known_length: Option<usize>,
    is_deflated: bool,
}

impl Entry {
    fn read(entry: &[u8]) -> Option<Self> {
        let header = entry.first_chunk::<ZIP_HEADER>()?;
        let short = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let (flags, method, name) = (short(6), short(8), short(26));
        let packed = short(18) | short(20) << 16;
        // Bit 0: encrypted; bit 3: the lengths follow the data.
        let known = flags & 1 == 0 && matches!(method, 0 | 8) && header.starts_with(b"PK\x03\x04");
        let known_length = (flags & 8 == 0).then_some(packed);
        known.then_some(Self { data: ZIP_HEADER + name + short(28), name, known_length, is_deflated: method == 8 })
    }
}

/// What measuring may still cost, in bytes read and written.
struct Fuel(usize);

impl Fuel {
    /// Enough for streams that fill the bytes, and for failures eight times as long.
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.len().saturating_mul(16).saturating_add(1 << 20))
    }

    fn spend(&mut self, cost: usize) -> bool {
        let enough = self.0 >= cost;
        self.0 = self.0.saturating_sub(cost);
        enough
    }
}

/// Visits the streams whose signatures are given, one behind the other. `head` gives the lengths of
/// a header and a trailer around a bare stream.
fn measured(
    bytes: &[u8],
    signatures: impl Iterator<Item = usize>,
    visit: &mut dyn FnMut(Range<usize>),
    head: impl Fn(&[u8]) -> Option<(usize, usize)>,
    is_sound: impl Fn(&[u8]) -> bool,
) {
    let mut left = Fuel::of(bytes);
    let mut inflater = None;
    // A stream at the start is undone whole.
    let mut from = 1;
    for at in signatures {
        let Some(rest) = bytes.get(at..).filter(|_| at >= from) else { continue };
        let Some((header, trailer)) = head(rest) else { continue };
        let Some(stream) = rest.get(header..).filter(|stream| begins_deflate(stream)) else { continue };
        let Some(length) = measure(made(&mut inflater), stream, &mut left) else { continue };
        let end = bytes.len().min(at + header + length + trailer);
        if is_sound(bytes.get(at..end).unwrap_or_default()) {
            visit(at..end);
            from = end;
        }
    }
}

/// The length of the bare stream at the start of the bytes: it ends there, or the bytes do, or what
/// it inflates to is more than may be spent on measuring.
fn measure(inflater: &mut Decompress, stream: &[u8], left: &mut Fuel) -> Option<usize> {
    let mut buffer = [0; PIECE];
    inflater.reset(false);
    left.spend(ATTEMPT).then_some(())?;
    loop {
        let (read, written) = (inflater.total_in() as usize, inflater.total_out() as usize);
        let input = stream.get(read..)?;
        let status =
            inflater.decompress(input.get(..PIECE).unwrap_or(input), &mut buffer, FlushDecompress::None).ok()?;
        let (now_read, now_written) = (inflater.total_in() as usize, inflater.total_out() as usize);
        let affordable = left.spend(now_read - read + now_written - written);
        if status == Status::StreamEnd {
            return (now_written > 0).then_some(now_read);
        }
        let stuck = (now_read, now_written) == (read, written);
        if now_read == stream.len() && stuck || !affordable {
            return (now_written >= SHORTEST_CUT).then_some(stream.len());
        }
        if stuck {
            return None;
        }
    }
}

/// Inflates the bare stream that begins `start` bytes into the span.
fn inflated(bytes: &[u8], span: Range<usize>, start: usize, room: usize) -> Option<Unwrapped> {
    let mut decoder = DeflateDecoder::new(bytes.get(span.clone())?.get(start..)?);
    let mut out = Vec::new();
    // What came before a cut is kept.
    let _ = decoder.by_ref().take((room as u64).saturating_add(1)).read_to_end(&mut out);
    let cut = out.len() > room;
    out.truncate(room);
    (!out.is_empty()).then(|| Unwrapped { cut, ..Unwrapped::new(out, Map::Whole(span)) })
}

/// Length of a gzip member's header (RFC 1952 section 2.3).
fn gzip_header(member: &[u8]) -> Option<usize> {
    let flags = *member.get(3).filter(|flags| **flags & 0xe0 == 0)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes(*member.get(at..)?.first_chunk()?));
    }
    // Name and comment end with a zero byte; longer ones than any path are none.
    for bit in [8, 16] {
        if flags & bit != 0 {
            let text = member.get(at..)?;
            at += memchr::memchr(0, text.get(..4096).unwrap_or(text))? + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::deflate::wrap;
    use proptest::prelude::*;

    fn found(codec: &dyn Codec, bytes: &[u8]) -> Vec<(Range<usize>, Vec<u8>, Option<String>)> {
        let mut spans = Vec::new();
        codec.find(bytes, &Marks::default(), &mut |span| spans.push(span));
        spans
            .into_iter()
            .filter_map(|span| {
                let found = codec.unwrap(bytes, span.clone(), 1 << 20)?;
                Some((span, found.bytes, found.detail))
            })
            .collect()
    }

    fn entry(name: &str, bytes: &[u8], method: u8, streamed: bool) -> Vec<u8> {
        let data = if method == 8 { wrap("deflate", bytes) } else { bytes.to_vec() };
        let length = if streamed { 0 } else { data.len() as u32 };
        let mut out = b"PK\x03\x04\x14\0".to_vec();
        out.extend_from_slice(&[if streamed { 8 } else { 0 }, 0, method, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        [&out, name.as_bytes(), &data].concat()
    }

    #[test]
    fn entries_of_an_archive_are_named() {
        let first = entry("a/log.txt", b"deflated, deflated, deflated", 8, true);
        let second = entry("b.txt", b"stored", 0, false);
        let archive = [&first[..], &second].concat();
        let both = found(&Zip, &archive);
        assert_eq!(both.len(), 2);
        assert_eq!(both[0], (0..first.len(), b"deflated, deflated, deflated".to_vec(), Some("a/log.txt".into())));
        assert_eq!(both[1], (first.len()..archive.len(), b"stored".to_vec(), Some("b.txt".into())));
    }

    #[test]
    fn a_stream_cut_by_the_end_gives_what_came_before() {
        let text: Vec<u8> = (0..2000u32).flat_map(|n| format!("{n},").into_bytes()).collect();
        for (name, codec) in [("gzip", &EmbeddedGzip as &dyn Codec), ("zlib", &EmbeddedZlib)] {
            let coded = wrap(name, &text);
            let body = [&[1, 2, 3][..], &coded[..coded.len() / 2]].concat();
            let [(span, bytes, _)] = &found(codec, &body)[..] else { panic!("one {name} stream") };
            assert_eq!(*span, 3..body.len());
            assert!(bytes.len() > 1000 && text.starts_with(bytes));
        }
    }

    #[test]
    fn bodies_full_of_signatures_take_time_in_proportion() {
        let stored = |bytes: &[u8]| [&[0x78, 0x9c, 0, 0xff, 0xff, 0, 0][..], bytes].concat();
        for body in [
            [0x78, 0x9c].repeat(1 << 20),
            [0x1f, 0x8b, 8, 0].repeat(1 << 19),
            b"PK\x03\x04".repeat(1 << 19),
            stored(&[0x78, 0x9c, 0, 0, 1, 0xff, 0xfe].repeat(1 << 17)),
            [&wrap("zlib", &vec![0; 1 << 20])[..1000], &[0; 10]].concat().repeat(200),
        ] {
            for codec in [&EmbeddedGzip as &dyn Codec, &EmbeddedZlib, &Zip] {
                codec.find(&body, &Marks::default(), &mut |_| {});
            }
        }
    }

    proptest! {
        #[test]
        fn streams_are_found_wherever_they_lie(
            bytes in proptest::collection::vec(any::<u8>(), 1..600),
            before in proptest::collection::vec(0..0x1fu8, 1..40),
            after in proptest::collection::vec(0..0x1fu8, 0..40),
        ) {
            for (name, codec) in [("gzip", &EmbeddedGzip as &dyn Codec), ("zlib", &EmbeddedZlib)] {
                let coded = wrap(name, &bytes);
                let body = [&before[..], &coded, &after].concat();
                let span = before.len()..before.len() + coded.len();
                prop_assert_eq!(found(codec, &body), [(span, bytes.clone(), None)]);
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for start in [&b"\0\x1f\x8b\x08"[..], b"\0\x78\x9c", b"PK\x03\x04\x14\0\0\0\x08\0"] {
                let body = [start, &bytes].concat();
                for codec in [&EmbeddedGzip as &dyn Codec, &EmbeddedZlib, &Zip] {
                    found(codec, &body);
                }
            }
        }
    }
}
