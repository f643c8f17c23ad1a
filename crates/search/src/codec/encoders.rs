//! Writing what the codecs undo: for proofs, which encode a value again and compare bytes, and for
//! spikes, which hide planted values in copies of the evidence.

use super::{
    base32, base58, base64, base85, brotli, character_codes, deflate, entity, escape, hex, lz_string, percent,
    quoted_printable, separated_hex, utf7, utf16, zstd,
};

/// One way of writing a wrapping.
#[derive(Clone, Copy)]
pub(crate) struct Encoder {
    /// The name in trails.
    pub(crate) name: &'static str,
    /// Which of several ways, where there are: `url`.
    pub(crate) variant: &'static str,
    /// Wraps the bytes; `None` where they are not of the kind it takes (bytes that are no text).
    pub(crate) wrap: fn(&[u8]) -> Option<Vec<u8>>,
    /// True where what comes out is text.
    pub(crate) gives_text: bool,
}

impl Encoder {
    /// `percent (every byte)`.
    pub(crate) fn shown(&self) -> String {
        if self.variant.is_empty() { self.name.to_owned() } else { format!("{} ({})", self.name, self.variant) }
    }
}

const fn text(name: &'static str, variant: &'static str, wrap: fn(&[u8]) -> Option<Vec<u8>>) -> Encoder {
    Encoder { name, variant, wrap, gives_text: true }
}

const fn binary(name: &'static str, wrap: fn(&[u8]) -> Option<Vec<u8>>) -> Encoder {
    Encoder { name, variant: "", wrap, gives_text: false }
}

/// Every encoder, text first.
pub(crate) static ALL: [Encoder; 37] = [
    text("base64", "", |bytes| Some(base64::wrap(bytes, false, true))),
    text("base64", "url", |bytes| Some(base64::wrap(bytes, true, false))),
    text("hex", "", |bytes| Some(hex::wrap(bytes))),
    text("hex", "upper case", |bytes| Some(hex::wrap(bytes).to_ascii_uppercase())),
    text("percent", "", |bytes| Some(percent::wrap(bytes))),
    text("percent", "every byte", |bytes| Some(bytes.iter().flat_map(|b| format!("%{b:02X}").into_bytes()).collect())),
    text("percent", "%u", |bytes| Some(percent::wrap_unicode(as_text(bytes)?))),
    text("escape", "", |bytes| Some(escape::wrap(as_text(bytes)?))),
    text("entity", "", |bytes| Some(entity::wrap(as_text(bytes)?))),
    text("quoted-printable", "", |bytes| Some(quoted_printable::wrap(bytes))),
    text("utf-7", "", |bytes| Some(utf7::wrap(as_text(bytes)?))),
    text("base32", "", |bytes| Some(base32::wrap(bytes))),
    text("base32", "lower case", |bytes| Some(base32::wrap(bytes).to_ascii_lowercase())),
    text("base32", "extended hex", |bytes| Some(base32::wrap_with(bytes, b"0123456789ABCDEFGHIJKLMNOPQRSTUV"))),
    text("separated hex", "", |bytes| Some(separated_hex::wrap(bytes))),
    text("separated hex", "0x", |bytes| Some(separated_hex::wrap_with(bytes, "0x", ", "))),
    text("character codes", "", |bytes| Some(character_codes::wrap(bytes))),
    text("base58", "", |bytes| Some(base58::BITCOIN.wrap(bytes))),
    text("base58 flickr", "", |bytes| Some(base58::FLICKR.wrap(bytes))),
    text("base58 ripple", "", |bytes| Some(base58::RIPPLE.wrap(bytes))),
    text("base62", "", |bytes| Some(base58::BASE62.wrap(bytes))),
    text("base62 lower first", "", |bytes| Some(base58::BASE62_SMALL.wrap(bytes))),
    text("ascii85", "", |bytes| Some(base85::ASCII85.wrap(bytes))),
    text("z85", "", |bytes| Some(base85::Z85.wrap(bytes))),
    text("base85", "", |bytes| Some(base85::RFC1924.wrap(bytes))),
    text("lz-string", "", |bytes| Some(lz_string::wrap(as_text(bytes)?))),
    text("reversed", "", |bytes| as_text(bytes).map(|_| bytes.iter().rev().copied().collect())),
    text("rot13", "", |bytes| Some(bytes.iter().map(|byte| crate::needles::rot13(*byte)).collect())),
    binary("utf-16le", |bytes| Some(utf16::UTF16_LE.wrap(as_text(bytes)?))),
    binary("utf-16be", |bytes| Some(utf16::UTF16_BE.wrap(as_text(bytes)?))),
    binary("gzip", |bytes| Some(deflate::wrap("gzip", bytes))),
    binary("zlib", |bytes| Some(deflate::wrap("zlib", bytes))),
    binary("deflate", |bytes| Some(deflate::wrap("deflate", bytes))),
    binary("zstd", |bytes| Some(zstd::wrap(bytes))),
    binary("brotli", |bytes| (!bytes.is_empty()).then(|| brotli::wrap(bytes))),
    binary("xor", |bytes| Some(bytes.iter().map(|byte| byte ^ 0x5a).collect())),
    binary("shift", |bytes| Some(bytes.iter().map(|byte| byte.wrapping_add(3)).collect())),
];

/// The encoders of that name.
pub(crate) fn encoders(name: &str) -> impl Iterator<Item = &'static Encoder> {
    ALL.iter().filter(move |encoder| encoder.name == name)
}

fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::table::wrappings;

    #[test]
    fn every_encoder_is_of_a_wrapping_that_is_undone() {
        let known: Vec<&str> = wrappings().iter().map(|row| row.name).collect();
        for encoder in &ALL {
            assert!(known.contains(&encoder.name), "{}", encoder.name);
            let wrapped = (encoder.wrap)(b"someone.new@example.com").unwrap();
            assert!(!encoder.gives_text || wrapped.is_ascii(), "{}", encoder.name);
        }
    }
}
