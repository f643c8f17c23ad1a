//! Rows whose fields have names of their own: JSON objects and PHP arrays.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fields::{Escape, Fields};
use super::{Header, Step, Text, json, php};
use crate::rows::Dialect;

/// How many columns a table of named fields may have: a dump whose keys are data must not fill memory.
const MOST_COLUMNS: usize = 1000;
/// How deep objects in objects are taken apart; below, they are one field.
pub(crate) const DEEPEST: usize = 8;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Keyed {
    Json,
    Php,
}

/// Why a row could not be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The text ends inside of it.
    More,
    /// It is not as rows are written; it was looked at up to this place.
    Bad(usize),
}

/// A value: where it is, or that it is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    At(usize, usize, Option<Escape>),
}

/// The fields of a row by their columns, while it is read.
pub(crate) struct Slots<'a> {
    columns: &'a [Option<String>],
    values: Vec<Option<Value>>,
    /// Names that no column has yet.
    pub(crate) new: Vec<String>,
    next: usize,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(columns: &'a [Option<String>]) -> Self {
        Self { columns, values: vec![None; columns.len()], new: Vec::new(), next: 0 }
    }

    /// Puts a value under its name where that is the next column's: rows mostly have the same names in the same order.
    #[inline]
    pub(crate) fn put_next(&mut self, name: &[u8], value: Value) -> bool {
        let column = self.columns.get(self.next).and_then(Option::as_deref);
        let (true, Some(place)) =
            (column.is_some_and(|column| column.as_bytes() == name), self.values.get_mut(self.next))
        else {
            return false;
        };
        place.get_or_insert(value);
        self.next += 1;
        true
    }

    /// Puts a value under its name; of two with one name the first stays.
    pub(crate) fn put(&mut self, name: &str, value: Value) {
        let is_it = |column: &Option<String>| column.as_deref() == Some(name);
        let found = match self.columns.get(self.next) {
            Some(column) if is_it(column) => Some(self.next),
            _ => self.columns.iter().position(is_it),
        };
        match found {
            Some(index) => {
                self.next = index + 1;
                self.values[index].get_or_insert(value);
            }
            None if self.columns.len() + self.new.len() < MOST_COLUMNS && !self.new.iter().any(|new| new == name) => {
                self.new.push(name.to_owned());
            }
            None => {}
        }
    }

    fn push_all(&self, fields: &mut Fields) {
        for value in &self.values {
            match *value {
                None | Some(Value::Null) => fields.push_null(),
                Some(Value::At(start, end, None)) => fields.push(start, end),
                Some(Value::At(start, end, Some(escape))) => fields.push_escaped(start, end, escape),
            }
        }
    }
}

impl Keyed {
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Json => Dialect::JsonLines,
            Self::Php => Dialect::PhpSerialized,
        }
    }

    pub(crate) fn step(self, table: &mut Option<Arc<Header>>, text: Text<'_>, at: usize, fields: &mut Fields) -> Step {
        let is_between = |byte: &&u8| byte.is_ascii_whitespace() || self == Self::Json && b",[]".contains(byte);
        let between = text.bytes[at..].iter().take_while(is_between).count();
        if between > 0 {
            return Step::Skip(at + between);
        }
        let header = table.get_or_insert_default();
        let mut slots = Slots::new(&header.columns);
        let row = match self {
            Self::Json if text.lines => json::object_of_line(text, at, &mut slots),
            Self::Json => json::object(text.bytes, at, &mut slots),
            Self::Php => php::line(text, at, &mut slots),
        };
        match row {
            Ok(_) if !slots.new.is_empty() => {
                let new = std::mem::take(&mut slots.new);
                Arc::make_mut(header).columns.extend(new.into_iter().map(Some));
                Step::Table(at)
            }
            Ok(next) => {
                slots.push_all(fields);
                Step::Row(next)
            }
            Err(Stop::More) if !text.ended => Step::More,
            Err(_) if text.examine => Step::Misfit,
            Err(stop) => lost(stop, text, at),
        }
    }
}

fn lost(stop: Stop, text: Text<'_>, at: usize) -> Step {
    let what = "a row is not written as the others are, or cut short";
    let reach = match stop {
        Stop::More => text.bytes.len(),
        Stop::Bad(reach) => reach,
    };
    match text.line_end(at) {
        Some(end) if reach > end => Step::LostLooking { end, reach, what },
        Some(end) => Step::Lost(end, what),
        None => Step::More,
    }
}
