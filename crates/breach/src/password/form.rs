//! The stored form of a password, told by its prefix, characters and length.
//!
//! What a prefix names is certain; bare hex digits are only as long as a digest, so each length stands for a set.
//! Sources: crypt(5) of libxcrypt, the PHC string format, RFC 2307, Django, passlib, Werkzeug, MySQL, SQL Server.

use crate::ascii::are_hex_digits;
use serde::Serialize;

/// What guessing a password costs whoever holds the stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guessing {
    /// Nothing: it is there as typed, or can be decoded.
    None,
    /// Billions of guesses a second on one graphics card.
    Fast,
    /// Made slow by repetition.
    Slow,
    /// Made slow, and in need of memory for each guess.
    MemoryHard,
}

/// A family of stored forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What else looks exactly like it.
    pub may_also_be: &'static [&'static str],
    /// What guessing costs.
    pub guessing: Guessing,
}

/// A value's stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Which of [`FAMILIES`].
    pub(crate) family: u8,
    /// Whether the form holds a salt.
    pub(crate) salted: bool,
    /// The work factor the form states: bcrypt's logarithm of rounds, others' count of rounds, Argon2's memory in KiB.
    pub(crate) work: Option<u32>,
}

impl Form {
    /// False for a password as typed.
    pub(crate) fn is_stored(self) -> bool {
        self.family != 0
    }

    /// The family.
    #[cfg(test)]
    pub(crate) fn family(self) -> &'static Family {
        FAMILIES.get(usize::from(self.family)).unwrap_or(&FAMILIES[0])
    }
}

