//! Checksums and table hashes of 32 and 64 bits that are a few lines each, and MurmurHash3.

/// CRC-32 of IEEE 802.3 and zlib, reflected (RFC 1952, section 8).
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !crc(bytes, !0, &CRC32)
}

/// CRC-32C, Castagnoli's polynomial, reflected (RFC 3720, appendix B.4).
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    !crc(bytes, !0, &CRC32C)
}

/// CRC-64 of the xz format: the polynomial of ECMA-182, reflected, both ends inverted.
pub(crate) fn crc64(bytes: &[u8]) -> u64 {
    !bytes.iter().fold(!0, |crc: u64, byte| crc >> 8 ^ CRC64[usize::from(crc as u8 ^ byte)])
}

/// Adler-32 (RFC 1950, section 8.2).
pub(crate) fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let step = |(a, b), byte: &u8| {
        let a = (a + u32::from(*byte)) % PRIME;
        (a, (b + a) % PRIME)
    };
    let (a, b) = bytes.iter().fold((1, 0), step);
    b << 16 | a
}

/// `String.hashCode` of Java: over UTF-16 code units where the bytes are UTF-8, else over the
/// bytes themselves.
pub(crate) fn string_hash_code(bytes: &[u8]) -> u32 {
    let step = |hash: u32, unit: u16| hash.wrapping_mul(31).wrapping_add(u32::from(unit));
    match std::str::from_utf8(bytes) {
        Ok(text) => text.encode_utf16().fold(0, step),
        Err(_) => bytes.iter().fold(0, |hash, byte| step(hash, u16::from(*byte))),
    }
}

/// FNV-1 of 32 bits (RFC 9923, section 2).
pub(crate) fn fnv1_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_BASIS_32, |hash, byte| hash.wrapping_mul(FNV_PRIME_32) ^ u32::from(*byte))
}

/// FNV-1a of 32 bits.
pub(crate) fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_BASIS_32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(FNV_PRIME_32))
}

/// FNV-1 of 64 bits.
pub(crate) fn fnv1_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_BASIS_64, |hash, byte| hash.wrapping_mul(FNV_PRIME_64) ^ u64::from(*byte))
}

/// FNV-1a of 64 bits.
pub(crate) fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_BASIS_64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME_64))
}

/// MurmurHash3_x86_32 with seed 0 (Appleby, SMHasher).
pub(crate) fn murmur3_32(bytes: &[u8]) -> u32 {
    let mix = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (words, tail) = bytes.as_chunks::<4>();
    let mut hash = words.iter().fold(0u32, |hash, word| {
        (hash ^ mix(u32::from_le_bytes(*word))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    hash ^= mix(tail.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)));
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

/// MurmurHash3_x64_128 with seed 0, its bytes as SMHasher and Guava write them: both halves in
/// little-endian order.
pub(crate) fn murmur3_128(bytes: &[u8]) -> [u8; 16] {
    let (blocks, tail) = bytes.as_chunks::<16>();
    let (mut low, mut high) = blocks.iter().fold((0, 0), |state, block| murmur_block(state, *block));
    let mut rest = [0; 16];
    rest[..tail.len()].copy_from_slice(tail);
    let (first, second) = halves(rest);
    low ^= murmur_low(first) ^ bytes.len() as u64;
    high ^= murmur_high(second) ^ bytes.len() as u64;
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    (low, high) = (murmur_finish(low), murmur_finish(high));
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}

fn murmur_block((mut low, mut high): (u64, u64), block: [u8; 16]) -> (u64, u64) {
    let (first, second) = halves(block);
    low = (low ^ murmur_low(first)).rotate_left(27).wrapping_add(high);
    low = low.wrapping_mul(5).wrapping_add(0x52dc_e729);
    high = (high ^ murmur_high(second)).rotate_left(31).wrapping_add(low);
    (low, high.wrapping_mul(5).wrapping_add(0x3849_5ab5))
}

fn halves(block: [u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(block);
    (word as u64, (word >> 64) as u64)
}

fn murmur_low(word: u64) -> u64 {
    word.wrapping_mul(MURMUR_LOW).rotate_left(31).wrapping_mul(MURMUR_HIGH)
}

fn murmur_high(word: u64) -> u64 {
    word.wrapping_mul(MURMUR_HIGH).rotate_left(33).wrapping_mul(MURMUR_LOW)
}

fn murmur_finish(mut hash: u64) -> u64 {
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

const MURMUR_LOW: u64 = 0x87c3_7b91_1142_53d5;
const MURMUR_HIGH: u64 = 0x4cf5_ad43_2745_937f;

const FNV_BASIS_32: u32 = 0x811c_9dc5;
const FNV_PRIME_32: u32 = 0x0100_0193;
const FNV_BASIS_64: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME_64: u64 = 0x0000_0100_0000_01b3;

fn crc(bytes: &[u8], start: u32, table: &[u32; 256]) -> u32 {
    bytes.iter().fold(start, |crc, byte| crc >> 8 ^ table[usize::from(crc as u8 ^ byte)])
}

static CRC32: [u32; 256] = table_32(0xedb8_8320);
static CRC32C: [u32; 256] = table_32(0x82f6_3b78);
static CRC64: [u64; 256] = table_64(0xc96c_5795_d787_0f42);

const fn table_32(reflected: u32) -> [u32; 256] {
    let wide = table_64(reflected as u64);
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = wide[byte] as u32;
        byte += 1;
    }
    table
}

const fn table_64(reflected: u64) -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ reflected } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
}
