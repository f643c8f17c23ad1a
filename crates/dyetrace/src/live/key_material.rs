//! What the tester knows of an app's own wrapping: alphabets, salts, keys. `key_material:` in
//! `case.yaml`, or a file of its own.

use crate::Secret;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// What is known of how an app wraps what it sends. Keys are secrets like planted values: nothing
/// here prints one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyMaterial {
    /// Base64 alphabets other than the standard ones.
    pub alphabets: Vec<NamedSecret>,
    /// Salts of digests.
    pub salts: Vec<NamedSecret>,
    /// Keys of HMAC (RFC 2104).
    pub hmac_keys: Vec<NamedSecret>,
    /// Keys of ciphers.
    pub ciphers: Vec<CipherKey>,
}

/// A secret and what the tester calls it. The name appears in trails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSecret {
    /// What it is called.
    pub name: String,
    /// The bytes; of an alphabet its 64 characters, all different and of one byte each.
    pub value: Secret,
}

/// A key of a cipher and how the cipher is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherKey {
    /// What it is called.
    pub name: String,
    /// What it is used with.
    pub cipher: Cipher,
    /// The key, of a length that fits the cipher; for RSA a private key in PEM.
    pub key: Secret,
    /// Where the initialisation vector comes from; [`Iv::None`] where the cipher needs none.
    pub iv: Iv,
}

/// A cipher and its mode of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// AES (FIPS 197) in CBC (NIST SP 800-38A), 128, 192 or 256 bits by the key's length.
    AesCbc,
    /// AES in ECB.
    AesEcb,
    /// AES in CTR with a counter of 128 bits, highest byte first.
    AesCtr,
    /// AES in GCM (NIST SP 800-38D) with a nonce of 12 bytes and a tag of 16.
    AesGcm,
    /// DES in CBC.
    DesCbc,
    /// DES in ECB.
    DesEcb,
    /// Triple DES (NIST SP 800-67) in CBC, with two keys or three.
    TripleDesCbc,
    /// Triple DES in ECB.
    TripleDesEcb,
    /// RC4 (RFC 6229).
    Rc4,
    /// SM4 (GB/T 32907-2016) in CBC.
    Sm4Cbc,
    /// SM4 in ECB.
    Sm4Ecb,
    /// XOR with a key that repeats, from any place in it on.
    Xor,
    /// RSA with OAEP or PKCS#1 v1.5 padding (RFC 8017).
    Rsa,
}

/// Where an initialisation vector, nonce or first counter comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Iv {
    /// The cipher needs none.
    None,
    /// It stands before the ciphertext.
    Prefix,
    /// It is all zero bytes.
    Zero,
    /// It is the beginning of the key.
    Key,
    /// It is always this.
    Given(Secret),
}

impl Cipher {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::AesCbc,
        Self::AesEcb,
        Self::AesCtr,
        Self::AesGcm,
        Self::DesCbc,
        Self::DesEcb,
        Self::TripleDesCbc,
        Self::TripleDesEcb,
        Self::Rc4,
        Self::Sm4Cbc,
        Self::Sm4Ecb,
        Self::Xor,
        Self::Rsa,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::AesCbc => "aes-cbc",
            Self::AesEcb => "aes-ecb",
            Self::AesCtr => "aes-ctr",
            Self::AesGcm => "aes-gcm",
            Self::DesCbc => "des-cbc",
            Self::DesEcb => "des-ecb",
            Self::TripleDesCbc => "3des-cbc",
            Self::TripleDesEcb => "3des-ecb",
            Self::Rc4 => "rc4",
            Self::Sm4Cbc => "sm4-cbc",
            Self::Sm4Ecb => "sm4-ecb",
            Self::Xor => "xor",
            Self::Rsa => "rsa",
        }
    }

    /// Length of the initialisation vector in bytes, where the cipher takes one.
    pub fn iv_length(self) -> Option<usize> {
        match self {
            Self::AesCbc | Self::AesCtr | Self::Sm4Cbc => Some(16),
            Self::AesGcm => Some(12),
            Self::DesCbc | Self::TripleDesCbc => Some(8),
            _ => None,
        }
    }

    /// Key lengths that fit, in words; `None` where this one does.
    fn wrong_length(self, length: usize) -> Option<&'static str> {
        let (fits, words) = match self {
            Self::AesCbc | Self::AesEcb | Self::AesCtr | Self::AesGcm => {
                (matches!(length, 16 | 24 | 32), "16, 24 or 32 bytes")
            }
            Self::DesCbc | Self::DesEcb => (length == 8, "8 bytes"),
            Self::TripleDesCbc | Self::TripleDesEcb => (matches!(length, 16 | 24), "16 or 24 bytes"),
            Self::Sm4Cbc | Self::Sm4Ecb => (length == 16, "16 bytes"),
            Self::Rc4 | Self::Xor => ((1..=256).contains(&length), "1 to 256 bytes"),
            Self::Rsa => (length > 0, "a private key in PEM"),
        };
        (!fits).then_some(words)
    }
}

