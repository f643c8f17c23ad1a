//! What readers give: values and damages, and the limits under which they give them.

use crate::place::Place;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// What one input can make a reader hold or make.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one value that has to be put together from pieces or undone. A value that stands in the file in one
    /// piece is never cut.
    pub value: usize,
    /// Bytes that readers make out of others in one input, all together: inflated, expanded, or given again because
    /// the format refers to them twice.
    pub made: u64,
    /// How deep elements and containers may nest before their paths are no longer followed.
    pub depth: usize,
}

impl Default for Limits {
    /// 64 MiB for a value, 1 GiB made, 128 levels.
    fn default() -> Self {
        Self { value: 64 << 20, made: 1 << 30, depth: 128 }
    }
}

/// What a reader calls back with.
#[derive(Debug)]
pub enum Found<'a> {
    /// Something that the store holds.
    Value(Value<'a>),
    /// Something that could not be read.
    Damage(Damage),
}

/// Something that the store holds: a column of a row, what stands under a key, or bytes between those.
pub struct Value<'a> {
    /// Where it is in the store's own terms. Names and keys in it were chosen by a stranger.
    pub place: Place<'a>,
    /// The bytes: text as UTF-8 whatever the store keeps it in, numbers in decimal, everything else as it is.
    pub bytes: Cow<'a, [u8]>,
    /// Which of the files that were given [`Self::at`] is in.
    pub file: File,
    /// Where the bytes that carry it stand in that file, when they stand in one piece. Borrowed bytes are those
    /// bytes; owned bytes were converted, inflated, or put together.
    pub at: Option<Range<u64>>,
    /// Whether the app would still see it.
    pub state: State,
    /// What the store says it is.
    pub form: Form,
}

/// `Debug` shows no content: it may be a planted value.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("length", &self.bytes.len())
            .field("file", &self.file)
            .field("at", &self.at)
            .field("state", &self.state)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

/// One of the files that belong to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum File {
    /// The store itself.
    Main,
    /// The write-ahead log of an SQLite database (`-wal`).
    Wal,
    /// The rollback journal of an SQLite database (`-journal`).
    Journal,
}

/// Whether the app would still see a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It would.
    Live,
    /// A newer value took its place.
    Superseded,
    /// It was written and the transaction never finished: the app would not see it.
    Uncommitted,
    /// It was removed, and its record is still readable as a record.
    Deleted,
    /// Bytes that belong to no value: what they were is not recorded.
    Unallocated,
}

/// What the store says a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// A whole number, given in decimal.
    Integer,
    /// A floating-point number, given in the shortest decimal that reads back as the same.
    Real,
    /// The key under which a value stands.
    Key,
    /// Bytes of which the store says nothing.
    Raw,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Which of the files that were given.
    pub file: File,
    /// Which bytes of it.
    pub at: Range<u64>,
    /// What is wrong with them.
    pub what: Damaged,
}

/// What can be wrong with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Damaged {
    /// The header says what cannot be; all is given raw.
    Header,
    /// The file ends before what it announces.
    Short,
    /// A page is referred to that does not exist, is of another type, or was already part of something else.
    Page,
    /// An entry of a page or block lies outside, overlaps another, or cannot be parsed.
    Entry,
    /// A chain of overflow pages ends early or runs in a circle.
    Chain,
    /// A checksum is wrong.
    Checksum,
    /// Compressed bytes that cannot be inflated, or are of an unknown method.
    Compression,
    /// An object refers to itself or to one that does not exist.
    Reference,
    /// Markup that does not close.
    Markup,
    /// [`Limits`] were reached; the rest is not given.
    Limit,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the header says what cannot be",
            Self::Short => "the file ends before what it announces",
            Self::Page => "a page is missing, of another type, or used twice",
            Self::Entry => "an entry lies outside its page, overlaps another, or cannot be parsed",
            Self::Chain => "a chain of overflow pages ends early or runs in a circle",
            Self::Checksum => "a checksum is wrong",
            Self::Compression => "compressed bytes cannot be inflated",
            Self::Reference => "an object refers to itself or to one that does not exist",
            Self::Markup => "markup does not close",
            Self::Limit => "a limit was reached, and the rest was not read",
        })
    }
}

/// Where readers put what they find: counts what is made against the limits.
pub(crate) struct Out<'o> {
    pub(crate) limits: &'o Limits,
    found: &'o mut dyn FnMut(Found<'_>),
    made: u64,
}

impl<'o> Out<'o> {
    pub(crate) fn new(limits: &'o Limits, found: &'o mut dyn FnMut(Found<'_>)) -> Self {
        Self { limits, found, made: 0 }
    }

    pub(crate) fn value(&mut self, value: Value<'_>) {
        (self.found)(Found::Value(value));
    }

    pub(crate) fn damage(&mut self, file: File, at: Range<u64>, what: Damaged) {
        (self.found)(Found::Damage(Damage { file, at, what }));
    }

    /// Whether so many bytes may still be made. What was refused once is refused for good, so that a limit is one
    /// place in the input and not a sieve.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        self.made = self.made.saturating_add(bytes as u64);
        self.made <= self.limits.made
    }

    /// As [`Self::charge`], and says once that the limit was reached.
    pub(crate) fn charge_aloud(&mut self, bytes: usize, at: &Range<usize>) -> bool {
        let before = self.made <= self.limits.made;
        let granted = self.charge(bytes);
        if before && !granted {
            self.damage(File::Main, at.start as u64..at.end as u64, Damaged::Limit);
        }
        granted
    }

    /// Bytes of which nothing is known but where they are, without the zeros around them. Runs under four bytes are
    /// not given: no value that could be told from chance fits in them.
    pub(crate) fn raw(&mut self, place: Place<'_>, bytes: &[u8], at: u64, file: File, state: State) {
        let Some((bytes, skipped)) = without_zeros(bytes) else { return };
        let at = at + skipped as u64;
        let at = Some(at..at + bytes.len() as u64);
        let place = place.moved(skipped as u32);
        self.value(Value { place, bytes: Cow::Borrowed(bytes), file, at, state, form: Form::Raw });
    }
}

const SHORTEST_RAW: usize = 4;

/// The bytes without the zeros on both ends, and how many were before; none when too few are left.
fn without_zeros(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let start = bytes.iter().position(|byte| *byte != 0)?;
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let inner = bytes.get(start..end)?;
    (inner.len() >= SHORTEST_RAW).then_some((inner, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let value = Value {
            place: Place::Whole,
            bytes: Cow::Borrowed(b"13800000427"),
            file: File::Main,
            at: Some(0..11),
            state: State::Live,
            form: Form::Text,
        };
        let shown = format!("{value:?}");
        assert!(shown.contains("11") && !shown.contains("13800000427"), "{shown}");
        assert!(!shown.contains("49, 51"), "not as numbers either: {shown}");
    }

    #[test]
    fn zeros_around_raw_bytes_are_left_out() {
        assert_eq!(without_zeros(b"\0\0ab\0cd\0"), Some((&b"ab\0cd"[..], 2)));
        assert_eq!(without_zeros(b"\0\0abc\0"), None, "three bytes");
        assert_eq!(without_zeros(&[0; 9]), None);
    }
}
