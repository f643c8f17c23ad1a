//! The twenty values to search for, and the wrappings in which some of them are planted.

use crate::expected::Value;
use crate::random::Random;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::Md5;
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::io::Write as _;

/// A way of writing a value inside a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    Plain,
    Base64,
    Base64Url,
    Hex,
    Percent,
    JsonEscapes,
    NestedJson,
    GzipBase64,
    Md5Hex,
    Sha1Hex,
    Sha256Hex,
    Sha256Base64,
}

use Wrapping::{
    Base64, Base64Url, GzipBase64, Hex, JsonEscapes, Md5Hex, NestedJson, Percent, Plain, Sha1Hex, Sha256Base64,
    Sha256Hex,
};

/// The planted values come first: the wrapping of each, by index into [`subject`].
pub(crate) const PLANTED: [Wrapping; 12] = [
    Plain,
    Base64,
    Sha256Hex,
    Md5Hex,
    Hex,
    Base64Url,
    Percent,
    NestedJson,
    Sha1Hex,
    JsonEscapes,
    GzipBase64,
    Sha256Base64,
];

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Twelve values that are planted and eight that are nowhere.
pub(crate) fn subject(random: &mut Random) -> Vec<Value> {
    let kinds = [
        "wifi.ssid",
        "wifi.password",
        "phone",
        "email",
        "imei",
        "android.id",
        "mac",
        "account.password",
        "id.cn",
        "street",
        "passport",
        "card",
        "wifi.ssid",
        "wifi.password",
        "phone",
        "email",
        "imei",
        "android.id",
        "mac",
        "account.password",
    ];
    kinds.into_iter().map(|kind| Value { kind: kind.to_owned(), value: mint(kind, random) }).collect()
}

fn mint(kind: &str, random: &mut Random) -> String {
    match kind {
        "wifi.ssid" => format!("Linden-{}", random.text(8, LETTERS)),
        "phone" => format!("154{}", random.text(8, DIGITS)),
        "email" => format!("{}@mail.example", random.text(14, LETTERS)),
        "imei" => random.text(15, DIGITS),
        "android.id" => random.text(16, HEX),
        "mac" => format!("02:{}", [(); 5].map(|()| random.text(2, HEX)).join(":")),
        "id.cn" => random.text(18, DIGITS),
        "card" => format!("62{}", random.text(17, DIGITS)),
        "street" => format!("{} Linden Street {}", random.text(6, LETTERS), random.text(4, DIGITS)),
        "passport" => format!("E{}", random.text(12, DIGITS)),
        _ => random.text(16, LETTERS),
    }
}

impl Wrapping {
    /// The value so wrapped, as it may stand between the quotes of a JSON string.
    pub(crate) fn wrap(self, value: &str) -> String {
        match self {
            Plain => value.to_owned(),
            Base64 => STANDARD.encode(value),
            Base64Url => URL_SAFE_NO_PAD.encode(value),
            Hex => hex(value.as_bytes()),
            Percent => value.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat(),
            JsonEscapes => value.chars().map(|c| format!("\\u{:04x}", c as u32)).collect::<Vec<_>>().concat(),
            NestedJson => nested(&json!({"v": value, "k": 1}).to_string()),
            GzipBase64 => STANDARD.encode(gzip(json!({"v": value}).to_string().as_bytes())),
            Md5Hex => hex(&Md5::digest(value)),
            Sha1Hex => hex(&Sha1::digest(value)),
            Sha256Hex => hex(&Sha256::digest(value)),
            Sha256Base64 => STANDARD.encode(Sha256::digest(value)),
        }
    }
}

/// Text as it stands inside a JSON string, without the quotes around it.
fn nested(text: &str) -> String {
    let quoted = json!(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Compresses as a phone would: fast rather than small.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    drop(encoder.write_all(bytes));
    encoder.finish().unwrap_or_default()
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(HEX[usize::from(digit)])).collect()
}