const fn family(name: &'static str, may_also_be: &'static [&'static str], guessing: Guessing) -> Family {
    Family { name, may_also_be, guessing }
}

use Guessing::{Fast, MemoryHard, Slow};

/// The families, by the number that [`Form::family`] is.
pub(crate) const FAMILIES: [Family; 51] = [
    family("plain", &[], Guessing::None),
    family("16 hex digits", &["MySQL323", "half of an MD5", "LM", "DES", "Oracle H"], Fast),
    family("MD5", &["NTLM", "MD4", "MD5 of MD5", "MD5 of SHA-1", "LM"], Fast),
    family("SHA-1", &["SHA-1 of SHA-1", "MySQL41 without its star", "RIPEMD-160", "SHA-1 of MD5"], Fast),
    family("48 hex digits", &["SHA-1 with 8 digits of salt", "Tiger-192"], Fast),
    family("SHA-224", &["SHA3-224", "Keccak-224"], Fast),
    family("SHA-256", &["SHA3-256", "BLAKE2s-256", "SM3", "GOST R 34.11-94", "Keccak-256"], Fast),
    family("SHA-384", &["SHA3-384", "Keccak-384"], Fast),
    family("SHA-512", &["SHA3-512", "Whirlpool", "BLAKE2b-512", "Keccak-512"], Fast),
    family("MD5 in base64", &[], Fast),
    family("SHA-1 in base64", &[], Fast),
    family("SHA-256 in base64", &[], Fast),
    family("SHA-512 in base64", &[], Fast),
    family("MySQL41", &[], Fast),
    family("SQL Server", &[], Fast),
    family("Sybase ASE", &[], Fast),
    family("DES crypt", &[], Fast),
    family("bcrypt", &["bcrypt of a digest"], Slow),
    family("MD5 crypt", &[], Slow),
    family("SHA-256 crypt", &[], Slow),
    family("SHA-512 crypt", &[], Slow),
    family("yescrypt", &[], MemoryHard),
    family("scrypt", &[], MemoryHard),
    family("Argon2", &[], MemoryHard),
    family("PBKDF2", &[], Slow),
    family("phpass", &[], Slow),
    family("Drupal 7", &[], Slow),
    family("MediaWiki B", &[], Fast),
    family("AuthMe SHA-256", &[], Fast),
    family("SHA-1 crypt", &[], Slow),
    family("Sun MD5", &[], Slow),
    family("NT hash in crypt form", &[], Fast),
    family("BLAKE2b-512 in crypt form", &[], Fast),
    family("PHPS", &[], Fast),
    family("MS Cache 2", &[], Slow),
    family("SCRAM", &[], Slow),
    family("Django or Werkzeug SHA-1", &[], Fast),
    family("Django or Werkzeug MD5", &[], Fast),
    family("Werkzeug SHA-256", &[], Fast),
    family("LDAP SHA-1", &[], Fast),
    family("LDAP salted SHA-1", &[], Fast),
    family("LDAP SHA-256", &[], Fast),
    family("LDAP salted SHA-256", &[], Fast),
    family("LDAP SHA-512", &[], Fast),
    family("LDAP salted SHA-512", &[], Fast),
    family("LDAP MD5", &[], Fast),
    family("LDAP salted MD5", &[], Fast),
    family("LDAP, another scheme", &[], Fast),
    family("AIX", &[], Slow),
    family("HMAC-MD5 of IMAP (CRAM-MD5)", &[], Fast),
    family("a form that names itself and is not known here", &[], Fast),
];

/// Hex digits: how many, and which family.
const HEX: [(usize, u8); 8] = [(16, 1), (32, 2), (40, 3), (48, 4), (56, 5), (64, 6), (96, 7), (128, 8)];

/// Prefix, family, whether it holds a salt, and where a work factor stands.
const PREFIXES: &[(&str, u8, bool, Work)] = &[
    ("$2a$", 17, true, Work::Next),
    ("$2b$", 17, true, Work::Next),
    ("$2x$", 17, true, Work::Next),
    ("$2y$", 17, true, Work::Next),
    ("$2$", 17, true, Work::Next),
    ("$1$", 18, true, Work::Fixed(1000)),
    ("$apr1$", 18, true, Work::Fixed(1000)),
    ("$5$rounds=", 19, true, Work::Next),
    ("$5$", 19, true, Work::Fixed(5000)),
    ("$6$rounds=", 20, true, Work::Next),
    ("$6$", 20, true, Work::Fixed(5000)),
    ("$y$", 21, true, Work::Unsaid),
    ("$gy$", 21, true, Work::Unsaid),
    ("$7$", 22, true, Work::Unsaid),
    ("$9$", 22, true, Work::Fixed(16384)),
    ("$scrypt$ln=", 22, true, Work::Exponent),
    ("scrypt:", 22, true, Work::Next),
    ("SCRYPT:", 22, true, Work::Next),
    ("$argon2", 23, true, Work::After("m=")),
    ("argon2$argon2", 23, true, Work::After("m=")),
    ("{ARGON2}$argon2", 23, true, Work::After("m=")),
    ("$pbkdf2$", 24, true, Work::Next),
    ("$pbkdf2-sha1$", 24, true, Work::Next),
    ("$pbkdf2-sha256$", 24, true, Work::Next),
    ("$pbkdf2-sha512$", 24, true, Work::Next),
    ("$pbkdf2-hmac-md5$", 24, true, Work::Next),
    ("$pbkdf2-hmac-sha1$", 24, true, Work::Next),
    ("$pbkdf2-hmac-sha256$", 24, true, Work::Next),
    ("$pbkdf2-hmac-sha512$", 24, true, Work::Next),
    ("$pbkdf2-hmac-sha512:", 24, true, Work::Next),
    ("$pbkdf2_sha256$", 24, true, Work::Next),
    ("pbkdf2_sha256$", 24, true, Work::Next),
    ("pbkdf2_sha1$", 24, true, Work::Next),
    ("pbkdf2:sha256:", 24, true, Work::Next),
    ("pbkdf2:sha512:", 24, true, Work::Next),
    ("pbkdf2:sha1:", 24, true, Work::Next),
    ("pbkdf2(", 24, true, Work::Next),
    ("sha256:", 24, true, Work::Next),
    ("sha512:", 24, true, Work::Next),
    ("sha1:", 24, true, Work::Next),
    ("md5:", 24, true, Work::Next),
    ("{PBKDF2_SHA256}", 24, true, Work::Unsaid),
    ("{PBKDF2-SHA", 24, true, Work::Unsaid),
    ("{PKCS5S2}", 24, true, Work::Fixed(10_000)),
    ("grub.pbkdf2.sha512.", 24, true, Work::Next),
    ("$ml$", 24, true, Work::Next),
    ("$8$", 24, true, Work::Fixed(20_000)),
    ("$P$", 25, true, Work::Crypt64),
    ("$H$", 25, true, Work::Crypt64),
    ("$S$", 26, true, Work::Crypt64),
    ("$B$", 27, true, Work::Unsaid),
    ("$SHA$", 28, true, Work::Unsaid),
    ("$sha1$", 29, true, Work::Next),
    ("$md5$", 30, true, Work::Unsaid),
    ("$md5,", 30, true, Work::Unsaid),
    ("$3$", 31, false, Work::Unsaid),
    ("$BLAKE2$", 32, false, Work::Unsaid),
    ("$PHPS$", 33, true, Work::Unsaid),
    ("$DCC2$", 34, true, Work::Next),
    ("SCRAM-SHA-256$", 35, true, Work::Next),
    ("SCRAM-SHA-1$", 35, true, Work::Next),
    ("$xmpp-scram$0$", 35, true, Work::Next),
    ("$mongodb-scram$", 35, true, Work::Unsaid),
    ("sha1$", 36, true, Work::Unsaid),
    ("md5$", 37, true, Work::Unsaid),
    ("sha256$", 38, true, Work::Unsaid),
    ("{SHA}", 39, false, Work::Unsaid),
    ("{SSHA}", 40, true, Work::Unsaid),
    ("{SHA256}", 41, false, Work::Unsaid),
    ("{SSHA256}", 42, true, Work::Unsaid),
    ("{SHA512}", 43, false, Work::Unsaid),
    ("{SSHA512}", 44, true, Work::Unsaid),
    ("{MD5}", 45, false, Work::Unsaid),
    ("{SMD5}", 46, true, Work::Unsaid),
    ("{CRYPT}$6$", 20, true, Work::Fixed(5000)),
    ("{CRYPT}", 47, true, Work::Unsaid),
    ("{x-issha", 47, true, Work::Unsaid),
    ("{smd5}", 48, true, Work::Fixed(1000)),
    ("{ssha1}", 48, true, Work::Exponent),
    ("{ssha256}", 48, true, Work::Exponent),
    ("{ssha512}", 48, true, Work::Exponent),
    ("{CRAM-MD5}", 49, false, Work::Unsaid),
];

/// Least characters behind a prefix.
const LEAST_NAMED: usize = 16;

/// Where a form states its work factor.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Digits right behind the prefix.
    Next,
    /// Digits right behind the prefix, of which it is a power of two.
    Exponent,
    /// Digits behind this text.
    After(&'static str),
    /// One character of crypt's alphabet behind the prefix: the power of two.
    Crypt64,
    /// Nowhere; it is always this.
    Fixed(u32),
    /// Nowhere.
    Unsaid,
}

/// The form of a value of a password column.
pub(crate) fn form(value: &[u8]) -> Form {
    let plain = Form { family: 0, salted: false, work: None };
    match value.first() {
        None => plain,
        Some(b'*') => star(value).unwrap_or(plain),
        Some(b'0') if value.len() >= 40 && value.starts_with(b"0x") => server(value).unwrap_or(plain),
        Some(b'$' | b'{') => named(value).or_else(|| unknown(value)).unwrap_or(plain),
        Some(first) => {
            let hex = if first.is_ascii_hexdigit() { hexadecimal(value) } else { None };
            hex.or_else(|| if b"pmsSga".contains(first) { named(value) } else { None })
                .or_else(|| base64(value))
                .unwrap_or(plain)
        }
    }
}

/// True for hex digits alone, as many as MD5 to SHA-512 have.
pub(crate) fn is_hex_digest(value: &[u8]) -> bool {
    matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128) && are_hex_digits(value)
}

