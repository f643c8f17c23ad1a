//! The keys, salts and alphabet of the cases, as a tester would write them into `case.yaml`.

use super::{cipher, digests, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dyetrace_case::KeyMaterial;
use std::error::Error;
use std::fmt::Write as _;

/// The file of the server's private key beside `case.yaml`.
pub(crate) const RSA_FILE: &str = "server.pem";

/// `case.yaml` of a case folder with its section `key_material`.
pub(crate) fn case_yaml() -> String {
    let bytes = |bytes: &[u8]| format!("base64: \"{}\"", STANDARD.encode(bytes));
    let mut yaml = String::from("format: 1\ntitle: Wrapped values\nkey_material:\n");
    let _ = writeln!(yaml, "  alphabets:\n    - {{ name: turned, alphabet: \"{}\" }}", text::ALPHABET);
    let _ = writeln!(yaml, "  salts:\n    - {{ name: salt, {} }}", bytes(digests::SALT));
    let _ = writeln!(yaml, "  hmac_keys:\n    - {{ name: hmac key, {} }}", bytes(digests::HMAC_KEY));
    yaml.push_str("  ciphers:\n");
    let ciphers: [(&str, &[u8], Option<String>); 16] = [
        ("aes-cbc", cipher::AES_KEY, Some("prefix".into())),
        ("aes-cbc", cipher::AES_KEY, Some(format!("{{ {} }}", bytes(cipher::FIXED_IV)))),
        ("aes-cbc", cipher::AES_KEY, Some("zero".into())),
        ("aes-cbc", cipher::AES_KEY_256, Some("prefix".into())),
        ("aes-ecb", cipher::AES_KEY, None),
        ("aes-ctr", cipher::AES_KEY, Some("prefix".into())),
        ("aes-gcm", cipher::AES_KEY, Some("prefix".into())),
        ("des-cbc", cipher::DES_KEY, Some(format!("{{ {} }}", bytes(cipher::DES_IV)))),
        ("des-ecb", cipher::DES_KEY, None),
        ("rc4", cipher::STREAM_KEY, None),
        ("xor", cipher::STREAM_KEY, None),
        ("sm4-cbc", cipher::SM4_KEY, Some("prefix".into())),
        ("sm4-ecb", cipher::SM4_KEY, None),
        ("aes-ecb", cipher::AES_KEY_256, None),
        ("aes-gcm", cipher::AES_KEY_256, Some("prefix".into())),
        ("3des-cbc", cipher::TRIPLE_DES_KEY, Some(format!("{{ {} }}", bytes(cipher::DES_IV)))),
    ];
    for (number, (name, key, iv)) in ciphers.into_iter().enumerate() {
        let iv = iv.map_or_else(String::new, |iv| format!(", iv: {iv}"));
        let _ = writeln!(yaml, "    - {{ name: cipher {number}, cipher: {name}, key: {{ {} }}{iv} }}", bytes(key));
    }
    let _ = writeln!(yaml, "    - {{ name: server, cipher: rsa, private_key: {RSA_FILE} }}");
    yaml
}

/// The key material itself; the private key lies in no file.
pub(crate) fn material() -> Result<KeyMaterial, Box<dyn Error>> {
    let read = |_: &str| Ok(cipher::RSA_KEY.into());
    Ok(KeyMaterial::from_yaml(&case_yaml(), read)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_material_can_be_read() {
        let read = material().unwrap();
        assert_eq!((read.alphabets.len(), read.salts.len(), read.hmac_keys.len(), read.ciphers.len()), (1, 1, 1, 17));
    }
}
