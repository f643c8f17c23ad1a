//! One cheap pass that finds where codecs could apply: runs of base64 letters, and marks that
//! begin an escape.

use crate::codec;
use crate::kernel::{self, CLASSES};
use crate::marked::{
    BASE64_RUNS, CAPITALS_IN_BASE64, CAPITALS_IN_DENSE, Columns, DIGIT_RUNS, LIST_RUNS, LONG_DIGITS, ONE_CASE, RUNS,
};
use std::ops::Range;

/// Shortest run of base64 or hexadecimal characters that is decoded: four to six bytes.
pub(crate) const SHORTEST_RUN: usize = 8;

/// Shortest word that is a long one: nothing shorter is base32.
#[cfg(test)]
const LONG_WORD: usize = 16;

const HEX: [bool; 256] = table(b"0123456789abcdefABCDEF");

const fn table(members: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut index = 0;
    while index < members.len() {
        table[members[index] as usize] = true;
        index += 1;
    }
    table
}

/// One bit for each byte and class, made in one pass that all run detectors share.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    /// Base64 characters of either alphabet.
    base64: Vec<u64>,
    /// Letters, digits and bytes over 0x7f: what words are made of.
    word: Vec<u64>,
    /// Printable ASCII without space, quotes and backslash: what base85 and the like are made of.
    dense: Vec<u64>,
    /// Hexadecimal digits, `x`, and what separates numbers in a list.
    list: Vec<u64>,
    /// Hexadecimal digits and `x`.
    digits: Vec<u64>,
    /// Capital letters.
    upper: Vec<u64>,
    /// Small letters.
    lower: Vec<u64>,
    /// What may begin an escape: `%`, `\`, `&`, `=` and `+`.
    marks: Vec<u64>,
    /// Where runs begin, and what lies in them: made in a pass of their own, because each is asked about for few places
    /// and would be made anew for every word of bits.
    runs: [Vec<u64>; RUNS],
    bytes: usize,
}

