//! The ways in which people and programs write a value of a kind, written down here anew from
//! what the kinds are, not taken from the search.

use super::digests::wpa2;
use super::piece::Piece;
use super::values::Value;

/// A value, spelled.
#[derive(Debug, Clone)]
pub(crate) struct Spelling {
    /// What the spelling is called.
    pub(crate) name: String,
    /// The bytes.
    pub(crate) piece: Piece,
    /// True where programs digest values so spelled.
    pub(crate) digested: bool,
}

/// The spellings of a value, as typed first. `others` are the other values of the person.
pub(crate) fn spellings(value: &Value, others: &[Value]) -> Vec<Spelling> {
    let mut list = List(Vec::new());
    let piece = Piece::of(value.text.as_str());
    let short = value.text.len() < 6;
    list.push("as typed", if short { piece.alone() } else { piece }, true);
    let text = value.text.as_str();
    match value.kind {
        "phone" => phone(text, &mut list),
        "email" => email(text, &mut list),
        "imei" | "iccid" => hardware(value.kind, text, &mut list),
        "device.mac" => mac(text, &mut list),
        "wifi.password" => password(text, others, &mut list),
        "wifi.ssid" => list.text("in quotes", &format!("\"{text}\"")),
        "name" => name(text, &mut list),
        "card" => card(text, &mut list),
        "id.cn" => resident(text, &mut list),
        "gps" => gps(text, &mut list),
        "android.id" => android(text, &mut list),
        "advertising-id" => uuid(text, &mut list),
        _ => {}
    }
    list.0
}

struct List(Vec<Spelling>);

impl List {
    fn push(&mut self, name: &str, piece: Piece, digested: bool) {
        self.0.push(Spelling { name: name.to_owned(), piece, digested });
    }

    /// Text around or between the value's own characters: a finder may name those alone.
    fn text(&mut self, name: &str, text: &str) {
        self.push(name, Piece::of(text).inexact(), false);
    }

    fn digested(&mut self, name: &str, text: &str) {
        self.push(name, Piece::of(text), true);
    }

    /// Bytes that need not be a whole field.
    fn bytes(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.push(name, Piece::of(bytes), false);
    }
}

fn phone(text: &str, list: &mut List) {
    let grouped = |gap: &str| [&text[..3], &text[3..7], &text[7..]].join(gap);
    for (name, text) in [("+86", format!("+86{text}")), ("86", format!("86{text}")), ("0086", format!("0086{text}"))] {
        list.digested(&format!("with {name}"), &text);
    }
    for (name, text) in [
        ("in groups, spaces", grouped(" ")),
        ("in groups, dashes", grouped("-")),
        ("+86 and groups", format!("+86 {}", grouped(" "))),
        ("+86-", format!("+86-{text}")),
        ("(+86)", format!("(+86){text}")),
        ("tel", format!("tel:+86{text}")),
        ("full width", full_width(text)),
        ("masked", format!("{}****{}", &text[..3], &text[7..])),
    ] {
        list.text(name, &text);
    }
    // In hexadecimal the digits stand there as they are, without the filler.
    list.push("bcd", Piece::of(packed(text, false)).inexact(), false);
    list.bytes("tbcd", packed(text, true));
}

fn full_width(text: &str) -> String {
    text.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)).collect()
}

