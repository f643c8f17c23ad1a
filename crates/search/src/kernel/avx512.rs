//! In vectors of 64 bytes, with the instructions that Ice Lake and Zen 4 brought.

use super::{CLASSES, HALF, ROW_BYTES, ROW_REACH, plain_row_without};
use crate::classify::words;
use crate::codec::base64::sextet;
use crate::codec::hex;
use crate::filter::{FACTORS, FIRST_BIT, MOST_WORDS, THIRD_BIT, Table};
use crate::marked::{self, Columns, RUNS};
use std::arch::x86_64::{
    __m128i, __m512i, _mm_cvtsi32_si128, _mm256_extract_epi64, _mm512_and_si512, _mm512_andnot_si512,
    _mm512_castsi512_si256, _mm512_cmpeq_epi32_mask, _mm512_cmpeq_epi64_mask, _mm512_cmpgt_epu8_mask,
    _mm512_extracti64x4_epi64, _mm512_i32gather_epi32, _mm512_i64gather_epi64, _mm512_madd_epi16, _mm512_maddubs_epi16,
    _mm512_mask_blend_epi32, _mm512_maskz_permutex2var_epi8, _mm512_min_epu64, _mm512_movepi8_mask, _mm512_mullo_epi32,
    _mm512_or_si512, _mm512_permutexvar_epi8, _mm512_rolv_epi32, _mm512_rolv_epi64, _mm512_set_epi64, _mm512_set1_epi8,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_shldi_epi64, _mm512_shrdv_epi64, _mm512_srl_epi32,
    _mm512_srl_epi64, _mm512_srli_epi32, _mm512_srli_epi64, _mm512_sub_epi8, _mm512_test_epi8_mask,
    _mm512_test_epi64_mask, _mm512_testn_epi64_mask, _mm512_xor_si512,
};
use std::sync::LazyLock;

/// True where the processor has all that the functions of this file are compiled for.
pub(super) fn is_there() -> bool {
    #[cfg(test)]
    if super::tests::ONLY_NARROW.get() {
        return false;
    }
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
}

/// A bit for each class of each character of ASCII, as the plain code tells them.
static CLASSES_OF: LazyLock<[u8; 128]> = LazyLock::new(|| {
    let mut table = [0; 128];
    for (half, table) in table.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        let block = std::array::from_fn(|at| (half * 64 + at) as u8);
        for (class, bits) in words(&block).into_iter().enumerate() {
            for (at, classes) in table.iter_mut().enumerate() {
                *classes |= ((bits >> at & 1) as u8) << class;
            }
        }
    }
    table
});

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn classes(blocks: &[[u8; 64]], out: [&mut [u64]; CLASSES]) {
    // Cut to one length, so that none of the places below is asked whether it is there.
    let [base64, word, dense, list, upper, lower, marks] = out.map(|bits| &mut bits[..blocks.len()]);
    let table = load_table(&CLASSES_OF);
    for (number, block) in blocks.iter().enumerate() {
        let bytes = load(block);
        let found = look_up(table, bytes);
        let of = |class: u8| _mm512_test_epi8_mask(found, _mm512_set1_epi8(1 << class));
        base64[number] = of(0);
        word[number] = of(1) | _mm512_movepi8_mask(bytes);
        dense[number] = of(2);
        list[number] = of(3);
        upper[number] = of(4);
        lower[number] = of(5);
        marks[number] = of(6);
    }
}

/// The same loops in wider vectors.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn mark_runs(classes: Columns<'_>, out: [&mut [u64]; RUNS]) {
    marked::mark_runs(classes, out);
}

/// Eight words at a time, as far as there is a word behind them. Gives how many words were read.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn runs_of(words: &[u64], wanted: u32, visit: &mut impl FnMut(usize, usize)) -> usize {
    let longest = wanted.checked_ilog2().unwrap_or(0);
    let (mut index, mut last) = (0, 0);
    while let Some(nine) = words.get(index..).and_then(|rest| rest.first_chunk::<9>()) {
        let [before, word, next] = [
            std::array::from_fn(|at| if at == 0 { last } else { nine[at - 1] }),
            std::array::from_fn(|at| nine[at]),
            std::array::from_fn(|at| nine[at + 1]),
        ]
        .map(|eight| load_words(eight));
        // The starts of runs that go on so far.
        let mut going_on = _mm512_andnot_si512(_mm512_shldi_epi64::<1>(word, before), word);
        for length in 1..=longest {
            let ahead = _mm512_shrdv_epi64(word, next, _mm512_set1_epi64(i64::from(length)));
            if wanted >> length & 1 == 1 {
                let ends = _mm512_andnot_si512(ahead, going_on);
                if _mm512_test_epi64_mask(ends, ends) != 0 {
                    super::each_bit(&store(ends), |bit| visit(index * 64 + bit, length as usize));
                }
            }
            going_on = _mm512_and_si512(going_on, ahead);
        }
        last = nine[7];
        index += 8;
    }
    index
}