impl Classes {
    /// Classifies the bytes. The memory of earlier ones is used again.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<64>();
        let mut padded = [0; 64];
        padded[..rest.len()].copy_from_slice(rest);
        let Self { base64, word, dense, list, digits, upper, lower, marks, runs, bytes: length } = self;
        *length = bytes.len();
        let mut columns = [base64, word, dense, list, upper, lower, marks];
        for bits in &mut columns {
            make_room(bits, blocks.len() + 1);
        }
        kernel::classes(blocks, columns.each_mut().map(|bits| &mut bits[..blocks.len()]));
        kernel::classes(&[padded], columns.each_mut().map(|bits| &mut bits[blocks.len()..]));
        let [base64, word, dense, list, upper, lower, _] = columns;
        make_room(digits, blocks.len() + 1);
        for (digits, (list, word)) in digits.iter_mut().zip(list.iter().zip(word.iter())) {
            *digits = list & word;
        }
        for bits in runs.iter_mut() {
            make_room(bits, blocks.len() + 1);
        }
        let classes = Columns { base64, word, dense, list, digits, upper, lower };
        kernel::mark_runs(classes, runs.each_mut().map(Vec::as_mut_slice));
    }

    /// Bytes that it takes.
    pub(crate) fn memory(&self) -> usize {
        let Self { base64, word, dense, list, digits, upper, lower, marks, runs, bytes: _ } = self;
        let classes = [base64, word, dense, list, digits, upper, lower, marks];
        classes.into_iter().chain(runs).map(Vec::capacity).sum::<usize>() * size_of::<u64>()
    }

    /// The first maximal run of at least sixteen base64 characters, without padding, that begins at
    /// `from` or later. `from` must not lie inside a run.
    pub(crate) fn base64_run(&self, from: usize) -> Option<Range<usize>> {
        self.run_at(BASE64_RUNS, &self.base64, from)
    }

    /// The first maximal run of at least [`SHORTEST_RUN`] base64 characters from there on that has a
    /// capital letter.
    pub(crate) fn capital_base64_run(&self, from: usize) -> Option<Range<usize>> {
        self.with_capital(CAPITALS_IN_BASE64, &self.base64, from)
    }

    /// The run that begins first from there on.
    fn run_at(&self, runs: usize, words: &[u64], from: usize) -> Option<Range<usize>> {
        let start = bit_from(&self.runs[runs], from)?;
        Some(start..gap_from(words, start + SHORTEST_RUN, self.bytes))
    }

    /// Each capital letter leads to the run that it lies in.
    fn with_capital(&self, capitals: usize, words: &[u64], from: usize) -> Option<Range<usize>> {
        let at = bit_from(&self.runs[capitals], from)?;
        Some(start_before(words, at)..gap_from(words, at, self.bytes))
    }

    /// The first maximal run of at least [`SHORTEST_RUN`] dense characters from there on that has a
    /// capital letter.
    pub(crate) fn dense_run(&self, from: usize) -> Option<Range<usize>> {
        self.with_capital(CAPITALS_IN_DENSE, &self.dense, from)
    }

    /// The first maximal run of at least [`SHORTEST_RUN`] characters of a list of numbers.
    pub(crate) fn list_run(&self, from: usize) -> Option<Range<usize>> {
        self.run_at(LIST_RUNS, &self.list, from)
    }

    /// The first word of at least sixteen characters from there on that has so many in a row without letters of both
    /// cases. `from` must not lie inside a word.
    pub(crate) fn long_word_of_one_case(&self, from: usize) -> Option<Range<usize>> {
        let at = bit_from(&self.runs[ONE_CASE], from)?;
        Some(start_before(&self.word, at)..gap_from(&self.word, at + SHORTEST_RUN, self.bytes))
    }

    /// Calls `visit` with the place of each byte that may begin an escape, in order.
    pub(crate) fn each_mark(&self, mut visit: impl FnMut(usize)) {
        for (index, word) in self.marks.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                visit(index * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    /// The first run of at least [`SHORTEST_RUN`] hexadecimal digits from there on.
    pub(crate) fn digits_run(&self, from: usize) -> Option<Range<usize>> {
        self.run_at(DIGIT_RUNS, &self.digits, from)
    }

    /// The first run of at least sixteen hexadecimal digits (or `x`) from there on. `from` must not lie
    /// inside a run.
    pub(crate) fn long_digits(&self, from: usize) -> Option<Range<usize>> {
        self.run_at(LONG_DIGITS, &self.digits, from)
    }

    /// True where all of the range are hexadecimal digits (or `x`).
    pub(crate) fn all_digits(&self, range: &Range<usize>) -> bool {
        range.is_empty() || gap_from(&self.digits, range.start, self.bytes) >= range.end
    }

    /// True where a capital letter lies in the range.
    pub(crate) fn any_upper(&self, range: &Range<usize>) -> bool {
        any_in(&self.upper, range)
    }

    /// True where a small letter lies in the range.
    pub(crate) fn any_lower(&self, range: &Range<usize>) -> bool {
        any_in(&self.lower, range)
    }

    /// Of the range, which is a list of numbers, the characters that are no part of any.
    pub(crate) fn separators_in(&self, range: &Range<usize>) -> u32 {
        words_in(&self.list, range).map(|(index, word)| (word & !self.word[index]).count_ones()).sum()
    }

    /// The end of the run of base64 characters that `from` lies in.
    pub(crate) fn base64_end(&self, from: usize) -> usize {
        gap_from(&self.base64, from, self.bytes)
    }

    /// Calls `visit` with the start of every word of exactly `length` characters, 1 to 16.
    pub(crate) fn words_of(&self, length: usize, mut visit: impl FnMut(usize)) {
        kernel::runs_of(&self.word, 1 << length, |start, _| visit(start));
    }

    /// Calls `visit` with the start and the length of every word that has one of the lengths, 1 to 16.
    pub(crate) fn words_of_each(&self, lengths: impl Iterator<Item = usize>, visit: impl FnMut(usize, usize)) {
        kernel::runs_of(&self.word, lengths.fold(0, |wanted, length| wanted | 1 << length), visit);
    }

    /// Calls `visit` with the start of every run of exactly `length` dense characters, 1 to 16.
    pub(crate) fn dense_of(&self, length: usize, mut visit: impl FnMut(usize)) {
        kernel::runs_of(&self.dense, 1 << length, |start, _| visit(start));
    }
}

/// Makes them so many, whatever they are. New memory is not filled and nothing is moved to it.
fn make_room(bits: &mut Vec<u64>, count: usize) {
    if bits.capacity() < count {
        *bits = vec![0; count];
    } else {
        bits.resize(count, 0);
    }
}

/// The first set bit from there on.
fn bit_from(bits: &[u64], from: usize) -> Option<usize> {
    let first = from / 64;
    let word = bits.get(first)? & u64::MAX << (from % 64);
    if word != 0 {
        return Some(first * 64 + word.trailing_zeros() as usize);
    }
    let others = bits.get(first + 1..)?;
    let (index, word) = others.iter().enumerate().find(|(_, word)| **word != 0)?;
    Some((first + 1 + index) * 64 + word.trailing_zeros() as usize)
}

/// True where one of the bits in the range is set.
fn any_in(words: &[u64], range: &Range<usize>) -> bool {
    words_in(words, range).any(|(_, word)| word != 0)
}

/// The words that have bits of the range, by their numbers and without other bits.
fn words_in(words: &[u64], range: &Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let (start, end) = (range.start, range.end);
    (start / 64..=end / 64).zip(words.get(start / 64..).unwrap_or_default()).map(move |(index, word)| {
        let mut word = *word;
        if index == start / 64 {
            word &= u64::MAX << (start % 64);
        }
        if index == end / 64 {
            word &= !(u64::MAX << (end % 64));
        }
        (index, word)
    })
}

/// Where the run of set bits begins that `at` lies in.
fn start_before(words: &[u64], at: usize) -> usize {
    let mut index = at / 64;
    let gaps = |index: usize, mask: u64| !words.get(index).copied().unwrap_or(0) & mask;
    let mut found = gaps(index, !(u64::MAX << (at % 64)));
    while found == 0 && index > 0 {
        index -= 1;
        found = gaps(index, u64::MAX);
    }
    if found == 0 { 0 } else { index * 64 + 64 - found.leading_zeros() as usize }
}

fn gap_from(words: &[u64], from: usize, bytes: usize) -> usize {
    let mut index = from / 64;
    let mut mask = u64::MAX << (from % 64);
    while let Some(word) = words.get(index) {
        let gaps = !word & mask;
        if gaps != 0 {
            return bytes.min(index * 64 + gaps.trailing_zeros() as usize);
        }
        mask = u64::MAX;
        index += 1;
    }
    bytes
}

/// Comparisons without branches, which compilers make into vector instructions; one bit of each
/// flag byte is one class.
pub(crate) fn words(block: &[u8; 64]) -> [u64; CLASSES] {
    let mut base64 = [0u8; 64];
    let mut word = [0u8; 64];
    let mut dense = [0u8; 64];
    let mut list = [0u8; 64];
    let mut upper = [0u8; 64];
    let mut lower = [0u8; 64];
    let mut marks = [0u8; 64];
    for index in 0..64 {
        let byte = block[index];
        let letter = u8::from((byte | 0x20).wrapping_sub(b'a') < 26);
        let slash_or_digit = u8::from(byte.wrapping_sub(b'/') < 11);
        let slash = u8::from(byte == b'/');
        let other = u8::from(byte == b'+') | u8::from(byte == b'-') | u8::from(byte == b'_');
        base64[index] = letter | slash_or_digit | other;
        word[index] = letter | (slash_or_digit & !slash) | byte >> 7;
        dense[index] = u8::from(byte.wrapping_sub(0x21) < 0x5e) & !(u8::from(byte == b'"') | u8::from(byte == b'\\'));
        let folded = byte | 0x20;
        let digit = slash_or_digit & !slash;
        let hex = digit | u8::from(folded.wrapping_sub(b'a') < 6) | u8::from(folded == b'x');
        let mark = u8::from(byte == b',') | u8::from(byte == b'-') | u8::from(byte.wrapping_sub(b':') < 2);
        let space = u8::from(byte == b' ') | u8::from(byte.wrapping_sub(b'\t') < 2) | u8::from(byte == b'\r');
        list[index] = hex | mark | space;
        upper[index] = u8::from(byte.wrapping_sub(b'A') < 26);
        lower[index] = u8::from(byte.wrapping_sub(b'a') < 26);
        let escape = u8::from(byte == b'%') | u8::from(byte == b'\\') | u8::from(byte == b'&');
        marks[index] = escape | u8::from(byte == b'=') | u8::from(byte == b'+');
    }
    [&base64, &word, &dense, &list, &upper, &lower, &marks].map(packed)
}

/// Bit 0 of each byte.
pub(crate) fn packed(flags: &[u8; 64]) -> u64 {
    let (eights, _) = flags.as_chunks::<8>();
    // Multiplying moves bit 0 of byte n to bit 56 + n.
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |word, eight| word << 8 | bits(eight))
}

