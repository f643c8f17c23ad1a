//! What a cipher suite does, read from its registered name.

use crate::hash::Hash;
use crate::names::NAMES;

/// A cipher suite whose parts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) bulk: Bulk,
    /// The hash the name ends with: record MAC (CBC, stream) or key schedule (AEAD).
    pub(crate) hash: Hash,
    pub(crate) exchange: Exchange,
    /// Bytes of the secret an export cipher's key is stretched from: RFC 2246 section 6.3.1.
    pub(crate) export: Option<usize>,
    /// A suite of TLS 1.3 (RFC 8446 appendix B.4), which names no key exchange.
    pub(crate) modern: bool,
}

/// How records are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    /// Not at all: only a MAC.
    Null,
    /// RC4 with a key of 16 bytes.
    Rc4,
    Cbc(Block),
    Gcm(Block),
    /// CCM with a tag of that many bytes.
    Ccm(Block, usize),
    ChaCha20Poly1305,
}

/// A block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    Aes128,
    Aes256,
    Aria128,
    Aria256,
    Camellia128,
    Camellia256,
    TripleDes,
    Des,
    Idea,
    Rc2,
    Seed,
    Sm4,
}

/// How the premaster secret comes about, as far as a passive reader can use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// Encrypted to the server's RSA key.
    Rsa,
    /// The pre-shared key alone.
    Psk,
    /// Both.
    RsaPsk,
    /// Diffie-Hellman in some form: only the key log helps.
    Other,
}

/// The registered name.
pub(crate) fn name(id: u16) -> Option<&'static str> {
    let at = NAMES.binary_search_by_key(&id, |(id, _)| *id).ok()?;
    NAMES.get(at).map(|(_, name)| *name)
}

impl Suite {
    /// The suite with this number; `None` where it is unknown or its cipher is not implemented.
    pub(crate) fn find(id: u16) -> Option<Self> {
        let name = name(id)?;
        match name.split_once("_WITH_") {
            Some((exchange, rest)) => Self::parse(exchange, rest, false),
            // 0xe0xx are the suites of GM/T 0024, named without WITH.
            None if id >> 8 == 0xe0 => {
                let (exchange, rest) = name.split_once('_')?;
                Self::parse(exchange, rest, false)
            }
            None => Self::parse("", name.strip_prefix("TLS_")?, true),
        }
    }

    /// The hash of the key schedule: RFC 5246 section 5, which gives suites older than TLS 1.2
    /// SHA-256 there.
    pub(crate) fn schedule_hash(self) -> Hash {
        match self.hash {
            Hash::Sha384 | Hash::Sm3 => self.hash,
            _ => Hash::Sha256,
        }
    }

    fn parse(exchange_name: &str, rest: &str, modern: bool) -> Option<Self> {
        // AEAD_CCM suites of RFC 6655 name no hash.
        let (rest, export) = export(exchange_name, rest);
        let (cipher, hash) = match rest.rsplit_once('_') {
            Some((cipher, hash)) if Hash::parse(hash).is_some() => (cipher, Hash::parse(hash)?),
            _ if rest.contains("CCM") => (&*rest, Hash::Sha256),
            _ => return None,
        };
        Some(Self { bulk: Bulk::parse(cipher)?, hash, exchange: Exchange::parse(exchange_name), export, modern })
    }
}

/// Splits the weakening off an export suite's cipher: `DES40_CBC_SHA` is DES with five secret bytes.
fn export<'a>(exchange: &str, cipher: &'a str) -> (std::borrow::Cow<'a, str>, Option<usize>) {
    let weak = [
        ("DES40_CBC", "DES_CBC", 5),
        ("DES_CBC_40", "DES_CBC", 5),
        ("RC2_CBC_40", "RC2_CBC", 5),
        ("RC2_CBC_56", "RC2_CBC", 7),
        ("RC4_40", "RC4_128", 5),
        ("RC4_56", "RC4_128", 7),
        ("DES_CBC", "DES_CBC", 8),
    ];
    let found = weak.into_iter().find(|(name, ..)| exchange.contains("EXPORT") && cipher.starts_with(name));
    found.map_or((cipher.into(), None), |(name, plain, secret)| (cipher.replacen(name, plain, 1).into(), Some(secret)))
}

