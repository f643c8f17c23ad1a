//! The ciphers, chosen at run time.

use crate::suite::{Block, Bulk};
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag, inout::InOutBuf};
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, Iv};
use ccm::Ccm;

/// Authenticated decryption in place.
pub(crate) trait Aead: Send + Sync {
    /// Decrypts `text`; false, with `text` undefined, where the tag does not verify.
    fn open(&self, nonce: &[u8; 12], extra: &[u8], text: &mut [u8], tag: &[u8]) -> bool;
}

/// CBC decryption in place.
pub(crate) trait Cbc: Send + Sync {
    /// `text` must be whole blocks; false, with `text` as it was, where it is not.
    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> bool;
}

/// The AEAD of a suite and its tag's length.
pub(crate) fn aead(bulk: Bulk, key: &[u8]) -> Option<(Box<dyn Aead>, usize)> {
    match bulk {
        Bulk::Gcm(block) => Some((gcm(block, key)?, 16)),
        Bulk::Ccm(block, tag) => Some((if tag == 8 { ccm8(block, key)? } else { ccm16(block, key)? }, tag)),
        Bulk::ChaCha20Poly1305 => Some((make::<chacha20poly1305::ChaCha20Poly1305>(key)?, 16)),
        Bulk::Null | Bulk::Rc4 | Bulk::Cbc(_) => None,
    }
}

/// CBC over a suite's block cipher.
pub(crate) fn cbc(block: Block, key: &[u8]) -> Option<Box<dyn Cbc>> {
    match block {
        Block::Aes128 => make_cbc::<aes::Aes128>(key),
        Block::Aes256 => make_cbc::<aes::Aes256>(key),
        Block::Aria128 => make_cbc::<aria::Aria128>(key),
        Block::Aria256 => make_cbc::<aria::Aria256>(key),
        Block::Camellia128 => make_cbc::<camellia::Camellia128>(key),
        Block::Camellia256 => make_cbc::<camellia::Camellia256>(key),
        Block::TripleDes => make_cbc::<des::TdesEde3>(key),
        Block::Des => make_cbc::<des::Des>(key),
        Block::Idea => make_cbc::<idea::Idea>(key),
        Block::Rc2 => make_cbc::<rc2::Rc2>(key),
        Block::Seed => Some(Box::new(Seed(<kisaseed::SEED as cipher_of_seed::KeyInit>::new_from_slice(key).ok()?))),
        Block::Sm4 => make_cbc::<sm4::Sm4>(key),
    }
}

fn gcm(block: Block, key: &[u8]) -> Option<Box<dyn Aead>> {
    match block {
        Block::Aes128 => make::<AesGcm<aes::Aes128, U12>>(key),
        Block::Aes256 => make::<AesGcm<aes::Aes256, U12>>(key),
        Block::Aria128 => make::<AesGcm<aria::Aria128, U12>>(key),
        Block::Aria256 => make::<AesGcm<aria::Aria256, U12>>(key),
        Block::Camellia128 => make::<AesGcm<camellia::Camellia128, U12>>(key),
        Block::Camellia256 => make::<AesGcm<camellia::Camellia256, U12>>(key),
        Block::Sm4 => make::<AesGcm<sm4::Sm4, U12>>(key),
        _ => None,
    }
}

fn ccm16(block: Block, key: &[u8]) -> Option<Box<dyn Aead>> {
    match block {
        Block::Aes128 => make::<Ccm<aes::Aes128, U16, U12>>(key),
        Block::Aes256 => make::<Ccm<aes::Aes256, U16, U12>>(key),
        Block::Sm4 => make::<Ccm<sm4::Sm4, U16, U12>>(key),
        _ => None,
    }
}

fn ccm8(block: Block, key: &[u8]) -> Option<Box<dyn Aead>> {
    match block {
        Block::Aes128 => make::<Ccm<aes::Aes128, U8, U12>>(key),
        Block::Aes256 => make::<Ccm<aes::Aes256, U8, U12>>(key),
        _ => None,
    }
}

struct Opener<A>(A);

fn make<A>(key: &[u8]) -> Option<Box<dyn Aead>>
where
    A: AeadInOut<NonceSize = U12> + KeyInit + Send + Sync + 'static,
{
    Some(Box::new(Opener(A::new_from_slice(key).ok()?)))
}

impl<A: AeadInOut<NonceSize = U12> + Send + Sync> Aead for Opener<A> {
    fn open(&self, nonce: &[u8; 12], extra: &[u8], text: &mut [u8], tag: &[u8]) -> bool {
        let Ok(tag) = Tag::<A>::try_from(tag) else { return false };
        let nonce: Nonce<A> = (*nonce).into();
        self.0.decrypt_inout_detached(&nonce, extra, InOutBuf::from(text), &tag).is_ok()
    }
}

struct Decrypter<C>(C);

fn make_cbc<C>(key: &[u8]) -> Option<Box<dyn Cbc>>
where
    C: BlockCipherDecrypt + KeyInit + Send + Sync + 'static,
{
    Some(Box::new(Decrypter(C::new_from_slice(key).ok()?)))
}

impl<C: BlockCipherDecrypt + Send + Sync> Cbc for Decrypter<C> {
    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> bool {
        let Ok(iv) = <&Iv<cbc::Decryptor<&C>>>::try_from(iv) else { return false };
        let (blocks, rest) = cbc::cipher::array::Array::slice_as_chunks_mut(text);
        if !rest.is_empty() {
            return false;
        }
        cbc::Decryptor::inner_iv_init(&self.0, iv).decrypt_blocks(blocks);
        true
    }
}

/// SEED (RFC 4162). Its crate is of another generation of traits than the others.
struct Seed(kisaseed::SEED);

impl Cbc for Seed {
    fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> bool {
        use cipher_of_seed::BlockDecrypt;
        let Ok(mut before) = <[u8; 16]>::try_from(iv) else { return false };
        let (blocks, rest) = text.as_chunks_mut::<16>();
        if !rest.is_empty() {
            return false;
        }
        for block in blocks {
            let encrypted = *block;
            self.0.decrypt_block((&mut *block).into());
            block.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
            before = encrypted;
        }
        true
    }
}
