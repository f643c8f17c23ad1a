//! Wrappings that turn bytes into text.

#![allow(clippy::unnecessary_wraps, reason = "all wrappings have one signature")]

use super::piece::{Layer, Piece};
use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{NO_PAD, PAD, STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use data_encoding::{BASE32, BASE32_NOPAD, BASE32HEX, HEXLOWER, HEXUPPER};
use std::fmt::Write as _;

/// The alphabet of a tester who has read it out of an app: the usual one turned by 17 places.
pub(crate) const ALPHABET: &str = "RSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKLMNOPQ";

pub(crate) const LAYERS: &[Layer] = &[
    ("base64", |p| Some(p.ratio(STANDARD.encode(&p.bytes), 4, 3))),
    ("base64 unpadded", |p| Some(p.ratio(STANDARD_NO_PAD.encode(&p.bytes), 4, 3))),
    ("base64url", |p| Some(p.ratio(URL_SAFE_NO_PAD.encode(&p.bytes), 4, 3))),
    ("base64 own alphabet", own_alphabet),
    ("base64 mime lines", mime_lines),
    ("base64 in blob +1", |p| Some(in_blob(p, 31))),
    ("base64 in blob +2", |p| Some(in_blob(p, 32))),
    ("base64 in blob +0", |p| Some(in_blob(p, 33))),
    ("base64 after letters", |p| Some(p.ratio(STANDARD.encode(&p.bytes), 4, 3).between("id7", ""))),
    ("hex", |p| Some(p.ratio(HEXLOWER.encode(&p.bytes), 2, 1))),
    ("hex upper", |p| Some(p.ratio(HEXUPPER.encode(&p.bytes), 2, 1))),
    ("hex colons", |p| Some(spaced_hex(p, "", ":"))),
    ("hex spaces", |p| Some(spaced_hex(p, "", " "))),
    ("hex 0x", |p| Some(p.ratio(HEXLOWER.encode(&p.bytes), 2, 1).between("0x", ""))),
    ("hex 0x each", |p| Some(spaced_hex(p, "0x", ","))),
    ("base32", |p| Some(p.ratio(BASE32.encode(&p.bytes), 8, 5))),
    ("base32 lower unpadded", |p| Some(p.ratio(BASE32_NOPAD.encode(&p.bytes).to_lowercase(), 8, 5))),
    ("base32hex", |p| Some(p.ratio(BASE32HEX.encode(&p.bytes), 8, 5))),
    ("base58", |p| Some(p.whole(bs58::encode(&p.bytes).into_string()))),
    ("ascii85", |p| Some(base85(p, |d| b'!' + d).between("<~", "~>").inexact().alone())),
    ("base85", |p| Some(base85(p, |d| RFC1924[usize::from(d)]).inexact().alone())),
    ("z85", |p| (p.bytes.len() % 4 == 0).then(|| base85(p, |d| Z85[usize::from(d)]).inexact().alone())),
    ("quoted-printable", |p| Some(p.piecewise(|b| each(b, |b| format!("={b:02X}"))))),
    ("percent", |p| Some(p.piecewise(|b| each(b, |b| format!("%{b:02X}"))))),
    ("percent lower", |p| Some(p.piecewise(|b| each(b, |b| format!("%{b:02x}"))))),
    ("percent where needed", |p| Some(percent_where_needed(p))),
    ("percent percent", |p| Some(p.piecewise(|b| each(b, |b| format!("%25{b:02X}"))))),
    ("percent u", |p| p.by_char(|c| units(c, |unit| format!("%u{unit:04X}")))),
    ("json \\u", |p| p.by_char(|c| units(c, |unit| format!("\\u{unit:04x}")))),
    ("js \\x", |p| Some(p.piecewise(|b| each(b, |b| format!("\\x{b:02x}"))))),
    ("js \\u{}", |p| p.by_char(|c| format!("\\u{{{:x}}}", u32::from(c)))),
    ("c octal", |p| Some(p.piecewise(|b| each(b, |b| format!("\\{b:03o}"))))),
    ("html decimal", |p| p.by_char(|c| format!("&#{};", u32::from(c)))),
    ("html hex", |p| p.by_char(|c| format!("&#x{:X};", u32::from(c)))),
    ("character codes", |p| character_codes(p, "[", "]")),
    ("fromCharCode", |p| character_codes(p, "String.fromCharCode(", ")")),
    ("utf-16le", |p| p.by_units(u16::to_le_bytes)),
    ("utf-16be", |p| p.by_units(u16::to_be_bytes)),
    ("utf-7", |p| p.text().filter(|text| !text.is_ascii()).map(|text| p.whole(utf7(text)))),
    ("gbk", |p| charset(p, encoding_rs::GBK)),
    ("gb18030", |p| charset(p, encoding_rs::GB18030)),
    ("big5", |p| charset(p, encoding_rs::BIG5)),
    ("reversed", reversed),
    ("rot13", |p| Some(p.piecewise(|b| b.iter().map(|b| rot13(*b)).collect())).filter(|q| q.bytes != p.bytes)),
    ("bytes + 1", |p| Some(p.piecewise(|b| b.iter().map(|b| b.wrapping_add(1)).collect()))),
    ("xor 0x5a", |p| Some(p.piecewise(|b| b.iter().map(|b| b ^ 0x5a).collect()))),
];

const RFC1924: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const Z85: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

impl Piece {
    fn by_units(&self, bytes: fn(u16) -> [u8; 2]) -> Option<Self> {
        self.text()?;
        Some(self.piecewise(|part| String::from_utf8_lossy(part).encode_utf16().flat_map(bytes).collect()))
    }
}

fn each(bytes: &[u8], write: impl Fn(u8) -> String) -> Vec<u8> {
    bytes.iter().map(|byte| write(*byte)).collect::<String>().into_bytes()
}

fn units(c: char, write: impl Fn(u16) -> String) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| write(*unit)).collect()
}

