//! The state of a scan, written and read back. It holds digests under the key, counts, shapes, names of tables and
//! columns, of each person the day of birth and the province, and of columns the first and last moment. Rows that are held until they are enough to type columns by are not written: no row is held longer than two
//! cells, so those of one cell are read again.

use super::{Counting, MOST_COLUMNS, MOST_TABLES, Scan, ScanOptions};
use crate::column::{Column, Distinct, ShapeRoom};
use crate::damages::Damages;
use crate::hosts::Hosts;
use crate::kept::{In, Out, invalid};
use crate::key::Key;
use crate::people::People;
use crate::read::Checkpoint;
use crate::rows::{Batch, Dialect, Table};
use crate::sample::Sample;
use dyetrace_search::ResidentIdMode;
use std::fmt;
use std::io;

/// Rows that are read again after a scan was stopped.
pub(super) struct Again {
    /// The scan goes on from here.
    until: Checkpoint,
    /// How many rows each untyped table held.
    rows: Vec<(usize, u64)>,
    state: State,
}

#[derive(PartialEq, Clone, Copy)]
enum State {
    Reading,
    /// The dump is another.
    Changed,
}

impl Again {
    /// What is read again has a table that was not there before.
    pub(super) fn meets_another_table(&mut self) {
        self.state = State::Changed;
    }

    pub(super) fn wants_more(&self) -> bool {
        self.state == State::Reading
    }
}

/// Why a scan does not go on from a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is none, or damaged, or of another key.
    NotOurs,
    /// It is of another version.
    Version,
    /// Its files are others, or have changed.
    Files,
    /// Its options are others.
    Options,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOurs => "it is no checkpoint, or damaged, or made under another key",
            Self::Version => "it was made by another version",
            Self::Files => "it is of other files, or they have changed since",
            Self::Options => "it is of a scan with other options",
        })
    }
}

impl std::error::Error for Refused {}

impl Scan {
    /// Writes what was counted, between two cells of an entry.
    pub(super) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.numbers(&[self.cell, self.columns as u64, self.tables.len() as u64])?;
        self.room.keep(out)?;
        for table in &self.tables {
            table.keep(out)?;
        }
        self.further_tables.keep(out)?;
        self.people.keep(out)?;
        self.hosts.keep(out, self.options.k)?;
        self.damages.keep(out)
    }

    /// Reads what was written. The rows before `until` that were held are to be read again.
    pub(super) fn kept(from: &mut In<'_>, key: &Key, options: ScanOptions, until: Checkpoint) -> io::Result<Self> {
        let mut scan = Self::new(key, options);
        scan.cell = from.number()?;
        scan.columns = from.length(MOST_COLUMNS)?;
        let count = from.length(MOST_TABLES)?;
        scan.room = ShapeRoom::kept(from)?;
        let mut rows = Vec::new();
        for index in 0..count {
            let (table, held) = Counting::kept(from, &scan.room)?;
            scan.known.insert(table.identity, index as u32);
            rows.extend(table.sample.is_some().then_some((index, held)));
            scan.tables.push(table);
        }
        scan.further_tables = Distinct::kept(from)?;
        scan.people = People::kept(from)?;
        scan.hosts = Hosts::kept(from)?;
        scan.damages = Damages::kept(from)?;
        scan.again = Some(Again { until, rows, state: State::Reading });
        Ok(scan)
    }

    /// Whether rows are still read again, and whether they are other rows than before.
    pub(super) fn is_reading_again(&self) -> (bool, bool) {
        let again = self.again.as_ref();
        (again.is_some(), again.is_some_and(|again| again.state == State::Changed))
    }

    /// Names of tables are not written before they are known not to be values.
    pub(super) fn name_again(&mut self, index: usize, table: &Table) {
        let Some(counting) = self.tables.get_mut(index).filter(|_| self.again.is_some()) else { return };
        if counting.sample.is_some() && counting.table.name.is_none() && counting.table.columns.is_empty() {
            counting.table = table.clone();
            self.held.change(0, table.held());
        }
    }

    /// Holds rows that were held before.
    pub(super) fn hold_again(&mut self, index: usize, batch: &Batch<'_>) {
        let Some(counting) = self.tables.get_mut(index) else { return };
        if let Some((sample, _)) = &mut counting.sample {
            let before = sample.held();
            sample.take(batch);
            self.held.change(before, sample.held());
            return;
        }
        for (index, column) in counting.columns.iter_mut().enumerate().filter(|(_, column)| column.lacks_values()) {
            batch.rows().for_each(|row| column.hold_again(row.field(index)));
        }
    }

    /// A cell ended while rows are read again: here the scan goes on, unless the dump is another.
    pub(super) fn was_read_again(&mut self, checkpoint: &Checkpoint) {
        let Some(again) = &mut self.again else { return };
        if (checkpoint.entry, checkpoint.offset) < (again.until.entry, again.until.offset) {
            return;
        }
        let has_rows = |(index, rows): &(usize, u64)| {
            let sample = self.tables.get(*index).and_then(|table| table.sample.as_ref());
            sample.is_some_and(|(sample, _)| sample.batch().len() as u64 == *rows)
        };
        let is_same = checkpoint.goes_on_as(&again.until) && again.rows.iter().all(has_rows);
        let mut has_values = true;
        for column in self.tables.iter_mut().flat_map(|table| &mut table.columns) {
            has_values &= column.has_values_again();
        }
        if is_same && has_values {
            self.again = None;
        } else {
            again.state = State::Changed;
        }
    }
}