/// Why key material could not be read: a position and a reason, never a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMaterialError {
    /// Line, from 1, where known.
    pub line: Option<u64>,
    /// Column, from 1, where known.
    pub column: Option<u64>,
    /// What is wrong and what to write instead.
    pub reason: String,
}

impl fmt::Display for KeyMaterialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for KeyMaterialError {}

impl KeyMaterial {
    /// Reads the section `key_material:`; `None` where the text has no such key at its top level.
    /// `read` gives the content of a file of the case, or says what is wrong with it.
    ///
    /// # Errors
    /// The section is not of its form. The error names line and column and shows no value.
    pub fn from_yaml(
        text: &str,
        read: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Option<Self>, KeyMaterialError> {
        let options = serde_saphyr::options! { with_snippet: false };
        let file: File = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| KeyMaterialError::from_yaml(&error))?;
        file.key_material.map(|section| section.read(&read)).transpose()
    }

    /// Adds what is in the other.
    pub fn extend(&mut self, other: Self) {
        self.alphabets.extend(other.alphabets);
        self.salts.extend(other.salts);
        self.hmac_keys.extend(other.hmac_keys);
        self.ciphers.extend(other.ciphers);
    }

    /// True where nothing is known.
    pub fn is_empty(&self) -> bool {
        self.alphabets.is_empty() && self.salts.is_empty() && self.hmac_keys.is_empty() && self.ciphers.is_empty()
    }

    /// What there is, in words fit for a report: kinds and names, no values.
    pub fn names(&self) -> Vec<String> {
        let named = |kind: &'static str, all: &[NamedSecret]| -> Vec<String> {
            all.iter().map(|secret| format!("{kind} {}", secret.name)).collect()
        };
        let mut names = named("alphabet", &self.alphabets);
        names.extend(named("salt", &self.salts));
        names.extend(named("HMAC key", &self.hmac_keys));
        names.extend(self.ciphers.iter().map(|key| format!("{} key {}", key.cipher.name(), key.name)));
        names
    }
}

impl KeyMaterialError {
    fn at<T>(spanned: &Spanned<T>, reason: String) -> Self {
        let at = spanned.referenced;
        Self { line: Some(at.line()), column: Some(at.column()), reason }
    }

    /// Keeps the position and those reasons that name a key of the form; others may quote a value.
    fn from_yaml(error: &serde_saphyr::Error) -> Self {
        let location = error.location();
        let text = error.to_string();
        let missing = KEYS.iter().find(|key| text.contains(&format!("missing field `{key}`")));
        let reason = match missing {
            Some(key) => format!("`{key}` is missing here"),
            None if text.contains("unknown field") || text.contains("duplicate") => {
                format!("a key that is unknown or stands twice; the keys are {}", KEYS.join(", "))
            }
            None => "not of the form of key material; bytes are written { text: … }, { hex: … } or { base64: … }"
                .to_owned(),
        };
        Self { line: location.map(|at| at.line()), column: location.map(|at| at.column()), reason }
    }
}

