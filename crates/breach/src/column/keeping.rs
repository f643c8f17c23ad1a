//! Counts of a column, written and read back. Values that are held are not written: they are read again.

use super::{Column, Distinct, LATE, Late, ShapeRoom, Shapes};
use crate::kept::{In, Out, invalid};
use crate::kind::Kind;
use crate::password::Stored;
use std::io;

impl Column {
    /// Writes the counts.
    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.maybe_text(self.header.as_deref())?;
        out.numbers(&[self.kind as u64, self.null, self.empty, self.filled, self.valid])?;
        out.numbers(&[self.shortest as u64, self.longest as u64, self.looked_at, u64::from(self.ample)])?;
        out.numbers(&[self.oldest as u64, self.newest as u64])?;
        out.numbers(&self.others)?;
        self.distinct.keep(out)?;
        self.shapes.keep(out)?;
        out.number(u64::from(self.stored.is_some()))?;
        if let Some(stored) = &self.stored {
            stored.keep(out)?;
        }
        let late = self.late.as_ref().map_or([0, 0, 0], |late| [1, late.since, late.values.len() as u64]);
        out.numbers(&late)
    }

    /// Reads what was written.
    pub(crate) fn kept(from: &mut In<'_>, room: &ShapeRoom) -> io::Result<Self> {
        let header = from.maybe_text()?;
        let kind = Kind::of_number(from.number()?).ok_or_else(invalid)?;
        let mut column = Self::new(header, kind, LATE, 0, super::Place { before: 0, room: room.clone() });
        for count in [&mut column.null, &mut column.empty, &mut column.filled, &mut column.valid] {
            *count = from.number()?;
        }
        (column.shortest, column.longest, column.looked_at) = (from.small()?, from.small()?, from.number()?);
        column.ample = from.flag()?;
        (column.oldest, column.newest) = (from.number()? as i64, from.number()? as i64);
        for count in &mut column.others {
            *count = from.number()?;
        }
        column.distinct = Distinct::kept(from)?;
        column.shapes = Shapes::kept(from, room.clone())?;
        column.stored = if from.flag()? { Some(Box::new(Stored::kept(from)?)) } else { None };
        let (is_open, since, missing) = (from.flag()?, from.number()?, from.length(LATE)?);
        column.late = is_open.then(|| Late { values: Vec::new(), since, missing });
        Ok(column)
    }

    /// Whether values that were held are to be read again.
    pub(crate) fn lacks_values(&self) -> bool {
        self.late.as_ref().is_some_and(|late| late.missing > 0)
    }

    /// Holds a value that was counted and is read again.
    pub(crate) fn hold_again(&mut self, value: Option<&[u8]>) {
        if let (Some(late), Some(value)) = (&mut self.late, value.filter(|value| !value.is_empty())) {
            let since = late.since;
            late.push(value, since);
        }
    }

    /// All are read again: true where they are as many as there were.
    pub(crate) fn has_values_again(&mut self) -> bool {
        self.late.as_mut().is_none_or(|late| std::mem::take(&mut late.missing) == late.values.len())
    }
}
