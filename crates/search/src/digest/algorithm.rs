//! The functions whose results are looked for, one row each.

use super::checksum;
use sha2::Digest;

/// One function from bytes to a digest or checksum.
pub(crate) struct Algorithm {
    /// The name in trails and forms: `sha256`.
    pub(crate) name: &'static str,
    /// Length of the output in bits.
    pub(crate) bits: usize,
    /// Where it is specified.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the table in the documentation"))]
    pub(crate) source: &'static str,
    of: fn(&[u8]) -> Output,
}

impl Algorithm {
    const fn new(name: &'static str, bits: usize, source: &'static str, of: fn(&[u8]) -> Output) -> Self {
        Self { name, bits, source, of }
    }

    /// The digest of the bytes.
    pub(crate) fn of(&self, bytes: &[u8]) -> Output {
        (self.of)(bytes)
    }

    /// True for 32 and 64 bits, which chance meets: these are compared with whole fields only.
    pub(crate) fn is_short(&self) -> bool {
        self.bits <= 64
    }

    /// True for functions that hardly any program uses and that cost time all the same.
    pub(crate) fn is_rare(&self) -> bool {
        ["md2", "sha384", "sha512/256", "sha3-224", "sha3-384", "ripemd128", "whirlpool"].contains(&self.name)
    }

    /// Bits by which the output tells one message of that many bytes from another, at most. Two
    /// functions do not fill their 32 bits when the message is short.
    pub(crate) fn telling_bits(&self, message: usize) -> f64 {
        let length = message.max(1) as f64;
        let most = match self.name {
            // Sums of n digits spread over about 12·√n and 7·n·√n values.
            "adler32" => 5.0 + 2.0 * length.log2(),
            "java-hashcode" => length * 31f64.log2(),
            _ => f64::INFINITY,
        };
        most.min(self.bits as f64)
    }

    /// HMAC (RFC 2104) with this function.
    pub(crate) fn keyed(&self, key: &[u8], message: &[u8]) -> Output {
        // SHA-384 and SHA-512 work on 128 bytes at once, the others used here on 64.
        let mut block = vec![0; if self.bits > 256 { 128 } else { 64 }];
        let hashed = if key.len() > block.len() { Some(self.of(key)) } else { None };
        let key = hashed.as_ref().map_or(key, Output::bytes);
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
        let padded = |pad: u8, rest: &[u8]| {
            let mut bytes: Vec<u8> = block.iter().map(|byte| byte ^ pad).collect();
            bytes.extend_from_slice(rest);
            self.of(&bytes)
        };
        padded(0x5c, padded(0x36, message).bytes())
    }
}

/// A digest or checksum. There is no `Debug`: the digest of a short value gives the value away.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    bytes: [u8; 64],
    length: usize,
}

impl Output {
    fn new(digest: &[u8]) -> Self {
        let length = digest.len().min(64);
        let mut bytes = [0; 64];
        bytes[..length].copy_from_slice(&digest[..length]);
        Self { bytes, length }
    }

    /// The bytes, in the order in which they are written; of numbers the highest first.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn of<D: Digest>(bytes: &[u8]) -> Output {
    Output::new(&D::digest(bytes))
}

