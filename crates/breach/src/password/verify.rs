//! What a stored form is a digest of, tried on single rows: of a commonest password with the row's own salt, or of the
//! row's own telephone number, address, identity number.
//!
//! There are so few telephone and identity numbers that a digest of one protects nobody: all four billion mobile
//! numbers of China can be tried in minutes.

use super::common::{COMMONEST, Compute, unhex};
use crate::kept::{In, Out, invalid};
use crate::kind::Kind;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::io;

/// The fields of the row that a stored form stands in.
pub(crate) struct Owner<'a> {
    /// The row's salt, where it has a column of it.
    pub(crate) salt: Option<&'a [u8]>,
    /// Identifiers of the row, as written.
    pub(crate) fields: &'a [(Kind, &'a [u8])],
}

/// What was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A commonest password with the row's salt, put together this way.
    Commonest(&'static str),
    /// A field of the row, digested this way.
    Field(Kind, &'static str),
}

/// Digest functions that are tried.
const DIGESTS: [(&str, usize, Compute); 3] = [
    ("MD5", 16, |text| Md5::digest(text).to_vec()),
    ("SHA-1", 20, |text| Sha1::digest(text).to_vec()),
    ("SHA-256", 32, |text| Sha256::digest(text).to_vec()),
];

/// Names of salted compositions, by digest and by composition.
const SALTED: [[&str; 4]; 3] = [
    ["MD5 of salt and password", "MD5 of password and salt", "MD5 of MD5 and salt", "MD5 of salt and MD5"],
    ["SHA-1 of salt and password", "SHA-1 of password and salt", "SHA-1 of MD5 and salt", "SHA-1 of salt and MD5"],
    [
        "SHA-256 of salt and password",
        "SHA-256 of password and salt",
        "SHA-256 of MD5 and salt",
        "SHA-256 of salt and MD5",
    ],
];

impl Origin {
    /// Writes it.
    pub(super) fn keep(self, out: &mut Out<'_>) -> io::Result<()> {
        match self {
            Self::Commonest(name) => {
                out.number(0)?;
                out.text(name)
            }
            Self::Field(kind, name) => {
                out.numbers(&[1, kind as u64])?;
                out.text(name)
            }
        }
    }

    /// Reads what was written.
    pub(super) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        if from.flag()? {
            let kind = Kind::of_number(from.number()?).ok_or_else(invalid)?;
            return Ok(Self::Field(kind, known(&from.text()?, DIGESTS.iter().map(|(name, ..)| *name))?));
        }
        Ok(Self::Commonest(known(&from.text()?, SALTED.iter().flatten().copied())?))
    }
}

fn known(name: &str, mut names: impl Iterator<Item = &'static str>) -> io::Result<&'static str> {
    names.find(|known| *known == name).ok_or_else(invalid)
}

/// Tries a stored form in hex digits, with a salt behind a colon or in the row.
pub(crate) fn verify(stored: &[u8], owner: &Owner<'_>) -> Option<Origin> {
    let colon = stored.iter().position(|byte| *byte == b':');
    let (digits, inside) = stored.split_at(colon.unwrap_or(stored.len()));
    let digest = if digits.len() <= 64 { unhex(digits)? } else { return None };
    let index = DIGESTS.iter().position(|(_, length, _)| *length == digest.len())?;
    let (name, _, compute) = DIGESTS[index];
    for (kind, field) in owner.fields {
        if spellings(*kind, field).iter().any(|spelling| compute(spelling) == digest) {
            return Some(Origin::Field(*kind, name));
        }
    }
    let salt = inside.get(1..).or(owner.salt).filter(|salt| !salt.is_empty() && salt.len() <= 128)?;
    COMMONEST.iter().find_map(|password| {
        salted(password.as_bytes(), salt, &digest, compute).map(|how| Origin::Commonest(SALTED[index][how]))
    })
}

/// Which composition of the password and the salt has the digest.
fn salted(password: &[u8], salt: &[u8], digest: &[u8], compute: Compute) -> Option<usize> {
    let inner = super::common::hex(&Md5::digest(password));
    let parts = [[salt, password], [password, salt], [&inner, salt], [salt, &inner]];
    parts.iter().position(|parts| compute(&parts.concat()) == digest)
}

/// A field as written, and a telephone number also with and without its country's code.
fn spellings(kind: Kind, field: &[u8]) -> Vec<Vec<u8>> {
    let mut spellings = vec![field.to_vec()];
    match kind {
        Kind::Phone => {
            let digits: Vec<u8> = field.iter().copied().filter(u8::is_ascii_digit).collect();
            let national = digits.get(digits.len().saturating_sub(11)..).unwrap_or_default().to_vec();
            spellings.extend([[b"86", &national[..]].concat(), [b"+86", &national[..]].concat(), national]);
        }
        Kind::Email | Kind::ResidentId => spellings.extend([field.to_ascii_lowercase(), field.to_ascii_uppercase()]),
        _ => {}
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::super::common::hex;
    use super::*;

    #[test]
    fn a_digest_of_the_rows_own_number_is_told_from_a_password() {
        let fields: [(Kind, &[u8]); 2] = [(Kind::Email, b"Li@example.com"), (Kind::Phone, b"+86 138 1234 5678")];
        let owner = Owner { salt: None, fields: &fields };
        assert_eq!(verify(&hex(&Sha256::digest("13812345678")), &owner), Some(Origin::Field(Kind::Phone, "SHA-256")));
        assert_eq!(verify(&hex(&Md5::digest("li@example.com")), &owner), Some(Origin::Field(Kind::Email, "MD5")));
        assert_eq!(verify(&hex(&Md5::digest("13812345679")), &owner), None);
        assert_eq!(verify(b"not hex", &owner), None);
    }

    #[test]
    fn the_composition_with_a_salt_is_found_by_a_commonest_password() {
        let owner = Owner { salt: Some(b"a1b2"), fields: &[] };
        let inner = [hex(&Md5::digest("123456")), b"a1b2".to_vec()].concat();
        assert_eq!(verify(&hex(&Md5::digest(inner)), &owner), Some(Origin::Commonest("MD5 of MD5 and salt")));
        let behind = [hex(&Sha1::digest("a1b2qwerty")), b":a1b2".to_vec()].concat();
        let owner = Owner { salt: None, fields: &[] };
        assert_eq!(verify(&behind, &owner), Some(Origin::Commonest("SHA-1 of salt and password")));
    }
}
