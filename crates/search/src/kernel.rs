//! The loops that touch every byte, in vector instructions where the processor has AVX2. Elsewhere
//! plain code gives the same results, only later.

use crate::classify::words;
use crate::filter::{Domain, Table};

/// Classes of characters that [`classes`] tells apart.
pub(crate) const CLASSES: usize = 7;

/// Bytes between two samples of the filter.
pub(crate) const STRIDE: usize = 3;
/// Samples whose results share one number.
pub(crate) const ROW: usize = 8;
/// Bytes from one row of samples to the next.
pub(crate) const ROW_BYTES: usize = ROW * STRIDE;
/// Bytes behind the start of a row that its samples depend on.
pub(crate) const ROW_REACH: usize = ROW_BYTES + 8;
/// The class bits of each block, one number for each class in the order of [`words`].
pub(crate) fn classes(blocks: &[[u8; 64]], visit: impl FnMut([u64; CLASSES])) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "the processor has AVX2, as was just asked, which is all that the call needs")]
        return unsafe { avx2::classes(blocks, visit) };
    }
    blocks.iter().map(words).for_each(visit);
}

/// Calls `visit` with each place at which one of the pairs of bytes stands, in order.
pub(crate) fn pairs(text: &[u8], pairs: [[u8; 2]; 4], visit: impl FnMut(usize)) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "the processor has AVX2, as was just asked, which is all that the call needs")]
        return unsafe { avx2::pairs(text, pairs, visit) };
    }
    plain_pairs(text, 0, pairs, visit);
}

fn plain_pairs(text: &[u8], from: usize, pairs: [[u8; 2]; 4], mut visit: impl FnMut(usize)) {
    let rest = text.get(from..).unwrap_or_default();
    (from..).zip(rest.array_windows()).filter(|(_, pair)| pairs.contains(pair)).for_each(|(at, _)| visit(at));
}

/// Samples the text at every third byte, as far as whole rows go, and asks the tables. Calls `visit` with
/// the start of each row in which something may begin, and in the low byte a bit for each sample where a
/// plain pattern may, in the high one where one under a key may. Gives where the rows end.
pub(crate) fn hits(text: &[u8], plain: &Table, keyed: &Table, visit: impl FnMut(usize, u16)) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "the processor has AVX2, as was just asked, which is all that the call needs")]
        return unsafe { avx2::hits(text, plain, keyed, visit) };
    }
    plain_hits(text, plain, keyed, visit)
}

fn plain_hits(text: &[u8], plain: &Table, keyed: &Table, mut visit: impl FnMut(usize, u16)) -> usize {
    let mut start = 0;
    while let Some(row) = text.get(start..).and_then(|rest| rest.first_chunk::<ROW_REACH>()) {
        let mut hits = 0;
        for sample in 0..ROW {
            let Some(eight) = row.get(sample * STRIDE..).and_then(|rest| rest.first_chunk()) else { break };
            let [plain_hit, keyed_hit] = sample_hits(u64::from_le_bytes(*eight), sample, plain, keyed);
            hits |= u16::from(plain_hit) << sample | u16::from(keyed_hit) << (ROW + sample);
        }
        if hits != 0 {
            visit(start, hits);
        }
        start += ROW_BYTES;
    }
    start
}

