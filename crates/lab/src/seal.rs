//! Encryption by the application itself, inside whatever protects the connection: AES-GCM under a key that both
//! sides know (NIST SP 800-38D), or under a fresh key that is encrypted to the server's RSA key (RFC 8017 section 7.1).

use crate::tester::Outcome;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

const KEY: usize = 16;
const DIGEST: usize = 32;

/// Encrypts with AES-128-GCM: nonce, ciphertext, tag.
///
/// # Errors
/// The system gives no random bytes.
pub fn with_key(key: &[u8; KEY], plain: &[u8]) -> Outcome<Vec<u8>> {
    let nonce: [u8; NONCE_LEN] = random()?;
    let mut text = plain.to_vec();
    let sealer = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).map_err(|_| "no key of AES-128")?);
    let unique = Nonce::assume_unique_for_key(nonce);
    sealer.seal_in_place_append_tag(unique, Aad::empty(), &mut text).map_err(|_| "too long to be sealed")?;
    Ok([nonce.as_slice(), &text].concat())
}

/// Undoes [`with_key`]; nothing where the tag is wrong.
pub fn open_with_key(key: &[u8; KEY], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let opener = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).ok()?);
    let mut text = text.to_vec();
    let plain = opener.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut text).ok()?;
    Some(plain.to_vec())
}

/// What only the server can open, as two texts of base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The fresh key, encrypted to the server's key.
    pub key: String,
    /// The content, sealed with the fresh key.
    pub data: String,
}

impl Envelope {
    /// Seals for the owner of the key pair.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn seal(server: &KeyPair, plain: &[u8]) -> Outcome<Self> {
        let fresh: [u8; KEY] = random()?;
        let key = server.encrypt(&fresh).ok_or("the server's key is too short")?;
        Ok(Self { key: STANDARD.encode(key), data: STANDARD.encode(with_key(&fresh, plain)?) })
    }

    /// Opens with the private key; nothing where it was not sealed for that key.
    pub fn open(&self, server: &KeyPair) -> Option<Vec<u8>> {
        let fresh = server.decrypt(&STANDARD.decode(&self.key).ok()?)?;
        open_with_key(fresh.as_slice().try_into().ok()?, &STANDARD.decode(&self.data).ok()?)
    }
}

/// An RSA key pair. The phone of the lab holds the private half too, and does not use it.
pub struct KeyPair {
    modulus: BigUint,
    public: BigUint,
    private: BigUint,
    length: usize,
}

impl KeyPair {
    /// From PEM as PKCS#1 has it (RFC 8017 appendix A.1.2).
    pub fn from_pem(pem: &str) -> Option<Self> {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>()).ok()?;
        let (mut numbers, _) = element(&der)?;
        let mut next = || {
            let (number, rest) = element(numbers)?;
            numbers = rest;
            Some(BigUint::from_bytes_be(number))
        };
        let (_version, modulus, public, private) = (next()?, next()?, next()?, next()?);
        let length = usize::try_from(modulus.bits().div_ceil(8)).ok()?;
        Some(Self { modulus, public, private, length })
    }

    /// RSAES-OAEP with SHA-256 and an empty label (section 7.1.1).
    fn encrypt(&self, message: &[u8]) -> Option<Vec<u8>> {
        let padding = self.length.checked_sub(message.len() + 2 * DIGEST + 2)?;
        let data = [&Sha256::digest([])[..], &vec![0; padding], &[1], message].concat();
        let seed: [u8; DIGEST] = random().ok()?;
        let data = xor(&data, &mask(&seed, data.len()));
        let seed = xor(&seed, &mask(&data, DIGEST));
        let block = BigUint::from_bytes_be(&[seed, data].concat());
        Some(self.bytes(&block.modpow(&self.public, &self.modulus)))
    }

    /// Section 7.1.2. The lab's server has no attacker to answer, so nothing here is constant in time.
    fn decrypt(&self, text: &[u8]) -> Option<Vec<u8>> {
        let block = self.bytes(&BigUint::from_bytes_be(text).modpow(&self.private, &self.modulus));
        let (seed, data) = block.strip_prefix(&[0])?.split_at_checked(DIGEST)?;
        let seed = xor(seed, &mask(data, DIGEST));
        let data = xor(data, &mask(&seed, data.len()));
        let padded = data.strip_prefix(Sha256::digest([]).as_slice())?;
        let one = padded.iter().position(|byte| *byte != 0)?;
        padded.get(one..)?.strip_prefix(&[1]).map(<[u8]>::to_vec)
    }

    fn bytes(&self, number: &BigUint) -> Vec<u8> {
        let bytes = number.to_bytes_be();
        [vec![0; self.length.saturating_sub(bytes.len())], bytes].concat()
    }
}

/// One element of DER: its content, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[_tag, length], rest) = der.split_first_chunk::<2>()?;
    if length < 0x80 {
        return rest.split_at_checked(length.into());
    }
    let (digits, rest) = rest.split_at_checked((length & 0x7f).into())?;
    let length =
        digits.iter().try_fold(0_usize, |length, digit| length.checked_mul(256)?.checked_add((*digit).into()))?;
    rest.split_at_checked(length)
}

/// MGF1 with SHA-256 (appendix B.2.1).
fn mask(seed: &[u8], length: usize) -> Vec<u8> {
    let blocks =
        (0_u32..).map(|counter| Sha256::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize());
    blocks.take(length.div_ceil(DIGEST)).flatten().take(length).collect()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system gives no random bytes")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messaging::SERVER_KEY;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    #[test]
    fn an_envelope_is_opened_with_the_servers_key_and_not_when_a_bit_has_changed() {
        let server = KeyPair::from_pem(SERVER_KEY).unwrap();
        let envelope = Envelope::seal(&server, b"15480000000").unwrap();
        assert_eq!(envelope.open(&server).unwrap(), b"15480000000");
        let mut data = STANDARD.decode(&envelope.data).unwrap();
        data[20] ^= 1;
        assert_eq!(Envelope { data: STANDARD.encode(data), ..envelope }.open(&server), None);
    }

    #[test]
    fn openssl_reads_what_was_encrypted_to_the_servers_key() {
        let text = KeyPair::from_pem(SERVER_KEY).unwrap().encrypt(b"a fresh key").unwrap();
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/src/messaging/server-key.pem");
        let padding = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"].map(|option| ["-pkeyopt", option]);
        let openssl = Command::new("openssl")
            .args(["pkeyutl", "-decrypt", "-inkey", key])
            .args(padding.concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        // Without openssl on the machine, the other test still holds the two halves against each other.
        let Ok(mut openssl) = openssl else { return };
        openssl.stdin.take().unwrap().write_all(&text).unwrap();
        assert_eq!(openssl.wait_with_output().unwrap().stdout, b"a fresh key");
    }
}
