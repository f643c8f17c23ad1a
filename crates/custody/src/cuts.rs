//! What a public edition leaves out: each cut with its file, range, length and salted digest.
//!
//! A plain digest of few bytes can be guessed: of a phone number in seconds. So each cut has a salt of its own, made from
//! the case's master salt by HMAC-SHA-256 (RFC 2104). Who has the sealed edition can show one range and its salt to
//! somebody who has the public one, and gives away nothing about the others.

use crate::bag::Content;
use crate::digest::sha256;
use dyetrace_case::{ExhibitId, hex};
use ring::hmac;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// The name and version of the list's form.
pub const SCHEMA: &str = "dyetrace-cuts/1";

/// The list's name in the payload.
pub const FILE: &str = "cuts.json";

/// Where the master salt is kept in the case folder: 64 hexadecimal digits.
pub const SALT_FILE: &str = "custody.salt";

/// Length of a cut in bytes; the last of a file is shorter.
pub const LENGTH: u64 = 1 << 20;

/// The secret that all salts are made from.
pub struct MasterSalt(hmac::Key);

impl MasterSalt {
    /// From 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Reads the salt file.
    pub fn parse(text: &str) -> Option<Self> {
        crate::digest::parse(text.trim()).map(|id| Self::new(&id.0))
    }

    /// The salt of one cut. It is made from the digest of the path, the first byte and the length, all of fixed size.
    pub fn of(&self, path: &str, from: u64, length: u64) -> [u8; 32] {
        let mut label = sha256(path.as_bytes()).0.to_vec();
        label.extend(from.to_be_bytes());
        label.extend(length.to_be_bytes());
        hmac::sign(&self.0, &label).as_ref().try_into().unwrap_or([0; 32])
    }
}

/// One range that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// First byte, from 0.
    pub from: u64,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256 of the salt and the bytes.
    pub salted: ExhibitId,
}

/// Cuts a whole file.
///
/// # Errors
/// Reading failed.
pub fn cut(path: &str, content: &Content, salt: &MasterSalt) -> io::Result<Vec<Cut>> {
    let mut reader = content.open()?;
    let mut cuts = Vec::new();
    let mut from = 0;
    loop {
        let mut bytes = Vec::new();
        reader.by_ref().take(LENGTH).read_to_end(&mut bytes)?;
        let length = bytes.len() as u64;
        if length == 0 && from > 0 {
            break;
        }
        let salted = Sha256::new().chain_update(salt.of(path, from, length)).chain_update(&bytes).finalize();
        cuts.push(Cut { from, length, salted: ExhibitId(salted.into()) });
        from += length;
        if length < LENGTH {
            break;
        }
    }
    Ok(cuts)
}

/// The list, as JSON. `shown` says of each file, by its digest in clear, what the report names already: an exhibit.
pub fn document(files: &BTreeMap<String, Vec<Cut>>, shown: &BTreeMap<String, ExhibitId>) -> Vec<u8> {
    let rows: Vec<Value> = files
        .iter()
        .map(|(path, cuts)| {
            let ranges = cuts
                .iter()
                .map(|cut| json!({"from": cut.from, "length": cut.length, "salted_sha256": hex(&cut.salted.0)}));
            json!({
                "path": path,
                "bytes": cuts.iter().map(|cut| cut.length).sum::<u64>(),
                "sha256": shown.get(path).map(ToString::to_string),
                "cuts": ranges.collect::<Vec<_>>(),
            })
        })
        .collect();
    let document = json!({
        "schema": SCHEMA,
        "salted_sha256": "SHA-256 of salt and bytes; salt = HMAC-SHA-256(master salt, SHA-256(path) and first byte and length, each 8 bytes, big-endian)",
        "files": rows,
    });
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_cover_the_file_and_salts_differ() {
        let salt = MasterSalt::new(&[7; 32]);
        let content = Content::Bytes(vec![1; LENGTH as usize * 2 + 5]);
        let cuts = cut("evidence/a", &content, &salt).unwrap();
        let ranges: Vec<(u64, u64)> = cuts.iter().map(|cut| (cut.from, cut.length)).collect();
        assert_eq!(ranges, [(0, LENGTH), (LENGTH, LENGTH), (2 * LENGTH, 5)]);
        assert_ne!(cuts[0].salted, cuts[1].salted, "equal bytes must not show");
        assert_ne!(cuts, cut("evidence/b", &content, &salt).unwrap());
        assert_ne!(cuts, cut("evidence/a", &content, &MasterSalt::new(&[8; 32])).unwrap());
        assert_eq!(cut("empty", &Content::Bytes(Vec::new()), &salt).unwrap().len(), 1);
        assert_eq!(cut("even", &Content::Bytes(vec![1; LENGTH as usize]), &salt).unwrap().len(), 1);
    }

    /// The digest of one cut, made again by hand from its salt alone.
    #[test]
    fn one_range_can_be_opened_without_the_others() {
        let salt = MasterSalt::parse(&"07".repeat(32)).unwrap();
        let cuts = cut("evidence/a", &Content::Bytes(b"13800000427".to_vec()), &salt).unwrap();
        let one = salt.of("evidence/a", 0, 11);
        assert_eq!(cuts[0].salted, sha256(&[&one[..], b"13800000427"].concat()));
    }
}