/// True for 13 characters of crypt's alphabet: a form of traditional crypt, or a password of that length.
pub(crate) fn is_des_crypt(value: &[u8]) -> bool {
    value.len() == 13 && value.iter().all(|byte| is_crypt(*byte))
}

fn is_crypt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/')
}

fn hexadecimal(value: &[u8]) -> Option<Form> {
    let run = match value.get(..129).unwrap_or(value) {
        digits if are_hex_digits(digits) => digits.len(),
        other => other.iter().take_while(|byte| byte.is_ascii_hexdigit()).count(),
    };
    let (_, family) = HEX.iter().find(|(length, _)| *length == run)?;
    let rest = value.get(run..)?;
    // 16 digits without a letter are a number.
    let telling = run > 16
        || value.get(..run)?.iter().any(u8::is_ascii_alphabetic) && value.get(..run)?.iter().any(u8::is_ascii_digit);
    let salted = matches!(rest, [b':', _, ..]) && rest.len() <= 129;
    (telling && (rest.is_empty() || salted)).then_some(Form { family: *family, salted, work: None })
}

fn star(value: &[u8]) -> Option<Form> {
    let digits = value.get(1..)?;
    let shaped = digits.len() == 40 && digits.iter().all(u8::is_ascii_hexdigit);
    shaped.then_some(Form { family: 13, salted: false, work: None })
}

