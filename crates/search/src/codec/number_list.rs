//! Lists of numbers in text, one for each byte or character: the common ground of hexadecimal bytes
//! with separators and of decimal character codes.

use crate::classify::Classes;
use crate::map::{Map, Stretches};
use std::ops::Range;

/// Shortest list that is decoded.
pub(super) const SHORTEST: usize = 4;
/// Longest list that is decoded as one, so that its map stays small.
const LONGEST: usize = 1 << 18;
/// White space between two numbers: indentation of source text.
const LONGEST_SPACE: usize = 24;
/// Calls `visit` for each stretch of nothing but hexadecimal digits, `x` and separators that may
/// hold a list.
pub(super) fn stretches(classes: &Classes, mut visit: impl FnMut(Range<usize>)) {
    let mut from = 0;
    while let Some(stretch) = classes.list_run(from) {
        from = stretch.end;
        if stretch.len() < 3 * SHORTEST - 1 || classes.all_digits(&stretch) {
            continue;
        }
        if classes.separators_in(&stretch) as usize >= SHORTEST - 1 {
            visit(stretch);
        }
    }
}

/// One list: where it lies and the number of each place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List<N> {
    /// From the first digit to one past the last.
    pub(super) range: Range<usize>,
    /// Each number with its bytes in the text.
    pub(super) items: Vec<(Range<usize>, N)>,
}

/// The first list in the text that begins at `from` or later and has [`SHORTEST`] numbers.
/// `number` reads one from the start of the text: its length and what it is.
pub(super) fn next_list<N>(
    text: &[u8],
    mut from: usize,
    number: impl Fn(&[u8]) -> Option<(usize, N)>,
) -> Option<List<N>> {
    while from < text.len() {
        if begins(text, from, &number) {
            let items = list_at(text, from, &number);
            if let (Some(first), Some(last)) = (items.first(), items.last()) {
                return Some(List { range: first.0.start..last.0.end, items });
            }
        }
        // Behind the next separator: a number does not begin within another.
        let digits = text[from..].iter().take_while(|byte| is_word(**byte)).count();
        from += digits.max(1);
    }
    None
}

/// True where [`SHORTEST`] numbers stand from there on. Times and dates are fewer, and nothing is kept of them.
fn begins<N>(text: &[u8], from: usize, number: &impl Fn(&[u8]) -> Option<(usize, N)>) -> bool {
    let mut count = 0;
    each(text, from, number, |_, _| {
        count += 1;
        count < SHORTEST
    });
    count == SHORTEST
}

/// The numbers from `from` on, as far as they are separated in one way.
fn list_at<N>(text: &[u8], from: usize, number: &impl Fn(&[u8]) -> Option<(usize, N)>) -> Vec<(Range<usize>, N)> {
    let mut items = Vec::new();
    each(text, from, number, |range, value| {
        items.push((range, value));
        items.len() < LONGEST
    });
    items
}

/// Calls `visit` for those numbers until it says no.
fn each<N>(
    text: &[u8],
    from: usize,
    number: &impl Fn(&[u8]) -> Option<(usize, N)>,
    mut visit: impl FnMut(Range<usize>, N) -> bool,
) {
    let mut at = from;
    let mut mark = None;
    while let Some((length, value)) = text.get(at..).and_then(number) {
        let end = at + length;
        if length == 0 || text.get(end).is_some_and(|byte| is_word(*byte)) || !visit(at..end, value) {
            break;
        }
        let Some((gap, found)) = separator(&text[end..]) else { break };
        if mark.is_some_and(|mark| mark != found) {
            break;
        }
        mark = Some(found);
        at = end + gap;
    }
}

/// The length of what separates two numbers, and its punctuation mark (0 for white space alone).
fn separator(text: &[u8]) -> Option<(usize, u8)> {
    let mark = *text.first()?;
    let marks = usize::from(matches!(mark, b',' | b':' | b';' | b'-'));
    let space = text[marks..].iter().take(LONGEST_SPACE).take_while(|byte| byte.is_ascii_whitespace()).count();
    (marks + space > 0).then_some((marks + space, if marks == 1 { mark } else { 0 }))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The span with the brackets around it, where there are any: a document's array, an initialiser.
pub(super) fn with_brackets(bytes: &[u8], range: &Range<usize>) -> Range<usize> {
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
    let after = bytes.get(range.end);
    match (before, after) {
        (Some(b'['), Some(b']')) | (Some(b'{'), Some(b'}')) | (Some(b'('), Some(b')')) => {
            range.start - 1..range.end + 1
        }
        (Some(b'[' | b'{' | b'('), _) => range.start - 1..range.end,
        _ => range.clone(),
    }
}

/// The map of a list in `span`, given how many bytes each number stands for.
pub(super) fn map<N>(span: &Range<usize>, items: &[(Range<usize>, N)], decoded: impl Fn(&N) -> u8) -> Map {
    let mut map = Stretches::default();
    let mut end = 0;
    for (range, number) in items {
        for gap in gaps(range.start - end) {
            map.unit(gap, 0);
        }
        map.unit((range.end - range.start) as u8, decoded(number));
        end = range.end;
    }
    map.finish(span.start)
}

/// A length as units that fit a byte.
fn gaps(length: usize) -> impl Iterator<Item = u8> {
    let full = usize::from(u8::MAX);
    std::iter::repeat_n(u8::MAX, length / full).chain(Some((length % full) as u8).filter(|rest| *rest > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn two_digits(text: &[u8]) -> Option<(usize, u8)> {
        let pair = text.get(..2).filter(|pair| pair.iter().all(u8::is_ascii_digit))?;
        Some((2, (pair[0] - b'0') * 10 + pair[1] - b'0'))
    }

    #[test]
    fn a_list_keeps_to_one_separator() {
        let list = next_list(b"x 11,22, 33,\n  44:55", 0, two_digits).unwrap();
        assert_eq!((list.range, list.items.len()), (2..17, 4));
        assert!(
            next_list(b"11,22,33", 0, two_digits).is_none() && next_list(b"111,222,333,444", 0, two_digits).is_none()
        );
    }

    proptest! {
        #[test]
        fn every_list_lies_in_a_stretch(count in SHORTEST..30, before in "[g-w]{0,9}", mark in "[,:;-]|, | ") {
            let list: Vec<String> = (0..count).map(|n| format!("{:02x}", n * 7)).collect();
            let text = format!("{before}{}{before}", list.join(&mark));
            let mut found = Vec::new();
            let mut classes = Classes::default();
            classes.read(text.as_bytes());
            stretches(&classes, |range| found.push(range));
            prop_assert!(found.iter().any(|range| range.start <= before.len() && range.end >= text.len() - before.len()));
        }
    }
}