fn own_alphabet(piece: &Piece) -> Option<Piece> {
    let alphabet = Alphabet::new(ALPHABET).ok()?;
    let encoded =
        GeneralPurpose::new(&alphabet, if piece.bytes.len() > 40 { PAD } else { NO_PAD }).encode(&piece.bytes);
    Some(piece.ratio(encoded, 4, 3))
}

/// RFC 2045: the value in a text long enough for several lines of 76 characters.
fn mime_lines(piece: &Piece) -> Option<Piece> {
    let text = piece.between(
        "Dear customer, thank you for your order, which is on its way; details: ",
        ". We will write again as soon as it has been handed over. Yours, the team",
    );
    let flat = text.ratio(STANDARD.encode(&text.bytes), 4, 3);
    let lines: Vec<&[u8]> = flat.bytes.chunks(76).collect();
    let at = |place: usize| place + place / 76 * 2;
    let place = at(flat.place.start)..at(flat.place.end - 1) + 1;
    Some(Piece { bytes: lines.join(&b"\r\n"[..]), place, exact: piece.exact, alone: true })
}

/// The value somewhere inside binary data under base64, at any of the three alignments.
fn in_blob(piece: &Piece, before: usize) -> Piece {
    let noise = crate::random::Random::new(before as u64).bytes(before + 40);
    let (before, after) = noise.split_at(before);
    let blob = piece.between(before, after);
    blob.ratio(STANDARD.encode(&blob.bytes), 4, 3)
}

fn spaced_hex(piece: &Piece, mark: &str, gap: &str) -> Piece {
    let encoded: Vec<String> = piece.bytes.iter().map(|b| format!("{mark}{b:02x}")).collect();
    let step = 2 + mark.len() + gap.len();
    let place = piece.place.start * step..piece.place.end * step - gap.len();
    // Whether the first mark belongs to the value is a matter of taste.
    Piece { bytes: encoded.join(gap).into_bytes(), place, exact: piece.exact && mark.is_empty(), alone: false }
}

