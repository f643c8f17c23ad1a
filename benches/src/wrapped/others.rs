//! Wrappings beside the usual ones: notations, envelopes and digests that other people would think of.

#![allow(clippy::unnecessary_wraps, reason = "all wrappings have one signature")]

use super::document::json_text;
use super::piece::{Layer, Piece};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

pub(crate) const LAYERS: &[Layer] = &[
    ("hex dashes", |p| Some(separated(p, "-", |b| format!("{b:02X}")))),
    ("hex 0x spaces", |p| Some(separated(p, " ", |b| format!("0x{b:02X}")).inexact())),
    ("html decimal bare", |p| p.by_char(|c| format!("&#{}", u32::from(c))).map(|p| p.between("", "."))),
    ("html decimal padded", |p| p.by_char(|c| format!("&#{:07};", u32::from(c)))),
    ("byte codes", |p| Some(separated(p, ",", |b| b.to_string()).between("[", "]"))),
    ("byte codes signed", |p| Some(separated(p, ", ", |b| b.cast_signed().to_string()).between("[", "]"))),
    ("byte codes bare", |p| Some(separated(p, ",", |b| b.to_string()))),
    ("byte codes spaces", |p| Some(separated(p, " ", |b| b.to_string()))),
    ("indexed bytes", |p| Some(indexed(p))),
    ("data url", |p| Some(base64(p).between("data:text/plain;base64,", ""))),
    ("base64 pem lines", |p| Some(pem_lines(p, "\n"))),
    ("encoded word b", |p| Some(base64(p).between("=?UTF-8?B?", "?="))),
    ("encoded word q", |p| {
        Some(
            p.piecewise(|b| b.iter().map(|b| format!("={b:02X}")).collect::<Vec<_>>().concat().into())
                .between("=?UTF-8?Q?", "?="),
        )
    }),
    ("extended parameter", |p| Some(super::text::percent_where_needed(p).between("filename*=UTF-8''", ""))),
    ("bearer", |p| Some(p.between("Bearer ", ""))),
    ("basic", |p| {
        let pair = p.between("user:", "");
        Some(base64(&pair).between("Basic ", ""))
    }),
    ("jsonp", |p| Some(json_text(p)?.between("cb_17({\"data\":\"", "\"});"))),
    ("ndjson", |p| Some(json_text(p)?.between("{\"seq\":1}\n{\"seq\":2,\"data\":\"", "\"}\n{\"seq\":3}\n").alone())),
    ("csv", |p| p.text().filter(|t| !t.contains([',', '"'])).map(|_| p.between("id,value,ok\n17,", ",true\n"))),
    ("ascii85 bare", |p| Some(p.whole(ascii85(&p.bytes)).inexact().alone())),
    ("quoted-printable soft", |p| {
        let at = p.bytes.len() / 2;
        let both = [&p.bytes[..at], b"=\r\n", &p.bytes[at..]].concat();
        let plain = p.bytes.iter().all(|b| b.is_ascii_graphic() && *b != b'=');
        plain.then(|| p.whole(both))
    }),
    ("utf-7 all", |p| {
        // Of text in which nothing is ASCII, the signs that open and close base64 may be named, too.
        let coded = p.whole(utf7_all(p.text()?)).between("+", "-");
        Some(if p.bytes.is_ascii() { coded } else { coded.inexact() })
    }),
    ("utf-16le bom", |p| Some(utf16(p, u16::to_le_bytes)?.between([0xff, 0xfe], []))),
    ("utf-16be bom", |p| Some(utf16(p, u16::to_be_bytes)?.between([0xfe, 0xff], []))),
    ("utf-32le", |p| utf32(p, u32::to_le_bytes)),
    ("utf-32be", |p| utf32(p, u32::to_be_bytes)),
    ("xor 0xff", |p| Some(p.piecewise(|b| b.iter().map(|b| b ^ 0xff).collect()))),
    ("xor 0x20", |p| Some(p.piecewise(|b| b.iter().map(|b| b ^ 0x20).collect()))),
    ("bytes - 3", |p| Some(p.piecewise(|b| b.iter().map(|b| b.wrapping_sub(3)).collect()))),
    ("thrift compact", |p| Some(p.between(varint(p.bytes.len()), [0]).between([0x15, 0x22, 0x18], []).alone())),
    ("thrift binary", |p| {
        let length = (p.bytes.len() as u32).to_be_bytes();
        Some(p.between(length, [0]).between([8, 0, 1, 0, 0, 0, 17, 11, 0, 2], []).alone())
    }),
    ("protobuf fixed32", |p| {
        let number = u32::try_from(p.number()?).ok()?;
        Some(
            Piece::of([&[0x08, 0x11, 0x15][..], &number.to_le_bytes(), &[0x1a, 2, b'o', b'k']].concat())
                .inexact()
                .alone(),
        )
    }),
    ("protobuf zigzag", |p| {
        let number = usize::try_from(p.number()? << 1).ok()?;
        Some(Piece::of([&[0x08, 0x11, 0x10][..], &varint(number), &[0x1a, 2, b'o', b'k']].concat()).inexact().alone())
    }),
    ("lz-string bytes", |p| Some(p.whole(lz_str::compress_to_uint8_array(p.text()?)).alone())),
    ("gzip stored", |p| Some(p.whole(gzip_stored(&p.bytes)).inexact().alone())),
];