/// The six bits of each character of ASCII.
static SEXTET_OF: [u8; 128] = {
    let mut table = [0; 128];
    let mut character = 0;
    while character < 128 {
        table[character] = sextet(character as u8);
        character += 1;
    }
    table
};

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn sextets(characters: &[u8], out: &mut Vec<u8>) {
    let table = load_table(&SEXTET_OF);
    each_row(characters, out, |row| store(look_up(table, row)), |bytes| bytes);
}

/// Where the bytes of four sextets are in the numbers of 24 bits that they are put together to (Muła and Lemire,
/// "Faster Base64 encoding and decoding using AVX2 instructions", section 4).
static PACKED: [u8; 64] = {
    let mut places = [0; 64];
    let mut at = 0;
    while at < 48 {
        places[at] = (at / 3 * 4 + 2 - at % 3) as u8;
        at += 1;
    }
    places
};

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn pack(sextets: &[u8], out: &mut Vec<u8>) -> usize {
    let read = sextets.len() / 8 * 8;
    let places = load(&PACKED);
    let packed = |row| {
        let pairs = _mm512_maddubs_epi16(row, _mm512_set1_epi32(0x0140_0140));
        let fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x0001_1000));
        first_words::<6>(_mm512_permutexvar_epi8(places, fours))
    };
    each_row(&sextets[..read], out, packed, |sextets| sextets / 4 * 3);
    read
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn hex(digits: &[u8], out: &mut Vec<u8>) -> usize {
    let read = digits.len() / 2 * 2;
    let table = load_table(hex::VALUES.first_chunk().unwrap_or(&[0; 128]));
    let places = load(&EVEN);
    let paired = |row| {
        let pairs = _mm512_maddubs_epi16(look_up(table, row), _mm512_set1_epi16(0x0110));
        first_words::<4>(_mm512_permutexvar_epi8(places, pairs))
    };
    each_row(&digits[..read], out, paired, |digits| digits / 2);
    read
}

