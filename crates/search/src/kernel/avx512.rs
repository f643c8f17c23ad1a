//! In vectors of 64 bytes, with the instructions that Ice Lake and Zen 4 brought.

use super::{CLASSES, HALF, ROW_BYTES, ROW_REACH};
use crate::classify::words;
use crate::codec::base64::sextet;
use crate::codec::hex;
use crate::filter::{FACTORS, FIRST_BIT, MOST_WORDS, THIRD_BIT, Table};
use crate::marked::{self, Columns, RUNS};
use std::arch::x86_64::{
    __m128i, __m512i, _mm_cvtsi32_si128, _mm_set_epi32, _mm256_extract_epi64, _mm256_set_m128i, _mm512_and_si512,
    _mm512_andnot_si512, _mm512_castsi256_si512, _mm512_castsi512_si256, _mm512_cmpeq_epi32_mask,
    _mm512_cmpeq_epi64_mask, _mm512_cmpgt_epu8_mask, _mm512_extracti64x4_epi64, _mm512_inserti64x4, _mm512_madd_epi16,
    _mm512_maddubs_epi16, _mm512_mask_blend_epi32, _mm512_maskz_loadu_epi8, _mm512_maskz_loadu_epi32,
    _mm512_maskz_loadu_epi64, _mm512_maskz_permutex2var_epi8, _mm512_min_epu64, _mm512_movepi8_mask,
    _mm512_mullo_epi32, _mm512_or_si512, _mm512_permutexvar_epi8, _mm512_rolv_epi32, _mm512_rolv_epi64,
    _mm512_set_epi64, _mm512_set1_epi8, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_shldi_epi64,
    _mm512_shrdv_epi64, _mm512_srl_epi32, _mm512_srl_epi64, _mm512_srli_epi32, _mm512_srli_epi64, _mm512_sub_epi8,
    _mm512_test_epi8_mask, _mm512_test_epi64_mask, _mm512_testn_epi64_mask, _mm512_xor_si512,
};
use std::sync::LazyLock;