fn separated(piece: &Piece, gap: &str, write: impl Fn(u8) -> String) -> Piece {
    let mut bytes = String::new();
    let mut place = 0..0;
    for (at, byte) in piece.bytes.iter().enumerate() {
        if at > 0 {
            bytes.push_str(gap);
        }
        if at == piece.place.start {
            place.start = bytes.len();
        }
        bytes.push_str(&write(*byte));
        if at + 1 == piece.place.end {
            place.end = bytes.len();
        }
    }
    Piece { bytes: bytes.into_bytes(), place, exact: piece.exact, alone: false }
}

/// `{"0":49,"1":51}`: what JSON.stringify makes of a Uint8Array.
fn indexed(piece: &Piece) -> Piece {
    let mut text = String::from("{");
    let mut place = 0..0;
    for (at, byte) in piece.bytes.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(text, "{comma}\"{at}\":");
        if at == piece.place.start {
            place.start = text.len();
        }
        let _ = write!(text, "{byte}");
        if at + 1 == piece.place.end {
            place.end = text.len();
        }
    }
    text.push('}');
    Piece { bytes: text.into_bytes(), place, exact: false, alone: false }
}

fn base64(piece: &Piece) -> Piece {
    piece.ratio(STANDARD.encode(&piece.bytes), 4, 3)
}

/// RFC 7468: lines of 64 characters.
fn pem_lines(piece: &Piece, line_end: &str) -> Piece {
    let text =
        piece.between("A letter of some length, so that it takes several lines: ", "; with best regards, yours truly.");
    let flat = base64(&text);
    let lines: Vec<&[u8]> = flat.bytes.chunks(64).collect();
    let at = |place: usize| place + place / 64 * line_end.len();
    let place = at(flat.place.start)..at(flat.place.end - 1) + 1;
    Piece { bytes: lines.join(line_end.as_bytes()), place, exact: piece.exact, alone: true }
}