/// Two digits a byte, filled with F; telephony's order (3GPP TS 29.002) has the first digit low.
fn packed(digits: &str, first_low: bool) -> Vec<u8> {
    let digit = |c: Option<&u8>| c.map_or(15, |c| c - b'0');
    let pair = |pair: &[u8]| {
        let (first, second) = (digit(pair.first()), digit(pair.get(1)));
        if first_low { second << 4 | first } else { first << 4 | second }
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

fn email(text: &str, list: &mut List) {
    list.digested("lower case", &text.to_lowercase());
    list.digested("upper case", &text.to_uppercase());
    if let Some((local, domain)) = text.split_once('@') {
        list.text("local part", local);
        list.text("at in words", &format!("{local} at {domain}"));
        list.text("masked", &format!("{}***@{domain}", &local[..1]));
    }
}

fn hardware(kind: &str, text: &str, list: &mut List) {
    if kind == "imei" {
        list.digested("without check digit", &text[..14]);
        list.text("with software version", &format!("{}05", &text[..14]));
        list.text("in groups", &[&text[..2], &text[2..8], &text[8..14], &text[14..]].join("-"));
    }
    // As for telephone numbers, an odd number of digits has a filler.
    list.push("bcd", Piece::of(packed(text, false)).inexact(), false);
    list.bytes("tbcd", packed(text, true));
}

fn mac(text: &str, list: &mut List) {
    let hex: String = text.chars().filter(|c| *c != ':').collect();
    let raw = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap_or_default();
    list.digested("upper case", &text.to_uppercase());
    list.digested("bare", &hex);
    list.digested("bare upper case", &hex.to_uppercase());
    list.digested("dashes", &text.replace(':', "-"));
    list.digested("upper case dashes", &text.replace(':', "-").to_uppercase());
    list.text("dots", &[&hex[..4], &hex[4..8], &hex[8..]].join("."));
    list.text("spaces", &text.replace(':', " "));
    // RFC 4291 appendix A: the second lowest bit of the first byte turned, FFFE in the middle.
    list.text(
        "in an IPv6 address",
        &format!("fe80::{:02x}{}:{}ff:fe{}:{}", raw[0] ^ 2, &hex[2..4], &hex[4..6], &hex[6..8], &hex[8..]),
    );
    list.bytes("six bytes", raw.clone());
    list.bytes("six bytes reversed", raw.into_iter().rev().collect::<Vec<_>>());
}

fn password(text: &str, others: &[Value], list: &mut List) {
    if let Some(ssid) = others.iter().find(|other| other.kind == "wifi.ssid") {
        let key = wpa2(text.as_bytes(), ssid.text.as_bytes());
        list.text("wpa2 key", &data_encoding::HEXLOWER.encode(&key));
        list.bytes("wpa2 key raw", key);
    }
}

fn name(text: &str, list: &mut List) {
    let Some((given, family)) = text.split_once(' ') else { return };
    list.digested("lower case", &text.to_lowercase());
    list.digested("upper case", &text.to_uppercase());
    list.text("swapped", &format!("{family} {given}"));
    list.text("swapped, comma", &format!("{family}, {given}"));
    list.text("without space", &format!("{given}{family}"));
}

fn card(text: &str, list: &mut List) {
    let groups = |gap: &str| text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(gap);
    list.text("in groups, spaces", &groups(" "));
    list.text("in groups, dashes", &groups("-"));
    list.text("masked", &format!("{}{}{}", &text[..6], "*".repeat(text.len() - 10), &text[text.len() - 4..]));
}

fn resident(text: &str, list: &mut List) {
    list.digested("lower case", &text.to_lowercase());
    list.text("in groups", &[&text[..6], &text[6..14], &text[14..]].join(" "));
    list.text("masked birthday", &format!("{}********{}", &text[..6], &text[14..]));
    list.text("masked", &format!("{}***********{}", &text[..3], &text[14..]));
}

fn gps(text: &str, list: &mut List) {
    let Some((latitude, longitude)) = text.split_once(',') else { return };
    let (Ok(y), Ok(x)) = (latitude.parse::<f64>(), longitude.parse::<f64>()) else { return };
    for (name, text) in [
        ("latitude", latitude.to_owned()),
        ("swapped", format!("{longitude},{latitude}")),
        ("spaced", format!("{latitude}, {longitude}")),
        ("6 decimals", format!("{y:.6},{x:.6}")),
        ("5 decimals", format!("{y:.5},{x:.5}")),
        ("4 decimals", format!("{y:.4},{x:.4}")),
        ("5 decimals cut", format!("{},{}", &latitude[..latitude.len() - 2], &longitude[..longitude.len() - 2])),
        ("E7", format!("{},{}", (y * 1e7).round(), (x * 1e7).round())),
        ("E6", format!("{},{}", (y * 1e6).round(), (x * 1e6).round())),
        ("geohash 9", geohash(y, x, 9)),
        ("geohash 12", geohash(y, x, 12)),
    ] {
        list.push(name, Piece::of(text).inexact(), false);
    }
    let nmea = |degrees: f64, width: usize| format!("{:0width$}{:07.4}", degrees.trunc(), degrees.fract() * 60.0);
    list.push("NMEA", Piece::of(format!("{},N,{},E", nmea(y, 2), nmea(x, 3))).inexact(), false);
    let both = |write: fn(f64) -> [u8; 8]| Piece::of([write(y), write(x)].concat()).inexact();
    list.push("f64 le", both(f64::to_le_bytes), false);
    list.push("f64 be", both(f64::to_be_bytes), false);
}

/// Niemeyer's geohash: bits of longitude and latitude in turn, five to a character.
fn geohash(latitude: f64, longitude: f64, length: usize) -> String {
    let mut ranges = [(-180.0, 180.0), (-90.0, 90.0)];
    let mut bit = |turn: usize| {
        let (low, high) = ranges[turn % 2];
        let middle = f64::midpoint(low, high);
        let above = [longitude, latitude][turn % 2] >= middle;
        ranges[turn % 2] = if above { (middle, high) } else { (low, middle) };
        usize::from(above)
    };
    let character = |at: usize| (0..5).fold(0, |index, turn| index << 1 | bit(at * 5 + turn));
    let indices: Vec<usize> = (0..length).map(character).collect();
    indices.into_iter().map(|index| char::from(b"0123456789bcdefghjkmnpqrstuvwxyz"[index])).collect()
}

fn android(text: &str, list: &mut List) {
    list.digested("upper case", &text.to_uppercase());
    list.bytes("eight bytes", data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap_or_default());
    let number = u64::from_str_radix(text, 16).unwrap_or_default();
    list.push("decimal", Piece::of(number.to_string()).alone(), false);
}

fn uuid(text: &str, list: &mut List) {
    let bare = text.replace('-', "");
    let raw = data_encoding::HEXLOWER.decode(bare.as_bytes()).unwrap_or_default();
    list.digested("upper case", &text.to_uppercase());
    list.digested("bare", &bare);
    list.text("in braces", &format!("{{{}}}", text.to_uppercase()));
    list.bytes("sixteen bytes", raw.clone());
    // Microsoft's GUID: the first three fields with their bytes reversed.
    list.bytes("guid bytes", [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(|at| raw[at]).to_vec());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        assert_eq!(geohash(57.64911, 10.40744, 11), "u4pruydqqvj");
        assert_eq!(packed("13800000427", true), [0x31, 0x08, 0x00, 0x00, 0x24, 0xf7]);
        assert_eq!(packed("13800000427", false), [0x13, 0x80, 0x00, 0x00, 0x42, 0x7f]);
    }
}