/// True where the processor has all that the functions of this file are compiled for.
pub(super) fn is_there() -> bool {
    static IS_THERE: LazyLock<bool> = LazyLock::new(|| {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2")
    });
    #[cfg(test)]
    if super::tests::ONLY_NARROW.get() {
        return false;
    }
    *IS_THERE
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
    for (number, row) in sextets.chunks(64).enumerate() {
        let mut left = _mm512_cmpgt_epu8_mask(load_some(row), _mm512_set1_epi8(61));
        while left != 0 {
            visit(number * 64 + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn row_without(bits: u64, bytes: &[u8], least: usize) -> Option<usize> {
    let unwanted = _mm512_set1_epi64(bits.swap_bytes().cast_signed());
    let mut in_a_row = 0;
    for (number, bytes) in bytes.chunks(GROUPS * 8).enumerate() {
        let (mut without, groups) = (0, bytes.len() / 8);
        for (row, bytes) in bytes.chunks(64).enumerate() {
            without |= u64::from(_mm512_testn_epi64_mask(load_some(bytes), unwanted)) << (row * 8);
        }
        without &= first_bits(groups);
        let going_on = without.trailing_ones() as usize;
        if in_a_row + going_on >= least {
            return Some(number * GROUPS + least.saturating_sub(in_a_row + 1));
        }
        // A bit where so many are in a row.
        let starts = (1..least).fold(without, |starts, _| starts & starts >> 1);
        if starts != 0 {
            return Some(number * GROUPS + starts.trailing_zeros() as usize + least - 1);
        }
        let at_the_end = (without << (64 - groups.clamp(1, 64))).leading_ones() as usize;
        in_a_row = if going_on == groups { in_a_row + groups } else { at_the_end };
    }
    None
}

/// Groups of eight bytes of which each has a bit in one number.
const GROUPS: usize = 64;

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
        waiting[count % MOST_TOLD] = (start, both_hits(&lanes, load(block)));
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
    let hits = both_hits(&lanes, load_some(rest)) & lanes_of_rows;
    if hits != 0 {
        visit(start, hits);
    }
    start + rows * ROW_BYTES
}

/// The hits of two rows: a bit for each plain gram, then one for each keyed one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn both_hits(lanes: &[Lane<'_>; 2], block: __m512i) -> u32 {
    let [plain, keyed] = grams(block);
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
    #[inline]
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
        known |= u64::from(lane.hits(load_some_grams(grams))) << (number * 16);
    }
    known & first_bits(grams.len())
}

/// A bit for each of at most 64 keys: whether the word that its first bits choose has the bits that the next ones do.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
pub(super) fn held(words: &[u64], shift: u32, keys: &[u64]) -> u64 {
    let Some(last) = words.len().checked_sub(1) else { return 0 };
    let one = _mm512_set1_epi64(1);
    let mut held = 0;
    for (number, keys) in keys.chunks(8).take(8).enumerate() {
        let keys = load_some_words(keys);
        let right = |bits: u32| _mm512_srl_epi64(keys, _mm_cvtsi32_si128(bits as i32));
        // Rotating takes the number of the bit modulo 64.
        let bit = |number: u32| _mm512_rolv_epi64(one, right(shift - number * 6));
        let bits = _mm512_or_si512(_mm512_or_si512(bit(0), bit(1)), bit(2));
        let places = store(_mm512_min_epu64(_mm512_srli_epi64::<6>(right(shift)), _mm512_set1_epi64(last as i64)));
        let found = load_words(places.map(|place| words[place as usize]));
        held |= u64::from(_mm512_cmpeq_epi64_mask(_mm512_and_si512(found, bits), bits)) << (number * 8);
    }
    held & first_bits(keys.len())
}

/// The words of the numbers, modulo how many there are. One by one: where the processor has an instruction for that, it
/// is slower on Zen 4, and on others since they were mended against reading what it leaves behind (CVE-2022-40982).
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn gather(words: &[u32; MOST_WORDS], places: __m512i) -> __m512i {
    let pairs = store(places);
    let word = |at: usize| words[(pairs[at / 2] >> (at % 2 * 32)) as u32 as usize % MOST_WORDS].cast_signed();
    let four = |at: usize| _mm_set_epi32(word(at + 3), word(at + 2), word(at + 1), word(at));
    let eight = |at: usize| _mm256_set_m128i(four(at + 4), four(at));
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(eight(0)), eight(8))
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
#[inline]
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
    let start = out.len();
    // Grown once, and not filled with zeros before.
    out.reserve((bytes.len() / 64 + 1) * N * 8);
    for row in bytes.chunks(64) {
        out.extend_from_slice(of(load_some(row)).map(u64::to_le_bytes).as_flattened());
    }
    out.truncate(start + made(bytes.len()));
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

/// The first 64 bytes, or as many as there are with zeros behind them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn load_some(bytes: &[u8]) -> __m512i {
    #[expect(unsafe_code, reason = "nothing is read from where there is no byte")]
    unsafe {
        _mm512_maskz_loadu_epi8(first_bits(bytes.len()), bytes.as_ptr().cast())
    }
}

/// The same of numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn load_some_words(words: &[u64]) -> __m512i {
    #[expect(unsafe_code, reason = "nothing is read from where there is no number")]
    unsafe {
        _mm512_maskz_loadu_epi64(first_bits(words.len()) as u8, words.as_ptr().cast())
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2")]
fn load_some_grams(grams: &[u32]) -> __m512i {
    #[expect(unsafe_code, reason = "nothing is read from where there is no number")]
    unsafe {
        _mm512_maskz_loadu_epi32(first_bits(grams.len()) as u16, grams.as_ptr().cast())
    }
}

/// So many bits, all of them where there are too few.
fn first_bits(count: usize) -> u64 {
    if count < 64 { (1 << count) - 1 } else { u64::MAX }
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
