//! Ciphers with keys that the tester has.

use super::piece::{Layer, Piece};
use aes::cipher::{BlockCipherEncrypt, BlockModeEncrypt, KeyInit, KeyIvInit, StreamCipher, block_padding::Pkcs7};
use aes_gcm::aead::Aead;

/// The keys, as they are written beside the cases.
pub(crate) const AES_KEY: &[u8; 16] = b"dyetrace-aes-128";
/// AES-256.
pub(crate) const AES_KEY_256: &[u8; 32] = b"dyetrace-aes-256-key-for-benches";
/// The initialisation vector where the app always uses the same.
pub(crate) const FIXED_IV: &[u8; 16] = b"0123456789abcdef";
/// DES.
pub(crate) const DES_KEY: &[u8; 8] = b"d3skey!!";
/// Triple DES.
pub(crate) const TRIPLE_DES_KEY: &[u8; 24] = b"three-keys-of-eight-byte";
/// The initialisation vector of DES.
pub(crate) const DES_IV: &[u8; 8] = b"01234567";
/// RC4 and repeating-key XOR.
pub(crate) const STREAM_KEY: &[u8; 9] = b"s3cr3tKey";
/// SM4.
pub(crate) const SM4_KEY: &[u8; 16] = b"sm4-key-of-bench";

/// What the app makes for one message and sends wrapped with the server's public key.
const SESSION_KEY: &[u8; 16] = b"0123456789abcdef";
/// [`SESSION_KEY`] under [`RSA_KEY`], made with OpenSSL.
const WRAPPED_SESSION_KEY: &str = "598b61b31aabc18ecd29b0ed511b2268830ed32196ad1eb499c202be21552f6e4f450c68acbe4c9f8c95a2ea20571bd94ef8\
    7a1751d3d51ac8aef18c6e1d1f32d3c71a934fa7a7a105c9d0936c9bb6e267c0ab5575a47400c02dea7249941e4498d28199\
    2f8c72fee713e9edbe87ee1f8c916155493ec406b7e74b9538ca22b8";
/// The server's private key, which the tester has: 1,024 bits, made for this bench.
pub(crate) const RSA_KEY: &str = "-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQDDoyBddAejBuyCVrPtf93f1mFipr0Ugr0km6Y6tJPfp1n2EmuU
lQrC7QBs+yjn236YEsLHJ0XSfkx8jVd9sqhyEcHPjefToKZ4lKNODuC5+M36xeRa
Y+ZomYM5Hebs8H4Kmonl6y4kgJd9EbhB3c42GoTl4w5+u8acENs9X9WHSQIDAQAB
AoGAHDTj0LWO+FFiPjSUApUh/0jgh6G0t0VWUfXjFKm+fEubq9/iBO0sPQiAvDXG
Iw/Bg9mIncAqz/uHuZmDWMsuf+skYiJ3apoAS1e14R5xHqzPJ8yi9tCLKkC1Jza9
Ih2f2fuiaWIINTaeh6pY9TyWFtxUVQlfrJ5EPNaNx+oENjUCQQDvNayN2GTRStDw
Q3Wuzm9e/gWvqxP18X0oeeb10Bp2sOowpRJMo6iTp49r392hVRF3wGpCoi1Ike/z
KzdPjYwnAkEA0V6BQpzGMzmXAcjOscbjkZuY+hSpFnl9h4ofTmqEDHSgAfSDTd6g
sfaO70bqFkplWWUbNhd2tEleT6FFw6jHDwJALAEbtRxRr46r0QcX5whixH7GXQKD
sYKzG3cRXbbip2L0Me6r5x1ULZVtdNLB2qPjirwC0C81VVxDX+BbVG8dkQJBAMc9
9yaMCPWwhWr2TPTTP7dOaor6ZFr17Kayo849AULVLXwO03GkPip9Z1J/mr7xt3cW
B4o3VAiHlY+T+s8S67MCQDGvgGRLUAZXFXla7ouj8fX+nm9JGQ/LoA85FnpOlXvL
NipLSOn7dEVxR2Min/xhaRJ9vyKbNfhCD5ECW5aCuL0=
-----END RSA PRIVATE KEY-----
";

