//! Stored forms of passwords: modular crypt, PHC strings, LDAP schemes, Django, MySQL.

use super::{Checks, Pass};
use std::ops::Range;
use std::sync::LazyLock;

/// A kind of character.
#[derive(Debug, Clone, Copy)]
enum Class {
    /// `./0-9A-Za-z`, as crypt(3) writes.
    Crypt,
    /// Base64 with its padding, also in the spelling of passlib with a dot.
    Base64,
    Digit,
    Hex,
    UpperHex,
    /// What a salt or parameters are made of: printable, none of `$"'\<>&` and no space.
    Salt,
}

/// A part of a stored form.
#[derive(Debug, Clone, Copy)]
enum Piece {
    /// These very characters.
    Text(&'static str),
    /// From so many to so many of a kind.
    Run(Class, usize, usize),
}

use Class::{Base64, Crypt, Digit, Hex, Salt, UpperHex};
use Piece::{Run, Text};

/// The forms, each from its first character. Sources: crypt(5) of libxcrypt, the PHC string format,
/// passlib, Django, Werkzeug, RFC 2307 and the 389 directory server, MySQL 5.7, PostgreSQL 10.
const FORMS: &[&[Piece]] = &[
    &[Text("$2a$"), Run(Digit, 2, 2), Text("$"), Run(Crypt, 53, 53)],
    &[Text("$2b$"), Run(Digit, 2, 2), Text("$"), Run(Crypt, 53, 53)],
    &[Text("$2x$"), Run(Digit, 2, 2), Text("$"), Run(Crypt, 53, 53)],
    &[Text("$2y$"), Run(Digit, 2, 2), Text("$"), Run(Crypt, 53, 53)],
    &[Text("$1$"), Run(Crypt, 0, 8), Text("$"), Run(Crypt, 22, 22)],
    &[Text("$apr1$"), Run(Crypt, 0, 8), Text("$"), Run(Crypt, 22, 22)],
    &[Text("$5$rounds="), Run(Digit, 1, 9), Text("$"), Run(Crypt, 0, 16), Text("$"), Run(Crypt, 43, 43)],
    &[Text("$6$rounds="), Run(Digit, 1, 9), Text("$"), Run(Crypt, 0, 16), Text("$"), Run(Crypt, 86, 86)],
    &[Text("$5$"), Run(Crypt, 0, 16), Text("$"), Run(Crypt, 43, 43)],
    &[Text("$6$"), Run(Crypt, 0, 16), Text("$"), Run(Crypt, 86, 86)],
    &[Text("$y$"), Run(Crypt, 2, 16), Text("$"), Run(Crypt, 1, 86), Text("$"), Run(Crypt, 43, 43)],
    &[Text("$gy$"), Run(Crypt, 2, 16), Text("$"), Run(Crypt, 1, 86), Text("$"), Run(Crypt, 43, 43)],
    &[Text("$7$"), Run(Crypt, 11, 64), Text("$"), Run(Crypt, 43, 43)],
    &[Text("$8$"), Run(Crypt, 14, 14), Text("$"), Run(Crypt, 43, 43)],
    &[Text("$9$"), Run(Crypt, 14, 14), Text("$"), Run(Crypt, 43, 43)],
    &[Text("$sha1$"), Run(Digit, 1, 9), Text("$"), Run(Crypt, 1, 64), Text("$"), Run(Crypt, 28, 28)],
    &[Text("$argon2id$v="), Run(Salt, 2, 48), Text("$"), Run(Base64, 8, 88), Text("$"), Run(Base64, 16, 172)],
    &[Text("$argon2i$v="), Run(Salt, 2, 48), Text("$"), Run(Base64, 8, 88), Text("$"), Run(Base64, 16, 172)],
    &[Text("$argon2d$v="), Run(Salt, 2, 48), Text("$"), Run(Base64, 8, 88), Text("$"), Run(Base64, 16, 172)],
    &[Text("$scrypt$ln="), Run(Salt, 1, 24), Text("$"), Run(Base64, 8, 88), Text("$"), Run(Base64, 16, 172)],
    &[Text("$pbkdf2$"), Run(Digit, 1, 9), Text("$"), Run(Base64, 1, 88), Text("$"), Run(Base64, 27, 27)],
    &[Text("$pbkdf2-sha256$"), Run(Digit, 1, 9), Text("$"), Run(Base64, 1, 88), Text("$"), Run(Base64, 43, 43)],
    &[Text("$pbkdf2-sha512$"), Run(Digit, 1, 9), Text("$"), Run(Base64, 1, 88), Text("$"), Run(Base64, 86, 86)],
    &[Text("$P$"), Run(Crypt, 31, 31)],
    &[Text("$H$"), Run(Crypt, 31, 31)],
    &[Text("$S$"), Run(Crypt, 52, 52)],
    &[Text("$B$"), Run(Salt, 1, 32), Text("$"), Run(Hex, 32, 32)],
    &[Text("$SHA$"), Run(Salt, 1, 32), Text("$"), Run(Hex, 64, 64)],
    &[Text("pbkdf2_sha256$"), Run(Digit, 1, 9), Text("$"), Run(Salt, 1, 64), Text("$"), Run(Base64, 44, 44)],
    &[Text("pbkdf2_sha1$"), Run(Digit, 1, 9), Text("$"), Run(Salt, 1, 64), Text("$"), Run(Base64, 28, 28)],
    &[Text("pbkdf2:sha256:"), Run(Digit, 1, 9), Text("$"), Run(Salt, 1, 64), Text("$"), Run(Hex, 64, 64)],
    &[Text("pbkdf2:sha1:"), Run(Digit, 1, 9), Text("$"), Run(Salt, 1, 64), Text("$"), Run(Hex, 40, 40)],
    &[
        Text("scrypt:"),
        Run(Digit, 1, 9),
        Text(":"),
        Run(Digit, 1, 3),
        Text(":"),
        Run(Digit, 1, 3),
        Text("$"),
        Run(Salt, 1, 64),
        Text("$"),
        Run(Hex, 128, 128),
    ],
    &[Text("sha1$"), Run(Salt, 1, 64), Text("$"), Run(Hex, 40, 40)],
    &[Text("sha256$"), Run(Salt, 1, 64), Text("$"), Run(Hex, 64, 64)],
    &[Text("md5$"), Run(Salt, 1, 64), Text("$"), Run(Hex, 32, 32)],
    &[
        Text("SCRAM-SHA-256$"),
        Run(Digit, 1, 9),
        Text(":"),
        Run(Base64, 8, 88),
        Text("$"),
        Run(Base64, 44, 44),
        Text(":"),
        Run(Base64, 44, 44),
    ],
    &[Text("{SHA}"), Run(Base64, 28, 28)],
    &[Text("{SSHA}"), Run(Base64, 32, 88)],
    &[Text("{SHA256}"), Run(Base64, 44, 44)],
    &[Text("{SSHA256}"), Run(Base64, 48, 128)],
    &[Text("{SHA512}"), Run(Base64, 88, 88)],
    &[Text("{SSHA512}"), Run(Base64, 92, 172)],
    &[Text("{MD5}"), Run(Base64, 24, 24)],
    &[Text("{SMD5}"), Run(Base64, 28, 88)],
    &[Text("{PBKDF2_SHA256}"), Run(Base64, 64, 512)],
    &[Text("{PKCS5S2}"), Run(Base64, 64, 64)],
    &[Text("{CRAM-MD5}"), Run(Hex, 64, 64)],
    &[Text("{smd5}"), Run(Crypt, 8, 8), Text("$"), Run(Crypt, 22, 22)],
    &[Text("{ssha1}"), Run(Digit, 2, 2), Text("$"), Run(Crypt, 8, 24), Text("$"), Run(Crypt, 27, 27)],
    &[Text("{ssha256}"), Run(Digit, 2, 2), Text("$"), Run(Crypt, 8, 24), Text("$"), Run(Crypt, 43, 43)],
    &[Text("{ssha512}"), Run(Digit, 2, 2), Text("$"), Run(Crypt, 8, 24), Text("$"), Run(Crypt, 86, 86)],
    &[Text("*"), Run(UpperHex, 40, 40)],
];

/// How far before its first `$` a form may start.
const LOOK_BACK: usize = 40;

/// The stored form around the `$`, `{` or `*` at that place, which is the first of its kind in it.
/// The characters that must be there and the length leave nothing to chance.
pub(super) fn around(bytes: &[u8], at: usize) -> Option<(Range<usize>, Pass)> {
    let before = bytes.get(at.saturating_sub(LOOK_BACK)..at)?;
    let named = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-:.".contains(byte)).count();
    let is_dollar = bytes.get(at) == Some(&b'$');
    // A star is a separator in lists as often as the sign of MySQL.
    if bytes.get(at) == Some(&b'*') && before.last().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let first = bytes.get(at - named).copied();
    let is_named = is_dollar && named > 0 && first.is_some_and(|byte| b"pmsS".contains(&byte));
    let starts = [Some(at), is_named.then_some(at - named)];
    starts.into_iter().flatten().find_map(|start| {
        let length = form(bytes.get(start..)?)?;
        Some((start..start + length, Pass::new("password.hash", Checks::PREFIX, 64.0)))
    })
}

/// True for a stored form from the first byte to the last.
pub(super) fn is_form(value: &[u8]) -> bool {
    form(value) == Some(value.len())
}

fn form(text: &[u8]) -> Option<usize> {
    let forms = by_start(text)?;
    forms.iter().find_map(|(_, pieces)| match pieces.first() {
        Some(Text(start)) if text.starts_with(start.as_bytes()) => length(text, pieces),
        _ => None,
    })
}

/// The forms that start with the text's first two characters.
fn by_start(text: &[u8]) -> Option<&'static [(u16, &'static [Piece])]> {
    static SORTED: LazyLock<Vec<(u16, &'static [Piece])>> = LazyLock::new(|| {
        let start = |pieces: &[Piece]| match pieces.first() {
            Some(Text(start)) => first_two(start.as_bytes()),
            _ => None,
        };
        let mut sorted: Vec<_> = FORMS.iter().filter_map(|pieces| Some((start(pieces)?, *pieces))).collect();
        sorted.sort_by_key(|(start, _)| *start);
        sorted
    });
    let start = first_two(text)?;
    let from = SORTED.partition_point(|(other, _)| *other < start);
    let rest = SORTED.get(from..)?;
    rest.get(..rest.partition_point(|(other, _)| *other == start))
}

