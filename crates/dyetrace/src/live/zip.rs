//! ZIP archives (APPNOTE 6.3.10): entries that are stored or deflated, told by their local headers
//! alone, so that archives that are cut or stand amid other bytes are read, too.

use super::table::About;
use super::{Codec, Unwrapped, shown};
use crate::classify::Marks;
use crate::map::Map;
use flate2::read::DeflateDecoder;
use std::io::Read;
use std::ops::Range;

/// The content of one entry after the other.
pub(crate) struct Zip;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "entries of archives, stored and deflated, also of archives without their end",
    place: "anywhere in bytes that are not text",
    exact: false,
    source: "PKWARE APPNOTE 6.3.10",
};

const NAME: &str = "zip";
/// Begins every local header.
const SIGNATURE: &[u8] = b"PK\x03\x04";
/// Local header without name and extra field.
const HEAD: usize = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
/// Sizes stand behind the content, or in the extra field of ZIP64.
const SIZE_LATER: u16 = 8;
const SIZE_ELSEWHERE: u32 = u32::MAX;

/// A local header.
struct Header {
    method: u16,
    name: Range<usize>,
    /// Where the content begins.
    start: usize,
    /// Its length, where the header tells.
    length: Option<usize>,
}

/// The local header at `at` (section 4.3.7), where its entry can be read.
fn header(bytes: &[u8], at: usize) -> Option<Header> {
    let head: &[u8; HEAD] = bytes.get(at..)?.first_chunk()?;
    let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let (flags, method) = (short(6), short(8));
    let length = u32::from_le_bytes([head[18], head[19], head[20], head[21]]);
    let name = at + HEAD..at + HEAD + usize::from(short(26));
    let start = name.end + usize::from(short(28));
    let known = flags & SIZE_LATER == 0 && length != SIZE_ELSEWHERE;
    let readable = head.starts_with(SIGNATURE) && flags & ENCRYPTED == 0 && matches!(method, STORED | DEFLATED);
    (readable && start < bytes.len()).then_some(Header { method, name, start, length: known.then_some(length as usize) })
}

impl Codec for Zip {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Spans reach from a local header to the end of its content, or to the next header where that
    /// is not told.
    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let finder = memchr::memmem::Finder::new(SIGNATURE);
        let next = |from: usize| {
            let rest = bytes.get(from..).unwrap_or_default();
            finder.find(rest).map_or(bytes.len(), |found| from + found)
        };
        let mut at = next(0);
        while at < bytes.len() {
            let after = at + SIGNATURE.len();
            let Some(header) = header(bytes, at) else {
                at = next(after);
                continue;
            };
            let end = match header.length {
                Some(length) => header.start.saturating_add(length).min(bytes.len()),
                None => next(header.start),
            };
            if end > header.start {
                visit(at..end);
            }
            at = next(end);
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let header = header(bytes, span.start)?;
        let content = bytes.get(header.start..span.end)?;
        let detail = Some(shown(bytes.get(header.name)?)).filter(|name| !name.is_empty());
        if header.method == STORED {
            let kept = content.get(..room).unwrap_or(content);
            let unwrapped = Unwrapped::new(kept.to_vec(), Map::shift(header.start));
            return Some(Unwrapped { cut: kept.len() < content.len(), detail, ..unwrapped });
        }
        let mut decoder = DeflateDecoder::new(content);
        let mut out = Vec::new();
        let ended = decoder.by_ref().take(room as u64).read_to_end(&mut out).is_ok();
        let cut = ended && out.len() == room && decoder.read(&mut [0]).is_ok_and(|more| more > 0);
        let used = (decoder.total_in() as usize).min(content.len());
        let unwrapped = Unwrapped::new(out, Map::Whole(header.start..header.start + used));
        (used > 0 && !unwrapped.bytes.is_empty()).then_some(Unwrapped { cut, detail, ..unwrapped })
    }
}

