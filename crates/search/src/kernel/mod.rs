//! The loops that touch every byte, in vector instructions where the processor has AVX2 or what AVX-512 came to.
//! Elsewhere plain code gives the same results, only later.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use crate::classify::words;
use crate::codec::base64::sextet;
use crate::filter::{Domain, Table};
use crate::marked::{self, Columns, RUNS};

/// Classes of characters that [`classes`] tells apart.
pub(crate) const CLASSES: usize = 7;

/// Bytes between two samples of the filter.
pub(crate) const STRIDE: usize = 3;
/// Samples whose results share one number.
pub(crate) const ROW: usize = 8;
/// Bits of a number that tells hits: so many for plain patterns, behind them as many for those under a key.
pub(crate) const HALF: usize = 16;
/// Bytes from one row of samples to the next.
pub(crate) const ROW_BYTES: usize = ROW * STRIDE;
/// Bytes behind the start of a row that its samples depend on.
pub(crate) const ROW_REACH: usize = ROW_BYTES + 8;

/// Returns what the first of the sets of instructions that the processor has gives.
macro_rules! quickest {
    ([$($set:ident),+], $function:ident $arguments:tt) => {
        $(
            #[cfg(target_arch = "x86_64")]
            if $set::is_there() {
                #[expect(unsafe_code, reason = "the processor has the instructions, as was just asked, which is all that the call needs")]
                return unsafe { $set::$function $arguments };
            }
        )+
    };
}

/// Writes the class bits of each block, one number for each class in the order of [`words`]. There must be room for as
/// many numbers as there are blocks.
pub(crate) fn classes(blocks: &[[u8; 64]], out: [&mut [u64]; CLASSES]) {
    quickest!([avx512, avx2], classes(blocks, out));
    plain_classes(blocks, out);
}

fn plain_classes(blocks: &[[u8; 64]], mut out: [&mut [u64]; CLASSES]) {
    for (number, block) in blocks.iter().enumerate() {
        for (bits, word) in out.iter_mut().zip(words(block)) {
            bits[number] = word;
        }
    }
}

/// What [`marked::mark_runs`] does.
pub(crate) fn mark_runs(classes: Columns<'_>, out: [&mut [u64]; RUNS]) {
    quickest!([avx512, avx2], mark_runs(classes, out));
    marked::mark_runs(classes, out);
}

/// Calls `visit` with the start and the length of every maximal run of set bits whose length has a bit in `wanted`:
/// runs of one length in order.
pub(crate) fn runs_of(words: &[u64], wanted: u32, mut visit: impl FnMut(usize, usize)) {
    let from = quick_runs_of(words, wanted, &mut visit);
    plain_runs_of(words, from, wanted, visit);
}

/// As far as vectors go. Gives how many words were read.
fn quick_runs_of(words: &[u64], wanted: u32, visit: &mut impl FnMut(usize, usize)) -> usize {
    quickest!([avx512, avx2], runs_of(words, wanted, visit));
    let _ = (words, wanted, visit);
    0
}

/// From the word of that number on.
fn plain_runs_of(words: &[u64], from: usize, wanted: u32, mut visit: impl FnMut(usize, usize)) {
    let longest = wanted.checked_ilog2().unwrap_or(0) as usize;
    let mut before = from.checked_sub(1).and_then(|before| words.get(before)).copied().unwrap_or(0);
    for (index, &word) in words.iter().enumerate().skip(from) {
        let next = words.get(index + 1).copied().unwrap_or(0);
        // The starts of runs that go on so far.
        let mut going_on = word & !(word << 1 | before >> 63);
        for length in 1..=longest {
            let ahead = word >> length | next << (64 - length);
            let mut starts = if wanted >> length & 1 == 1 { going_on & !ahead } else { 0 };
            while starts != 0 {
                visit(index * 64 + starts.trailing_zeros() as usize, length);
                starts &= starts - 1;
            }
            going_on &= ahead;
        }
        before = word;
    }
}

