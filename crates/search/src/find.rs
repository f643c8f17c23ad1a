//! Something seen, while its trail is still being built from the inside out.

use crate::codec::base64;
use crate::map::Map;
use dyetrace_case::Step;
use std::ops::Range;

/// What was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// A needle inside text; true where letters stand in another case than the needle's.
    Text(u32, bool),
    /// A needle that equals a whole field.
    Field(u32),
    /// A needle in so many pieces.
    Split(u32, u32),
    /// A digest.
    Digest(u32),
    /// A planted file, by its number among what was seen of those in the record.
    Beside(u32),
    /// A file that tells something, by its number among those of the record.
    Told(u32),
    /// Personal data that nobody planted, by its number among the recognitions of the record.
    Recognised(u32),
}

/// Something seen in the bytes at hand.
#[derive(Debug, Clone)]
pub(crate) struct Find {
    /// Which datum, by position in the subject.
    pub(crate) datum: u32,
    /// What was recognised.
    pub(crate) seen: Seen,
    /// Where, in the bytes at hand.
    pub(crate) range: Range<usize>,
    /// Where, in the innermost bytes.
    pub(crate) decoded: Range<usize>,
    /// Undone wrappings, innermost first.
    pub(crate) steps: Vec<Step>,
    /// How many of the steps follow a named field.
    pub(crate) named: usize,
    /// The last bytes on the way out in which places can be told apart: their number and the range
    /// there. Set when a wrapping without places (compression) is passed.
    pub(crate) anchor: Option<(u64, Range<usize>)>,
}

impl Find {
    /// Something seen in the bytes at hand, nothing undone.
    pub(crate) fn new(datum: u32, seen: Seen, range: Range<usize>) -> Self {
        Self { datum, seen, decoded: range.clone(), range, steps: Vec::new(), named: 0, anchor: None }
    }

    /// The same, as seen from the bytes in which `encoded` was unwrapped. `number` is that of the
    /// unwrapped bytes.
    pub(crate) fn through(
        &mut self,
        codec: &str,
        detail: Option<String>,
        encoded: &Range<usize>,
        map: &Map,
        number: u64,
    ) {
        if map.is_whole() && self.anchor.is_none() {
            self.anchor = Some((number, self.range.clone()));
        }
        self.range = map.outer(&self.range);
        self.steps.push(Step { codec: codec.to_owned(), detail, encoded: to_case(encoded) });
    }

    /// Counts offsets in the bytes at hand from the start of a field in them. False, with nothing
    /// changed, where the outermost step cannot be undone from the field alone.
    pub(crate) fn enter(&mut self, field: &Range<usize>) -> bool {
        if self.range.start < field.start || self.range.end > field.end || !self.keep_to(field) {
            return false;
        }
        self.range = self.range.start - field.start..self.range.end - field.start;
        match self.steps.last_mut() {
            Some(step) => {
                let start = field.start as u64;
                step.encoded = dyetrace_case::Range::new(step.encoded.start - start, step.encoded.end - start);
            }
            None => self.decoded = self.range.clone(),
        }
        true
    }

    /// Cuts the outermost step to the field. A run of base64 may reach over its ends, because `/`
    /// separates segments of paths too: it is cut at a group of four characters.
    fn keep_to(&mut self, field: &Range<usize>) -> bool {
        let (start, end) = (field.start as u64, field.end as u64);
        let Some(step) = self.steps.last_mut() else { return true };
        if start <= step.encoded.start && step.encoded.end <= end {
            return true;
        }
        let groups = start.saturating_sub(step.encoded.start).div_ceil(4);
        let cut = groups * 4 + step.encoded.start;
        if step.codec != base64::NAME || cut > self.range.start as u64 {
            return false;
        }
        step.encoded = dyetrace_case::Range::new(cut, step.encoded.end.min(end));
        let bytes = groups * 3;
        if let Some(inner) = self.steps.iter_mut().rev().nth(1) {
            let moved = |at: u64| at.saturating_sub(bytes);
            inner.encoded = dyetrace_case::Range::new(moved(inner.encoded.start), moved(inner.encoded.end));
        } else {
            let moved = |at: usize| at.saturating_sub(bytes as usize);
            self.decoded = moved(self.decoded.start)..moved(self.decoded.end);
        }
        true
    }

    /// Counts offsets in the bytes at hand from a point `offset` bytes earlier.
    pub(crate) fn moved_by(&mut self, offset: u64) {
        let by = usize::try_from(offset).unwrap_or(usize::MAX);
        self.range = self.range.start.saturating_add(by)..self.range.end.saturating_add(by);
        match self.steps.last_mut() {
            Some(step) => {
                step.encoded =
                    dyetrace_case::Range::new(step.encoded.start + offset, step.encoded.end.saturating_add(offset));
            }
            None => self.decoded = self.range.clone(),
        }
    }
}

/// A range in the words of the case.
pub(crate) fn to_case(range: &Range<usize>) -> dyetrace_case::Range {
    dyetrace_case::Range::new(range.start as u64, range.end as u64)
}
