//! Which wrappings are put inside one another.

use super::piece::{Layer, Piece};
use super::spelling::{Spelling, spellings};
use super::values::Value;
use super::{cipher, digests, document, others, packed, text};

/// What a wrapping is, for the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// A spelling, in whatever field it stands.
    Spelling,
    /// One codec around the value as typed.
    Codec,
    /// A cipher whose key is known.
    Cipher,
    /// One digest of the value.
    Digest,
    /// Several of these.
    Combination,
}

impl Class {
    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spelling => "spelling",
            Self::Codec => "codec",
            Self::Cipher => "cipher",
            Self::Digest => "digest",
            Self::Combination => "combination",
        }
    }
}

/// A value, wrapped.
#[derive(Debug, Clone)]
pub(crate) struct Wrapped {
    /// `json > gzip > base64`, from the inside out.
    pub(crate) wrapping: String,
    /// What it is.
    pub(crate) class: Class,
    /// The bytes.
    pub(crate) piece: Piece,
}

/// Wrappings of wrappings, from the inside out; the digests among them are taken of what is inside.
const COMBINATIONS: &[&str] = &[
    "percent > percent",
    "percent > percent > percent",
    "base64 > base64",
    "base64 > base64 > base64",
    "hex > hex",
    "base64 > percent",
    "base64 > percent where needed",
    "base64url > percent",
    "percent > base64",
    "hex > base64",
    "base64 > hex",
    "json > base64",
    "json > base64url",
    "json > hex",
    "json > percent where needed",
    "json > json",
    "json > json > json",
    "json \\u > json",
    "json > base64 > json",
    "json > percent where needed > json",
    "html decimal > json",
    "base64 > html hex",
    "json > gzip",
    "json > gzip > base64",
    "json > gzip > base64url",
    "json > gzip > hex",
    "json > gzip > base64 > json",
    "json > gzip > base64 > form",
    "json > zlib > base64",
    "json > deflate > base64",
    "json > deflate > base64url",
    "json > brotli > base64",
    "json > zstd > base64",
    "json > lz4 frame > base64",
    "json > snappy > base64",
    "json > gzip > gzip",
    "json > zstd",
    "json > brotli",
    "json > lz4 frame",
    "base64 > gzip",
    "base64 > json > gzip",
    "hex > json > zlib",
    "gzip > zlib",
    "json > zip deflated",
    "json > zip stored",
    "xml element > gzip",
    "form > base64",
    "form > gzip > base64",
    "form > percent",
    "cookie > base64",
    "xml element > base64",
    "xml cdata > json",
    "json > xml cdata",
    "json > xml element",
    "multipart > gzip",
    "json > jwt",
    "jwt > json",
    "jwt > form",
    "base64 > jwt",
    "json > lz-string base64",
    "json > lz-string uri",
    "json > lz-string base64 > percent where needed",
    "json > lz-string utf-16",
    "lz-string base64 > json",
    "lz-string uri > form",
    "protobuf string > base64",
    "protobuf string > base64url > form",
    "protobuf string > gzip",
    "protobuf string > gzip > base64",
    "protobuf varint > base64",
    "protobuf nested > base64",
    "protobuf nested > zlib",
    "base64 > protobuf string",
    "json > protobuf string",
    "json > gzip > protobuf string",
    "md5 > protobuf string",
    "protobuf string > grpc",
    "json > grpc",
    "msgpack string > base64",
    "msgpack string > gzip",
    "json > msgpack string",
    "msgpack integer > base64",
    "cbor text > base64url",
    "cbor text > base64",
    "json > cbor text",
    "cbor integer > base64",
    "bson string > base64",
    "bson string > zlib",
    "plist binary > base64",
    "plist xml > gzip",
    "plist xml > base64",
    "reversed > base64",
    "base64 > reversed",
    "rot13 > base64",
    "base64 > rot13",
    "reversed > json",
    "xor 0x5a > base64",
    "xor 0x5a > hex",
    "json > xor 0x5a > base64",
    "json > xor 0x5a",
    "bytes + 1 > base64",
    "utf-16le > base64",
    "utf-16be > base64",
    "utf-16le > hex",
    "utf-16le > gzip",
    "gbk > percent",
    "gbk > base64",
    "gb18030 > base64",
    "big5 > percent",
    "gbk > hex",
    "character codes > json",
    "character codes > base64",
    "js \\x > json",
    "base32 > json",
    "base32 > percent where needed",
    "base58 > json",
    "ascii85 > json",
    "base85 > base64",
    "quoted-printable > multipart",
    "base64 mime lines > multipart",
    "base64 own alphabet > json",
    "base64 own alphabet > percent where needed",
    "json > base64 own alphabet",
    "hex colons > json",
    "sha256 > json > base64",
    "md5 > json > gzip > base64",
    "sha256 > base64",
    "md5 > base64",
    "sha1 > base64",
    "md5 > percent",
    "sha256 > json",
    "sha256 > form",
    "sha256 > json > gzip",
    "sha256 > cookie",
    "sha1 > json > percent where needed",
    "sha256 raw > protobuf string",
    "md5 raw > gzip",
    "sha256 upper > json > base64url",
    "sha256 > jwt",
    "base64 > md5",
    "base64 > sha1",
    "hex > sha256",
    "reversed > md5",
    "sha256 salt after > json > base64",
    "md5 > sha256 > json",
    "sha1 > sha256 > base64",
    "sha256 base64 > percent where needed",
    "sha256 base64 > json > base64",
    "md5 > msgpack string",
    "sha256 raw > cbor bytes",
    "hmac-sha256 > json > base64",
    "xor key > base64",
    "xor key > hex",
    "json > xor key > base64",
    "json > aes-128-cbc iv first > base64",
    "aes-128-cbc iv first > base64",
    "aes-128-cbc iv first > hex",
    "aes-128-cbc fixed iv > base64",
    "aes-128-cbc zero iv > base64",
    "aes-256-cbc iv first > base64",
    "aes-128-ecb > base64",
    "aes-128-ecb > hex",
    "aes-128-ctr iv first > base64",
    "aes-128-gcm nonce first > base64",
    "des-cbc fixed iv > base64",
    "des-ecb > base64",
    "rc4 > base64",
    "rc4 > hex",
    "sm4-cbc iv first > base64",
    "sm4-ecb > hex",
    "json > gzip > aes-128-cbc fixed iv",
    "json > gzip > aes-128-cbc iv first > base64",
    "aes-128-ecb > base64 > json",
    "aes-128-ecb > base64 > json > gzip",
    "aes-128-cbc fixed iv > base64 > form",
];