/// One entry: local header and content, sizes behind it where `later`.
#[cfg(test)]
pub(crate) fn wrap(name: &str, bytes: &[u8], deflated: bool, later: bool) -> Vec<u8> {
    let content = if deflated { super::deflate::wrap("deflate", bytes) } else { bytes.to_vec() };
    let sizes = [(content.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    let flags = if later { SIZE_LATER } else { 0 };
    let method = if deflated { DEFLATED } else { STORED };
    let descriptor = [&b"PK\x07\x08crc."[..], &sizes].concat();
    [
        SIGNATURE,
        &20u16.to_le_bytes(),
        &flags.to_le_bytes(),
        &method.to_le_bytes(),
        b"timecrc.",
        if later { &[0; 8] } else { &sizes },
        &(name.len() as u16).to_le_bytes(),
        &2u16.to_le_bytes(),
        name.as_bytes(),
        b"xx",
        &content,
        if later { &descriptor } else { b"" },
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(bytes: &[u8]) -> Vec<Unwrapped> {
        let mut spans = Vec::new();
        Zip.find(bytes, &Marks::default(), &mut |span| spans.push(span));
        spans.into_iter().filter_map(|span| Zip.unwrap(bytes, span, 1 << 20)).collect()
    }

    #[test]
    fn entries_are_named_and_the_directory_is_not_needed() {
        let archive = [
            &b"\0prefix"[..],
            &wrap("a/one.txt", b"first content", false, false),
            &wrap("two.json", b"second content", true, true),
            &wrap("three", b"third", true, false),
            b"PK\x01\x02 directory PK\x05\x06",
        ]
        .concat();
        let found = entries(&archive);
        let told: Vec<_> = found.iter().map(|entry| (entry.detail.as_deref().unwrap(), &entry.bytes[..])).collect();
        assert_eq!(told, [("a/one.txt", &b"first content"[..]), ("two.json", b"second content"), ("three", b"third")]);
        let place = found[0].map.outer(&(0..5));
        assert_eq!(&archive[place], b"first");
        let Map::Whole(deflated) = &found[1].map else { panic!("deflate has no places") };
        assert_eq!(archive[deflated.clone()], crate::codec::deflate::wrap("deflate", b"second content"));
    }

    #[test]
    fn encrypted_and_unknown_entries_are_passed_over() {
        let mut encrypted = wrap("a", b"content", false, false);
        encrypted[6] |= 1;
        let mut unknown = wrap("a", b"content", false, false);
        unknown[8] = 99;
        let bytes = [encrypted, unknown, wrap("b", b"content", false, false)].concat();
        assert_eq!(entries(&bytes).len(), 1);
    }

    #[test]
    fn a_cut_entry_gives_what_is_there_and_a_bomb_stops_at_the_room() {
        let entry = wrap("a", &[b'x'; 100_000], true, false);
        assert!(!entries(&entry[..entry.len() - 20])[0].bytes.is_empty());
        let found = Zip.unwrap(&entry, 0..entry.len(), 1000).unwrap();
        assert_eq!((found.bytes.len(), found.cut), (1000, true));
    }

    #[test]
    fn many_headers_cost_no_more_than_their_bytes() {
        assert!(entries(&SIGNATURE.repeat(200_000)).is_empty());
        assert_eq!(entries(&wrap("a", b"b", false, false).repeat(10_000)).len(), 10_000);
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(
            files in proptest::collection::vec(("[a-z]{1,9}", proptest::collection::vec(any::<u8>(), 1..200), any::<bool>(), any::<bool>()), 1..5),
        ) {
            let archive: Vec<u8> = files.iter().flat_map(|(name, bytes, deflated, later)| {
                wrap(name, bytes, *deflated, *later && *deflated)
            }).collect();
            let found: Vec<_> = entries(&archive).into_iter().map(|entry| (entry.detail.unwrap(), entry.bytes)).collect();
            let expected: Vec<_> = files.into_iter().map(|(name, bytes, _, _)| (name, bytes)).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(8), any::<u8>()], 0..60)) {
            for entry in entries(&[SIGNATURE, &bytes].concat()) {
                prop_assert!(entry.map.outer(&(0..1)).end <= bytes.len() + 4);
            }
        }
    }
}
