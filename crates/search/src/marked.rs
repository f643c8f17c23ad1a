//! Where runs of characters of one class begin, and what lies in them: bits made in one pass over those of the classes.
//!
//! Plain loops, which compilers make into vector instructions, wider ones where the caller may use such.
#![expect(clippy::inline_always, reason = "what is not inlined has the vectors of the oldest processors")]

/// How many kinds of bits [`mark_runs`] makes.
pub(crate) const RUNS: usize = 7;
/// Numbers of them: places at which sixteen base64 characters begin; capital letters in runs of base64 characters, and in
/// runs of dense ones; places at which the characters of a list, digits, and sixteen digits begin; and those at which
/// sixteen characters of a word without small or without capital letters do.
pub(crate) const BASE64_RUNS: usize = 0;
pub(crate) const CAPITALS_IN_BASE64: usize = 1;
pub(crate) const CAPITALS_IN_DENSE: usize = 2;
pub(crate) const LIST_RUNS: usize = 3;
pub(crate) const DIGIT_RUNS: usize = 4;
pub(crate) const LONG_DIGITS: usize = 5;
pub(crate) const ONE_CASE: usize = 6;

/// The classes that runs are made of.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'c> {
    pub(crate) base64: &'c [u64],
    pub(crate) word: &'c [u64],
    pub(crate) dense: &'c [u64],
    pub(crate) list: &'c [u64],
    pub(crate) digits: &'c [u64],
    pub(crate) upper: &'c [u64],
    pub(crate) lower: &'c [u64],
}

/// Writes the bits of all kinds. Loops so plain that compilers make them into vector instructions.
#[inline(always)]
pub(crate) fn mark_runs(classes: Columns<'_>, out: [&mut [u64]; RUNS]) {
    let Columns { base64, word, dense, list, digits, upper, lower } = classes;
    let [base64_runs, in_base64, in_dense, list_runs, digit_runs, long_digits, one_case] = out;
    mark_starts(base64, base64_runs, starts_of_sixteen);
    mark_starts(list, list_runs, starts_of_eight);
    mark_starts(digits, digit_runs, starts_of_eight);
    mark_starts(digits, long_digits, starts_of_sixteen);
    mark_capitals(upper, base64, in_base64);
    mark_capitals(upper, dense, in_dense);
    mark_one_case(word, [lower, upper], one_case);
}

#[inline(always)]
fn mark_starts(bits: &[u64], out: &mut [u64], starts: impl Fn(u64, u64) -> u64) {
    let next = bits.get(1..).unwrap_or_default();
    for ((out, word), next) in out.iter_mut().zip(bits).zip(next) {
        *out = starts(*word, *next);
    }
    if let (Some(out), Some(last)) = (out.last_mut(), bits.last()) {
        *out = starts(*last, 0);
    }
}

#[inline(always)]
fn mark_capitals(upper: &[u64], bits: &[u64], out: &mut [u64]) {
    let next = bits.get(1..).unwrap_or_default();
    let behind = bits.get(2..).unwrap_or_default();
    let inner = out.iter_mut().zip(upper).skip(1);
    for (((out, upper), before), (word, next)) in inner.zip(bits).zip(next.iter().zip(behind)) {
        *out = upper & in_eight(*before, *word, *next);
    }
    for index in [0, bits.len().saturating_sub(1)] {
        let of = |index: Option<usize>| index.and_then(|index| bits.get(index)).copied().unwrap_or(0);
        let [before, word, next] = [index.checked_sub(1), Some(index), index.checked_add(1)].map(of);
        if let (Some(out), Some(upper)) = (out.get_mut(index), upper.get(index)) {
            *out = upper & in_eight(before, word, next);
        }
    }
}

#[inline(always)]
fn mark_one_case(word: &[u64], [lower, upper]: [&[u64]; 2], out: &mut [u64]) {
    let starts = |word: [u64; 2], lower: [u64; 2], upper: [u64; 2]| {
        starts_of_sixteen(word[0] & !lower[0], word[1] & !lower[1])
            | starts_of_sixteen(word[0] & !upper[0], word[1] & !upper[1])
    };
    let both = word.array_windows().zip(lower.array_windows().zip(upper.array_windows()));
    for (out, (word, (lower, upper))) in out.iter_mut().zip(both) {
        *out = starts(*word, *lower, *upper);
    }
    if let (Some(out), [Some(word), Some(lower), Some(upper)]) =
        (out.last_mut(), [word, lower, upper].map(<[u64]>::last))
    {
        *out = starts([*word, 0], [*lower, 0], [*upper, 0]);
    }
}

/// Bits of `word` at which eight set bits begin, `next` continuing behind bit 63.
#[inline(always)]
fn starts_of_eight(word: u64, next: u64) -> u64 {
    let two = word & (word >> 1 | next << 63);
    let next_two = next & next >> 1;
    let four = two & (two >> 2 | next_two << 62);
    let next_four = next_two & next_two >> 2;
    four & (four >> 4 | next_four << 60)
}

/// Bits of the word that lie in a run of at least eight set bits.
#[inline(always)]
fn in_eight(before: u64, word: u64, next: u64) -> u64 {
    // Each start is spread over eight bits, those of the word before into this one.
    let (earlier, one) = (starts_of_eight(before, word), starts_of_eight(word, next));
    let (earlier_two, two) = (earlier | earlier << 1, one | one << 1 | earlier >> 63);
    let (earlier_four, four) = (earlier_two | earlier_two << 2, two | two << 2 | earlier_two >> 62);
    four | four << 4 | earlier_four >> 60
}

/// Bits at which sixteen set bits begin.
#[inline(always)]
fn starts_of_sixteen(word: u64, next: u64) -> u64 {
    let eight = starts_of_eight(word, next);
    // What begins behind the middle of the next word does not matter here.
    eight & (eight >> 8 | starts_of_eight(next, 0) << 56)
}