/// As Python's `base64.a85encode` writes it.
fn ascii85(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for group in bytes.chunks(4) {
        let mut four = [0; 4];
        four[..group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(four);
        let digits = [52_200_625, 614_125, 7225, 85, 1].map(|unit| (number / unit % 85) as u8 + b'!');
        out.extend(&digits[..=group.len()]);
    }
    out
}

/// RFC 2152 allows every character in base64.
fn utf7_all(text: &str) -> String {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(units)
}

fn utf16(piece: &Piece, bytes: fn(u16) -> [u8; 2]) -> Option<Piece> {
    piece.text()?;
    Some(piece.piecewise(|part| String::from_utf8_lossy(part).encode_utf16().flat_map(bytes).collect()).alone())
}

fn utf32(piece: &Piece, bytes: fn(u32) -> [u8; 4]) -> Option<Piece> {
    piece.text()?;
    let encode = |part: &[u8]| String::from_utf8_lossy(part).chars().flat_map(|c| bytes(u32::from(c))).collect();
    Some(piece.piecewise(encode).alone())
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    // Writing to memory cannot fail.
    drop(writer.write_all(bytes));
    writer.finish().unwrap_or_default()
}

/// Combinations of these and of the usual ones.
pub(crate) const COMBINATIONS: &[&str] = &[
    "json > reversed",
    "json > rot13",
    "json > base64 > reversed",
    "hex > reversed",
    "reversed > hex",
    "rot13 > hex",
    "sha256 > hex",
    "md5 > base64 > base64",
    "sha256 > percent",
    "md5 raw > base32",
    "sha256 raw > base32",
    "sha256 raw > base58",
    "md5 raw > hex colons",
    "sha256 raw > byte codes signed",
    "md5 upper > json",
    "sha1 > xml element",
    "md5 > csv",
    "sha256 > gzip",
    "sha256 > protobuf string > gzip > base64",
    "gbk > md5",
    "gbk > sha256",
    "gb18030 > md5",
    "utf-16le > md5",
    "utf-16le > sha1",
    "gbk > percent percent",
    "gb18030 > percent",
    "gbk > percent > percent",
    "percent u > json",
    "percent u > percent",
    "html decimal > percent where needed",
    "html decimal bare > json",
    "js \\u{} > json",
    "c octal > json",
    "json \\u > percent",
    "hex spaces > json",
    "hex 0x each > json",
    "hex 0x > json",
    "character codes > percent where needed",
    "byte codes > json",
    "byte codes signed > json",
    "indexed bytes > json",
    "indexed bytes > base64",
    "xml cdata > base64",
    "form > form",
    "json > form",
    "json > form > base64",
    "base64 > cookie",
    "jwt > cookie",
    "jwt > bearer",
    "json > data url",
    "json > gzip > data url",
    "json > base64 pem lines",
    "base64 pem lines > json",
    "base64 mime lines > json",
    "base64 mime lines > percent where needed",
    "protobuf string > hex",
    "cbor text > hex",
    "bson string > base64 > json",
    "msgpack string > zlib > base64",
    "protobuf string > protobuf nested",
    "protobuf string > grpc > base64",
    "protobuf packed > base64",
    "protobuf fixed64 > base64",
    "cbor indefinite > base64",
    "plist binary > base64 > json",
    "json > gzip > grpc",
    "json > brotli > base64url",
    "json > zstd > base64url",
    "json > zlib > hex",
    "json > zlib > base64 > percent",
    "json > deflate",
    "json > deflate > hex",
    "json > snappy framed > base64",
    "json > lz4 block sized > base64",
    "json > zip deflated > base64",
    "zip stored > base64",
    "json > gzip > base64 > gzip > base64",
    "gzip at an offset > base64",
    "json > lz-string bytes",
    "json > lz-string bytes > base64",
    "lz-string utf-16 > json",
    "base32 > percent",
    "base32 > base64",
    "hex > percent where needed",
    "base64 > hex > base64",
    "percent > hex",
    "utf-16le bom > base64",
    "utf-32le > base64",
    "utf-16le > gzip > base64",
    "utf-7 all > json",
    "quoted-printable > base64",
    "encoded word b > json",
    "xor 0xff > base64",
    "json > xor 0xff > base64",
    "json > bytes + 1 > base64",
    "xor 0x5a > base64 > json",
    "thrift compact > base64",
    "thrift binary > base64",
    "csv > gzip",
    "csv > base64",
    "ndjson > gzip",
    "base64 own alphabet > base64",
    "json > gzip > base64 own alphabet",
    "base64url > json",
    "json > base64url > form",
    "sha1 upper > json > gzip > base64url",
    "base64 > json > percent where needed > cookie",
    "protobuf string > grpc > base64 > json",
    "md5 middle 16 > json > base64",
    "md5 dashed > xml element > gzip",
    "base32 > gzip > base64url",
    "sha256 base64url > jwt",
    "xml element > json > gzip > base64",
    "cbor text > base64url > form",
    "plist binary > gzip > base64",
    "msgpack string > lz4 frame > base64",
    "json > zstd > hex",
    "json > brotli > hex",
    "reversed > base64 > json",
    "rot13 > json > base64",
    "base64 > reversed > json",
    "xor 0x5a > hex > json",
    "json > xor 0x5a > hex",
    "json > bytes + 1 > hex",
    "json > reversed > base64",
    "base64 > json > xor 0x5a > base64",
    "form > json > base64 > form",
    "hex > json > aes-128-ecb > base64",
    "base64 > xml attribute > json",
    "json > json > gzip > base64 > json",
    "js \\x > percent",
    "html hex > base64",
    "percent u > base64",
    "gbk > base64 > json",
    "big5 > base64",
    "gbk > hex > json",
    "utf-16le > base64 > json",
    "base58 > json > base64",
    "csv > base64 > json",
    "ndjson > zstd > base64",
    "bson string > gzip",
    "thrift compact > gzip",
    "hmac-sha256 > cookie",
    "sha256 salt before > jwt > form",
    "json split in 2 > base64",
    "json > aes-256-gcm nonce first > base64",
    "json > 3des-cbc fixed iv > base64",
    "json > des-ecb > hex",
    "json > aes-128-ecb zero padding > base64",
    "json > gzip > aes-128-ecb > base64url",
    "json > sm4-ecb > base64",
    "json > rc4 > base64",
    "form > aes-128-cbc iv first > base64 > form",
    "json > aes-128-cbc iv first > base64 > json",
    "json > aes-128-gcm nonce first > protobuf string",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(name: &str, value: &str) -> String {
        let wrap = LAYERS.iter().find(|layer| layer.0 == name).unwrap().1;
        String::from_utf8(wrap(&Piece::of(value)).unwrap().bytes).unwrap()
    }

    #[test]
    fn known_answers() {
        assert_eq!(wrapped("byte codes signed", "é"), "[-61, -87]");
        assert_eq!(wrapped("indexed bytes", "13"), "{\"0\":49,\"1\":51}");
        assert_eq!(wrapped("basic", "pw"), "Basic dXNlcjpwdw==");
        assert_eq!(wrapped("ascii85 bare", "Man sure."), "9jqo^F*2M7/c");
        assert_eq!(wrapped("quoted-printable soft", "1380"), "13=\r\n80");
        assert_eq!(wrapped("utf-7 all", "é"), "+AOk-");
    }
}
