//! gzip (RFC 1952), zlib (RFC 1950) and bare DEFLATE (RFC 1951), at the start of the bytes.

use super::plausible::fills_with_deflate;
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use crate::map::Map;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::{Decompress, FlushDecompress, Status};
use std::cell::RefCell;
use std::io::Read;
use std::ops::Range;

/// The row of the table of wrappings.
pub(crate) const GZIP: About = About {
    name: "gzip",
    undoes: "one or several members; a cut stream as far as it goes",
    place: "whole bodies and decoded bytes",
    exact: false,
    source: "RFC 1952",
};

/// The row of the table of wrappings.
pub(crate) const ZLIB: About = About {
    name: "zlib",
    undoes: "a stream; a cut one from 64 bytes of result",
    place: "whole bodies and decoded bytes",
    exact: false,
    source: "RFC 1950",
};

/// The row of the table of wrappings.
pub(crate) const DEFLATE: About = About {
    name: "deflate",
    undoes: "a bare stream that fills the bytes to the end; behind a header of at most 63 bytes one that holds text",
    place: "whole bodies and decoded bytes",
    exact: false,
    source: "RFC 1951",
};

/// A gzip file.
pub(crate) struct Gzip;
/// A zlib stream.
pub(crate) struct Zlib;
/// A DEFLATE stream without any header. Nothing marks it, so it must fill the bytes to the end.
pub(crate) struct Raw;

/// Bytes behind a bare stream that are tolerated: a checksum without its header.
const TOLERATED_TRAILER: usize = 8;
/// A two-byte header proves little: a broken zlib stream counts from this many bytes of result.
const SHORTEST_BROKEN: usize = 64;
/// Bytes that are looked at to tell text from a bare stream.
const LOOKED_AT: usize = 16;
/// Longer results are read by an inflater of their own.
const SHORT: usize = 256;
/// Shortest bare stream worth trying.
const SHORTEST_RAW: usize = 8;

impl Codec for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        if bytes.starts_with(&[0x1f, 0x8b, 8]) {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        inflated(MultiGzDecoder::new(bytes.get(span.clone())?), span, room).map(|found| found.unwrapped)
    }
}

impl Codec for Zlib {
    fn name(&self) -> &'static str {
        "zlib"
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        if let [method, flags, _, ..] = bytes {
            let header = u16::from_be_bytes([*method, *flags]);
            if method & 0x8f == 8 && header.is_multiple_of(31) && flags & 0x20 == 0 {
                visit(0..bytes.len());
            }
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let found = inflated(ZlibDecoder::new(bytes.get(span.clone())?), span, room)?;
        (found.ended || found.unwrapped.bytes.len() >= SHORTEST_BROKEN).then_some(found.unwrapped)
    }
}

impl Codec for Raw {
    fn name(&self) -> &'static str {
        "deflate"
    }

    /// Text is not taken for DEFLATE: sixteen printable bytes in a row are rare there and the rule
    /// elsewhere.
    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let is_text = bytes.iter().take(LOOKED_AT).all(|byte| (b' '..0x7f).contains(byte));
        if bytes.len() >= SHORTEST_RAW && !is_text && fills_with_deflate(bytes, TOLERATED_TRAILER) {
            visit(0..bytes.len());
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let stream = bytes.get(span.clone())?;
        let tried = if room >= SHORT { short_stream(stream) } else { Tried::Longer };
        let (out, used) = match tried {
            Tried::Broken => return None,
            Tried::Whole(out, used) => (out, used),
            Tried::Longer => {
                let mut decoder = DeflateDecoder::new(stream);
                let mut out = Vec::new();
                decoder.by_ref().take(room as u64).read_to_end(&mut out).ok()?;
                (out, decoder.total_in() as usize)
            }
        };
        (!out.is_empty() && stream.len().saturating_sub(used) <= TOLERATED_TRAILER)
            .then(|| Unwrapped::new(out, Map::Whole(span)))
    }
}