/// Calls `visit` for every maximal run of at least [`SHORTEST_RUN`] hexadecimal digits.
pub(crate) fn hex_runs(bytes: &[u8], visit: impl FnMut(Range<usize>)) {
    runs(bytes, &HEX, visit);
}

/// Looks at every eighth byte only until one belongs to the table: a run of eight must cover one.
fn runs(bytes: &[u8], table: &[bool; 256], mut visit: impl FnMut(Range<usize>)) {
    let member = |byte: &u8| table[usize::from(*byte)];
    let mut floor = 0;
    let mut at = SHORTEST_RUN - 1;
    while let Some(byte) = bytes.get(at) {
        if !member(byte) {
            at += SHORTEST_RUN;
            continue;
        }
        let before = bytes[floor..at].iter().rev().take_while(|byte| member(byte)).count();
        let after = bytes[at..].iter().take_while(|byte| member(byte)).count();
        if before + after >= SHORTEST_RUN {
            visit(at - before..at + after);
        }
        floor = at + after;
        at = floor + SHORTEST_RUN;
    }
}

/// Where escapes begin.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Offsets of `%` with two hexadecimal digits behind it.
    pub(crate) percent: Vec<usize>,
    /// Offsets of backslashes that begin a known escape; the second of a pair is not listed.
    pub(crate) backslash: Vec<usize>,
    /// Offsets of `&` that begins a character reference.
    pub(crate) entity: Vec<usize>,
    /// What other text codecs may undo, in order of their starts. A span's start is its mark.
    pub(crate) candidates: Vec<Candidate>,
}