/// Spellings other than the one as typed stand in these wrappings, too.
const OF_SPELLINGS: &[&str] =
    &["base64", "hex", "json", "json > base64", "json > gzip", "protobuf string", "percent where needed"];

/// Every digested spelling is taken through these.
const OF_DIGESTED: &[&str] = &[
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "sm3",
    "sha256 base64",
    "md5 upper",
    "md5 raw",
    "sha256 salt before",
    "sha256 > json > base64",
];

/// Short values are told apart from chance only as whole fields of their own.
const OF_SHORT: &[&str] = &[
    "base64",
    "hex",
    "json",
    "form",
    "json number",
    "md5",
    "sha256",
    "json > base64",
    "json > gzip > base64",
    "protobuf string",
];

/// All wrappings of one step.
const LAYERS: [&[Layer]; 6] =
    [text::LAYERS, packed::LAYERS, document::LAYERS, others::LAYERS, cipher::LAYERS, digests::LAYERS];

/// All wrappings of the value.
pub(crate) fn all(value: &Value, others: &[Value]) -> Vec<Wrapped> {
    let spellings = spellings(value, others);
    let mut list = Vec::new();
    for spelling in &spellings {
        list.push(Wrapped { wrapping: spelling.name.clone(), class: Class::Spelling, piece: spelling.piece.clone() });
    }
    let typed = &spellings[0];
    if value.text.len() < 6 {
        list.extend(OF_SHORT.iter().filter_map(|chain| wrapped(typed, chain)));
        return list;
    }
    list.extend(LAYERS.into_iter().flatten().filter_map(|layer| wrapped(typed, layer.0)));
    list.extend(COMBINATIONS.iter().chain(others::COMBINATIONS).filter_map(|chain| wrapped(typed, chain)));
    for spelling in &spellings[1..] {
        list.extend(OF_SPELLINGS.iter().filter_map(|chain| wrapped(spelling, chain)));
        list.extend(OF_DIGESTED.iter().filter(|_| spelling.digested).filter_map(|chain| wrapped(spelling, chain)));
    }
    list
}

fn wrapped(spelling: &Spelling, chain: &str) -> Option<Wrapped> {
    let steps: Vec<&str> = chain.split(" > ").collect();
    let piece = steps.iter().try_fold(spelling.piece.clone(), |piece, step| layer(step).1(&piece))?;
    let typed = spelling.name == "as typed";
    // Short values and Ascii85 are understood only as whole fields.
    let needs_field = spelling.piece.alone && spelling.piece.bytes.len() < 6 || chain.contains("ascii85");
    let piece = if needs_field { piece.alone() } else { piece };
    let class = if typed && steps.len() == 1 { class(chain) } else { Class::Combination };
    let wrapping = if typed { chain.to_owned() } else { format!("{} > {chain}", spelling.name) };
    Some(Wrapped { wrapping, class, piece })
}

fn layer(name: &str) -> &'static Layer {
    let found = LAYERS.into_iter().flatten().find(|layer| layer.0 == name);
    found.unwrap_or_else(|| panic!("no wrapping is called {name}"))
}

fn class(name: &str) -> Class {
    let among = |layers: &[Layer]| layers.iter().any(|layer| layer.0 == name);
    match () {
        () if among(digests::LAYERS) => Class::Digest,
        () if among(cipher::LAYERS) => Class::Cipher,
        () => Class::Codec,
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::subject;
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_named_wrapping_exists_and_applies_to_some_value() {
        let values = subject(&mut Random::new(1));
        let made: Vec<Wrapped> = values.iter().flat_map(|value| all(value, &values)).collect();
        let chains = [COMBINATIONS, others::COMBINATIONS, OF_SHORT].concat();
        for chain in chains {
            assert!(made.iter().any(|wrapped| wrapped.wrapping == chain), "{chain} applies to nothing");
        }
        assert!(made.iter().all(|wrapped| wrapped.piece.place.end <= wrapped.piece.bytes.len()));
        assert!(made.iter().all(|wrapped| !wrapped.piece.place.is_empty()));
    }
}
