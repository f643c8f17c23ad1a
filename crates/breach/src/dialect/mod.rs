//! How rows are written, and taking them apart.
//!
//! A parser is given a window of text and a place in it, and makes one [`Step`]. What it needs to go on
//! at a row boundary is in [`State`], which is what a checkpoint keeps.

pub(crate) mod delimited;
pub(crate) mod fields;
pub(crate) mod find;
pub(crate) mod guess;
mod header;
mod json;
mod keyed;
pub(crate) mod php;
mod schema;
pub(crate) mod sheet;
pub(crate) mod sql;
mod statement;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::rows::Dialect;
use delimited::Delimited;
use fields::Fields;
use keyed::Keyed;
pub(crate) use schema::Header;
use sql::Sql;

/// What a parser found at a place of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A row, complete in [`Fields`]; the next thing begins at this place.
    Row(usize),
    /// Nothing that holds rows, up to this place.
    Skip(usize),
    /// The state's table is another from here on.
    Table(usize),
    /// Longer than the text at hand.
    More,
    /// What stands here is not as this dialect writes it. Only where the step was told to examine.
    Misfit,
    /// Damaged up to this place.
    Lost(usize, &'static str),
    /// Damaged up to `end`, which took looking at all up to `reach`: what begins before is not to be looked at beyond
    /// its line, or it would be looked at as often as it has lines.
    LostLooking { end: usize, reach: usize, what: &'static str },
}

/// The text at hand.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether no text will follow.
    pub(crate) ended: bool,
    /// Whether to stop at what is not of the dialect, so that the dialect can be guessed again.
    pub(crate) examine: bool,
    /// Whether rows end with their line, because what lies behind was looked at already.
    pub(crate) lines: bool,
}

impl Text<'_> {
    /// Where the line of `at` ends: after its line feed, or where the text ends for good.
    #[inline]
    pub(crate) fn line_end(self, at: usize) -> Option<usize> {
        line_end(self.bytes, at).or(self.ended.then_some(self.bytes.len()))
    }

    /// More text is needed, unless there is none: then what stands here is damaged to the end.
    pub(crate) fn more(self, what: &'static str) -> Step {
        if self.ended { Step::Lost(self.bytes.len(), what) } else { Step::More }
    }
}

/// What is known at a row boundary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) shape: Shape,
    /// The table that rows belong to, where one has begun.
    pub(crate) table: Option<Arc<Header>>,
}

/// A dialect and what its parser remembers between rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// None that is known here.
    Unknown,
    Sql(Sql),
    Delimited(Delimited),
    Keyed(Keyed),
    Sheet(sheet::Sheet),
}

impl State {
    pub(crate) fn unknown() -> Self {
        Self { shape: Shape::Unknown, table: None }
    }

    pub(crate) fn dialect(&self) -> Option<Dialect> {
        match &self.shape {
            Shape::Unknown => None,
            Shape::Sql(sql) => Some(sql.dialect()),
            Shape::Delimited(delimited) => Some(delimited.dialect()),
            Shape::Keyed(keyed) => Some(keyed.dialect()),
            Shape::Sheet(_) => Some(Dialect::Worksheet),
        }
    }

    /// One step from `at`.
    #[inline]
    pub(crate) fn step(&mut self, text: Text<'_>, at: usize, fields: &mut Fields) -> Step {
        match &mut self.shape {
            Shape::Sql(sql) => sql.step(&mut self.table, text, at, fields),
            Shape::Delimited(delimited) => delimited.step(text, at, fields),
            Shape::Keyed(keyed) => keyed.step(&mut self.table, text, at, fields),
            Shape::Sheet(_) => sheet::Sheet::step(text, at, fields),
            Shape::Unknown if text.examine => Step::Misfit,
            Shape::Unknown => match text.line_end(at) {
                Some(end) => Step::Lost(end, "neither SQL nor separated fields nor JSON"),
                None => Step::More,
            },
        }
    }

    /// Whether what was guessed where a row did not fit is reason enough to leave this dialect.
    pub(crate) fn yields_to(&self, guess: &guess::Guess) -> bool {
        match (&self.shape, &guess.state.shape) {
            (Shape::Sql(_), Shape::Sql(_)) | (Shape::Sheet(_), _) => false,
            (Shape::Keyed(old), Shape::Keyed(new)) => old != new,
            (Shape::Unknown, _) | (_, Shape::Sql(_)) => true,
            (Shape::Delimited(old), Shape::Delimited(new)) => {
                guess.lines >= guess::FEWEST_LINES && (old.separator, old.columns) != (new.separator, new.columns)
            }
            _ => guess.lines >= guess::FEWEST_LINES,
        }
    }

    /// Whether a part may begin at `at`: where a reader that knows the dialect, and no statement, can begin.
    pub(crate) fn is_boundary(&self, text: &[u8], at: usize) -> bool {
        match &self.shape {
            Shape::Sql(sql) => sql.is_boundary(text, at),
            _ => true,
        }
    }

    /// Goes on as if no `INSERT` had begun.
    pub(crate) fn leave_statement(&mut self) {
        if let Shape::Sql(sql) = &mut self.shape {
            sql.leave_statement();
        }
    }

    /// Whether what follows is read as it is from the other. A table that ended makes no difference.
    pub(crate) fn goes_on_as(&self, other: &Self) -> bool {
        let is_between = matches!(&self.shape, Shape::Sql(sql) if sql.is_between_statements());
        self.shape == other.shape && (is_between || self.table == other.table)
    }

    /// Where the row itself begins that was read from `at` on: after what parts it from the one before.
    pub(crate) fn row_start(&self, text: &[u8], at: usize) -> usize {
        let is_between = |byte: &&u8| matches!(**byte, b',' | b' ' | b'\t' | b'\n' | b'\r');
        match &self.shape {
            Shape::Sql(sql) if sql.is_inside_values() => at + text[at..].iter().take_while(is_between).count(),
            _ => at,
        }
    }

    /// Where reading may go on after damage at or after `at`: `None` where it is beyond the text.
    pub(crate) fn resync(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if let Shape::Sql(sql) = &mut self.shape {
            sql.leave_statement();
        }
        if let Shape::Sheet(_) = &self.shape {
            return sheet::Sheet::resync(text, at);
        }
        line_end(text, at)
    }
}

/// One of the signs that part fields.
pub(crate) fn separator(written: &str) -> Option<&'static str> {
    delimited::SEPARATORS.iter().copied().find(|separator| *separator == written)
}

/// A dialect by its number, for readers that are told which.
pub(crate) fn of_number(number: u8) -> State {
    let separators = delimited::SEPARATORS;
    let separator = delimited::Separator(separators.get(usize::from(number) % 32).copied().unwrap_or(","));
    let columns = 1 + usize::from(number) % 4;
    let quotes = number >= 64 && separator.0.len() == 1;
    let shape = match number % 32 {
        24 | 25 => Shape::Sql(Sql::new(number.is_multiple_of(2))),
        26 | 27 => Shape::Keyed(Keyed::Json),
        28 | 29 => Shape::Keyed(Keyed::Php),
        30 => Shape::Sheet(sheet::Sheet),
        _ => Shape::Delimited(Delimited { separator, quotes, columns }),
    };
    State { shape, table: None }
}

/// One more than the place of the next line feed.
#[inline]
pub(crate) fn line_end(text: &[u8], at: usize) -> Option<usize> {
    memchr::memchr(b'\n', text.get(at..)?).map(|length| at + length + 1)
}