/// The first two characters as a number; of a star, which is a whole start, it alone.
fn first_two(text: &[u8]) -> Option<u16> {
    match text {
        [b'*', ..] => Some(u16::from(b'*')),
        [first, second, ..] => Some(u16::from_be_bytes([*first, *second])),
        _ => None,
    }
}

fn length(text: &[u8], pieces: &[Piece]) -> Option<usize> {
    let mut at = 0;
    for piece in pieces {
        let rest = text.get(at..)?;
        at += match *piece {
            Text(expected) => rest.starts_with(expected.as_bytes()).then_some(expected.len())?,
            Run(class, least, most) => {
                let run = rest.iter().take(most + 1).take_while(|byte| class.holds(**byte)).count();
                (least..=most).contains(&run).then_some(run)?
            }
        };
    }
    Some(at)
}

impl Class {
    fn holds(self, byte: u8) -> bool {
        match self {
            Crypt => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'),
            Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'+' | b'='),
            Digit => byte.is_ascii_digit(),
            Hex => byte.is_ascii_hexdigit(),
            UpperHex => byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte),
            Salt => byte.is_ascii_graphic() && !b"$\"'\\<>&".contains(&byte),
        }
    }
}

/// The value of a field named as a password that is a digest in hex, of MD5 to SHA-512, or a stored
/// form.
pub(super) fn named(value: &[u8]) -> Option<Pass> {
    if is_form(value) {
        return Some(Pass::new("password.hash", Checks::PREFIX, 64.0));
    }
    let digest = matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128) && value.iter().all(u8::is_ascii_hexdigit);
    digest.then(|| Pass::new("password.hash", Checks::default(), 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_taken_whole_and_no_longer() {
        let bcrypt = "$2a$05$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou";
        let text = format!("hash={bcrypt}\n");
        assert_eq!(around(text.as_bytes(), 5).map(|(range, _)| range), Some(5..5 + bcrypt.len()));
        assert!(around(format!("{bcrypt}x").as_bytes(), 0).is_none());
        let django = "x \"pbkdf2_sha256$10000$1135411628$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=\"";
        assert_eq!(around(django.as_bytes(), 16).map(|(range, _)| range), Some(3..django.len() - 1));
        assert!(around(b"$100 and $200", 0).is_none());
    }
}
