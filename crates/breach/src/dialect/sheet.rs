//! The rows of a worksheet, as the container gives them: fields and rows parted by characters that XML cannot have.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Header, Shape, State, Step, Text, find, header};

/// Unit separator, between fields.
pub(crate) const FIELD_END: u8 = 0x1F;
/// Record separator, behind a row. The line feed is for the window, which ends text at line ends.
pub(crate) const ROW_END: &[u8] = b"\x1E\n";
/// A field without a value is this alone.
pub(crate) const NOTHING: u8 = 0x1D;

/// How many rows the columns are counted in where no row names them.
const MOST_ROWS: usize = 400;

/// No choice is left: the rows are this workspace's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sheet;

impl Sheet {
    pub(crate) fn step(text: Text<'_>, at: usize, fields: &mut Fields) -> Step {
        let mut start = at;
        while let Some(end) = find::either(text.bytes, start, FIELD_END, ROW_END[0]) {
            match &text.bytes[start..end] {
                [NOTHING] => fields.push_null(),
                _ => fields.push(start, end),
            }
            start = end + 1;
            if text.bytes[end] == FIELD_END {
                continue;
            }
            match text.bytes.get(start) {
                Some(b'\n') => return Step::Row(start + 1),
                None if !text.ended => break,
                _ => return Step::Row(start),
            }
        }
        fields.abandon();
        text.more("a row is cut short")
    }

    /// Where the next row begins.
    pub(crate) fn resync(text: &[u8], at: usize) -> Option<usize> {
        memchr::memmem::find(text.get(at..)?, ROW_END).map(|length| at + length + ROW_END.len())
    }
}

/// What a sheet's first rows say of it, and the length of the one that names its columns.
pub(crate) fn begin(sample: &[u8], name: String) -> (State, usize) {
    let (columns, skip) = header::of(sample, Sheet::step);
    let columns = columns.unwrap_or_else(|| vec![None; width(sample)]);
    let table = Header { name: Some(name), columns };
    (State { shape: Shape::Sheet(Sheet), table: Some(Arc::new(table)) }, skip)
}

fn width(sample: &[u8]) -> usize {
    let ends = memchr::memmem::find_iter(sample, ROW_END).take(MOST_ROWS);
    let mut start = 0;
    let widths = ends.map(|end| {
        let row = sample.get(start..end).unwrap_or_default();
        start = end + ROW_END.len();
        memchr::memchr_iter(FIELD_END, row).count() + 1
    });
    widths.max().unwrap_or(0)
}
