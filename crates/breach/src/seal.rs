//! Bytes that nobody reads or changes who has not the key: STREAM (Hoang, Reyhanitabar, Rogaway and Vizár 2015) with
//! ChaCha20-Poly1305 in chunks of 64 KiB, as the payload of an age file has it (<https://age-encryption.org/v1>). A
//! chunk that is changed, moved, or missing at the end is an error before anything of it is given.

use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use std::io::{self, Read, Write};

const CHUNK: usize = 64 << 10;
const TAG: usize = 16;

/// Number of a chunk, and whether it is the last.
struct Nonces(u64);

impl Nonces {
    fn next(&mut self, is_last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.0.to_be_bytes());
        nonce[11] = u8::from(is_last);
        nonce
    }
}

/// Seals what is written.
pub(crate) struct Sealed<'w> {
    out: &'w mut dyn Write,
    cipher: ChaCha20Poly1305,
    nonces: Nonces,
    chunk: Vec<u8>,
}

impl<'w> Sealed<'w> {
    pub(crate) fn new(key: &[u8; 32], out: &'w mut dyn Write) -> Self {
        let cipher = ChaCha20Poly1305::new(&(*key).into());
        Self { out, cipher, nonces: Nonces(0), chunk: Vec::with_capacity(CHUNK) }
    }

    /// Writes the last chunk.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.give(true)
    }

    fn give(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = self.nonces.next(is_last);
        let sealed = self.cipher.encrypt(&nonce.into(), self.chunk.as_slice()).map_err(|_| broken())?;
        self.nonces.0 += 1;
        self.chunk.clear();
        self.out.write_all(&sealed)
    }
}

impl Write for Sealed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK {
            self.give(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what was sealed.
pub(crate) struct Opened<'r> {
    from: &'r mut dyn Read,
    cipher: ChaCha20Poly1305,
    nonces: Nonces,
    chunk: Vec<u8>,
    at: usize,
    is_last: bool,
}

impl<'r> Opened<'r> {
    pub(crate) fn new(key: &[u8; 32], from: &'r mut dyn Read) -> Self {
        let cipher = ChaCha20Poly1305::new(&(*key).into());
        Self { from, cipher, nonces: Nonces(0), chunk: Vec::new(), at: 0, is_last: false }
    }

    /// Whether all was read and nothing follows.
    pub(crate) fn is_at_end(&mut self) -> bool {
        let mut more = [0];
        self.read(&mut more).is_ok_and(|count| count == 0) && self.from.read(&mut more).is_ok_and(|count| count == 0)
    }

    fn open_next(&mut self) -> io::Result<()> {
        let mut sealed = Vec::new();
        (&mut self.from).take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
        let is_full = sealed.len() == CHUNK + TAG;
        let middle = if is_full { self.open(&sealed, false) } else { None };
        self.is_last = middle.is_none();
        self.chunk = middle.or_else(|| self.open(&sealed, true)).ok_or_else(broken)?;
        self.nonces.0 += 1;
        self.at = 0;
        Ok(())
    }

    fn open(&mut self, sealed: &[u8], is_last: bool) -> Option<Vec<u8>> {
        let nonce = self.nonces.next(is_last);
        self.cipher.decrypt(&nonce.into(), sealed).ok()
    }
}

impl Read for Opened<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            if self.is_last {
                return Ok(0);
            }
            self.open_next()?;
        }
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        if let (Some(to), Some(rest)) = (bytes.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(rest);
        }
        self.at += count;
        Ok(count)
    }
}

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sealed = Sealed::new(&[7; 32], &mut out);
        sealed.write_all(bytes).unwrap();
        sealed.finish().unwrap();
        out
    }

    fn opened(key: u8, mut bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut opened = Opened::new(&[key; 32], &mut bytes);
        let read = opened.read_to_end(&mut out).is_ok() && opened.is_at_end();
        read.then_some(out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn what_is_sealed_is_opened_and_nothing_else(
            length in prop_oneof![0usize..100, Just(CHUNK), Just(2 * CHUNK), 0usize..200_000], at in any::<usize>(), flip in 1u8..
        ) {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
            let file = sealed(&bytes);
            prop_assert_eq!(opened(7, &file), Some(bytes));
            prop_assert_eq!(opened(8, &file), None);
            prop_assert_eq!(opened(7, &file[..at % file.len()]), None, "cut");
            prop_assert_eq!(opened(7, &[&file[..], b"x"].concat()), None, "longer");
            let mut changed = file;
            let at = at % changed.len();
            changed[at] ^= flip;
            prop_assert_eq!(opened(7, &changed), None);
        }
    }
}
