//! In vectors of 32 bytes.

use super::{CLASSES, HALF, ROW, ROW_BYTES, ROW_REACH, plain_pairs, plain_row_without};
use crate::filter::{FACTORS, FIRST_BIT, THIRD_BIT, Table};
use crate::marked::{self, Columns, RUNS};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi32_si128, _mm256_add_epi8, _mm256_and_si256, _mm256_andnot_si256, _mm256_bsrli_epi128,
    _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmpeq_epi8, _mm256_cmpeq_epi32, _mm256_cmpeq_epi64,
    _mm256_extract_epi32, _mm256_extract_epi64, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_min_epu8,
    _mm256_movemask_epi8, _mm256_movemask_pd, _mm256_movemask_ps, _mm256_mullo_epi32, _mm256_or_si256,
    _mm256_packus_epi16, _mm256_permutevar8x32_epi32, _mm256_set_epi32, _mm256_set_epi64x, _mm256_set1_epi8,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_sll_epi64, _mm256_slli_epi64, _mm256_sllv_epi32, _mm256_srl_epi32, _mm256_srl_epi64, _mm256_srli_epi16,
    _mm256_srli_epi32, _mm256_srli_epi64, _mm256_sub_epi8, _mm256_testz_si256, _mm256_xor_si256,
};
use std::hint::black_box;

/// True where the processor has all that the functions of this file are compiled for.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("avx2")
}

#[target_feature(enable = "avx2")]
pub(super) fn classes(blocks: &[[u8; 64]], out: [&mut [u64]; CLASSES]) {
    // Cut to one length, so that none of the places below is asked whether it is there.
    let [base64, word, dense, list, upper, lower, marks] = out.map(|bits| &mut bits[..blocks.len()]);
    for (number, block) in blocks.iter().enumerate() {
        let (halves, _) = block.as_chunks::<32>();
        let [low, high] = [half(&halves[0]), half(&halves[1])];
        let mut both = [0; CLASSES];
        for (class, both) in both.iter_mut().enumerate() {
            // What is opaque is not taken apart into bits, which compilers do to join two masks.
            *both = u64::from(black_box(low[class])) | u64::from(high[class]) << 32;
        }
        [base64[number], word[number], dense[number], list[number], upper[number], lower[number], marks[number]] = both;
    }
}

/// The same loops in wider vectors.
#[target_feature(enable = "avx2")]
pub(super) fn mark_runs(classes: Columns<'_>, out: [&mut [u64]; RUNS]) {
    marked::mark_runs(classes, out);
}

/// Four words at a time, as far as there is a word behind them. Gives how many words were read.
#[target_feature(enable = "avx2")]
pub(super) fn runs_of(words: &[u64], wanted: u32, visit: &mut impl FnMut(usize, usize)) -> usize {
    let longest = wanted.checked_ilog2().unwrap_or(0);
    let (mut index, mut last) = (0, 0);
    while let Some(five) = words.get(index..).and_then(|rest| rest.first_chunk::<5>()) {
        let [first, second, third, fourth, behind] = *five;
        let [before, word, next] =
            [[last, first, second, third], [first, second, third, fourth], [second, third, fourth, behind]]
                .map(|four| load_words(four));
        let follows = _mm256_or_si256(_mm256_slli_epi64::<1>(word), _mm256_srli_epi64::<63>(before));
        // The starts of runs that go on so far.
        let mut going_on = _mm256_andnot_si256(follows, word);
        for length in 1..=longest {
            let (right, left) = (_mm_cvtsi32_si128(length as i32), _mm_cvtsi32_si128(64 - length as i32));
            let ahead = _mm256_or_si256(_mm256_srl_epi64(word, right), _mm256_sll_epi64(next, left));
            if wanted >> length & 1 == 1 {
                let ends = _mm256_andnot_si256(ahead, going_on);
                if _mm256_testz_si256(ends, ends) == 0 {
                    super::each_bit(&store_words(ends), |bit| visit(index * 64 + bit, length as usize));
                }
            }
            going_on = _mm256_and_si256(going_on, ahead);
        }
        last = fourth;
        index += 4;
    }
    index
}

#[target_feature(enable = "avx2")]
pub(super) fn sextets(characters: &[u8], out: &mut Vec<u8>) {
    let (rows, rest) = characters.as_chunks::<32>();
    let start = out.len();
    out.resize(start + (rows.len() + 1) * 32, 0);
    let last = padded(rest);
    for (bytes, row) in out[start..].as_chunks_mut::<32>().0.iter_mut().zip(rows.iter().chain([&last])) {
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(store_words(sextets_of(load(row)))) {
            *bytes = word.to_le_bytes();
        }
    }
    out.truncate(start + characters.len());
}

