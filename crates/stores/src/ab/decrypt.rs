//! AES-256 in CBC mode with the padding of PKCS #7 (RFC 5652, section 6.3), as a stream.

use super::key::Master;
use aes::Aes256;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use std::io::{self, BufRead, Read};

const BLOCK: usize = 16;
/// Bytes that are decrypted at once.
const CHUNK: usize = 32 << 10;

/// Bytes as they were before encryption.
pub(super) struct Decrypted<R> {
    inner: R,
    cipher: cbc::Decryptor<Aes256>,
    /// Decrypted bytes. The last block is held back until it is known whether it is the end.
    plain: Vec<u8>,
    /// So many of them were given.
    given: usize,
    ended: bool,
}

impl<R: BufRead> Decrypted<R> {
    pub(super) fn new(inner: R, master: &Master) -> Option<Self> {
        let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&master.key, &master.vector).ok()?;
        Some(Self { inner, cipher, plain: Vec::new(), given: 0, ended: false })
    }

    /// Bytes that may be given: all but the block that may hold the padding.
    fn ready(&self) -> usize {
        let held = if self.ended { 0 } else { BLOCK };
        self.plain.len().saturating_sub(held + self.given)
    }

    /// Decrypts some more.
    fn refill(&mut self) -> io::Result<()> {
        self.plain.drain(..self.given);
        self.given = 0;
        let start = self.plain.len();
        (&mut self.inner).take(CHUNK as u64).read_to_end(&mut self.plain)?;
        let new = self.plain.len() - start;
        let whole = new / BLOCK * BLOCK;
        self.plain.truncate(start + whole);
        for block in self.plain.get_mut(start..).unwrap_or_default().chunks_exact_mut(BLOCK) {
            if let Ok(block) = block.try_into() {
                self.cipher.decrypt_block(block);
            }
        }
        if new < CHUNK {
            self.ended = true;
            // A backup that was cut off has no padding: its last block is content then.
            let padding = padding(&self.plain).filter(|_| whole == new);
            self.plain.truncate(self.plain.len() - padding.unwrap_or(0));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Decrypted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready() == 0 && !self.ended {
            self.refill()?;
        }
        let length = self.ready().min(buffer.len());
        let plain = self.plain.get(self.given..self.given + length).unwrap_or_default();
        if let Some(room) = buffer.get_mut(..length) {
            room.copy_from_slice(plain);
        }
        self.given += length;
        Ok(length)
    }
}

/// The length of the padding; none where it is not one.
fn padding(plain: &[u8]) -> Option<usize> {
    let length = usize::from(*plain.last()?);
    let start = plain.len().checked_sub(length).filter(|_| (1..=BLOCK).contains(&length))?;
    plain.get(start..)?.iter().all(|byte| usize::from(*byte) == length).then_some(length)
}

/// Decrypts all at once; none where the padding is wrong.
pub(super) fn whole(sealed: &[u8], master: &Master) -> Option<Vec<u8>> {
    let mut cipher = cbc::Decryptor::<Aes256>::new_from_slices(&master.key, &master.vector).ok()?;
    let mut plain = sealed.to_vec();
    for block in plain.chunks_exact_mut(BLOCK) {
        cipher.decrypt_block(block.try_into().ok()?);
    }
    let length = padding(&plain)?;
    plain.truncate(plain.len() - length);
    Some(plain)
}