pub(crate) const LAYERS: &[Layer] = &[
    ("xor key", |p| Some(p.piecewise_at(|at, byte| byte ^ STREAM_KEY[at % STREAM_KEY.len()]))),
    ("aes-128-cbc iv first", |p| Some(iv_first(p, aes_cbc(&padded(p), &iv(p))))),
    ("aes-128-cbc fixed iv", |p| Some(sealed(p, aes_cbc(&padded(p), FIXED_IV)))),
    ("aes-128-cbc zero iv", |p| Some(sealed(p, aes_cbc(&padded(p), &[0; 16])))),
    ("aes-256-cbc iv first", |p| Some(iv_first(p, aes_256_cbc(&padded(p), &iv(p))))),
    ("aes-128-ecb", |p| Some(sealed(p, aes_ecb(&padded(p))))),
    ("aes-128-ctr iv first", |p| Some(iv_first(p, aes_ctr(&padded(p), &iv(p))))),
    ("aes-128-gcm nonce first", |p| aes_gcm(&padded(p)).map(|bytes| sealed(p, bytes))),
    ("des-cbc fixed iv", |p| Some(sealed(p, des_cbc(&padded(p))))),
    ("des-ecb", |p| Some(sealed(p, des_ecb(&padded(p))))),
    ("rc4", |p| Some(sealed(p, rc4(&padded(p))))),
    ("sm4-cbc iv first", |p| Some(iv_first(p, sm4_cbc(&padded(p), &iv(p))))),
    ("aes-256-gcm nonce first", |p| aes_256_gcm(&padded(p)).map(|bytes| sealed(p, bytes))),
    ("aes-128-ecb zero padding", |p| Some(sealed(p, aes_ecb_zeros(&padded(p))))),
    ("3des-cbc fixed iv", |p| Some(sealed(p, triple_des_cbc(&padded(p))))),
    ("sm4-ecb", |p| Some(sealed(p, sm4_ecb(&padded(p))))),
    ("rsa session key", session),
];

impl Piece {
    fn piecewise_at(&self, encode: impl Fn(usize, u8) -> u8) -> Self {
        let bytes = self.bytes.iter().enumerate().map(|(at, byte)| encode(at, *byte)).collect();
        Self { bytes, place: self.place.clone(), exact: self.exact, alone: true }
    }
}