impl Counting {
    fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        let held = self.sample.as_ref().map_or([0, 0, 0], |(sample, since)| [1, *since, sample.batch().len() as u64]);
        out.number(self.identity)?;
        out.numbers(&held)?;
        out.number(u64::from(self.table.entry))?;
        out.maybe_text(self.table.name.as_deref().filter(|_| self.sample.is_none()))?;
        self.table.dialect.keep(out)?;
        out.text(self.table.encoding)?;
        out.numbers(&[self.counts.rows, self.counts.longer, self.columns.len() as u64])?;
        self.columns.iter().try_for_each(|column| column.keep(out))
    }

    /// A table, and how many rows it held.
    fn kept(from: &mut In<'_>, room: &ShapeRoom) -> io::Result<(Self, u64)> {
        let identity = from.number()?;
        let (is_held, since, held) = (from.flag()?, from.number()?, from.number()?);
        let (entry, name) = (from.small()?, from.maybe_text()?);
        let (dialect, encoding) = (Dialect::kept(from)?, from.text()?);
        let encoding = crate::encoding::name_of(&encoding).ok_or_else(invalid)?;
        let table = Table { entry, name, columns: Vec::new(), dialect, encoding };
        let mut counting = Self {
            table,
            identity,
            counts: super::RowCounts { rows: from.number()?, longer: from.number()?, in_cell: 0 },
            sample: is_held.then(|| (Sample::default(), since)),
            columns: Vec::new(),
        };
        for _ in 0..from.length(MOST_COLUMNS)? {
            counting.columns.push(Column::kept(from, room)?);
        }
        Ok((counting, held))
    }
}

impl ScanOptions {
    pub(super) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        let mode = match self.resident_ids {
            ResidentIdMode::Strict => 0,
            ResidentIdMode::Historical => 1,
            ResidentIdMode::Permit => 2,
        };
        let day = self.minors_on.map_or([0; 3], |(year, month, day)| [year, month, day].map(u64::from));
        out.numbers(&[mode, u64::from(self.year), self.k, u64::from(self.only_valid)])?;
        out.numbers(&day)
    }

    pub(super) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        let modes = [ResidentIdMode::Strict, ResidentIdMode::Historical, ResidentIdMode::Permit];
        let resident_ids = modes.get(from.length(modes.len())?).copied().ok_or_else(invalid)?;
        let (year, k, only_valid) = (from.small()?, from.number()?, from.flag()?);
        let day: (u16, u16, u16) = (from.small()?, from.small()?, from.small()?);
        Ok(Self { resident_ids, year, k, minors_on: (day != (0, 0, 0)).then_some(day), only_valid })
    }
}

impl Dialect {
    fn keep(self, out: &mut Out<'_>) -> io::Result<()> {
        let (number, separator) = match self {
            Self::SqlInsert => (0, String::new()),
            Self::SqlCopy => (1, String::new()),
            Self::Csv(separator) => (2, char::from(separator).to_string()),
            Self::Separated(separator) => (3, separator.to_owned()),
            Self::JsonLines => (4, String::new()),
            Self::PhpSerialized => (5, String::new()),
            Self::Worksheet => (6, String::new()),
        };
        out.number(number)?;
        out.text(&separator)
    }

    fn kept(from: &mut In<'_>) -> io::Result<Self> {
        let (number, separator) = (from.number()?, from.text()?);
        Ok(match number {
            0 => Self::SqlInsert,
            1 => Self::SqlCopy,
            2 => Self::Csv(separator.chars().next().and_then(|sign| u8::try_from(sign).ok()).ok_or_else(invalid)?),
            3 => Self::Separated(crate::dialect::separator(&separator).ok_or_else(invalid)?),
            4 => Self::JsonLines,
            5 => Self::PhpSerialized,
            6 => Self::Worksheet,
            _ => return Err(invalid()),
        })
    }
}