thread_local! {
    /// Made once, because making one costs more than most streams that are tried.
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Gives the inflater of the thread, which must be reset before use and not be asked for again inside.
pub(super) fn with_inflater<T>(make: impl FnOnce(&mut Decompress) -> T) -> T {
    INFLATER.with_borrow_mut(make)
}

/// What the start of a bare stream gives.
enum Tried {
    /// It breaks a rule of the format.
    Broken,
    /// All that comes out, and how much of the stream was read.
    Whole(Vec<u8>, usize),
    /// More than [`SHORT`] bytes.
    Longer,
}

fn short_stream(stream: &[u8]) -> Tried {
    let mut out = [0; SHORT];
    with_inflater(|inflater| {
        inflater.reset(false);
        let Ok(status) = inflater.decompress(stream, &mut out, FlushDecompress::None) else { return Tried::Broken };
        let (used, length) = (inflater.total_in() as usize, inflater.total_out() as usize);
        let is_all = status == Status::StreamEnd || used == stream.len() && length < SHORT;
        if is_all { Tried::Whole(out[..length].to_vec(), used) } else { Tried::Longer }
    })
}

/// An inflated stream, and whether it was whole.
struct Inflated {
    unwrapped: Unwrapped,
    ended: bool,
}

/// Reads until the stream ends, breaks or fills the room; what came before a break is kept.
fn inflated(mut decoder: impl Read, span: Range<usize>, room: usize) -> Option<Inflated> {
    let mut out = Vec::new();
    let ended = decoder.by_ref().take(room as u64).read_to_end(&mut out).is_ok();
    let cut = ended && out.len() == room && decoder.read(&mut [0]).is_ok_and(|more| more > 0);
    let unwrapped = Unwrapped { cut, ..Unwrapped::new(out, Map::Whole(span)) };
    (!unwrapped.bytes.is_empty()).then_some(Inflated { unwrapped, ended })
}

/// Compresses as gzip, zlib or bare DEFLATE.
pub(crate) fn wrap(name: &str, bytes: &[u8]) -> Vec<u8> {
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    let mut out = Vec::new();
    let level = Compression::new(6);
    let written = match name {
        "gzip" => GzEncoder::new(bytes, level).read_to_end(&mut out),
        "zlib" => ZlibEncoder::new(bytes, level).read_to_end(&mut out),
        _ => DeflateEncoder::new(bytes, level).read_to_end(&mut out),
    };
    debug_assert!(written.is_ok(), "reading from memory does not fail");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::WHOLE;
    use proptest::prelude::*;

    fn first(bytes: &[u8]) -> Option<(&'static str, Unwrapped)> {
        WHOLE.iter().find_map(|codec| {
            let mut span = None;
            codec.find(bytes, &Marks::default(), &mut |found| span = Some(found));
            Some((codec.name(), codec.unwrap(bytes, span?, 1 << 20)?))
        })
    }

    #[test]
    fn a_cut_gzip_gives_what_came_before_the_cut() {
        let text: Vec<u8> = (0..20_000u32).flat_map(u32::to_be_bytes).collect();
        let wrapped = wrap("gzip", &text);
        let (_, found) = first(&wrapped[..wrapped.len() / 2]).unwrap();
        assert!(found.bytes.len() > 1000 && text.starts_with(&found.bytes));
    }

    #[test]
    fn a_bomb_stops_at_the_room() {
        let wrapped = wrap("gzip", &vec![0; 10 << 20]);
        let found = Gzip.unwrap(&wrapped, 0..wrapped.len(), 1000).unwrap();
        assert_eq!((found.bytes.len(), found.cut), (1000, true));
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(bytes in proptest::collection::vec(any::<u8>(), 1..300), name in prop_oneof![Just("gzip"), Just("zlib"), Just("deflate")]) {
            let wrapped = wrap(name, &bytes);
            let found = match name {
                "gzip" => Gzip.unwrap(&wrapped, 0..wrapped.len(), 1 << 20),
                "zlib" => Zlib.unwrap(&wrapped, 0..wrapped.len(), 1 << 20),
                _ => Raw.unwrap(&wrapped, 0..wrapped.len(), 1 << 20),
            }.unwrap();
            prop_assert_eq!(found.bytes, bytes);
            prop_assert_eq!(found.map, Map::Whole(0..wrapped.len()));
        }

        #[test]
        fn text_is_not_taken_for_a_compressed_stream(text in "[ -~]{0,200}") {
            prop_assert!(first(text.as_bytes()).is_none());
        }
    }
}
