//! The commonest passwords, and their digests: a stored form that equals one of them was as good as typed.

use crate::ascii;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Commonest passwords of published lists (NCSC 2019 "most hacked", NordPass 2019 to 2023, and the top of Chinese
/// dumps as in Wang et al., "Birthday, Name and Bifacial-security", USENIX Security 2019).
pub(crate) const COMMONEST: [&str; 104] = [
    "123456",
    "123456789",
    "111111",
    "12345678",
    "000000",
    "password",
    "qwerty",
    "123123",
    "1234567890",
    "1234567",
    "12345",
    "1234",
    "123321",
    "5201314",
    "666666",
    "888888",
    "654321",
    "abc123",
    "a123456",
    "123456a",
    "iloveyou",
    "qwerty123",
    "1q2w3e4r",
    "1qaz2wsx",
    "admin",
    "admin123",
    "password1",
    "qwertyuiop",
    "aaaaaa",
    "112233",
    "121212",
    "159753",
    "987654321",
    "7758521",
    "woaini",
    "woaini1314",
    "1314520",
    "520520",
    "11111111",
    "00000000",
    "88888888",
    "123123123",
    "147258369",
    "789456123",
    "147258",
    "asdfgh",
    "asdfghjkl",
    "zxcvbnm",
    "qazwsx",
    "123qwe",
    "qwe123",
    "q1w2e3r4",
    "1q2w3e",
    "a123456789",
    "123456789a",
    "aa123456",
    "abcd1234",
    "abc123456",
    "123abc",
    "woaini520",
    "5211314",
    "wang123456",
    "monkey",
    "dragon",
    "letmein",
    "welcome",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "master",
    "shadow",
    "superman",
    "michael",
    "passw0rd",
    "P@ssw0rd",
    "Password1",
    "test",
    "test123",
    "guest",
    "root",
    "123",
    "0",
    "0123456789",
    "9876543210",
    "999999",
    "555555",
    "222222",
    "333333",
    "777777",
    "7777777",
    "131313",
    "101010",
    "123654",
    "321321",
    "456789",
    "110110",
    "119119",
    "584520",
    "zxc123",
    "asd123",
    "qq123456",
    "123456qq",
    "changeme",
];

/// True for one of the commonest passwords as typed.
pub(crate) fn is_commonest(value: &[u8]) -> bool {
    static WORDS: OnceLock<Words> = OnceLock::new();
    let Some(wanted) = word(value) else { return false };
    let words = WORDS.get_or_init(Words::new);
    words.may_be[place(wanted) / 64] >> (place(wanted) % 64) & 1 == 1 && words.sorted.binary_search(&wanted).is_ok()
}

/// The commonest passwords, and a bit for each by which most others are told from them.
struct Words {
    sorted: [u128; COMMONEST.len()],
    may_be: [u64; 64],
}

impl Words {
    fn new() -> Self {
        let mut sorted = COMMONEST.map(|password| word(password.as_bytes()).unwrap_or(0));
        sorted.sort_unstable();
        let mut may_be = [0; 64];
        for word in sorted {
            may_be[place(word) / 64] |= 1 << (place(word) % 64);
        }
        Self { sorted, may_be }
    }
}

/// One of 4,096 places of a word.
fn place(word: u128) -> usize {
    let mixed = (word ^ word >> 64) as u64;
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52) as usize
}

/// Up to twelve bytes as a number, with how many they are.
fn word(value: &[u8]) -> Option<u128> {
    let length = u128::try_from(value.len()).ok().filter(|length| (1..=12).contains(length))?;
    Some(value.iter().fold(length, |word, byte| word << 8 | u128::from(*byte)))
}

/// A digest function, or several one upon the other.
pub(crate) type Compute = fn(&[u8]) -> Vec<u8>;

/// What [`Commonest`] computes, without any salt.
const UNSALTED: [(&str, Compute); 10] = [
    ("MD5", |text| Md5::digest(text).to_vec()),
    ("SHA-1", |text| Sha1::digest(text).to_vec()),
    ("SHA-256", |text| Sha256::digest(text).to_vec()),
    ("SHA-512", |text| Sha512::digest(text).to_vec()),
    ("NTLM", ntlm),
    ("MD5 of MD5", |text| Md5::digest(hex(&Md5::digest(text))).to_vec()),
    ("MD5 of MD5 in capitals", |text| Md5::digest(hex(&Md5::digest(text)).to_ascii_uppercase()).to_vec()),
    ("MD5 of SHA-1", |text| Md5::digest(hex(&Sha1::digest(text))).to_vec()),
    ("SHA-1 of MD5", |text| Sha1::digest(hex(&Md5::digest(text))).to_vec()),
    ("MySQL41", |text| Sha1::digest(Sha1::digest(text)).to_vec()),
];