/// Whether the tables know the grams at the start of eight bytes, which are the sample of that number:
/// the plain one, and the keyed one.
pub(crate) fn sample_hits(eight: u64, sample: usize, plain: &Table, keyed: &Table) -> [bool; 2] {
    let domain = if sample.is_multiple_of(2) { Domain::Xor } else { Domain::Sum };
    [plain.may_hold(Domain::Plain.gram(eight)), keyed.may_hold(domain.gram(eight))]
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{CLASSES, ROW, ROW_BYTES, ROW_REACH, plain_pairs};
    use crate::filter::{FACTORS, FIRST_BIT, Table};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_cvtsi32_si128, _mm256_add_epi8, _mm256_and_si256, _mm256_bsrli_epi128,
        _mm256_castsi256_ps, _mm256_cmpeq_epi8, _mm256_cmpeq_epi32, _mm256_extract_epi64, _mm256_movemask_epi8,
        _mm256_movemask_ps, _mm256_mullo_epi32, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
        _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sllv_epi32, _mm256_srl_epi32,
        _mm256_srli_epi16, _mm256_srli_epi32, _mm256_sub_epi8, _mm256_xor_si256,
    };

    #[target_feature(enable = "avx2")]
    pub(super) fn classes(blocks: &[[u8; 64]], mut visit: impl FnMut([u64; CLASSES])) {
        for block in blocks {
            let (halves, _) = block.as_chunks::<32>();
            let [low, high] = [half(&halves[0]), half(&halves[1])];
            let mut both = [0; CLASSES];
            for (class, both) in both.iter_mut().enumerate() {
                *both = u64::from(low[class]) | u64::from(high[class]) << 32;
            }
            visit(both);
        }
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
        let of = |found: __m256i, bits: u8| _mm256_and_si256(found, _mm256_set1_epi8(bits as i8));
        let any = |found: __m256i| !(_mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256())) as u32);
        let base64 = any(of(first, LETTERS | DIGITS | MARKS));
        let letters_and_digits = any(of(first, LETTERS | DIGITS));
        let beyond_ascii = _mm256_movemask_epi8(bytes) as u32;
        let dense = any(_mm256_or_si256(of(first, DENSE), of(second, DENSE_MARKS)));
        let list = any(of(second, LIST));
        // Bit 5 tells small letters from capital ones, and twice doubled it is bit 7.
        let doubled = _mm256_add_epi8(bytes, bytes);
        let small = _mm256_movemask_epi8(_mm256_add_epi8(doubled, doubled)) as u32;
        let letters = any(of(first, LETTERS));
        let equal = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
        let other_marks = _mm256_movemask_epi8(_mm256_or_si256(equal(b'='), equal(b'\\'))).cast_unsigned();
        let marks = any(of(second, ESCAPES)) | other_marks;
        [base64, letters_and_digits | beyond_ascii, dense, list, letters & !small, letters & small, marks]
    }

    /// Rows that are looked up together: what waits for its words stays in the first-level cache.
    const ROWS: usize = 16;

    /// The grams of some rows on their way through a table.
    struct Waiting {
        /// Which word each gram asks for, two in a number, the first one in its lower half.
        places: [Pairs; ROWS],
        /// Which bits of it must be set.
        bits: [Pairs; ROWS],
        /// The words.
        words: [Pairs; ROWS],
    }

    type Pairs = [u64; ROW / 2];

    impl Waiting {
        const EMPTY: Self =
            Self { places: [[0; ROW / 2]; ROWS], bits: [[0; ROW / 2]; ROWS], words: [[0; ROW / 2]; ROWS] };

        #[target_feature(enable = "avx2")]
        fn hash(&mut self, row: usize, grams: __m256i, shift: __m128i) {
            let [first, second] = FACTORS.map(|factor| _mm256_mullo_epi32(grams, _mm256_set1_epi32(factor as i32)));
            let one = _mm256_set1_epi32(1);
            let in_word = _mm256_and_si256(_mm256_srli_epi32::<FIRST_BIT>(first), _mm256_set1_epi32(31));
            let bits = _mm256_or_si256(
                _mm256_sllv_epi32(one, in_word),
                _mm256_sllv_epi32(one, _mm256_srli_epi32::<27>(second)),
            );
            store(&mut self.places[row], _mm256_srl_epi32(first, shift));
            store(&mut self.bits[row], bits);
        }

        /// A loop of its own: the processor has many words under way at once.
        fn fetch(&mut self, rows: usize, table: &Table) {
            for (words, places) in self.words.iter_mut().zip(&self.places).take(rows) {
                for (words, places) in words.iter_mut().zip(places) {
                    let [first, second] = [*places as u32, (*places >> 32) as u32].map(|place| table.word(place));
                    *words = u64::from(first) | u64::from(second) << 32;
                }
            }
        }

        #[target_feature(enable = "avx2")]
        fn hits(&self, row: usize) -> u16 {
            let bits = load_pairs(&self.bits[row]);
            let set = _mm256_and_si256(load_pairs(&self.words[row]), bits);
            _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bits))) as u16
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
    pub(super) fn hits(text: &[u8], plain: &Table, keyed: &Table, mut visit: impl FnMut(usize, u16)) -> usize {
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
                let hits = plain_grams.hits(row) | keyed_grams.hits(row) << ROW;
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
    fn store(pairs: &mut Pairs, vector: __m256i) {
        *pairs = [
            _mm256_extract_epi64::<0>(vector).cast_unsigned(),
            _mm256_extract_epi64::<1>(vector).cast_unsigned(),
            _mm256_extract_epi64::<2>(vector).cast_unsigned(),
            _mm256_extract_epi64::<3>(vector).cast_unsigned(),
        ];
    }

    #[target_feature(enable = "avx2")]
    fn load_pairs(pairs: &Pairs) -> __m256i {
        let [a, b, c, d] = pairs.map(u64::cast_signed);
        _mm256_set_epi64x(d, c, b, a)
    }

    #[target_feature(enable = "avx2")]
    fn twice(table: &[u8; 16]) -> __m256i {
        let (words, _) = table.as_chunks::<8>();
        let word = |at: usize| i64::from_le_bytes(words[at]);
        _mm256_set_epi64x(word(1), word(0), word(1), word(0))
    }

    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; 32]) -> __m256i {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |at: usize| i64::from_le_bytes(words[at]);
        _mm256_set_epi64x(word(3), word(2), word(1), word(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![3 => any::<u8>(), 2 => b' '..=b'~'], 0..most)
    }

    #[test]
    fn every_byte_has_the_same_classes_in_vectors() {
        let all: Vec<u8> = (0..=255).collect();
        let (blocks, _) = all.as_chunks::<64>();
        let mut found = Vec::new();
        classes(blocks, |words| found.push(words));
        assert_eq!(found, blocks.iter().map(words).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn any_order_of_bytes_has_the_same_classes_in_vectors(bytes in bytes(300)) {
            let (blocks, _) = bytes.as_chunks::<64>();
            let mut found = Vec::new();
            classes(blocks, |words| found.push(words));
            prop_assert_eq!(found, blocks.iter().map(words).collect::<Vec<_>>());
        }

        #[test]
        fn vectors_find_the_same_pairs(text in proptest::collection::vec(0u8..8, 0..200)) {
            let wanted = [[1, 2], [3, 3], [0, 7], [2, 1]];
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            pairs(&text, wanted, |at| found.push(at));
            plain_pairs(&text, 0, wanted, |at| expected.push(at));
            prop_assert_eq!(found, expected);
        }

        /// Tables that know one gram in some make every path through the loop common.
        #[test]
        fn vectors_find_the_same_hits(text in bytes(1500), grams in proptest::collection::vec(any::<u32>(), 1..4000)) {
            let known = |domain: Domain| {
                text.array_windows::<8>().step_by(7).map(|eight| domain.gram(u64::from_le_bytes(*eight))).collect::<Vec<_>>()
            };
            let plain = Table::new(&[&known(Domain::Plain)[..], &grams].concat());
            let keyed = Table::new(&[known(Domain::Xor), known(Domain::Sum)].concat());
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            let end = hits(&text, &plain, &keyed, |at, hits| found.push((at, hits)));
            prop_assert_eq!(end, plain_hits(&text, &plain, &keyed, |at, hits| expected.push((at, hits))));
            prop_assert!(end + ROW_REACH > text.len() && (text.len() < 60 || !found.is_empty()));
            prop_assert_eq!(found, expected);
        }
    }
}
