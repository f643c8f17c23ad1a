//! One cheap pass that finds where codecs could apply: runs of base64 letters, and marks that
//! begin an escape.

use std::ops::Range;

/// Shortest run of base64 or hexadecimal characters that is decoded: four to six bytes.
pub(crate) const SHORTEST_RUN: usize = 8;

const BASE64: [bool; 256] = table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_");
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

/// Calls `visit` for every maximal run of at least [`SHORTEST_RUN`] base64 characters of either
/// alphabet, without padding.
pub(crate) fn base64_runs(bytes: &[u8], visit: impl FnMut(Range<usize>)) {
    runs(bytes, &BASE64, visit);
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
}

impl Marks {
    /// Finds all marks.
    pub(crate) fn find(bytes: &[u8]) -> Self {
        let mut marks = Self::default();
        let mut after_pair = 0;
        for at in memchr::memchr3_iter(b'%', b'\\', b'&', bytes) {
            match bytes[at] {
                b'%' if crate::codec::percent::is_escape(&bytes[at..]) => marks.percent.push(at),
                b'\\' if at >= after_pair => {
                    after_pair = at + 2;
                    if crate::codec::escape::is_escape(&bytes[at..]) {
                        marks.backslash.push(at);
                    }
                }
                b'&' if crate::codec::entity::decode(&bytes[at..]).is_some() => marks.entity.push(at),
                _ => {}
            }
        }
        marks
    }

    /// True where nothing is escaped.
    pub(crate) fn is_empty(&self) -> bool {
        self.percent.is_empty() && self.backslash.is_empty() && self.entity.is_empty()
    }

    /// True where a mark lies in the range.
    pub(crate) fn any_in(&self, range: &Range<usize>) -> bool {
        if self.is_empty() {
            return false;
        }
        [&self.percent, &self.backslash, &self.entity].into_iter().any(|marks| {
            let first = marks.partition_point(|mark| *mark < range.start);
            marks.get(first).is_some_and(|mark| *mark < range.end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain_runs(bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut start = 0;
        for at in 0..=bytes.len() {
            if bytes.get(at).is_none_or(|byte| !BASE64[usize::from(*byte)]) {
                if at - start >= SHORTEST_RUN {
                    found.push(start..at);
                }
                start = at + 1;
            }
        }
        found
    }

    proptest! {
        #[test]
        fn skipping_finds_the_same_runs(bytes in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'a'), Just(b'a'), Just(b'.'), any::<u8>()], 0..200)) {
            let mut found = Vec::new();
            base64_runs(&bytes, |run| found.push(run));
            prop_assert_eq!(found, plain_runs(&bytes));
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