const KEYS: [&str; 14] = [
    "key_material",
    "alphabets",
    "salts",
    "hmac_keys",
    "ciphers",
    "name",
    "alphabet",
    "text",
    "hex",
    "base64",
    "cipher",
    "key",
    "iv",
    "private_key",
];

/// A file with the section among others, which are read elsewhere.
#[derive(Deserialize)]
struct File {
    key_material: Option<Section>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(default)]
    alphabets: Vec<AlphabetEntry>,
    #[serde(default)]
    salts: Vec<ValueEntry>,
    #[serde(default)]
    hmac_keys: Vec<ValueEntry>,
    #[serde(default)]
    ciphers: Vec<CipherEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlphabetEntry {
    name: Spanned<String>,
    alphabet: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueEntry {
    name: Spanned<String>,
    text: Option<String>,
    hex: Option<String>,
    base64: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CipherEntry {
    name: Spanned<String>,
    cipher: Spanned<String>,
    key: Option<BytesEntry>,
    iv: Option<IvEntry>,
    private_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BytesEntry {
    text: Option<String>,
    hex: Option<String>,
    base64: Option<String>,
}

/// A word, or bytes.
enum IvEntry {
    Word(String),
    Bytes(BytesEntry),
}

impl<'de> Deserialize<'de> for IvEntry {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;
        impl<'de> Visitor<'de> for WordOrMap {
            type Value = IvEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("prefix, zero, key or bytes")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<IvEntry, E> {
                Ok(IvEntry::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<IvEntry, A::Error> {
                BytesEntry::deserialize(MapAccessDeserializer::new(map)).map(IvEntry::Bytes)
            }
        }
        deserializer.deserialize_any(WordOrMap)
    }
}

impl Section {
    fn read(self, read: &impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<KeyMaterial, KeyMaterialError> {
        let values = |entries: Vec<ValueEntry>| entries.into_iter().map(ValueEntry::read).collect::<Result<_, _>>();
        Ok(KeyMaterial {
            alphabets: self.alphabets.into_iter().map(AlphabetEntry::read).collect::<Result<_, _>>()?,
            salts: values(self.salts)?,
            hmac_keys: values(self.hmac_keys)?,
            ciphers: self.ciphers.into_iter().map(|entry| entry.read(read)).collect::<Result<_, _>>()?,
        })
    }
}

/// Longest name, in characters: it stands in trails.
const LONGEST_NAME: usize = 64;

fn name(spanned: &Spanned<String>) -> Result<String, KeyMaterialError> {
    let name = &spanned.value;
    let fits = !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    let reason = || format!("a name has 1 to {LONGEST_NAME} characters in one line");
    fits.then(|| name.clone()).ok_or_else(|| KeyMaterialError::at(spanned, reason()))
}

impl AlphabetEntry {
    fn read(self) -> Result<NamedSecret, KeyMaterialError> {
        let characters = self.alphabet.as_bytes();
        let mut seen = [false; 128];
        let new = |byte: &u8| seen.get_mut(usize::from(*byte)).is_some_and(|seen| !std::mem::replace(seen, true));
        if characters.len() != 64 || !characters.iter().all(new) {
            let reason = "an alphabet has 64 characters of ASCII, each once, without the padding".to_owned();
            return Err(KeyMaterialError::at(&self.name, reason));
        }
        Ok(NamedSecret { name: name(&self.name)?, value: Secret::new(self.alphabet) })
    }
}

impl ValueEntry {
    fn read(self) -> Result<NamedSecret, KeyMaterialError> {
        let entry = BytesEntry { text: self.text, hex: self.hex, base64: self.base64 };
        let value = entry.read().map_err(|reason| KeyMaterialError::at(&self.name, reason))?;
        Ok(NamedSecret { name: name(&self.name)?, value })
    }
}

impl CipherEntry {
    fn read(self, read: &impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<CipherKey, KeyMaterialError> {
        let at = |reason: String| KeyMaterialError::at(&self.name, reason);
        let known = || Cipher::ALL.map(Cipher::name).join(", ");
        let cipher = Cipher::ALL
            .into_iter()
            .find(|cipher| cipher.name() == self.cipher.value)
            .ok_or_else(|| KeyMaterialError::at(&self.cipher, format!("not a known cipher; they are {}", known())))?;
        let key = match (cipher, self.key, self.private_key) {
            (Cipher::Rsa, None, Some(path)) => Secret::new(read(&path).map_err(at)?),
            (Cipher::Rsa, ..) => return Err(at("rsa takes `private_key:`, the path of a PEM file".to_owned())),
            (_, Some(key), None) => key.read().map_err(at)?,
            _ => return Err(at(format!("{} takes `key:` with text, hex or base64", cipher.name()))),
        };
        if let Some(lengths) = cipher.wrong_length(key.len()) {
            return Err(at(format!("a key of {} has {lengths}", cipher.name())));
        }
        let iv = iv(cipher, self.iv, &key).map_err(at)?;
        Ok(CipherKey { name: name(&self.name)?, cipher, key, iv })
    }
}

fn iv(cipher: Cipher, entry: Option<IvEntry>, key: &Secret) -> Result<Iv, String> {
    let Some(length) = cipher.iv_length() else {
        let refusal = format!("{} has no `iv:`", cipher.name());
        return if entry.is_none() { Ok(Iv::None) } else { Err(refusal) };
    };
    let wrong = || format!("`iv:` of {} is prefix, zero, key or {length} bytes", cipher.name());
    match entry {
        None => Ok(Iv::Prefix),
        Some(IvEntry::Word(word)) => match word.as_str() {
            "prefix" => Ok(Iv::Prefix),
            "zero" => Ok(Iv::Zero),
            "key" if key.len() >= length => Ok(Iv::Key),
            _ => Err(wrong()),
        },
        Some(IvEntry::Bytes(bytes)) => {
            let given = bytes.read()?;
            if given.len() == length { Ok(Iv::Given(given)) } else { Err(wrong()) }
        }
    }
}

impl BytesEntry {
    fn read(self) -> Result<Secret, String> {
        let bytes = match (self.text, self.hex, self.base64) {
            (Some(text), None, None) => text.into_bytes(),
            (None, Some(hex), None) => from_hex(&hex).ok_or("not pairs of hexadecimal digits")?,
            (None, None, Some(text)) => from_base64(&text).ok_or("not base64 (RFC 4648)")?,
            _ => return Err("one of text, hex and base64 is needed".to_owned()),
        };
        if bytes.is_empty() { Err("the value is empty".to_owned()) } else { Ok(Secret::new(bytes)) }
    }
}

/// Pairs of digits; spaces and colons between them do not count.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ':' | '\n'))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Either alphabet, padded or not.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
title: other keys of the file are read elsewhere
key_material:
  alphabets: [ { name: app64, alphabet: "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba9876543210+/" } ]
  salts: [ { name: app salt, text: "pepper" }, { name: s2, hex: 00ff } ]
  hmac_keys: [ { name: h, base64: "c2VjcmV0" } ]
  ciphers:
    - { name: body key, cipher: aes-cbc, key: { hex: 00112233445566778899aabbccddeeff }, iv: { text: 0123456789abcdef } }
    - { name: k2, cipher: des-ecb, key: { text: 8bytekey } }
    - { name: k3, cipher: aes-gcm, key: { text: 0123456789abcdef } }
    - { name: k4, cipher: sm4-cbc, key: { text: 0123456789abcdef }, iv: key }
    - { name: server, cipher: rsa, private_key: keys/app.pem }
"#;

    fn read(text: &str) -> Result<KeyMaterial, KeyMaterialError> {
        let file = |path: &str| {
            if path == "keys/app.pem" { Ok(b"PEM".to_vec()) } else { Err(format!("{path} is not there")) }
        };
        KeyMaterial::from_yaml(text, file).map(Option::unwrap)
    }

    #[test]
    fn all_forms_are_read() {
        let material = read(TEXT).unwrap();
        assert_eq!(material.salts[1].value.reveal(), [0, 0xff]);
        assert_eq!(material.hmac_keys[0].value.reveal(), b"secret");
        assert_eq!(material.ciphers[0].iv, Iv::Given(Secret::new("0123456789abcdef")));
        assert_eq!(material.ciphers[0].key.reveal()[..3], [0, 0x11, 0x22]);
        assert_eq!(material.ciphers.iter().map(|key| key.cipher.name()).collect::<Vec<_>>(), [
            "aes-cbc", "des-ecb", "aes-gcm", "sm4-cbc", "rsa"
        ]);
        assert_eq!(material.ciphers[1].iv, Iv::None);
        assert_eq!((&material.ciphers[2].iv, &material.ciphers[3].iv), (&Iv::Prefix, &Iv::Key));
        assert_eq!(material.ciphers[4].key.reveal(), b"PEM");
        assert_eq!(material.names()[..3], ["alphabet app64", "salt app salt", "salt s2"]);
        assert_eq!(KeyMaterial::from_yaml("title: x\n", |_| Err(String::new())), Ok(None));
    }

    #[test]
    fn errors_show_the_position_and_never_a_key() {
        for (entry, reason) in [
            ("salts: [{name: a, txet: tr0ub4dor}]", "unknown"),
            ("salts: [{name: a, text: [tr0ub4dor]}]", "not of the form"),
            ("salts: [{name: a, hex: tr0ub4dor}]", "hexadecimal"),
            ("salts: [{name: a, base64: 'tr0ub4dor!'}]", "base64"),
            ("salts: [{name: a, text: tr0ub4dor, hex: 00}]", "one of text, hex and base64"),
            ("salts: [{name: a, text: ''}]", "empty"),
            ("salts: [{text: tr0ub4dor}]", "`name` is missing"),
            ("salts: [tr0ub4dor]", "not of the form"),
            ("alphabets: [{name: a, alphabet: tr0ub4dor}]", "64 characters"),
            ("ciphers: [{name: a, cipher: aes-cbc, key: {text: tr0ub4dor}}]", "16, 24 or 32 bytes"),
            ("ciphers: [{name: a, cipher: aes-cbc, key: tr0ub4dor}]", "not of the form"),
            ("ciphers: [{name: a, cipher: tr0ub4dor, key: {text: x}}]", "not a known cipher; they are aes-cbc"),
            ("ciphers: [{name: a, cipher: rc4, key: {text: tr0ub4dor}, iv: zero}]", "rc4 has no `iv:`"),
            ("ciphers: [{name: a, cipher: sm4-cbc, key: {text: 0123456789abcdef}, iv: tr0ub4dor}]", "prefix, zero, key"),
            ("ciphers: [{name: a, cipher: sm4-cbc, key: {text: 0123456789abcdef}, iv: {text: tr0ub4dor}}]", "16 bytes"),
            ("ciphers: [{name: a, cipher: rsa, key: {text: tr0ub4dor}}]", "private_key"),
            ("ciphers: [{name: a, cipher: rsa, private_key: x.pem}]", "x.pem is not there"),
        ] {
            let error = read(&format!("key_material:\n  {entry}\n")).unwrap_err().to_string();
            assert!(error.starts_with("line 2, column "), "{entry}: {error}");
            assert!(error.contains(reason) && !error.contains("tr0ub4"), "{entry}: {error}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", read(TEXT).unwrap());
        for secret in ["pepper", "8bytekey", "0123456789abcdef", "ZYXW", "PEM"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