/// A span that a text codec recognised without marks of one byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Where; the start is never the first byte of a document's field where the span is longer than
    /// the field.
    pub(crate) span: Range<usize>,
    /// Which codec takes it.
    pub(crate) codec: &'static str,
}

impl Marks {
    /// Finds all marks.
    #[cfg(test)]
    pub(crate) fn find(bytes: &[u8]) -> Self {
        let mut classes = Classes::default();
        classes.read(bytes);
        Self::of(bytes, &classes)
    }

    /// Finds all marks in bytes whose classes are known.
    pub(crate) fn of(bytes: &[u8], classes: &Classes) -> Self {
        let mut marks = Self::default();
        let mut pluses = Vec::new();
        let mut after_pair = 0;
        classes.each_mark(|at| match bytes[at] {
            b'%' if codec::percent::is_escape(&bytes[at..]) => marks.percent.push(at),
            b'\\' if at >= after_pair => {
                after_pair = at + 2;
                if codec::escape::is_escape(&bytes[at..]) {
                    marks.backslash.push(at);
                }
            }
            b'&' if codec::entity::decode(&bytes[at..]).is_some() => marks.entity.push(at),
            b'=' => marks.candidates.extend(codec::quoted_printable::candidate(bytes, at)),
            b'+' => pluses.push(at),
            _ => {}
        });
        codec::candidates(bytes, classes, &pluses, &mut marks.candidates);
        marks
    }

    /// The candidates of one codec.
    pub(crate) fn candidates_of(&self, codec: &str) -> impl Iterator<Item = Range<usize>> {
        self.candidates.iter().filter(move |candidate| candidate.codec == codec).map(|found| found.span.clone())
    }

    /// True where nothing is escaped.
    pub(crate) fn is_empty(&self) -> bool {
        self.percent.is_empty() && self.backslash.is_empty() && self.entity.is_empty() && self.candidates.is_empty()
    }

    /// True where nothing is escaped but what codecs without a mark of one byte may undo.
    pub(crate) fn are_candidates(&self) -> bool {
        self.percent.is_empty() && self.backslash.is_empty() && self.entity.is_empty()
    }

