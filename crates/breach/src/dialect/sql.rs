//! SQL as mysqldump, `pg_dump`, `sqlite3 .dump` and the exporters of other servers write it.
//!
//! Only three statements matter: `CREATE TABLE` names columns, `INSERT` (and `REPLACE`) and `COPY` hold
//! rows. All others are passed over up to their `;` or line end.

#![expect(clippy::inline_always, reason = "a call costs as much as a field")]

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fields::{Escape, Fields};
use super::schema::Schemas;
use super::statement::{self, Statement};
use super::{Header, Step, Text};
use crate::dialect::find::Ahead;
use crate::rows::Dialect;

/// Where in the statements reading is, and what they said so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sql {
    inside: Inside,
    /// Whether a backslash escapes what follows it (MySQL), or stands for itself (standard SQL).
    pub(crate) backslashes: bool,
    /// The columns of the tables created so far.
    schemas: Schemas,
    /// The last statement's words up to its rows: the next is most often the same.
    #[serde(skip)]
    last: Memo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Inside {
    Nothing,
    Values,
    Copy,
}

/// A help that is no part of the state: all are equal.
#[derive(Clone, Default)]
struct Memo(Vec<u8>);

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl std::fmt::Debug for Memo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Memo")
    }
}

/// Why a row could not be taken apart.
#[derive(Debug)]
enum Stop {
    More,
    Bad,
}

impl Sql {
    pub(crate) fn new(backslashes: bool) -> Self {
        Self { inside: Inside::Nothing, backslashes, schemas: Schemas::default(), last: Memo::default() }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        if self.inside == Inside::Copy { Dialect::SqlCopy } else { Dialect::SqlInsert }
    }

    /// Goes on as if no statement had begun.
    pub(crate) fn leave_statement(&mut self) {
        if self.inside == Inside::Values {
            self.inside = Inside::Nothing;
        }
    }

    /// Whether no statement has begun.
    pub(crate) fn is_between_statements(&self) -> bool {
        self.inside == Inside::Nothing
    }