/// Four bytes as five digits, most significant first; a rest of n bytes as n + 1 digits.
fn base85(piece: &Piece, digit: impl Fn(u8) -> u8) -> Piece {
    let mut encoded = Vec::new();
    for group in piece.bytes.chunks(4) {
        let mut four = [0; 4];
        four[..group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(four);
        let digits = [52_200_625, 614_125, 7225, 85, 1].map(|unit| (number / unit % 85) as u8);
        encoded.extend(digits[..=group.len()].iter().map(|d| digit(*d)));
    }
    let place = piece.place.start / 4 * 5..(piece.place.end.div_ceil(4) * 5).min(encoded.len());
    Piece { bytes: encoded, place, exact: piece.exact, alone: false }
}

/// Percent encoding as programs do it: letters, digits and four marks stay (RFC 3986 section 2.3).
pub(crate) fn percent_where_needed(piece: &Piece) -> Piece {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    piece.piecewise(|bytes| {
        each(bytes, |byte| if stays(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
    })
}

/// `[49,51,56]`: the numbers of the characters' UTF-16 units.
fn character_codes(piece: &Piece, open: &str, close: &str) -> Option<Piece> {
    let text = piece.text()?;
    let number = |part: &str| part.encode_utf16().map(|unit| unit.to_string()).collect::<Vec<_>>().join(",");
    let before = number(text.get(..piece.place.start)?);
    let value = number(text.get(piece.place.clone())?);
    let after = number(text.get(piece.place.end..)?);
    let mut bytes = String::from(open);
    let mut place = 0..0;
    for (part, is_value) in [(before, false), (value, true), (after, false)] {
        if part.is_empty() {
            continue;
        }
        if bytes.len() > open.len() {
            bytes.push(',');
        }
        let start = bytes.len();
        let _ = write!(bytes, "{part}");
        if is_value {
            place = start..bytes.len();
        }
    }
    bytes.push_str(close);
    Some(Piece { bytes: bytes.into_bytes(), place, exact: piece.exact, alone: false })
}

/// RFC 2152: runs beyond ASCII as UTF-16BE in base64 between `+` and `-`.
fn utf7(text: &str) -> String {
    let mut encoded = String::new();
    let mut run: Vec<u8> = Vec::new();
    let flush = |run: &mut Vec<u8>, encoded: &mut String| {
        if !run.is_empty() {
            let _ = write!(encoded, "+{}-", STANDARD_NO_PAD.encode(&*run));
            run.clear();
        }
    };
    for c in text.chars() {
        if c.is_ascii() {
            flush(&mut run, &mut encoded);
            encoded.push(c);
            encoded.push_str(if c == '+' { "-" } else { "" });
        } else {
            run.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut run, &mut encoded);
    encoded
}

fn charset(piece: &Piece, encoding: &'static encoding_rs::Encoding) -> Option<Piece> {
    let text = piece.text().filter(|text| !text.is_ascii())?;
    let (_, _, unmappable) = encoding.encode(text);
    (!unmappable).then(|| piece.piecewise(|part| encoding.encode(&String::from_utf8_lossy(part)).0.into_owned()))
}

fn reversed(piece: &Piece) -> Option<Piece> {
    let length = piece.bytes.len();
    let bytes: Vec<u8> = match piece.text() {
        Some(text) => text.chars().rev().collect::<String>().into_bytes(),
        None => piece.bytes.iter().rev().copied().collect(),
    };
    let place = length - piece.place.end..length - piece.place.start;
    Some(Piece { bytes, place, exact: piece.exact, alone: false })
}

fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        _ => byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(name: &str, value: &str) -> String {
        let wrap = LAYERS.iter().find(|layer| layer.0 == name).unwrap().1;
        String::from_utf8(wrap(&Piece::of(value)).unwrap().bytes).unwrap()
    }

    #[test]
    fn known_answers() {
        assert_eq!(wrapped("ascii85", "Man sure."), "<~9jqo^F*2M7/c~>");
        // ZeroMQ RFC 32 gives 86 4F D2 6F B5 59 F7 5B as HelloWorld.
        let hello = Piece::of([0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B]);
        assert_eq!(base85(&hello, |d| Z85[usize::from(d)]).bytes, b"HelloWorld");
        assert_eq!(wrapped("base58", "Hello World!"), "2NEpo7TZRRrLZSi2U");
        assert_eq!(wrapped("utf-7", "Hi Mom 日本語"), "Hi Mom +ZeVnLIqe-");
        assert_eq!(wrapped("character codes", "138"), "[49,51,56]");
        assert_eq!(wrapped("quoted-printable", "é"), "=C3=A9");
    }

    #[test]
    fn the_place_in_mime_lines_skips_line_ends() {
        let wrap = LAYERS.iter().find(|layer| layer.0 == "base64 mime lines").unwrap().1;
        let piece = wrap(&Piece::of("13800000427")).unwrap();
        let clean = |bytes: &[u8]| bytes.iter().copied().filter(|b| !b"\r\n".contains(b)).collect::<Vec<u8>>();
        let skipped = clean(&piece.bytes[..piece.place.start]).len() % 4;
        let run = clean(&piece.bytes[piece.place.start - skipped..piece.place.end]);
        let whole = &run[..run.len() / 4 * 4];
        let text = STANDARD.decode(whole).unwrap();
        assert!(String::from_utf8_lossy(&text).contains("1380000042"));
    }
}