    /// The marks outside the ranges, which are in order.
    pub(crate) fn outside(&self, ranges: &[Range<usize>]) -> Self {
        let outside = |marks: &[usize]| {
            let mut is_outside = outside_of(ranges);
            marks.iter().copied().filter(|mark| is_outside(*mark)).collect()
        };
        let mut is_outside = outside_of(ranges);
        Self {
            percent: outside(&self.percent),
            backslash: outside(&self.backslash),
            entity: outside(&self.entity),
            candidates: self.candidates.iter().filter(|found| is_outside(found.span.start)).cloned().collect(),
        }
    }

    /// Tells whether a mark lies in a range. Quick where the ranges are asked for in order.
    pub(crate) fn any_in_each(&self) -> impl FnMut(&Range<usize>) -> bool + use<> {
        let candidates = self.candidates.iter().map(|found| found.span.start);
        let bytes = [&self.percent, &self.backslash, &self.entity].into_iter().flatten().copied();
        let mut marks: Vec<usize> = bytes.chain(candidates).collect();
        marks.sort_unstable();
        any_of(marks)
    }

    /// The marks of everything but character references.
    pub(crate) fn but_entities(&self) -> Self {
        let Self { percent, backslash, entity: _, candidates } = self;
        let (percent, backslash, candidates) = (percent.clone(), backslash.clone(), candidates.clone());
        Self { percent, backslash, entity: Vec::new(), candidates }
    }
}

/// Tells whether one of the offsets, which are in order, lies in a range. Quick where the ranges are asked
/// for in order.
pub(crate) fn any_of(offsets: impl AsRef<[usize]>) -> impl FnMut(&Range<usize>) -> bool {
    let mut next = 0_usize;
    move |range| {
        let offsets = offsets.as_ref();
        if next.checked_sub(1).and_then(|last| offsets.get(last)).is_some_and(|last| *last >= range.start) {
            next = offsets.partition_point(|offset| *offset < range.start);
        }
        while offsets.get(next).is_some_and(|offset| *offset < range.start) {
            next += 1;
        }
        offsets.get(next).is_some_and(|offset| *offset < range.end)
    }
}