#[target_feature(enable = "avx2")]
fn sextets_of(characters: __m256i) -> __m256i {
    let from = |first: u8| _mm256_sub_epi8(characters, _mm256_set1_epi8(first.cast_signed()));
    let equal = |byte: u8| _mm256_cmpeq_epi8(characters, _mm256_set1_epi8(byte.cast_signed()));
    let either =
        |one, other, sextet| _mm256_and_si256(_mm256_or_si256(equal(one), equal(other)), _mm256_set1_epi8(sextet));
    let letters = _mm256_or_si256(up_to(from(b'A'), 25, 0), up_to(from(b'a'), 25, 26));
    let others = _mm256_or_si256(either(b'+', b'-', 62), either(b'/', b'_', 63));
    _mm256_or_si256(_mm256_or_si256(letters, up_to(from(b'0'), 9, 52)), others)
}

/// The bytes with zeros behind them.
fn padded(bytes: &[u8]) -> [u8; 32] {
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    padded
}

/// Where the bytes of four sextets are in the number of 24 bits that they are put together to (Muła and Lemire,
/// "Faster Base64 encoding and decoding using AVX2 instructions", section 4).
const PACKED: [u8; 16] = [2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0x80, 0x80, 0x80, 0x80];

#[target_feature(enable = "avx2")]
pub(super) fn pack(sextets: &[u8], out: &mut Vec<u8>) -> usize {
    let (rows, _) = sextets.as_chunks::<32>();
    let start = out.len();
    out.resize(start + rows.len() * 24, 0);
    for (bytes, row) in out[start..].as_chunks_mut::<24>().0.iter_mut().zip(rows) {
        let pairs = _mm256_maddubs_epi16(load(row), _mm256_set1_epi32(0x0140_0140));
        let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_1000));
        let packed = _mm256_shuffle_epi8(fours, twice(&PACKED));
        let together = _mm256_permutevar8x32_epi32(packed, _mm256_set_epi32(7, 3, 6, 5, 4, 2, 1, 0));
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(store_words(together)) {
            *bytes = word.to_le_bytes();
        }
    }
    rows.len() * 32
}

#[target_feature(enable = "avx2")]
pub(super) fn hex(digits: &[u8], out: &mut Vec<u8>) -> usize {
    let (rows, _) = digits.as_chunks::<32>();
    let start = out.len();
    out.resize(start + rows.len() * 16, 0);
    for (bytes, row) in out[start..].as_chunks_mut::<16>().0.iter_mut().zip(rows) {
        let characters = load(row);
        let digits = up_to(_mm256_sub_epi8(characters, _mm256_set1_epi8(b'0'.cast_signed())), 9, 0);
        let folded = _mm256_or_si256(characters, _mm256_set1_epi8(0x20));
        let letters = up_to(_mm256_sub_epi8(folded, _mm256_set1_epi8(b'a'.cast_signed())), 5, 10);
        let pairs = _mm256_maddubs_epi16(_mm256_or_si256(digits, letters), _mm256_set1_epi16(0x0110));
        let [low, _, high, _] = store_words(_mm256_packus_epi16(pairs, pairs));
        *bytes = (u128::from(high) << 64 | u128::from(low)).to_le_bytes();
    }
    rows.len() * 32
}

/// The numbers that are no greater, with something added, and zero for the others.
#[target_feature(enable = "avx2")]
fn up_to(numbers: __m256i, greatest: i8, added: i8) -> __m256i {
    let is = _mm256_cmpeq_epi8(_mm256_min_epu8(numbers, _mm256_set1_epi8(greatest)), numbers);
    _mm256_and_si256(is, _mm256_add_epi8(numbers, _mm256_set1_epi8(added)))
}