fn server(value: &[u8]) -> Option<Form> {
    let digits = value.get(2..)?;
    let hex = digits.iter().all(u8::is_ascii_hexdigit);
    let family = match digits.get(..4)? {
        b"0100" | b"0200" => 14,
        b"c007" | b"C007" => 15,
        _ => return None,
    };
    hex.then_some(Form { family, salted: true, work: None })
}

fn named(value: &[u8]) -> Option<Form> {
    if value.len() <= LEAST_NAMED {
        return None;
    }
    let prefix = |(prefix, ..): &&(&str, u8, bool, Work)| value.starts_with(prefix.as_bytes());
    let (prefix, family, salted, work) = PREFIXES.iter().find(prefix)?;
    let rest = value.get(prefix.len()..)?;
    // A word and a colon may begin what somebody typed.
    let typed = prefix.ends_with(':') && !rest.first().is_some_and(u8::is_ascii_digit);
    if rest.len() < LEAST_NAMED || typed || value.contains(&b' ') && !value.starts_with(b"{x-") {
        return None;
    }
    Some(Form { family: *family, salted: *salted, work: work.of(rest) })
}

impl Work {
    fn of(self, rest: &[u8]) -> Option<u32> {
        match self {
            Self::Next => leading_number(rest),
            Self::Exponent => leading_number(rest).and_then(|power| 1u32.checked_shl(power)),
            Self::After(text) => {
                let at = rest.windows(text.len()).take(64).position(|window| window == text.as_bytes())?;
                leading_number(rest.get(at + text.len()..)?)
            }
            Self::Crypt64 => {
                let alphabet = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
                let power = alphabet.iter().position(|letter| Some(letter) == rest.first())?;
                1u32.checked_shl(power as u32)
            }
            Self::Fixed(rounds) => Some(rounds),
            Self::Unsaid => None,
        }
    }
}

fn leading_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    core::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()
}

/// `$name$…` or `{name}…` of a name that is not in the list: at least 16 characters behind it.
fn unknown(value: &[u8]) -> Option<Form> {
    let close = if value.first() == Some(&b'{') { b'}' } else { b'$' };
    let end = value.get(1..)?.iter().take(32).position(|byte| *byte == close)?;
    let name = value.get(1..=end)?;
    let shaped = name.len() >= 2 && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let rest = value.get(end + 2..)?;
    let body = rest.len() >= 16 && rest.iter().all(u8::is_ascii_graphic);
    (shaped && body).then_some(Form { family: 50, salted: true, work: None })
}

