//! The digest lane: digests of every spelling, looked up by their first eight bytes.

use sha2::Digest as _;
use std::collections::HashMap;

/// Which function made a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    /// RFC 1321.
    Md5,
    /// FIPS 180-4.
    Sha1,
    /// FIPS 180-4.
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::Md5, Self::Sha1, Self::Sha256];

    /// The name in trails and forms.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5::Md5::digest(bytes).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
        }
    }
}

/// Lengths of the digests that are known, in bytes, ascending.
pub(crate) const LENGTHS: [usize; 3] = [16, 20, 32];

/// One digest of one spelling.
#[derive(Debug, Clone)]
pub(crate) struct Digested {
    /// Which datum, by position in the subject.
    pub(crate) datum: u32,
    /// Which function.
    pub(crate) algorithm: Algorithm,
    /// What was digested: `lower case`.
    pub(crate) form: String,
    /// The digest itself.
    digest: Vec<u8>,
}

/// All digests looked for.
#[derive(Default)]
pub(crate) struct Digests {
    all: Vec<Digested>,
    by_start: HashMap<u64, Vec<u32>>,
    /// One bit for each first two bytes of a digest.
    firsts: Vec<u64>,
}

impl Digests {
    /// Adds the digests of one spelling.
    pub(crate) fn add(&mut self, datum: u32, form: &str, bytes: &[u8]) {
        self.firsts.resize(1024, 0);
        for algorithm in Algorithm::ALL {
            let digest = algorithm.of(bytes);
            let Some(start) = digest.first_chunk::<8>() else { continue };
            let first = u16::from_be_bytes([start[0], start[1]]);
            self.firsts[usize::from(first >> 6)] |= 1 << (first & 63);
            self.by_start.entry(u64::from_be_bytes(*start)).or_default().push(self.all.len() as u32);
            self.all.push(Digested { datum, algorithm, form: form.to_owned(), digest });
        }
    }

    /// Number of digests.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The digest of that number.
    pub(crate) fn get(&self, number: u32) -> Option<&Digested> {
        self.all.get(number as usize)
    }

    /// Calls `visit(number, length)` for each known digest that the bytes begin with.
    pub(crate) fn at_start(&self, bytes: &[u8], visit: &mut dyn FnMut(u32, usize)) {
        let Some(start) = bytes.first_chunk::<8>() else { return };
        let first = u16::from_be_bytes([start[0], start[1]]);
        if self.firsts.get(usize::from(first >> 6)).is_none_or(|bits| bits >> (first & 63) & 1 == 0) {
            return;
        }
        for number in self.by_start.get(&u64::from_be_bytes(*start)).map_or(&[][..], Vec::as_slice) {
            if let Some(known) = self.get(*number).filter(|known| bytes.starts_with(&known.digest)) {
                visit(*number, known.digest.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let mut digests = Digests::default();
        digests.add(0, "as typed", b"abc");
        let md5 = *b"\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72";
        let mut found = Vec::new();
        digests.at_start(&md5, &mut |number, length| found.push((digests.get(number).unwrap().algorithm, length)));
        assert_eq!(found, [(Algorithm::Md5, 16)]);
        digests.at_start(&md5[..15], &mut |_, _| panic!("a cut digest is not the digest"));
    }
}
