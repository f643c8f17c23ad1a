//! The key of a case, and digests under it.
//!
//! Whoever has the key can test whether a value is in the digests; whoever has not, learns nothing from them. The key
//! lives in memory, or encrypted in the case (`age`), and destroying it makes all digests worthless at once.

use siphasher::sip::SipHasher24;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use zeroize::Zeroize as _;

/// 32 random bytes, new for each scan or kept with a case.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    /// A key from the system's source of randomness.
    ///
    /// # Errors
    ///
    /// The system has none.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A key that was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, to keep it.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest of a canonical value of a domain (the name of its kind): keyed BLAKE3, under a key derived for the
    /// domain. It is what may outlive a scan.
    pub fn digest(&self, domain: &str, canonical: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.derived(domain), canonical).as_bytes()
    }

    /// A key for one file, told apart from others by random bytes.
    pub(crate) fn of_file(&self, random: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.derived("file"), random).as_bytes()
    }

    /// Short digests of a domain, for tables in memory.
    pub(crate) fn short(&self, domain: &str) -> ShortDigests {
        let derived = self.derived(domain);
        let half = derived.first_chunk::<16>().copied().unwrap_or_default();
        let mut stream = blake3::Hasher::new_keyed(&derived).finalize_xof();
        let mut word = || {
            let mut bytes = [0; 8];
            stream.fill(&mut bytes);
            u64::from_le_bytes(bytes)
        };
        let pairs = std::array::from_fn(|_| (word(), word()));
        ShortDigests { pairs, last: (word(), word()), long: SipHasher24::new_with_key(&half) }
    }

    fn derived(&self, domain: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"dyetrace breach 1 ").update(domain.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

/// Values up to so many bytes take the fast way: e-mail addresses have at most 254.
const SHORT: usize = 256;

/// Digests of 64 bits for one domain, under a key derived from the case's: NH, the universal hash of UMAC (Black et al.
/// 1999), whose two halves are multiplied under the key once more, so that all bits depend on all bytes; a fifth of what
/// SipHash costs on values this short. Longer values take SipHash-2-4 (Aumasson and Bernstein 2012).
///
/// They are compared and counted. Unlike those of [`Key::digest`] they are not shown to anybody without the key: they
/// stay in memory and in encrypted checkpoints.
#[derive(Clone, Copy)]
pub(crate) struct ShortDigests {
    pairs: [(u64, u64); SHORT / 16],
    last: (u64, u64),
    long: SipHasher24,
}

impl ShortDigests {
    /// The digest of a value.
    #[inline]
    pub(crate) fn of(&self, value: &[u8]) -> u64 {
        let mut sum = 0u128;
        let mut add = |pair: &(u64, u64), one: u64, other: u64| {
            let product = u128::from(one.wrapping_add(pair.0)) * u128::from(other.wrapping_add(pair.1));
            sum = sum.wrapping_add(product);
        };
        if value.len() > SHORT {
            return self.long.hash(value);
        }
        if let Some(end) = value.last_chunk::<16>() {
            let before = value.get(..value.len() - 1).unwrap_or_default().as_chunks::<16>().0;
            let mut pairs = self.pairs.iter();
            for (block, pair) in before.iter().chain([end]).zip(&mut pairs) {
                add(pair, word(block.first_chunk()), word(block.last_chunk()));
            }
        } else if let (Some(first), Some(last)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
            add(&self.pairs[0], word(Some(first)), word(Some(last)));
        } else if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
            add(&self.pairs[0], u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
        } else {
            let few = value.iter().fold(0, |few, byte| few << 8 | u64::from(*byte));
            add(&self.pairs[0], few, few);
        }
        let (low, high) = (sum as u64, (sum >> 64) as u64);
        let mixed = u128::from(low.wrapping_add(value.len() as u64) ^ self.last.0) * u128::from(high ^ self.last.1);
        (mixed ^ mixed >> 64) as u64
    }
}

fn word(bytes: Option<&[u8; 8]>) -> u64 {
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// What is known by digests.
pub(crate) type ByDigest<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// The place of a digest is in its bits already: it is pseudorandom under a key that who made the dump does not have.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_key_domain_and_value() {
        let key = Key::from_bytes([7; 32]);
        let digest = key.digest("phone", b"8613812345678");
        assert_eq!(digest, key.digest("phone", b"8613812345678"));
        assert_ne!(digest, key.digest("qq", b"8613812345678"));
        assert_ne!(digest, key.digest("phone", b"8613812345679"));
        assert_ne!(digest, Key::from_bytes([8; 32]).digest("phone", b"8613812345678"));
        assert_ne!(key.short("phone").of(b"1"), key.short("qq").of(b"1"));
    }

    /// Of every length one value, and all that differ from it in one bit.
    #[test]
    fn short_digests_differ_where_one_bit_does_and_their_bits_are_set_in_half_of_them() {
        let digests = Key::from_bytes([9; 32]).short("phone");
        let mut seen = std::collections::HashSet::new();
        let mut set = [0u64; 64];
        for length in 0..=SHORT + 20 {
            let value: Vec<u8> = (0..length).map(|place| (place * 7 + length) as u8).collect();
            let flipped = (0..length * 8).map(|bit| {
                let mut value = value.clone();
                value[bit / 8] ^= 1 << (bit % 8);
                value
            });
            for value in flipped.chain([value.clone()]) {
                let digest = digests.of(&value);
                assert!(seen.insert(digest), "{} bytes", value.len());
                set.iter_mut().enumerate().for_each(|(bit, set)| *set += digest >> bit & 1);
            }
        }
        let share = |set: u64| set as f64 / seen.len() as f64;
        assert!(set.iter().all(|set| (0.49..0.51).contains(&share(*set))), "of {}", seen.len());
    }

    #[test]
    fn numbers_that_are_counted_up_fill_all_places_of_a_table_alike() {
        let digests = Key::from_bytes([9; 32]).short("qq");
        let mut places = vec![0u32; 1 << 14];
        (10_000_000..11_000_000u32).for_each(|n| places[(digests.of(n.to_string().as_bytes()) >> 50) as usize] += 1);
        // 61 are expected, with a standard deviation of 7.8.
        assert!(places.iter().all(|count| (20..120).contains(count)));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", Key::from_bytes([0x41; 32])), "Key(…)");
        assert_ne!(Key::random().unwrap(), Key::random().unwrap());
    }
}