#[target_feature(enable = "avx2")]
pub(super) fn over_61(sextets: &[u8], mut visit: impl FnMut(usize)) {
    let (rows, rest) = sextets.as_chunks::<32>();
    let last = padded(rest);
    for (number, row) in rows.iter().chain([&last]).enumerate() {
        // Adding 66 sets the highest bit of a byte where the sextet is over 61.
        let over = _mm256_add_epi8(load(row), _mm256_set1_epi8(66));
        let mut left = _mm256_movemask_epi8(over).cast_unsigned();
        while left != 0 {
            visit(number * 32 + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn row_without(bits: u64, bytes: &[u8], least: usize) -> Option<usize> {
    let (rows, _) = bytes.as_chunks::<32>();
    let unwanted = _mm256_set1_epi64x(bits.swap_bytes().cast_signed());
    let mut row = 0;
    for (number, four) in rows.iter().enumerate() {
        let none = _mm256_cmpeq_epi64(_mm256_and_si256(load(four), unwanted), _mm256_setzero_si256());
        let none = _mm256_movemask_pd(_mm256_castsi256_pd(none));
        if none == 0 {
            row = 0;
            continue;
        }
        for place in 0..4 {
            row = if none >> place & 1 == 1 { row + 1 } else { 0 };
            if row == least {
                return Some(number * 4 + place);
            }
        }
    }
    plain_row_without(bits, bytes, least, (rows.len() * 4, row))
}

#[target_feature(enable = "avx2")]
pub(super) fn pairs(text: &[u8], pairs: [[u8; 2]; 4], mut visit: impl FnMut(usize)) {
    let wanted = pairs.map(|pair| pair.map(|byte| _mm256_set1_epi8(byte.cast_signed())));
    let mut start = 0;
    while let Some(row) = text.get(start..).and_then(|rest| rest.first_chunk::<33>()) {
        let (Some(first), Some(second)) = (row.first_chunk(), row.last_chunk()) else { break };
        let (first, second) = (load(first), load(second));
        let is = |[one, other]: [__m256i; 2]| {
            _mm256_and_si256(_mm256_cmpeq_epi8(first, one), _mm256_cmpeq_epi8(second, other))
        };
        let [a, b, c, d] = wanted.map(is);
        let any = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
        let mut found = _mm256_movemask_epi8(any).cast_unsigned();
        while found != 0 {
            visit(start + found.trailing_zeros() as usize);
            found &= found - 1;
        }
        start += 32;
    }
    plain_pairs(text, start, pairs, visit);
}

/// Characters by the rows (the high four bits) and columns (the low ones) of the table of ASCII:
/// a bit is set in what both tables say where the character's row and column belong together
/// (Langdale and Lemire, "Parsing gigabytes of JSON per second", section 3.1.2).
#[derive(Clone, Copy)]
struct Nibbles {
    columns: [u8; 16],
    rows: [u8; 16],
}

impl Nibbles {
    /// Each rectangle has rows and columns, one bit each.
    const fn new<const N: usize>(rectangles: [(u16, u16); N]) -> Self {
        let mut tables = Self { columns: [0; 16], rows: [0; 16] };
        let mut number = 0;
        while number < N {
            let (rows, columns) = rectangles[number];
            let mut at = 0;
            while at < 16 {
                tables.rows[at] |= ((rows >> at & 1) << number) as u8;
                tables.columns[at] |= ((columns >> at & 1) << number) as u8;
                at += 1;
            }
            number += 1;
        }
        tables
    }
}

const LETTERS: u8 = 0b11;
const DIGITS: u8 = 0b100;
const MARKS: u8 = 0b1_1000;
const DENSE: u8 = 0b1110_0000;
/// Letters in two rectangles, digits, `+-/`, `_`; dense characters but for row 2.
const FIRST: Nibbles = Nibbles::new([
    (1 << 4 | 1 << 6, 0xfffe),
    (1 << 5 | 1 << 7, 0x07ff),
    (1 << 3, 0x03ff),
    (1 << 2, 1 << 0xb | 1 << 0xd | 1 << 0xf),
    (1 << 5, 1 << 0xf),
    (1 << 3 | 1 << 4 | 1 << 6, 0xffff),
    (1 << 5, !(1 << 0xc)),
    (1 << 7, 0x7fff),
]);
const LIST: u8 = 0b1_1111;
const DENSE_MARKS: u8 = 0b10_0000;
const ESCAPES: u8 = 0b100_0000;
/// Digits with `:;`, `a` to `f`, `x`, space with `,-`, tabs and line ends; dense characters of row 2; `%&+`.
const SECOND: Nibbles = Nibbles::new([
    (1 << 3, 0x0fff),
    (1 << 4 | 1 << 6, 0x007e),
    (1 << 5 | 1 << 7, 1 << 8),
    (1 << 2, 1 | 1 << 0xc | 1 << 0xd),
    (1, 1 << 9 | 1 << 0xa | 1 << 0xd),
    (1 << 2, !(1 | 1 << 2)),
    (1 << 2, 1 << 5 | 1 << 6 | 1 << 0xb),
]);

#[target_feature(enable = "avx2")]
fn half(bytes: &[u8; 32]) -> [u32; CLASSES] {
    let bytes = load(bytes);
    let rows = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(0x0f));
    let look_up = |tables: &Nibbles| {
        // Bytes over 0x7f have no column.
        let columns = _mm256_shuffle_epi8(twice(&tables.columns), bytes);
        _mm256_and_si256(columns, _mm256_shuffle_epi8(twice(&tables.rows), rows))
    };
    let (first, second) = (look_up(&FIRST), look_up(&SECOND));
    // Classes are joined as vectors: of numbers of 32 bits compilers make bits one by one.
    let of = |found: __m256i, bits: u8| {
        let found = _mm256_and_si256(found, _mm256_set1_epi8(bits.cast_signed()));
        _mm256_xor_si256(_mm256_cmpeq_epi8(found, _mm256_setzero_si256()), _mm256_set1_epi8(-1))
    };
    let dense = _mm256_or_si256(of(first, DENSE), of(second, DENSE_MARKS));
    let letters = of(first, LETTERS);
    // Bit 5 tells small letters from capital ones, and twice doubled it is bit 7.
    let doubled = _mm256_add_epi8(bytes, bytes);
    let small = _mm256_add_epi8(doubled, doubled);
    let equal = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
    let other_marks = _mm256_or_si256(equal(b'='), equal(b'\\'));
    [
        of(first, LETTERS | DIGITS | MARKS),
        _mm256_or_si256(of(first, LETTERS | DIGITS), bytes),
        dense,
        of(second, LIST),
        _mm256_andnot_si256(small, letters),
        _mm256_and_si256(small, letters),
        _mm256_or_si256(of(second, ESCAPES), other_marks),
    ]
    .map(|class| _mm256_movemask_epi8(class).cast_unsigned())
}

/// Rows that are looked up together: what waits for its words stays in the first-level cache.
const ROWS: usize = 16;

/// The grams of some rows on their way through a table.
struct Waiting {
    /// Which word each gram asks for.
    places: [Row; ROWS],
    /// Which bits of it must be set.
    bits: [Row; ROWS],
    /// The words.
    words: [Row; ROWS],
}

type Row = [u32; ROW];

impl Waiting {
    const EMPTY: Self = Self { places: [[0; ROW]; ROWS], bits: [[0; ROW]; ROWS], words: [[0; ROW]; ROWS] };

    #[target_feature(enable = "avx2")]
    fn hash(&mut self, row: usize, grams: __m256i, shift: __m128i) {
        let [first, second] = FACTORS.map(|factor| _mm256_mullo_epi32(grams, _mm256_set1_epi32(factor as i32)));
        let one = _mm256_set1_epi32(1);
        let in_word = _mm256_and_si256(_mm256_srli_epi32::<FIRST_BIT>(first), _mm256_set1_epi32(31));
        let third = _mm256_and_si256(_mm256_srli_epi32::<THIRD_BIT>(second), _mm256_set1_epi32(31));
        let bits = _mm256_or_si256(
            _mm256_or_si256(_mm256_sllv_epi32(one, in_word), _mm256_sllv_epi32(one, third)),
            _mm256_sllv_epi32(one, _mm256_srli_epi32::<27>(second)),
        );
        store(&mut self.places[row], _mm256_srl_epi32(first, shift));
        store(&mut self.bits[row], bits);
    }

    /// A loop of its own: the processor has many words under way at once.
    fn fetch(&mut self, rows: usize, table: &Table) {
        for (words, places) in self.words.iter_mut().zip(&self.places).take(rows) {
            for (word, place) in words.iter_mut().zip(places) {
                *word = table.word(*place);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    fn hits(&self, row: usize) -> u32 {
        let bits = load_row(&self.bits[row]);
        let set = _mm256_and_si256(load_row(&self.words[row]), bits);
        _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bits))) as u32
    }
}

/// The four bytes of each sample of half a row.
const SAMPLES: [u8; 16] = [0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12];

/// The same for every second sample; the rest is zero.
const fn every_second(first: usize) -> [u8; 16] {
    let mut bytes = SAMPLES;
    let mut at = 0;
    while at < 16 {
        if at / 4 % 2 != first {
            bytes[at] = 0x80;
        }
        at += 1;
    }
    bytes
}

#[target_feature(enable = "avx2")]
pub(super) fn hits(text: &[u8], plain: &Table, keyed: &Table, mut visit: impl FnMut(usize, u32)) -> usize {
    let (mut plain_grams, mut keyed_grams) = (Waiting::EMPTY, Waiting::EMPTY);
    let shift = |table: &Table| _mm_cvtsi32_si128(table.shift() as i32);
    let (plain_shift, keyed_shift) = (shift(plain), shift(keyed));
    let mut start = 0;
    loop {
        let mut rows = 0;
        while rows < ROWS
            && let Some(row) = text.get(start + rows * ROW_BYTES..).and_then(|rest| rest.first_chunk::<ROW_REACH>())
        {
            let bytes = halves(row);
            plain_grams.hash(rows, plain_gram(bytes), plain_shift);
            keyed_grams.hash(rows, keyed_gram(bytes), keyed_shift);
            rows += 1;
        }
        plain_grams.fetch(rows, plain);
        keyed_grams.fetch(rows, keyed);
        for row in 0..rows {
            let hits = plain_grams.hits(row) | keyed_grams.hits(row) << HALF;
            if hits != 0 {
                visit(start + row * ROW_BYTES, hits);
            }
        }
        start += rows * ROW_BYTES;
        if rows < ROWS {
            return start;
        }
    }
}

#[target_feature(enable = "avx2")]
fn plain_gram(bytes: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_shuffle_epi8(bytes, twice(&SAMPLES)), _mm256_set1_epi8(0x20))
}

#[target_feature(enable = "avx2")]
fn keyed_gram(bytes: __m256i) -> __m256i {
    let next = _mm256_bsrli_epi128::<1>(bytes);
    let xor = _mm256_shuffle_epi8(_mm256_xor_si256(bytes, next), twice(&every_second(0)));
    let sum = _mm256_shuffle_epi8(_mm256_sub_epi8(next, bytes), twice(&every_second(1)));
    _mm256_or_si256(xor, sum)
}

/// The first sixteen bytes, in which the first four samples lie, and those of the next four.
#[target_feature(enable = "avx2")]
fn halves(row: &[u8; ROW_REACH]) -> __m256i {
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&row[at..at + 8]);
        i64::from_le_bytes(bytes)
    };
    _mm256_set_epi64x(word(ROW_BYTES / 2 + 8), word(ROW_BYTES / 2), word(8), word(0))
}

