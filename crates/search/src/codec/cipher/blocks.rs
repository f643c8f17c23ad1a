//! The ciphers themselves, chosen at run time.

use aes::cipher::array::Array;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser};
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag, inout::InOutBuf};
use dyetrace_case::Cipher;
use rc4::{Rc4, StreamCipher};
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A block cipher with its key.
pub(super) trait Blocks: Send + Sync + RefUnwindSafe + UnwindSafe {
    /// Bytes of a block.
    fn size(&self) -> usize;
    /// Decrypts whole blocks, each by itself.
    fn decrypt(&self, text: &mut [u8]);
    /// Encrypts whole blocks, each by itself.
    fn encrypt(&self, text: &mut [u8]);
}

/// AES in GCM with its key.
pub(super) trait Gcm: Send + Sync + RefUnwindSafe + UnwindSafe {
    /// Decrypts, where the tag is right.
    fn open(&self, nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>>;
}

/// The block cipher under a mode.
pub(super) fn make(cipher: Cipher, key: &[u8]) -> Option<Box<dyn Blocks>> {
    match (cipher, key.len()) {
        (Cipher::AesCbc | Cipher::AesEcb | Cipher::AesCtr, 16) => with::<aes::Aes128>(key),
        (Cipher::AesCbc | Cipher::AesEcb | Cipher::AesCtr, 24) => with::<aes::Aes192>(key),
        (Cipher::AesCbc | Cipher::AesEcb | Cipher::AesCtr, _) => with::<aes::Aes256>(key),
        (Cipher::DesCbc | Cipher::DesEcb, _) => with::<des::Des>(key),
        (Cipher::TripleDesCbc | Cipher::TripleDesEcb, 16) => with::<des::TdesEde2>(key),
        (Cipher::TripleDesCbc | Cipher::TripleDesEcb, _) => with::<des::TdesEde3>(key),
        (Cipher::Sm4Cbc | Cipher::Sm4Ecb, _) => with::<sm4::Sm4>(key),
        _ => None,
    }
}

/// AES in GCM.
pub(super) fn gcm(key: &[u8]) -> Option<Box<dyn Gcm>> {
    match key.len() {
        16 => Some(Box::new(With(AesGcm::<aes::Aes128, U12>::new_from_slice(key).ok()?))),
        24 => Some(Box::new(With(AesGcm::<aes::Aes192, U12>::new_from_slice(key).ok()?))),
        _ => Some(Box::new(With(AesGcm::<aes::Aes256, U12>::new_from_slice(key).ok()?))),
    }
}

/// The blocks of `range` decrypted: in CBC where there is a vector, else each by itself.
pub(super) fn decrypted(blocks: &dyn Blocks, iv: Option<&[u8]>, text: &[u8], range: Range<usize>) -> Vec<u8> {
    let mut plain = text.get(range.clone()).unwrap_or_default().to_vec();
    blocks.decrypt(&mut plain);
    let Some(iv) = iv else { return plain };
    let before = text.get(range.start.saturating_sub(iv.len())..).unwrap_or_default();
    let masks = if range.start == 0 { iv.iter().chain(text) } else { before.iter().chain(&[]) };
    plain.iter_mut().zip(masks).for_each(|(byte, mask)| *byte ^= mask);
    plain
}

/// Counter mode: encrypting and decrypting are one.
pub(super) fn count(blocks: &dyn Blocks, counter: &[u8], text: &mut [u8]) {
    let Some(counter) = counter.first_chunk().copied().map(u128::from_be_bytes) else { return };
    // Some blocks at a time: the cipher is faster so.
    for (index, piece) in text.chunks_mut(256).enumerate() {
        let first = counter.wrapping_add(index as u128 * 16);
        let mut stream: Vec<u8> = (0..16).flat_map(|block| first.wrapping_add(block).to_be_bytes()).collect();
        blocks.encrypt(&mut stream);
        piece.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// RC4: encrypting and decrypting are one.
pub(super) fn rc4(key: &[u8], text: &mut [u8]) -> Option<()> {
    Rc4::new_from_slice(key).ok()?.try_apply_keystream(text).ok()
}

struct With<C>(C);

fn with<C>(key: &[u8]) -> Option<Box<dyn Blocks>>
where
    C: BlockCipherDecrypt + BlockCipherEncrypt + KeyInit + Send + Sync + RefUnwindSafe + UnwindSafe + 'static,
{
    Some(Box::new(With(C::new_from_slice(key).ok()?)))
}

impl<C: BlockCipherDecrypt + BlockCipherEncrypt + BlockSizeUser + Send + Sync + RefUnwindSafe + UnwindSafe> Blocks
    for With<C>
{
    fn size(&self) -> usize {
        C::block_size()
    }

    fn decrypt(&self, text: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(text);
        self.0.decrypt_blocks(blocks);
    }

    fn encrypt(&self, text: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(text);
        self.0.encrypt_blocks(blocks);
    }
}

impl<A: AeadInOut<NonceSize = U12> + Send + Sync + RefUnwindSafe + UnwindSafe> Gcm for With<A> {
    fn open(&self, nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
        let tag = Tag::<A>::try_from(tag).ok()?;
        let nonce = Nonce::<A>::try_from(nonce).ok()?;
        let mut plain = text.to_vec();
        self.0.decrypt_inout_detached(&nonce, &[], InOutBuf::from(&mut plain[..]), &tag).ok()?;
        Some(plain)
    }
}