    /// Whether a row's statement begins at a line's start, or a line of `COPY`.
    pub(crate) fn is_boundary(&self, text: &[u8], at: usize) -> bool {
        let begins = |words: &str| {
            text.get(at..at + words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words.as_bytes()))
        };
        match self.inside {
            Inside::Values => false,
            Inside::Copy => true,
            Inside::Nothing => {
                (at == 0 || text.get(at - 1) == Some(&b'\n'))
                    && ["INSERT ", "REPLACE ", "CREATE ", "COPY "].iter().any(|words| begins(words))
            }
        }
    }

    /// Whether the next row belongs to a statement that has begun.
    pub(crate) fn is_inside_values(&self) -> bool {
        self.inside == Inside::Values
    }

    #[inline]
    pub(crate) fn step(
        &mut self,
        table: &mut Option<Arc<Header>>,
        text: Text<'_>,
        at: usize,
        fields: &mut Fields,
    ) -> Step {
        match self.inside {
            Inside::Values => self.value_row(text, at, fields),
            Inside::Copy => self.copy_line(text, at, fields),
            Inside::Nothing => self.statement(table, text, at),
        }
    }

    #[inline]
    fn value_row(&mut self, text: Text<'_>, at: usize, fields: &mut Fields) -> Step {
        let mut open = at;
        loop {
            match text.bytes.get(open) {
                Some(b'(') => break,
                Some(b',' | b' ' | b'\t' | b'\n' | b'\r') => open += 1,
                Some(b';') => {
                    self.inside = Inside::Nothing;
                    return Step::Skip(open + 1);
                }
                Some(_) => {
                    self.inside = Inside::Nothing;
                    return Step::Skip(open);
                }
                None => return if open > at { Step::Skip(open) } else { Step::More },
            }
        }
        match values(text.bytes, open + 1, self.backslashes, fields) {
            Ok(next) => Step::Row(next),
            Err(stop) => {
                fields.abandon();
                match stop {
                    Stop::More => text.more("a row is cut short, or a quote in it is not closed"),
                    Stop::Bad => self.skip_statement(text, at),
                }
            }
        }
    }

    /// Damage in the middle of a statement: its line is lost, and reading goes on with the next.
    fn skip_statement(&mut self, text: Text<'_>, at: usize) -> Step {
        match text.line_end(at) {
            Some(end) => {
                self.inside = Inside::Nothing;
                Step::Lost(end, "the values of a row are not as SQL writes them: the rest of the line is lost")
            }
            None => Step::More,
        }
    }

    fn copy_line(&mut self, text: Text<'_>, at: usize, fields: &mut Fields) -> Step {
        let Some(end) = text.line_end(at) else { return Step::More };
        let line = text.bytes.get(at..end).unwrap_or_default();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line == b"\\." {
            self.inside = Inside::Nothing;
            return Step::Skip(end);
        }
        let mut start = at;
        for tab in memchr::memchr_iter(b'\t', line).chain([line.len()]) {
            copy_field(text.bytes, start, at + tab, fields);
            start = at + tab + 1;
        }
        Step::Row(end)
    }

    fn statement(&mut self, table: &mut Option<Arc<Header>>, text: Text<'_>, at: usize) -> Step {
        let blank = text.bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b';').count();
        if blank > 0 {
            return Step::Skip(at + blank);
        }
        let rest = &text.bytes[at..];
        if table.is_some() && !self.last.0.is_empty() && rest.starts_with(&self.last.0) {
            self.inside = Inside::Values;
            return Step::Skip(at + self.last.0.len());
        }
        match statement::parse(rest, text.ended) {
            Statement::More => Step::More,
            Statement::Unknown(_) if text.examine => Step::Misfit,
            Statement::Passed(length) | Statement::Unknown(length) => Step::Skip(at + length),
            Statement::StandardStrings(length) => {
                self.backslashes = false;
                Step::Skip(at + length)
            }
            Statement::Create { name, columns, length } => {
                // Rows of this table have other columns from now on, also where the words before them are the same.
                self.last = Memo::default();
                self.schemas.insert(name, columns);
                Step::Skip(at + length)
            }
            Statement::Insert { name, columns, length } => {
                self.last = Memo(rest[..length].to_vec());
                self.begin(table, name, columns, Inside::Values);
                Step::Table(at + length)
            }
            Statement::Copy { name, columns, length } => {
                self.last = Memo::default();
                self.begin(table, name, columns, Inside::Copy);
                Step::Table(at + length)
            }
        }
    }

    fn begin(&mut self, table: &mut Option<Arc<Header>>, name: String, columns: Vec<Option<String>>, inside: Inside) {
        let known = self.schemas.get(&name).filter(|_| columns.is_empty()).map(Arc::clone);
        *table = Some(known.unwrap_or_else(|| Arc::new(Header { name: Some(name), columns })));
        self.inside = inside;
    }
}

fn copy_field(text: &[u8], start: usize, end: usize, fields: &mut Fields) {
    let field = &text[start..end];
    if field == b"\\N" {
        fields.push_null();
    } else if memchr::memchr(b'\\', field).is_some() {
        fields.push_escaped(start, end, Escape::Copy);
    } else {
        fields.push(start, end);
    }
}

/// Takes the values of a row apart, from after its `(`. Returns the place after its `)`.
#[inline]
fn values(text: &[u8], mut at: usize, backslashes: bool, fields: &mut Fields) -> Result<usize, Stop> {
    let mut signs = signs(backslashes);
    loop {
        at = match text.get(at) {
            Some(b'\'') => string(text, at + 1, &mut signs, fields)?,
            Some(b'0'..=b'9' | b'-') => number(text, at, fields),
            Some(b'N') if matches!(text.get(at..at + 5), Some(b"NULL," | b"NULL)")) => {
                fields.push_null();
                at + 4
            }
            Some(byte) if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            Some(_) => other_value(text, at, backslashes, fields)?,
            None => return Err(Stop::More),
        };
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b')') => return Ok(at + 1),
            Some(_) => {
                at = rest_of_value(text, at)?;
                if text.get(at) == Some(&b')') {
                    return Ok(at + 1);
                }
                at += 1;
            }
            None => return Err(Stop::More),
        }
    }
}