/// A digest in base64, whose padding tells its length.
fn base64(value: &[u8]) -> Option<Form> {
    let (family, padding) = match value.len() {
        24 => (9, 2),
        28 => (10, 1),
        44 => (11, 1),
        88 => (12, 2),
        _ => return None,
    };
    let (body, end) = value.split_at_checked(value.len() - padding)?;
    let shaped = end.iter().all(|byte| *byte == b'=')
        && body.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    shaped.then_some(Form { family, salted: false, work: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn name(text: &str) -> &'static str {
        form(text.as_bytes()).family().name
    }

    #[test]
    fn work_factors_are_read_where_the_form_states_them() {
        let cases = [
            ("$2a$05$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou", 5),
            ("$6$rounds=10000$saltsalt$0123456789abcdef0123456789abcdef", 10_000),
            ("pbkdf2_sha256$260000$abcdef$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=", 260_000),
            ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG", 65_536),
            ("$P$946647711V1klyitUYhtB8Yw5DMA/w.", 2048),
            ("$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD", 65_536),
        ];
        for (text, work) in cases {
            assert_eq!(form(text.as_bytes()).work, Some(work), "{}", name(text));
            assert!(form(text.as_bytes()).salted);
        }
    }

    #[test]
    fn what_people_type_is_plain() {
        for typed in [
            "123456",
            "password",
            "$money$",
            "*secret*",
            "a1b2c3d4e5f6a7b",
            "1234567890123456",
            "sha1:mine",
            "{hello}",
            "",
        ] {
            assert_eq!(name(typed), "plain", "{typed}");
        }
    }

    #[test]
    fn a_salt_behind_a_colon_is_seen() {
        let salted = form(b"3d83c8e717ff0e7ecfe187f088d69954:343141");
        assert_eq!((salted.family().name, salted.salted), ("MD5", true));
        assert!(!form(b"8743b52063cd84097a65d1633f5c74f5").salted);
    }

    /// Examples of another maker, each with the family it must get; what is looked up is the mode's number.
    #[test]
    fn examples_of_hashcat_get_their_families() {
        let Some(folder) = std::env::var_os("DYETRACE_VECTORS") else { return };
        let text = std::fs::read_to_string(std::path::Path::new(&folder).join("hashcat_examples.json")).unwrap();
        let cases = examples(&text);
        let expected: BTreeMap<u32, &str> =
            EXPECTED.iter().flat_map(|(name, modes)| modes.iter().map(move |mode| (*mode, *name))).collect();
        let mut wrong = Vec::new();
        for (mode, example) in &cases {
            if let Some(family) = expected.get(mode)
                && name(example) != *family
            {
                wrong.push((*mode, *family, name(example)));
            }
        }
        assert!(cases.len() > 400, "{}", cases.len());
        assert_eq!(wrong, []);
    }

    /// Mode and example, without a reader of JSON: each is on a line of its own.
    fn examples(text: &str) -> Vec<(u32, String)> {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let of = |case: &serde_json::Value| Some((case["mode"].as_u64()? as u32, case["hash"].as_str()?.to_owned()));
        value["cases"].as_array().unwrap().iter().filter_map(of).collect()
    }

    const EXPECTED: &[(&str, &[u32])] = &[
        (
            "MD5",
            &[
                0, 10, 11, 12, 20, 21, 23, 24, 30, 40, 50, 60, 70, 900, 1000, 1100, 2600, 2611, 2711, 2811, 3500, 3710,
                3800, 3910, 4010, 4110, 4300, 4400, 4410, 8600, 9900,
            ],
        ),
        (
            "SHA-1",
            &[
                100, 110, 112, 120, 121, 130, 140, 150, 160, 170, 300, 4500, 4510, 4520, 4521, 4522, 4700, 4710, 4711,
                4900, 5000, 5800, 6000, 8400, 24300, 27200, 29000,
            ],
        ),
        ("48 hex digits", &[122]),
        ("SHA-224", &[1300]),
        ("SHA-256", &[1400, 1410, 1420, 1430, 1440, 1450, 1460, 1470, 6900]),
        ("SHA-512", &[1700, 1710, 1720, 1730, 1740, 1750, 1760, 1770, 6100]),
        ("16 hex digits", &[200, 3000, 3100, 5100]),
        ("LDAP SHA-1", &[101]),
        ("LDAP salted SHA-1", &[111]),
        ("LDAP salted SHA-256", &[1411]),
        ("LDAP salted SHA-512", &[1711]),
        ("SHA-1 in base64", &[133, 24800]),
        ("Django or Werkzeug SHA-1", &[124]),
        ("SQL Server", &[131, 132, 1731]),
        ("Sybase ASE", &[8000]),
        ("phpass", &[400]),
        ("MD5 crypt", &[500, 1600]),
        ("BLAKE2b-512 in crypt form", &[600, 610, 620]),
        ("SHA-512 crypt", &[1800]),
        ("SHA-256 crypt", &[7400]),
        ("bcrypt", &[3200, 25600, 25800, 28400]),
        ("PHPS", &[2612]),
        ("MediaWiki B", &[3711]),
        ("MS Cache 2", &[2100]),
        ("AIX", &[6300, 6400, 6500, 6700]),
        ("PBKDF2", &[9200, 10000]),
        ("scrypt", &[8900, 9300]),
        ("Drupal 7", &[7900]),
        ("SCRAM", &[23200, 24100, 24200, 28600]),
        ("Django or Werkzeug MD5", &[30000]),
        ("Werkzeug SHA-256", &[30120]),
    ];
}