/// Calls `visit` with the number of each set bit, in order.
fn each_bit(words: &[u64], mut visit: impl FnMut(usize)) {
    for (number, word) in words.iter().enumerate() {
        let mut left = *word;
        while left != 0 {
            visit(number * 64 + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

/// Appends the six bits of each character.
pub(crate) fn sextets(characters: &[u8], out: &mut Vec<u8>) {
    quickest!([avx512, avx2], sextets(characters, out));
    plain_sextets(characters, out);
}

fn plain_sextets(characters: &[u8], out: &mut Vec<u8>) {
    out.extend(characters.iter().map(|character| sextet(*character)));
}

/// Appends the bytes that numbers of six bits stand for, four by four, as far as vectors go. Gives how many were read,
/// a multiple of eight.
pub(crate) fn pack(sextets: &[u8], out: &mut Vec<u8>) -> usize {
    quickest!([avx512, avx2], pack(sextets, out));
    let _ = (sextets, out);
    0
}

/// Appends the bytes that pairs of hexadecimal digits stand for, as far as vectors go; any other byte is the digit 0.
/// Gives how many digits were read, an even number.
pub(crate) fn hex(digits: &[u8], out: &mut Vec<u8>) -> usize {
    quickest!([avx512, avx2], hex(digits, out));
    let _ = (digits, out);
    0
}

/// Calls `visit` with the place of each number of six bits over 61, in order.
pub(crate) fn over_61(sextets: &[u8], visit: impl FnMut(usize)) {
    quickest!([avx512, avx2], over_61(sextets, visit));
    plain_over_61(sextets, visit);
}

fn plain_over_61(sextets: &[u8], mut visit: impl FnMut(usize)) {
    (0..).zip(sextets).filter(|(_, sextet)| **sextet > 61).for_each(|(at, _)| visit(at));
}

/// The number of the group of eight bytes that is the last of the first so many in a row that have none of the bits.
/// The bits are those of the first byte highest.
pub(crate) fn row_without(bits: u64, bytes: &[u8], least: usize) -> Option<usize> {
    quickest!([avx512, avx2], row_without(bits, bytes, least));
    plain_row_without(bits, bytes, least, (0, 0))
}

/// Behind so many groups, of which so many at the end have none of the bits.
fn plain_row_without(bits: u64, bytes: &[u8], least: usize, (from, mut row): (usize, usize)) -> Option<usize> {
    let (eights, _) = bytes.as_chunks::<8>();
    (from..).zip(eights.get(from..)?).find_map(|(number, eight)| {
        row = if u64::from_be_bytes(*eight) & bits == 0 { row + 1 } else { 0 };
        (row == least).then_some(number)
    })
}

/// Calls `visit` with each place at which one of the pairs of bytes stands, in order.
pub(crate) fn pairs(text: &[u8], pairs: [[u8; 2]; 4], visit: impl FnMut(usize)) {
    quickest!([avx2], pairs(text, pairs, visit));
    plain_pairs(text, 0, pairs, visit);
}

fn plain_pairs(text: &[u8], from: usize, pairs: [[u8; 2]; 4], mut visit: impl FnMut(usize)) {
    let rest = text.get(from..).unwrap_or_default();
    (from..).zip(rest.array_windows()).filter(|(_, pair)| pairs.contains(pair)).for_each(|(at, _)| visit(at));
}

/// A bit for each of at most 64 grams: whether the table may hold it.
pub(crate) fn known(table: &Table, grams: &[u32]) -> u64 {
    quickest!([avx512], known(table, grams));
    plain_known(table, grams)
}

fn plain_known(table: &Table, grams: &[u32]) -> u64 {
    // Without branches, so that the processor has many look-ups under way at once.
    let bit = |at: usize, gram: u32| u64::from(table.may_hold(gram)) << at;
    grams.iter().enumerate().take(64).fold(0, |known, (at, gram)| known | bit(at, *gram))
}

/// A bit for each of at most 64 keys: whether a word of the bitmap has all [`bits_of`] of it. The bitmap has as many bits
/// as what the shift leaves of a key can be.
pub(crate) fn held(words: &[u64], shift: u32, keys: &[u64]) -> u64 {
    quickest!([avx512], held(words, shift, keys));
    plain_held(words, shift, keys)
}

fn plain_held(words: &[u64], shift: u32, keys: &[u64]) -> u64 {
    // Without branches, so that the processor has many look-ups under way at once.
    let bit = |at: usize, key: u64| {
        let (word, bits) = bits_of(shift, key);
        u64::from(words.get(word).is_some_and(|held| held & bits == bits)) << at
    };
    keys.iter().enumerate().take(64).fold(0, |held, (at, key)| held | bit(at, *key))
}

/// The word of a bitmap and the bits in it that stand for the key: one that its first bits choose, two by those below.
#[inline]
pub(crate) fn bits_of(shift: u32, key: u64) -> (usize, u64) {
    let bit = key >> shift;
    let [second, third] = [6, 12].map(|below| key >> (shift - below) & 63);
    ((bit >> 6) as usize, 1 << (bit & 63) | 1 << second | 1 << third)
}

/// Samples the text at every third byte, as far as whole rows go, and asks the tables. Calls `visit` with
/// the start of one row or two in which something may begin, and in the low half a bit for each sample where a
/// plain pattern may, in the high one where one under a key may. Gives where the rows end.
pub(crate) fn hits(text: &[u8], plain: &Table, keyed: &Table, visit: impl FnMut(usize, u32)) -> usize {
    quickest!([avx512, avx2], hits(text, plain, keyed, visit));
    plain_hits(text, plain, keyed, visit)
}

fn plain_hits(text: &[u8], plain: &Table, keyed: &Table, mut visit: impl FnMut(usize, u32)) -> usize {
    let mut start = 0;
    while let Some(row) = text.get(start..).and_then(|rest| rest.first_chunk::<ROW_REACH>()) {
        let mut hits = 0;
        for sample in 0..ROW {
            let Some(eight) = row.get(sample * STRIDE..).and_then(|rest| rest.first_chunk()) else { break };
            let [plain_hit, keyed_hit] = sample_hits(u64::from_le_bytes(*eight), sample, plain, keyed);
            hits |= u32::from(plain_hit) << sample | u32::from(keyed_hit) << (HALF + sample);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{base64, hex};
    use proptest::prelude::*;
    use std::cell::Cell;

    thread_local! {
        /// Set while the loops of narrower vectors are tested on a processor that has wider ones.
        pub(super) static ONLY_NARROW: Cell<bool> = const { Cell::new(false) };
    }

    /// What the loop gives with the widest vectors and with narrower ones.
    fn each_width<T>(mut of: impl FnMut() -> T) -> [T; 2] {
        [false, true].map(|narrow| {
            ONLY_NARROW.set(narrow);
            let given = of();
            ONLY_NARROW.set(false);
            given
        })
    }

    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![3 => any::<u8>(), 2 => b' '..=b'~'], 0..most)
    }

    #[test]
    fn every_byte_has_the_same_classes_in_vectors() {
        let all: Vec<u8> = (0..=255).collect();
        let (blocks, _) = all.as_chunks::<64>();
        let expected = columns(blocks, plain_classes);
        assert_eq!(each_width(|| columns(blocks, classes)), [expected.clone(), expected]);
    }

    type Columns = [Vec<u64>; CLASSES];

    fn columns(blocks: &[[u8; 64]], write: impl Fn(&[[u8; 64]], [&mut [u64]; CLASSES])) -> Columns {
        let mut columns: Columns = std::array::from_fn(|_| vec![0; blocks.len()]);
        write(blocks, columns.each_mut().map(Vec::as_mut_slice));
        columns
    }

    fn runs(write: impl FnOnce([&mut [u64]; RUNS]), count: usize) -> [Vec<u64>; RUNS] {
        let mut runs: [Vec<u64>; RUNS] = std::array::from_fn(|_| vec![0; count]);
        write(runs.each_mut().map(Vec::as_mut_slice));
        runs
    }

    fn called(call: impl FnOnce(&mut dyn FnMut(usize))) -> Vec<usize> {
        let mut found = Vec::new();
        call(&mut |at| found.push(at));
        found
    }

    proptest! {
        #[test]
        fn any_order_of_bytes_has_the_same_classes_in_vectors(bytes in bytes(300)) {
            let (blocks, _) = bytes.as_chunks::<64>();
            let expected = columns(blocks, plain_classes);
            for [base64, word, dense, list, upper, lower, _] in each_width(|| {
                let found = columns(blocks, classes);
                assert_eq!(found, expected);
                found
            }) {
                let classes = marked::Columns {
                    base64: &base64,
                    word: &word,
                    dense: &dense,
                    list: &list,
                    digits: &list,
                    upper: &upper,
                    lower: &lower,
                };
                let expected = runs(|out| marked::mark_runs(classes, out), blocks.len());
                for found in each_width(|| runs(|out| mark_runs(classes, out), blocks.len())) {
                    prop_assert_eq!(&found, &expected);
                }
            }
        }

        #[test]
        fn vectors_find_the_same_runs(
            words in proptest::collection::vec(prop_oneof![any::<u64>(), any::<u64>().prop_map(|word| word | word << 3), Just(u64::MAX)], 0..30),
            wanted in 0u32..1 << 17,
        ) {
            let mut expected = Vec::new();
            plain_runs_of(&words, 0, wanted, |start, length| expected.push((length, start)));
            let of = |runs: &[(usize, usize)], length| runs.iter().filter(|run| run.0 == length).copied().collect::<Vec<_>>();
            for found in each_width(|| {
                let mut found = Vec::new();
                runs_of(&words, wanted, |start, length| found.push((length, start)));
                found
            }) {
                for length in 0..17 {
                    prop_assert_eq!(of(&found, length), of(&expected, length));
                }
            }
        }

        #[test]
        fn vectors_decode_the_same(bytes in bytes(300)) {
            let mut expected = vec![7];
            plain_sextets(&bytes, &mut expected);
            for (found, over) in each_width(|| {
                let mut found = vec![7];
                sextets(&bytes, &mut found);
                let over = called(|visit| over_61(&found, visit));
                (found, over)
            }) {
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(over, called(|visit| plain_over_61(&found, visit)));
            }
        }

        #[test]
        fn vectors_pack_the_same(sextets in proptest::collection::vec(0u8..64, 0..300)) {
            for (mut found, read) in each_width(|| {
                let mut found = vec![7];
                let read = pack(&sextets, &mut found);
                (found, read)
            }) {
                prop_assert_eq!((read % 8, found.len()), (0, 1 + read / 4 * 3));
                let mut expected = vec![7];
                base64::plain_pack_into(&sextets, &mut expected);
                base64::plain_pack_into(&sextets[read..], &mut found);
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn vectors_decode_the_same_digits(bytes in bytes(300)) {
            for (mut found, read) in each_width(|| {
                let mut found = vec![7];
                let read = hex(&bytes, &mut found);
                (found, read)
            }) {
                prop_assert_eq!((read % 2, found.len()), (0, 1 + read / 2));
                let mut expected = vec![7];
                hex::plain_decode_into(&bytes, &mut expected);
                hex::plain_decode_into(&bytes[read..], &mut found);
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn vectors_hold_the_same_keys(
            words in proptest::collection::vec(prop_oneof![any::<u64>(), Just(u64::MAX)], 16..17),
            keys in proptest::collection::vec(any::<u64>(), 0..70),
        ) {
            let shift = 64 - 10;
            let keys = &keys[..keys.len().min(64)];
            let expected = plain_held(&words, shift, keys);
            prop_assert_eq!(each_width(|| held(&words, shift, keys)), [expected; 2]);
        }

        #[test]
        fn vectors_find_the_same_row(bytes in proptest::collection::vec(prop_oneof![6 => 0u8..2, 1 => any::<u8>()], 0..400), least in 1usize..6) {
            let bits = 0x2008_0200_2008_0200;
            let expected = plain_row_without(bits, &bytes, least, (0, 0));
            prop_assert_eq!(each_width(|| row_without(bits, &bytes, least)), [expected; 2]);
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
            for grams in grams.chunks(61) {
                prop_assert_eq!(each_width(|| super::known(&plain, grams)), [plain_known(&plain, grams); 2]);
            }
            // Each by its half and its place.
            let told = |at: usize, hits: u32| {
                (0..32).filter(move |bit| hits >> bit & 1 == 1).map(move |bit| (bit / HALF, at + bit % HALF * STRIDE))
            };
            let mut expected = Vec::new();
            let expected_end = plain_hits(&text, &plain, &keyed, |at, hits| expected.extend(told(at, hits)));
            expected.sort_unstable();
            prop_assert!(expected_end + ROW_REACH > text.len() && (text.len() < 60 || !expected.is_empty()));
            for (found, end) in each_width(|| {
                let mut found = Vec::new();
                let end = hits(&text, &plain, &keyed, |at, hits| found.extend(told(at, hits)));
                found.sort_unstable();
                (found, end)
            }) {
                prop_assert_eq!(end, expected_end);
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
