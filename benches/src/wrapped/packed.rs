//! Compression and archives. What they hold has no place of its own: the whole stream carries it.

#![allow(clippy::unnecessary_wraps, reason = "all wrappings have one signature")]

use super::piece::{Layer, Piece};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;

/// LZ4 and snappy leave short values as they are inside the stream, where they can be named exactly.
pub(crate) const LAYERS: &[Layer] = &[
    ("gzip", |p| packed(p, gzip)),
    ("zlib", |p| packed(p, zlib)),
    ("deflate", |p| packed(p, deflate).map(Piece::alone)),
    ("gzip at an offset", |p| Some(packed(p, gzip)?.between(HEADER, b"\0\0\0\x07trailer"))),
    ("zlib at an offset", |p| Some(packed(p, zlib)?.between(HEADER, b"\0\0\0\x07trailer"))),
    ("deflate at an offset", |p| Some(packed(p, deflate)?.between(HEADER, b"\0\0\0\x07trailer").alone())),
    ("brotli", |p| packed(p, brotli).map(Piece::alone)),
    ("zstd", |p| packed(p, zstd)),
    ("lz4 frame", |p| packed(p, lz4_frame).map(Piece::inexact)),
    ("lz4 block", |p| packed(p, lz4_flex::block::compress).map(Piece::inexact).map(Piece::alone)),
    ("lz4 block sized", |p| packed(p, lz4_flex::block::compress_prepend_size).map(Piece::inexact).map(Piece::alone)),
    ("snappy", |p| {
        packed(p, |b| snap::raw::Encoder::new().compress_vec(b).unwrap_or_default())
            .map(Piece::inexact)
            .map(Piece::alone)
    }),
    ("snappy framed", |p| packed(p, snappy_framed).map(Piece::inexact)),
    ("lz-string base64", |p| Some(lz(p, |text| lz_str::compress_to_base64(text))?.inexact())),
    ("lz-string uri", |p| lz(p, |text| lz_str::compress_to_encoded_uri_component(text))),
    ("lz-string utf-16", |p| lz(p, |text| lz_str::compress_to_utf16(text))),
    ("zip stored", |p| zip(p, false)),
    ("zip deflated", |p| zip(p, true)),
];

const HEADER: &[u8] = b"\x00\x01\x02APP\x10\x00\x00\x00\x2a";

/// A text worth compressing around short values; longer pieces are packed as they are.
fn packed(piece: &Piece, pack: impl Fn(&[u8]) -> Vec<u8>) -> Option<Piece> {
    let inner = if piece.bytes.len() < 64 { surrounded(piece) } else { piece.clone() };
    Some(inner.whole(pack(&inner.bytes)))
}

fn surrounded(piece: &Piece) -> Piece {
    piece.between(
        "event=profile_update&session=8f14e45fceea&version=5.2.1&event=profile_view&value=",
        "&session=8f14e45fceea&version=5.2.1&time=1763700000&event=profile_end",
    )
}

fn finished<W: Write>(mut writer: W, bytes: &[u8], finish: impl Fn(W) -> Vec<u8>) -> Vec<u8> {
    // Writing to memory cannot fail.
    drop(writer.write_all(bytes));
    finish(writer)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    finished(GzEncoder::new(Vec::new(), Compression::default()), bytes, |w| w.finish().unwrap_or_default())
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    finished(ZlibEncoder::new(Vec::new(), Compression::default()), bytes, |w| w.finish().unwrap_or_default())
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    finished(DeflateEncoder::new(Vec::new(), Compression::best()), bytes, |w| w.finish().unwrap_or_default())
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    finished(brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22), bytes, brotli::CompressorWriter::into_inner)
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn lz4_frame(bytes: &[u8]) -> Vec<u8> {
    finished(lz4_flex::frame::FrameEncoder::new(Vec::new()), bytes, |w| w.finish().unwrap_or_default())
}

fn snappy_framed(bytes: &[u8]) -> Vec<u8> {
    finished(snap::write::FrameEncoder::new(Vec::new()), bytes, |w| w.into_inner().unwrap_or_default())
}

fn lz<T: Into<LzText>>(piece: &Piece, pack: impl Fn(&str) -> T) -> Option<Piece> {
    Some(piece.whole(pack(piece.text()?).into().0).alone())
}

/// What lz-string gives, as the bytes that are sent.
struct LzText(Vec<u8>);

impl From<String> for LzText {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<Vec<u16>> for LzText {
    fn from(units: Vec<u16>) -> Self {
        Self(String::from_utf16_lossy(&units).into_bytes())
    }
}

/// APPNOTE 6.3.10: one local entry, the central directory and its end.
fn zip(piece: &Piece, deflated: bool) -> Option<Piece> {
    let name = b"data.txt";
    let inner = if deflated { packed(piece, deflate)? } else { piece.clone() };
    let plain = if deflated && piece.bytes.len() < 64 { surrounded(piece).bytes } else { piece.bytes.clone() };
    let method = if deflated { 8_u16 } else { 0 };
    let mut common = Vec::new();
    for field in [20_u16, 0, method, 0x6000, 0x5b76] {
        common.extend(field.to_le_bytes());
    }
    for field in [crc32fast::hash(&plain), inner.bytes.len() as u32, plain.len() as u32] {
        common.extend(field.to_le_bytes());
    }
    common.extend((name.len() as u16).to_le_bytes());
    common.extend([0, 0]);
    let local = [&b"PK\x03\x04"[..], &common, name].concat();
    let central = [&b"PK\x01\x02\x14\x00"[..], &common, &[0; 14], name].concat();
    let start = (local.len() + inner.bytes.len()) as u32;
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend((central.len() as u32).to_le_bytes());
    end.extend(start.to_le_bytes());
    end.extend([0, 0]);
    // The entry carries the value; whether its header belongs to that is a matter of taste.
    Some(inner.between(local, [central, end].concat()).inexact())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packing_can_be_made() {
        for (name, wrap) in LAYERS {
            let piece = wrap(&Piece::of("13800000427")).unwrap_or_else(|| panic!("{name}"));
            assert!(!piece.bytes.is_empty() && piece.place.end <= piece.bytes.len(), "{name}");
        }
    }
}