/// The plaintext: apps encrypt documents rather than bare values.
fn padded(piece: &Piece) -> Vec<u8> {
    match super::document::json_text(piece).filter(|_| piece.bytes.len() < 48) {
        Some(text) => text.between(r#"{"v":5,"value":""#, r#""}"#).bytes,
        None => piece.bytes.clone(),
    }
}

/// An initialisation vector that differs from value to value.
fn iv(piece: &Piece) -> [u8; 16] {
    let seed = piece.bytes.iter().fold(11, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let bytes = crate::random::Random::new(seed).bytes(16);
    std::array::from_fn(|at| bytes[at])
}

/// Where within ciphertext a value lies is up to the mode: anything inside is right.
fn sealed(piece: &Piece, encrypted: Vec<u8>) -> Piece {
    piece.whole(encrypted).inexact().alone()
}

fn iv_first(piece: &Piece, encrypted: Vec<u8>) -> Piece {
    let mut bytes = iv(piece).to_vec();
    bytes.extend(encrypted);
    sealed(piece, bytes)
}

/// The text under a session key, and beside it that key under the server's.
fn session(piece: &Piece) -> Option<Piece> {
    let key = data_encoding::HEXLOWER.decode(WRAPPED_SESSION_KEY.as_bytes()).ok()?;
    let iv = iv(piece);
    let cipher = cbc::Encryptor::<aes::Aes128>::new(SESSION_KEY.into(), (&iv).into());
    let body = [&iv[..], &cipher.encrypt_padded_vec::<Pkcs7>(&padded(piece))].concat();
    let end = format!("\",\"key\":\"{}\"}}", data_encoding::BASE64.encode(&key));
    Some(sealed(piece, data_encoding::BASE64.encode(&body).into()).between("{\"data\":\"", end).alone())
}

fn aes_cbc(bytes: &[u8], iv: &[u8; 16]) -> Vec<u8> {
    cbc::Encryptor::<aes::Aes128>::new(AES_KEY.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(bytes)
}

fn aes_256_cbc(bytes: &[u8], iv: &[u8; 16]) -> Vec<u8> {
    cbc::Encryptor::<aes::Aes256>::new(AES_KEY_256.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(bytes)
}

fn sm4_cbc(bytes: &[u8], iv: &[u8; 16]) -> Vec<u8> {
    cbc::Encryptor::<sm4::Sm4>::new(SM4_KEY.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(bytes)
}

fn des_cbc(bytes: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<des::Des>::new(DES_KEY.into(), DES_IV.into()).encrypt_padded_vec::<Pkcs7>(bytes)
}

/// PKCS #7 padding to whole blocks.
fn blocks(bytes: &[u8], size: usize) -> Vec<u8> {
    let missing = size - bytes.len() % size;
    [bytes, &vec![missing as u8; missing]].concat()
}

fn triple_des_cbc(bytes: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<des::TdesEde3>::new(TRIPLE_DES_KEY.into(), DES_IV.into()).encrypt_padded_vec::<Pkcs7>(bytes)
}

fn aes_256_gcm(bytes: &[u8]) -> Option<Vec<u8>> {
    let nonce = b"nonce-of-12b";
    let sealed = aes_gcm::Aes256Gcm::new(AES_KEY_256.into()).encrypt(nonce.into(), bytes).ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// Zeros up to a whole block, as PHP and Python programs pad by hand.
fn aes_ecb_zeros(bytes: &[u8]) -> Vec<u8> {
    let cipher = aes::Aes128::new(AES_KEY.into());
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(16), 0);
    for block in bytes.as_chunks_mut::<16>().0 {
        cipher.encrypt_block(block.into());
    }
    bytes
}

fn aes_ecb(bytes: &[u8]) -> Vec<u8> {
    let cipher = aes::Aes128::new(AES_KEY.into());
    let mut bytes = blocks(bytes, 16);
    for block in bytes.as_chunks_mut::<16>().0 {
        cipher.encrypt_block(block.into());
    }
    bytes
}

fn sm4_ecb(bytes: &[u8]) -> Vec<u8> {
    let cipher = sm4::Sm4::new(SM4_KEY.into());
    let mut bytes = blocks(bytes, 16);
    for block in bytes.as_chunks_mut::<16>().0 {
        cipher.encrypt_block(block.into());
    }
    bytes
}

fn des_ecb(bytes: &[u8]) -> Vec<u8> {
    let cipher = des::Des::new(DES_KEY.into());
    let mut bytes = blocks(bytes, 8);
    for block in bytes.as_chunks_mut::<8>().0 {
        cipher.encrypt_block(block.into());
    }
    bytes
}

fn aes_ctr(bytes: &[u8], iv: &[u8; 16]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    ctr::Ctr128BE::<aes::Aes128>::new(AES_KEY.into(), iv.into()).apply_keystream(&mut bytes);
    bytes
}

fn aes_gcm(bytes: &[u8]) -> Option<Vec<u8>> {
    let nonce = b"nonce-of-12b";
    let sealed = aes_gcm::Aes128Gcm::new(AES_KEY.into()).encrypt(nonce.into(), bytes).ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// RC4 by its definition: the cipher crate fixes the key's length by type.
fn rc4(bytes: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|at| at as u8);
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(STREAM_KEY[i % STREAM_KEY.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    let mut next = || {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        state[usize::from(state[usize::from(i)].wrapping_add(state[usize::from(j)]))]
    };
    bytes.iter().map(|byte| byte ^ next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertext_is_as_long_as_the_mode_makes_it() {
        for (name, wrap) in LAYERS {
            let piece = wrap(&Piece::of("13800000427")).unwrap_or_else(|| panic!("{name}"));
            let text = padded(&Piece::of("13800000427")).len();
            assert!(piece.bytes.len() >= text || *name == "xor key", "{name}");
            assert!(memchr::memmem::find(&piece.bytes, b"13800000427").is_none(), "{name}");
        }
    }
}