/// Every second byte.
static EVEN: [u8; 64] = {
    let mut places = [0; 64];
    let mut at = 0;
    while at < 32 {
        places[at] = (at * 2) as u8;
        at += 1;
    }
    places
};

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn over_61(sextets: &[u8], mut visit: impl FnMut(usize)) {
    let (rows, rest) = sextets.as_chunks::<64>();
    let last = padded(rest);
    for (number, row) in rows.iter().chain([&last]).enumerate() {
        let mut left = _mm512_cmpgt_epu8_mask(load(row), _mm512_set1_epi8(61));
        while left != 0 {
            visit(number * 64 + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn row_without(bits: u64, bytes: &[u8], least: usize) -> Option<usize> {
    let (rows, _) = bytes.as_chunks::<64>();
    let unwanted = _mm512_set1_epi64(bits.swap_bytes().cast_signed());
    let mut row = 0;
    for (number, eight) in rows.iter().enumerate() {
        let none = _mm512_testn_epi64_mask(load(eight), unwanted);
        if none == 0 {
            row = 0;
            continue;
        }
        for place in 0..8 {
            row = if none >> place & 1 == 1 { row + 1 } else { 0 };
            if row == least {
                return Some(number * 8 + place);
            }
        }
    }
    plain_row_without(bits, bytes, least, (rows.len() * 8, row))
}

/// Rows whose samples fill a vector, and what they depend on.
const ROWS: usize = 2;
const ROWS_REACH: usize = (ROWS - 1) * ROW_BYTES + ROW_REACH;

/// Pairs of rows whose hits wait to be told.
const MOST_TOLD: usize = 64;

/// Hits are told some at a time: a branch for each pair of rows would be guessed wrong too often, and what the processor
/// fetches ahead for those behind it be lost.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn hits(text: &[u8], plain: &Table, keyed: &Table, mut visit: impl FnMut(usize, u32)) -> usize {
    let lanes = [Lane::new(plain), Lane::new(keyed)];
    let (mut waiting, mut count) = ([(0, 0); MOST_TOLD], 0);
    let mut start = 0;
    while let Some(block) = text.get(start..).and_then(|rest| rest.first_chunk::<64>()) {
        waiting[count % MOST_TOLD] = (start, both_hits(&lanes, block));
        count += usize::from(waiting[count % MOST_TOLD].1 != 0);
        if count == MOST_TOLD {
            for (start, hits) in waiting {
                visit(start, hits);
            }
            count = 0;
        }
        start += ROWS * ROW_BYTES;
    }
    for (start, hits) in waiting.into_iter().take(count) {
        visit(start, hits);
    }
    let rest = text.get(start..).unwrap_or_default();
    let (rows, lanes_of_rows) = match rest.len() {
        ..ROW_REACH => return start,
        ROW_REACH..ROWS_REACH => (1, 0x00ff_00ff),
        _ => (2, u32::MAX),
    };
    let hits = both_hits(&lanes, &padded(rest)) & lanes_of_rows;
    if hits != 0 {
        visit(start, hits);
    }
    start + rows * ROW_BYTES
}

/// The hits of two rows: a bit for each plain gram, then one for each keyed one.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn both_hits(lanes: &[Lane<'_>; 2], block: &[u8; 64]) -> u32 {
    let [plain, keyed] = grams(load(block));
    u32::from(lanes[0].hits(plain)) | u32::from(lanes[1].hits(keyed)) << HALF
}

/// A table that samples are looked up in.
struct Lane<'t> {
    words: &'t [u32; MOST_WORDS],
    shift: __m128i,
}

impl<'t> Lane<'t> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
    fn new(table: &'t Table) -> Self {
        Self { words: table.words(), shift: _mm_cvtsi32_si128(table.shift() as i32) }
    }

    /// A bit for each gram that the table knows.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
    fn hits(&self, grams: __m512i) -> u16 {
        let [first, second] = FACTORS.map(|factor| _mm512_mullo_epi32(grams, _mm512_set1_epi32(factor as i32)));
        let one = _mm512_set1_epi32(1);
        // Rotating takes the number of the bit modulo 32.
        let bits = _mm512_or_si512(
            _mm512_or_si512(
                _mm512_rolv_epi32(one, _mm512_srli_epi32::<{ FIRST_BIT as u32 }>(first)),
                _mm512_rolv_epi32(one, _mm512_srli_epi32::<{ THIRD_BIT as u32 }>(second)),
            ),
            _mm512_rolv_epi32(one, _mm512_srli_epi32::<27>(second)),
        );
        let words = gather(self.words, _mm512_srl_epi32(first, self.shift));
        _mm512_cmpeq_epi32_mask(_mm512_and_si512(words, bits), bits)
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn known(table: &Table, grams: &[u32]) -> u64 {
    let lane = Lane::new(table);
    let mut known = 0;
    for (number, grams) in grams.chunks(16).take(4).enumerate() {
        let mut padded = [0; 16];
        padded[..grams.len()].copy_from_slice(grams);
        let (pairs, _) = padded.as_chunks::<2>();
        let words = std::array::from_fn(|at| u64::from(pairs[at][0]) | u64::from(pairs[at][1]) << 32);
        known |= u64::from(lane.hits(load_words(words))) << (number * 16);
    }
    known & u64::MAX.checked_shr(64 - grams.len().min(64) as u32).unwrap_or(0)
}

/// A bit for each of at most 64 keys: whether the word that its first bits choose has the bits that the next ones do.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn held(words: &[u64], shift: u32, keys: &[u64]) -> u64 {
    let Some(last) = words.len().checked_sub(1) else { return 0 };
    let one = _mm512_set1_epi64(1);
    let mut held = 0;
    let mut eight = |number: usize, keys: &[u64; 8]| {
        let keys = load_words(*keys);
        let right = |bits: u32| _mm512_srl_epi64(keys, _mm_cvtsi32_si128(bits as i32));
        // Rotating takes the number of the bit modulo 64.
        let bit = |number: u32| _mm512_rolv_epi64(one, right(shift - number * 6));
        let bits = _mm512_or_si512(_mm512_or_si512(bit(0), bit(1)), bit(2));
        let places = _mm512_min_epu64(_mm512_srli_epi64::<6>(right(shift)), _mm512_set1_epi64(last as i64));
        #[expect(unsafe_code, reason = "no place is beyond the last word, as greater ones were just made it")]
        let found = unsafe { _mm512_i64gather_epi64::<8>(places, words.as_ptr().cast()) };
        held |= u64::from(_mm512_cmpeq_epi64_mask(_mm512_and_si512(found, bits), bits)) << (number * 8);
    };
    let (eights, rest) = keys.as_chunks::<8>();
    for (number, keys) in eights.iter().take(8).enumerate() {
        eight(number, keys);
    }
    if !rest.is_empty() && eights.len() < 8 {
        let mut padded = [0; 8];
        padded[..rest.len()].copy_from_slice(rest);
        eight(eights.len(), &padded);
        held &= (1 << keys.len()) - 1;
    }
    held
}

/// The words of the numbers, modulo how many there are.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn gather(words: &[u32; MOST_WORDS], places: __m512i) -> __m512i {
    const { assert!(MOST_WORDS.is_power_of_two()) };
    let places = _mm512_and_si512(places, _mm512_set1_epi32((MOST_WORDS - 1) as i32));
    #[expect(unsafe_code, reason = "no place is beyond the last word, as their higher bits were just cleared")]
    unsafe {
        _mm512_i32gather_epi32::<4>(places, words.as_ptr().cast())
    }
}