/// Tells of offsets asked for in order whether they lie outside the ranges, which are in order.
fn outside_of(ranges: &[Range<usize>]) -> impl FnMut(usize) -> bool {
    let mut ranges = ranges.iter().peekable();
    move |at| {
        while ranges.next_if(|range| range.end <= at).is_some() {}
        ranges.peek().is_none_or(|range| at < range.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain_runs(bytes: &[u8], member: impl Fn(&u8) -> bool) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut start = 0;
        for at in 0..=bytes.len() {
            if bytes.get(at).is_none_or(|byte| !member(byte)) {
                if at - start >= SHORTEST_RUN {
                    found.push(start..at);
                }
                start = at + 1;
            }
        }
        found
    }

    fn classes(bytes: &[u8]) -> Classes {
        let mut classes = Classes::default();
        classes.read(bytes);
        classes
    }

    fn all_runs(next: impl Fn(usize) -> Option<Range<usize>>) -> Vec<Range<usize>> {
        std::iter::successors(next(0), |run| next(run.end)).collect()
    }

    fn base64_runs(bytes: &[u8]) -> Vec<Range<usize>> {
        let classes = classes(bytes);
        all_runs(|from| classes.base64_run(from))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as the classes of the standard library are")]
    fn in_word(byte: &u8) -> bool {
        byte.is_ascii_alphanumeric() || *byte > 0x7f
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as the classes of the standard library are")]
    fn is_dense(byte: &u8) -> bool {
        byte.is_ascii_graphic() && !b"\"\\".contains(byte)
    }

    #[test]
    fn both_alphabets_and_nothing_else_are_base64() {
        let member = |byte: &u8| base64_runs(&[*byte; 16]).len() == 1;
        let all: Vec<u8> = (0..=255).filter(member).collect();
        assert_eq!(all, b"+-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
    }

    proptest! {
        #[test]
        fn skipping_finds_the_same_runs(bytes in proptest::collection::vec(prop_oneof![18 => Just(b'a'), 1 => Just(b'A'), 2 => Just(b'.'), 2 => any::<u8>()], 0..300)) {
            let mut found = Vec::new();
            hex_runs(&bytes, |run| found.push(run));
            prop_assert_eq!(found, plain_runs(&bytes, u8::is_ascii_hexdigit));
            let member = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
            let plain = plain_runs(&bytes, member);
            let long: Vec<_> = plain.iter().filter(|run| run.len() >= 16).cloned().collect();
            prop_assert_eq!(base64_runs(&bytes), long);
            let classes = classes(&bytes);
            let capital = |runs: Vec<Range<usize>>| -> Vec<Range<usize>> {
                let has = |run: &Range<usize>| bytes[run.clone()].iter().any(u8::is_ascii_uppercase);
                runs.into_iter().filter(has).collect()
            };
            prop_assert_eq!(all_runs(|from| classes.capital_base64_run(from)), capital(plain));
            prop_assert_eq!(all_runs(|from| classes.dense_run(from)), capital(plain_runs(&bytes, is_dense)));
            let is_of_one_case = |word: &Range<usize>| {
                let lacks = |letter: fn(&u8) -> bool| move |row: &[u8]| !row.iter().any(letter);
                let mut rows = bytes[word.clone()].windows(LONG_WORD);
                rows.any(|row| lacks(u8::is_ascii_uppercase)(row) || lacks(u8::is_ascii_lowercase)(row))
            };
            let words: Vec<_> = plain_runs(&bytes, in_word).into_iter().filter(is_of_one_case).collect();
            prop_assert_eq!(all_runs(|from| classes.long_word_of_one_case(from)), words);
            let is_in_list = |byte: &u8| byte.is_ascii_hexdigit() || b"xX,-:; \t\n\r".contains(byte);
            prop_assert_eq!(all_runs(|from| classes.list_run(from)), plain_runs(&bytes, is_in_list));
            let is_digit = |byte: &u8| byte.is_ascii_hexdigit() || b"xX".contains(byte);
            let digits = plain_runs(&bytes, is_digit);
            prop_assert_eq!(all_runs(|from| classes.digits_run(from)), digits.clone());
            let long: Vec<_> = digits.into_iter().filter(|run| run.len() >= 16).collect();
            prop_assert_eq!(all_runs(|from| classes.long_digits(from)), long);
            for run in plain_runs(&bytes, is_in_list) {
                let separators = bytes[run.clone()].iter().filter(|byte| !byte.is_ascii_alphanumeric());
                prop_assert_eq!(classes.separators_in(&run) as usize, separators.count());
            }
            for run in plain_runs(&bytes, in_word) {
                prop_assert_eq!(classes.any_upper(&run), bytes[run].iter().any(u8::is_ascii_uppercase));
            }
        }

        #[test]
        fn words_of_one_length_are_neither_shorter_nor_longer(
            bytes in proptest::collection::vec(prop_oneof![5 => Just(b'a'), 1 => Just(b'.'), 1 => any::<u8>()], 0..300),
            length in 1usize..=16,
        ) {
            let mut found = Vec::new();
            classes(&bytes).words_of(length, |start| found.push(start));
            let is_word = |at: &usize| {
                let inside = |at: usize| bytes.get(at).is_some_and(in_word);
                (*at..at + length).all(inside) && !inside(at + length) && (*at == 0 || !inside(at - 1))
            };
            prop_assert_eq!(found, (0..bytes.len()).filter(is_word).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn a_range_has_a_mark_in_whatever_order_it_is_asked_for(
            text in "(%41|[a-z]|&amp;|=3D=3D|\\\\n){0,40}",
            asked in proptest::collection::vec((0usize..200, 0usize..20), 1..20),
        ) {
            let marks = Marks::find(text.as_bytes());
            let places = [&marks.percent[..], &marks.backslash, &marks.entity].concat();
            let places: Vec<usize> = places.into_iter().chain(marks.candidates.iter().map(|found| found.span.start)).collect();
            let mut has_mark = marks.any_in_each();
            for (start, length) in asked {
                let range = start..start + length;
                prop_assert_eq!(has_mark(&range), places.iter().any(|place| range.contains(place)));
            }
        }
    }

    #[test]
    fn marks_are_complete_escapes() {
        let marks = Marks::find(br"%4 %41 \\n \n & &amp; &#x31;");
        assert_eq!(marks.percent, [3]);
        assert_eq!(marks.backslash, [7, 11]);
        assert_eq!(marks.entity, [16, 22]);
    }
}