#[target_feature(enable = "avx2")]
fn store(row: &mut Row, vector: __m256i) {
    *row = [
        _mm256_extract_epi32::<0>(vector).cast_unsigned(),
        _mm256_extract_epi32::<1>(vector).cast_unsigned(),
        _mm256_extract_epi32::<2>(vector).cast_unsigned(),
        _mm256_extract_epi32::<3>(vector).cast_unsigned(),
        _mm256_extract_epi32::<4>(vector).cast_unsigned(),
        _mm256_extract_epi32::<5>(vector).cast_unsigned(),
        _mm256_extract_epi32::<6>(vector).cast_unsigned(),
        _mm256_extract_epi32::<7>(vector).cast_unsigned(),
    ];
}

#[target_feature(enable = "avx2")]
fn load_row(row: &Row) -> __m256i {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = row.map(u32::cast_signed);
    _mm256_set_epi32(eighth, seventh, sixth, fifth, fourth, third, second, first)
}

#[target_feature(enable = "avx2")]
fn twice(table: &[u8; 16]) -> __m256i {
    let (words, _) = table.as_chunks::<8>();
    let word = |at: usize| i64::from_le_bytes(words[at]);
    _mm256_set_epi64x(word(1), word(0), word(1), word(0))
}

#[target_feature(enable = "avx2")]
fn load_words(words: [u64; 4]) -> __m256i {
    let [a, b, c, d] = words.map(u64::cast_signed);
    _mm256_set_epi64x(d, c, b, a)
}

#[target_feature(enable = "avx2")]
fn store_words(vector: __m256i) -> [u64; 4] {
    [
        _mm256_extract_epi64::<0>(vector).cast_unsigned(),
        _mm256_extract_epi64::<1>(vector).cast_unsigned(),
        _mm256_extract_epi64::<2>(vector).cast_unsigned(),
        _mm256_extract_epi64::<3>(vector).cast_unsigned(),
    ]
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| i64::from_le_bytes(words[at]);
    _mm256_set_epi64x(word(3), word(2), word(1), word(0))
}