/// The four bytes of sixteen samples.
static SAMPLES: [u8; 64] = samples(0);
/// The four bytes behind the first of each sample.
static NEXT: [u8; 64] = samples(1);

const fn samples(first: usize) -> [u8; 64] {
    let mut places = [0; 64];
    let mut at = 0;
    while at < 64 {
        places[at] = (at / 4 * super::STRIDE + at % 4 + first) as u8;
        at += 1;
    }
    places
}

/// The plain gram of each sample, and the keyed ones: of even samples those of the exclusive or, of odd ones those of
/// the difference.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn grams(bytes: __m512i) -> [__m512i; 2] {
    let own = _mm512_permutexvar_epi8(load(&SAMPLES), bytes);
    let next = _mm512_permutexvar_epi8(load(&NEXT), bytes);
    let keyed = _mm512_mask_blend_epi32(0xaaaa, _mm512_xor_si512(own, next), _mm512_sub_epi8(next, own));
    [_mm512_or_si512(own, _mm512_set1_epi8(0x20)), keyed]
}

/// Appends what becomes of rows of 64 bytes, the last of which has zeros behind it; of that as much as `made` says is
/// made of so many bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn each_row<const N: usize>(
    bytes: &[u8],
    out: &mut Vec<u8>,
    of: impl Fn(__m512i) -> [u64; N],
    made: impl Fn(usize) -> usize,
) {
    let (rows, rest) = bytes.as_chunks::<64>();
    let start = out.len();
    out.resize(start + (rows.len() + 1) * N * 8, 0);
    let last = padded(rest);
    for (out, row) in out[start..].chunks_exact_mut(N * 8).zip(rows.iter().chain([&last])) {
        for (out, word) in out.as_chunks_mut().0.iter_mut().zip(of(load(row))) {
            *out = word.to_le_bytes();
        }
    }
    out.truncate(start + made(bytes.len()));
}

/// The bytes with zeros behind them.
fn padded(bytes: &[u8]) -> [u8; 64] {
    let mut padded = [0; 64];
    padded[..bytes.len()].copy_from_slice(bytes);
    padded
}

/// What the table says of each byte under 0x80; of others 0.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn look_up([low, high]: [__m512i; 2], bytes: __m512i) -> __m512i {
    _mm512_maskz_permutex2var_epi8(!_mm512_movepi8_mask(bytes), low, bytes, high)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn load_table(table: &[u8; 128]) -> [__m512i; 2] {
    let (halves, _) = table.as_chunks::<64>();
    [load(&halves[0]), load(&halves[1])]
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn load(bytes: &[u8; 64]) -> __m512i {
    let (words, _) = bytes.as_chunks::<8>();
    load_words(std::array::from_fn(|at| u64::from_le_bytes(words[at])))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn load_words(words: [u64; 8]) -> __m512i {
    let word = |at: usize| words[at].cast_signed();
    _mm512_set_epi64(word(7), word(6), word(5), word(4), word(3), word(2), word(1), word(0))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn store(vector: __m512i) -> [u64; 8] {
    let [low, high] = [_mm512_castsi512_si256(vector), _mm512_extracti64x4_epi64::<1>(vector)];
    [
        _mm256_extract_epi64::<0>(low),
        _mm256_extract_epi64::<1>(low),
        _mm256_extract_epi64::<2>(low),
        _mm256_extract_epi64::<3>(low),
        _mm256_extract_epi64::<0>(high),
        _mm256_extract_epi64::<1>(high),
        _mm256_extract_epi64::<2>(high),
        _mm256_extract_epi64::<3>(high),
    ]
    .map(i64::cast_unsigned)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn first_words<const N: usize>(vector: __m512i) -> [u64; N] {
    let words = store(vector);
    std::array::from_fn(|at| words[at])
}