/// The names of [`UNSALTED`].
pub(super) fn unsalted() -> impl Iterator<Item = &'static str> {
    UNSALTED.iter().map(|(name, _)| *name)
}

/// MD4 of UTF-16, little end first ([MS-NLMP] section 3.3.1).
fn ntlm(text: &[u8]) -> Vec<u8> {
    let wide: Vec<u8> = text.iter().flat_map(|byte| [*byte, 0]).collect();
    md4::Md4::digest(wide).to_vec()
}

/// Bytes as small hex digits.
pub(crate) fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

/// Hex digits as bytes. `None` where one is none, or they are odd.
pub(crate) fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let pairs = digits.chunks(2).map(|pair| Some(nibble(*pair.first()?)? << 4 | nibble(*pair.get(1)?)?));
    pairs.collect()
}

/// Unsalted digests of the commonest passwords.
pub(crate) struct Commonest {
    /// The first eight bytes of a digest, and how it was made.
    known: HashMap<u64, &'static str>,
    /// One bit for the last 13 bits of each: most digests are nobody's.
    may_be: [u64; 128],
}

impl Commonest {
    /// They are the same for all columns.
    pub(crate) fn known() -> &'static Self {
        static KNOWN: OnceLock<Commonest> = OnceLock::new();
        KNOWN.get_or_init(Self::new)
    }

    /// Computes them.
    fn new() -> Self {
        let mut commonest = Self { known: HashMap::new(), may_be: [0; 128] };
        for (scheme, digest) in UNSALTED {
            for password in COMMONEST {
                if let Some(key) = digest(password.as_bytes()).first_chunk().map(|first| u64::from_be_bytes(*first)) {
                    commonest.known.entry(key).or_insert(scheme);
                    commonest.may_be[(key as usize & 8191) / 64] |= 1 << (key & 63);
                }
            }
        }
        commonest
    }

    /// How the digest of a commonest password was made that these hex digits, perhaps behind a star, begin with.
    pub(crate) fn scheme(&self, stored: &[u8]) -> Option<&'static str> {
        let key = ascii::hex_number(stored.strip_prefix(b"*").unwrap_or(stored).first_chunk()?)?;
        let may_be = self.may_be[(key as usize & 8191) / 64] >> (key & 63) & 1 == 1;
        if may_be { self.known.get(&key).copied() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_the_commonest_password_are_known_in_every_way() {
        let commonest = Commonest::new();
        let known = [
            ("e10adc3949ba59abbe56e057f20f883e", "MD5"),
            ("E10ADC3949BA59ABBE56E057F20F883E", "MD5"),
            ("7c4a8d09ca3762af61e59520943dc26494f8941b", "SHA-1"),
            ("8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92", "SHA-256"),
            ("32ed87bdb5fdc5e9cba88547376818d4", "NTLM"),
            ("*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9", "MySQL41"),
            ("14e1b600b1fd579f47433b88e8d85291", "MD5 of MD5"),
        ];
        for (stored, scheme) in known {
            assert_eq!(commonest.scheme(stored.as_bytes()), Some(scheme), "{scheme}");
        }
        assert_eq!(commonest.scheme(b"8743b52063cd84097a65d1633f5c74f5"), None);
        assert_eq!(commonest.scheme(b"e10adc"), None);
    }

    #[test]
    fn every_commonest_password_is_known_as_typed_and_no_other() {
        assert!(COMMONEST.iter().all(|password| is_commonest(password.as_bytes())));
        let others: [&[u8]; 7] = [b"", b"\0", b"00", b"123456\0", b"12345678901", b"qwertyuiopas", b"qwertyuiopasd"];
        assert!(!others.iter().any(|other| is_commonest(other)));
    }

    #[test]
    fn hex_and_back() {
        assert_eq!(unhex(&hex(&[0, 1, 254, 255])), Some(vec![0, 1, 254, 255]));
        assert_eq!((unhex(b"abc"), unhex(b"zz")), (None, None));
    }
}