macro_rules! algorithms {
    ($($constant:ident: $name:literal, $bits:literal, $source:literal, $of:expr;)*) => {
        $(#[doc = $source] pub(crate) static $constant: Algorithm = Algorithm::new($name, $bits, $source, $of);)*
        /// All of them, the long ones first.
        pub(crate) static ALGORITHMS: &[&Algorithm] = &[$(&$constant),*];
    };
}

algorithms! {
    MD2: "md2", 128, "RFC 1319", of::<md2::Md2>;
    MD4: "md4", 128, "RFC 1320", of::<md4::Md4>;
    MD5: "md5", 128, "RFC 1321", of::<md5::Md5>;
    SHA1: "sha1", 160, "FIPS 180-4", of::<sha1::Sha1>;
    SHA224: "sha224", 224, "FIPS 180-4", of::<sha2::Sha224>;
    SHA256: "sha256", 256, "FIPS 180-4", of::<sha2::Sha256>;
    SHA384: "sha384", 384, "FIPS 180-4", of::<sha2::Sha384>;
    SHA512: "sha512", 512, "FIPS 180-4", of::<sha2::Sha512>;
    SHA512_256: "sha512/256", 256, "FIPS 180-4", of::<sha2::Sha512_256>;
    SHA3_224: "sha3-224", 224, "FIPS 202", of::<sha3::Sha3_224>;
    SHA3_256: "sha3-256", 256, "FIPS 202", of::<sha3::Sha3_256>;
    SHA3_384: "sha3-384", 384, "FIPS 202", of::<sha3::Sha3_384>;
    SHA3_512: "sha3-512", 512, "FIPS 202", of::<sha3::Sha3_512>;
    KECCAK256: "keccak256", 256, "Keccak, SHA-3 submission 3", of::<sha3::Keccak256>;
    BLAKE2B_256: "blake2b-256", 256, "RFC 7693", of::<blake2::Blake2b256>;
    BLAKE2B_512: "blake2b", 512, "RFC 7693", of::<blake2::Blake2b512>;
    BLAKE2S_256: "blake2s", 256, "RFC 7693", of::<blake2::Blake2s256>;
    BLAKE3: "blake3", 256, "BLAKE3 paper, 2020", |bytes| Output::new(blake3::hash(bytes).as_bytes());
    SM3: "sm3", 256, "GB/T 32905-2016", of::<sm3::Sm3>;
    RIPEMD128: "ripemd128", 128, "ISO/IEC 10118-3", of::<ripemd::Ripemd128>;
    RIPEMD160: "ripemd160", 160, "ISO/IEC 10118-3", of::<ripemd::Ripemd160>;
    WHIRLPOOL: "whirlpool", 512, "ISO/IEC 10118-3", of::<whirlpool::Whirlpool>;
    XXH3_128: "xxh3-128", 128, "xxHash specification",
        |bytes| Output::new(&twox_hash::XxHash3_128::oneshot(bytes).to_be_bytes());
    MURMUR3_128: "murmur3-128", 128, "SMHasher, MurmurHash3_x64_128",
        |bytes| Output::new(&checksum::murmur3_128(bytes));
    XXH64: "xxh64", 64, "xxHash specification",
        |bytes| Output::new(&twox_hash::XxHash64::oneshot(0, bytes).to_be_bytes());
    XXH3_64: "xxh3-64", 64, "xxHash specification",
        |bytes| Output::new(&twox_hash::XxHash3_64::oneshot(bytes).to_be_bytes());
    FNV1_64: "fnv1-64", 64, "RFC 9923", |bytes| Output::new(&checksum::fnv1_64(bytes).to_be_bytes());
    FNV1A_64: "fnv1a-64", 64, "RFC 9923", |bytes| Output::new(&checksum::fnv1a_64(bytes).to_be_bytes());
    CRC64: "crc64", 64, "ECMA-182, reflected as in xz", |bytes| Output::new(&checksum::crc64(bytes).to_be_bytes());
    XXH32: "xxh32", 32, "xxHash specification",
        |bytes| Output::new(&twox_hash::XxHash32::oneshot(0, bytes).to_be_bytes());
    MURMUR3_32: "murmur3-32", 32, "SMHasher, MurmurHash3_x86_32",
        |bytes| Output::new(&checksum::murmur3_32(bytes).to_be_bytes());
    FNV1_32: "fnv1-32", 32, "RFC 9923", |bytes| Output::new(&checksum::fnv1_32(bytes).to_be_bytes());
    FNV1A_32: "fnv1a-32", 32, "RFC 9923", |bytes| Output::new(&checksum::fnv1a_32(bytes).to_be_bytes());
    CRC32: "crc32", 32, "RFC 1952, section 8", |bytes| Output::new(&checksum::crc32(bytes).to_be_bytes());
    CRC32C: "crc32c", 32, "RFC 3720, appendix B.4", |bytes| Output::new(&checksum::crc32c(bytes).to_be_bytes());
    ADLER32: "adler32", 32, "RFC 1950, section 8.2", |bytes| Output::new(&checksum::adler32(bytes).to_be_bytes());
    JAVA_HASHCODE: "java-hashcode", 32, "Java SE, String.hashCode",
        |bytes| Output::new(&checksum::string_hash_code(bytes).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `abc`; from the standards' test vectors where there are such, else from the reference
    /// implementations.
    const OF_ABC: &[(&str, &str)] = &[
        ("md2", "da853b0d3f88d99b30283a69e6ded6bb"),
        ("md4", "a448017aaf21d8525fc10ae87aa6729d"),
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
        (
            "sha512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        ("sha512/256", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ("sha3-224", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
        ("sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (
            "sha3-384",
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
        ),
        (
            "sha3-512",
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
             10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
        ("keccak256", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ("blake2b-256", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
        (
            "blake2b",
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
             7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
        ),
        ("blake2s", "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"),
        ("blake3", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ("sm3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        ("ripemd128", "c14a12199c66e4ba84636b0f69144c77"),
        ("ripemd160", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (
            "whirlpool",
            "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c\
             7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5",
        ),
        ("xxh3-128", "06b05ab6733a618578af5f94892f3950"),
        ("xxh64", "44bc2cf5ad770999"),
        ("xxh3-64", "78af5f94892f3950"),
        ("xxh32", "32d153ff"),
        ("murmur3-32", "b3dd93fa"),
        ("fnv1-64", "d8dcca186bafadcb"),
        ("fnv1a-64", "e71fa2190541574b"),
        ("fnv1-32", "439c2f4b"),
        ("fnv1a-32", "1a47e90b"),
        ("crc32", "352441c2"),
        ("crc32c", "364b3fb7"),
        ("adler32", "024d0127"),
        ("java-hashcode", "00017862"),
    ];

    fn named(name: &str) -> &'static Algorithm {
        ALGORITHMS.iter().find(|algorithm| algorithm.name == name).unwrap()
    }

    #[test]
    fn known_answers() {
        for (name, hex) in OF_ABC {
            assert_eq!(dyetrace_case::hex(named(name).of(b"abc").bytes()), *hex, "{name}");
        }
        // Known elsewhere only for other messages.
        assert_eq!(dyetrace_case::hex(named("crc64").of(b"123456789").bytes()), "995dc9bbdf1939fa");
        assert_eq!(dyetrace_case::hex(named("crc32").of(b"123456789").bytes()), "cbf43926");
        assert_eq!(dyetrace_case::hex(named("crc32c").of(b"123456789").bytes()), "e3069283");
        assert_eq!(dyetrace_case::hex(named("adler32").of(b"Wikipedia").bytes()), "11e60398");
        let pangram = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(dyetrace_case::hex(named("murmur3-128").of(pangram).bytes()), "6c1b07bc7bbc4be347939ac4a93c437a");
        assert_eq!(dyetrace_case::hex(named("murmur3-32").of(pangram).bytes()), "2e4ff723");
        assert_eq!(named("java-hashcode").of("é語".as_bytes()).bytes(), (233u32 * 31 + 0x8a9e).to_be_bytes());
    }

    #[test]
    fn every_output_has_the_length_and_the_name_it_says() {
        let mut names: Vec<_> = ALGORITHMS.iter().map(|algorithm| algorithm.name).collect();
        for algorithm in ALGORITHMS {
            assert_eq!(algorithm.of(b"").bytes().len() * 8, algorithm.bits, "{}", algorithm.name);
            assert!(!algorithm.source.is_empty());
            assert!(
                OF_ABC.iter().any(|(name, _)| *name == algorithm.name)
                    || algorithm.name.contains('-')
                    || algorithm.name == "crc64"
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALGORITHMS.len());
    }

    /// RFC 4231, test cases 2 and 6; RFC 2202, test case 2 of HMAC-MD5.
    #[test]
    fn keyed_digests_of_the_standards() {
        let question = b"what do ya want for nothing?";
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(dyetrace_case::hex(SHA256.keyed(b"Jefe", question).bytes()), sha256);
        assert!(
            dyetrace_case::hex(SHA512.keyed(b"Jefe", question).bytes()).starts_with("164b7a7bfcf819e2e395fbe73b56e0a3")
        );
        assert_eq!(dyetrace_case::hex(MD5.keyed(b"Jefe", question).bytes()), "750c783e6ab0b503eaa86e310a5db738");
        let long = SHA256.keyed(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert!(dyetrace_case::hex(long.bytes()).starts_with("60e431591ee0b67f0d8a26aacbf5b77f"));
    }

    #[test]
    fn a_weak_checksum_counts_for_what_it_tells() {
        assert!((CRC32.telling_bits(11) - 32.0).abs() < 1e-9);
        assert!(ADLER32.telling_bits(11) < 13.0);
        assert!(JAVA_HASHCODE.telling_bits(4) < 20.0);
    }
}