impl Hash {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "MD5" => Self::Md5,
            "SHA" | "SHA1" => Self::Sha1,
            "SHA256" => Self::Sha256,
            "SHA384" => Self::Sha384,
            "SM3" => Self::Sm3,
            _ => return None,
        })
    }
}

impl Exchange {
    fn parse(name: &str) -> Self {
        match name {
            "TLS_RSA" | "RSA" | "SSL_RSA_FIPS" => Self::Rsa,
            "TLS_PSK" => Self::Psk,
            "TLS_RSA_PSK" => Self::RsaPsk,
            _ => Self::Other,
        }
    }
}

impl Bulk {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "NULL" => Self::Null,
            "RC4_128" => Self::Rc4,
            "CHACHA20_POLY1305" => Self::ChaCha20Poly1305,
            _ => return Self::parse_block(name),
        })
    }

    fn parse_block(name: &str) -> Option<Self> {
        let (block, mode) = [("_CBC", 0), ("_GCM", 1), ("_CCM", 2), ("_CCM_8", 3)]
            .into_iter()
            .find_map(|(mode, which)| Some((Block::parse(name.strip_suffix(mode)?)?, which)))?;
        Some(match mode {
            0 => Self::Cbc(block),
            1 => Self::Gcm(block),
            2 => Self::Ccm(block, 16),
            _ => Self::Ccm(block, 8),
        })
    }

    /// Length of the record key in bytes.
    pub(crate) fn key_length(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Rc4 => 16,
            Self::Cbc(block) | Self::Gcm(block) | Self::Ccm(block, _) => block.key_length(),
            Self::ChaCha20Poly1305 => 32,
        }
    }
}

impl Block {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "AES_128" => Self::Aes128,
            "AES_256" => Self::Aes256,
            "ARIA_128" => Self::Aria128,
            "ARIA_256" => Self::Aria256,
            "CAMELLIA_128" => Self::Camellia128,
            "CAMELLIA_256" => Self::Camellia256,
            "3DES_EDE" => Self::TripleDes,
            "DES" => Self::Des,
            "IDEA" => Self::Idea,
            "RC2" => Self::Rc2,
            "SEED" => Self::Seed,
            "SM4" => Self::Sm4,
            _ => return None,
        })
    }

    fn key_length(self) -> usize {
        match self {
            Self::Aes128 | Self::Aria128 | Self::Camellia128 | Self::Idea | Self::Rc2 | Self::Seed | Self::Sm4 => 16,
            Self::Aes256 | Self::Aria256 | Self::Camellia256 => 32,
            Self::TripleDes => 24,
            Self::Des => 8,
        }
    }

    /// Length of a block in bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::TripleDes | Self::Des | Self::Idea | Self::Rc2 => 8,
            _ => 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_so_that_the_search_finds_them() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn parts_follow_from_the_name() {
        let suite = |id| Suite::find(id).unwrap();
        assert_eq!(suite(0xc0a0).bulk, Bulk::Ccm(Block::Aes128, 8));
        assert_eq!(suite(0xc0a0).exchange, Exchange::Rsa);
        assert_eq!(suite(0xc077).bulk, Bulk::Cbc(Block::Camellia256));
        assert_eq!(suite(0xc077).schedule_hash(), Hash::Sha384);
        assert_eq!(suite(0x000a).bulk, Bulk::Cbc(Block::TripleDes));
        assert_eq!(suite(0x000a).schedule_hash(), Hash::Sha256);
        assert!(suite(0x1303).modern);
        assert_eq!(suite(0xe013).hash, Hash::Sm3);
        assert_eq!(suite(0x0003).bulk, Bulk::Rc4);
        assert_eq!(suite(0x0003).export, Some(5));
        assert_eq!(suite(0x0009).export, None);
    }

    #[test]
    fn every_aead_and_cbc_suite_of_common_ciphers_is_known() {
        let known = |name: &str| {
            [
                "AES_",
                "ARIA_",
                "CAMELLIA_",
                "CHACHA20_",
                "DES_",
                "DES40_",
                "RC2_",
                "RC4_",
                "SEED_",
                "IDEA_",
                "SM4_",
                "NULL_SHA",
            ]
            .iter()
            .any(|cipher| name.contains(cipher))
        };
        for (id, name) in NAMES.iter().filter(|(_, name)| known(name) && !name.contains("MGM")) {
            assert!(Suite::find(*id).is_some(), "{name}");
        }
    }
}
