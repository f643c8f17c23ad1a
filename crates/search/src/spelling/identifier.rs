//! Identifiers of hexadecimal digits: UUIDs, advertising and Android identifiers.

use super::list::List;
use super::number::bits_of_digits;

/// Hexadecimal digits of a UUID (RFC 9562).
const UUID: usize = 32;

/// Hexadecimal digits of an Android identifier.
const ANDROID: usize = 16;

/// Sixteen or more hexadecimal digits, perhaps with dashes and braces: a device identifier or
/// UUID.
pub(crate) fn is_hex_id(text: &str) -> bool {
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    text.bytes().filter(u8::is_ascii_hexdigit).count() >= 16 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// With and without separators, and as bytes and machine integers.
pub(super) fn push(text: &str, list: &mut List) {
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    list.push("without dashes", &hex);
    let bytes: Vec<u8> = hex
        .as_bytes()
        .chunks_exact(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    if hex.len().is_multiple_of(2) {
        list.raw("raw bytes", &bytes, 4.0 * hex.len() as f64);
    }
    match hex.len() {
        UUID => uuid(&hex, &bytes, list),
        ANDROID => android(&bytes, list),
        _ => {}
    }
}

fn uuid(hex: &str, bytes: &[u8], list: &mut List) {
    let dashed = super::number::grouped(hex, &[8, 4, 4, 4, 12], "-");
    list.push("with dashes", &dashed);
    list.push("with braces", format!("{{{dashed}}}"));
    // Microsoft's GUID: the first three fields little-endian (RFC 9562 section 4).
    let mut mixed = bytes.to_vec();
    if let [a, b, c, d, e, f, g, h, ..] = &mut mixed[..] {
        (*a, *b, *c, *d, *e, *f, *g, *h) = (*d, *c, *b, *a, *f, *e, *h, *g);
        list.raw("raw bytes, GUID order", &mixed, 128.0);
    }
}

fn android(bytes: &[u8], list: &mut List) {
    let Ok(octets) = <[u8; 8]>::try_from(bytes) else { return };
    let number = u64::from_be_bytes(octets);
    list.raw("64-bit little-endian", number.to_le_bytes(), 64.0);
    list.integer("integer", i128::from(number), 64.0);
    list.integer("integer, signed", i128::from(number.cast_signed()), 64.0);
    for text in [number.to_string(), number.cast_signed().to_string()] {
        let bits = bits_of_digits(text.len()).min(64.0);
        list.insert(super::list::Spelling::text("decimal", text).bounded().carrying(bits));
    }
}