/// What may end a string, or be an escape in it.
#[inline]
fn signs(backslashes: bool) -> Ahead {
    Ahead::of([b'\'', if backslashes { b'\\' } else { b'\'' }])
}

/// A string from after its opening quote. Returns the place after its closing quote.
#[inline(always)]
fn string(text: &[u8], start: usize, signs: &mut Ahead, fields: &mut Fields) -> Result<usize, Stop> {
    let mut at = start;
    let mut escaped = false;
    loop {
        let found = signs.next(text, at).ok_or(Stop::More)?;
        if text[found] == b'\\' {
            escaped = true;
            at = found + 2;
            continue;
        }
        match text.get(found + 1) {
            Some(b'\'') => {
                escaped = true;
                at = found + 2;
            }
            Some(_) => {
                if escaped {
                    let escape = if signs.second() == b'\\' { Escape::Backslash } else { Escape::Doubled(b'\'') };
                    fields.push_escaped(start, found, escape);
                } else {
                    fields.push(start, found);
                }
                return Ok(found + 1);
            }
            None => return Err(Stop::More),
        }
    }
}

#[inline]
fn number(text: &[u8], start: usize, fields: &mut Fields) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    let mut end = start + 1;
    while text.get(end).copied().is_some_and(is_part) {
        end += 1;
    }
    if text[start] == b'0' && matches!(text.get(start + 1), Some(b'x' | b'X')) {
        fields.push_escaped(start + 2, end, Escape::Hex);
    } else {
        fields.push(start, end);
    }
    end
}

/// `NULL`, `N'…'`, `E'…'`, `X'…'`, `_binary '…'`, a call such as `to_date('…')`, or a word.
#[cold]
fn other_value(text: &[u8], start: usize, backslashes: bool, fields: &mut Fields) -> Result<usize, Stop> {
    let word = text[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let after = start + word;
    let name = &text[start..after];
    let space = text[after..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    match text.get(after + space) {
        None => return Err(Stop::More),
        Some(b'\'') if name.eq_ignore_ascii_case(b"x") => {
            let end = memchr::memchr(b'\'', &text[after + space + 1..]).ok_or(Stop::More)? + after + space + 1;
            fields.push_escaped(after + space + 1, end, Escape::Hex);
            return Ok(end + 1);
        }
        Some(b'\'') => {
            let backslashes = backslashes || name.eq_ignore_ascii_case(b"e");
            return string(text, after + space + 1, &mut signs(backslashes), fields);
        }
        Some(b',' | b')') if name.eq_ignore_ascii_case(b"null") || name.eq_ignore_ascii_case(b"default") => {
            fields.push_null();
            return Ok(after + space);
        }
        Some(_) => {}
    }
    let end = rest_of_value(text, start)?;
    let value = &text[start..end];
    match memchr::memchr(b'\'', value) {
        Some(quote) => {
            string(text, start + quote + 1, &mut signs(backslashes), fields)?;
        }
        None => fields.push(start, start + value.trim_ascii_end().len()),
    }
    Ok(end)
}

/// The longest expression, beyond plain values, that is read as one.
const LONGEST_EXPRESSION: usize = 4096;

/// The place of the `,` or `)` that ends an expression.
#[cold]
fn rest_of_value(text: &[u8], start: usize) -> Result<usize, Stop> {
    let mut depth = 0usize;
    let mut at = start;
    loop {
        if at > start + LONGEST_EXPRESSION {
            return Err(Stop::Bad);
        }
        match text.get(at) {
            None => return Err(Stop::More),
            Some(b',' | b')') if depth == 0 => return Ok(at),
            Some(b';' | b'\n') if depth == 0 => return Err(Stop::Bad),
            Some(b'(') => depth += 1,
            Some(b')') => depth -= 1,
            Some(b'\'') => at += memchr::memchr(b'\'', &text[at + 1..]).ok_or(Stop::More)? + 1,
            Some(_) => {}
        }
        at += 1;
    }
}
