//! Which dialect a sample of text is in.
//!
//! Unquoted lists are the usual form of resold dumps, and their separator may be part of a value (`-` in
//! an e-mail address, `:` in a time). So separators are judged over all lines of the sample: the right one
//! parts nearly all of them into the same number of fields.

use std::sync::Arc;

use super::delimited::{Delimited, SEPARATORS, Separator};
use super::fields::Fields;
use super::keyed::Keyed;
use super::sql::Sql;
use super::{Header, Shape, State, Step, Text, header};

/// How many lines are judged.
const MOST_LINES: usize = 400;
/// Fewer lines say too little to take one list for another.
pub(crate) const FEWEST_LINES: usize = 8;
/// A line longer than this is no row of a list.
const LONGEST_LINE: usize = 16 << 10;

/// A dialect, and how many bytes to pass over before its first row (a header line).
pub(crate) struct Guess {
    pub(crate) state: State,
    pub(crate) skip: usize,
    /// How many lines it was judged on; for SQL, none are needed.
    pub(crate) lines: usize,
}

/// Guesses the dialect of text that begins at a line's start. `ended` says that the sample is all there is.
pub(crate) fn guess(sample: &[u8], ended: bool) -> Option<Guess> {
    let lines = lines_of(sample, ended);
    sql(sample, &lines).or_else(|| keyed(sample, &lines)).or_else(|| delimited(sample, &lines))
}

/// The sample's complete lines that are not empty, without their line ends.
fn lines_of(sample: &[u8], ended: bool) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = sample.split(|&byte| byte == b'\n').take(MOST_LINES + 1).collect();
    if lines.len() <= MOST_LINES && !ended || lines.len() > MOST_LINES {
        lines.pop();
    }
    let trimmed = lines.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    trimmed.filter(|line| !line.is_empty()).collect()
}

fn begins_with(line: &[u8], words: &str) -> bool {
    line.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words.as_bytes()))
}

/// Statements that only SQL has; a line of the sample's that is not complete may be one too.
fn sql(sample: &[u8], lines: &[&[u8]]) -> Option<Guess> {
    let starts =
        ["INSERT ", "REPLACE INTO ", "CREATE TABLE ", "CREATE DATABASE ", "DROP TABLE ", "PRAGMA foreign_keys"];
    let is_copy = |line: &[u8]| begins_with(line, "COPY ") && line.to_ascii_lowercase().ends_with(b" from stdin;");
    let comments =
        ["-- MySQL dump", "-- MariaDB dump", "-- PostgreSQL database", "-- phpMyAdmin SQL Dump", "/*!40101 SET"];
    let head = sample.split(|&byte| byte == b'\n').take(MOST_LINES);
    let is_sql = head.map(<[u8]>::trim_ascii_start).any(|line| {
        starts.iter().chain(&comments).any(|start| begins_with(line, start)) || is_copy(line.trim_ascii_end())
    });
    let state = State { shape: Shape::Sql(Sql::new(has_backslashes(sample))), table: None };
    is_sql.then_some(Guess { state, skip: 0, lines: lines.len() })
}

/// Objects or serialised arrays, whose names in the sample become the columns.
fn keyed(sample: &[u8], lines: &[&[u8]]) -> Option<Guess> {
    let start = sample.trim_ascii_start();
    let opened = start.strip_prefix(b"[").unwrap_or(start).trim_ascii_start();
    let inside = opened.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let is_php = |line: &[u8]| line.starts_with(b"a:") && line.get(2).is_some_and(u8::is_ascii_digit);
    let shape = if inside.is_some_and(|inside| inside.starts_with(b"\"") || inside.starts_with(b"}")) {
        Keyed::Json
    } else if lines.first().is_some_and(|line| is_php(line)) {
        Keyed::Php
    } else {
        return None;
    };
    let mut state = State { shape: Shape::Keyed(shape), table: None };
    let rows = columns_of(sample, &mut state);
    (rows > 0).then_some(Guess { state, skip: 0, lines: rows })
}

/// Reads the sample's rows for the sake of their names, and counts them.
fn columns_of(sample: &[u8], state: &mut State) -> usize {
    let mut fields = Fields::new();
    let (mut at, mut rows, mut looked) = (0, 0, 0);
    while at < sample.len() {
        let text = Text { bytes: sample, ended: false, examine: false, lines: at < looked };
        match state.step(text, at, &mut fields) {
            Step::Row(next) => {
                fields.abandon();
                (at, rows) = (next, rows + 1);
            }
            Step::Skip(next) | Step::Lost(next, _) | Step::Table(next) => at = next,
            Step::LostLooking { end, reach, .. } => (at, looked) = (end, reach),
            Step::More | Step::Misfit => break,
        }
    }
    rows
}

/// MySQL's server escapes with backslashes; PostgreSQL, SQLite, Oracle and SQL Server do not.
fn has_backslashes(sample: &[u8]) -> bool {
    let has = |mark: &str| memchr::memmem::find(sample, mark.as_bytes()).is_some();
    if ["`", "MySQL", "MariaDB", "ENGINE="].iter().any(|mark| has(mark)) {
        return true;
    }
    !["PostgreSQL", "PRAGMA", "[dbo]", "to_date(", "TO_DATE(", " N'"].iter().any(|mark| has(mark))
}

fn delimited(sample: &[u8], lines: &[&[u8]]) -> Option<Guess> {
    if lines.is_empty() || lines.iter().any(|line| line.len() > LONGEST_LINE) || !is_text(lines) {
        return None;
    }
    let mut best: Option<(usize, Delimited)> = None;
    for &separator in SEPARATORS {
        let Some((score, found)) = score(sample, lines, separator) else { continue };
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, found));
        }
    }
    let (_, found) = best?;
    let (header, skip) = header::of(sample, |text, at, fields| found.step(text, at, fields));
    let columns = header.unwrap_or_else(|| vec![None; found.columns]);
    let state = State { shape: Shape::Delimited(found), table: Some(Arc::new(Header { name: None, columns })) };
    Some(Guess { state, skip, lines: lines.len() })
}

/// Text has hardly any control characters; pictures and programs have many.
fn is_text(lines: &[&[u8]]) -> bool {
    let is_odd = |byte: &&u8| byte.is_ascii_control() && !matches!(**byte, b'\t' | b'\r' | 1);
    let odd: usize = lines.iter().map(|line| line.iter().filter(is_odd).count()).sum();
    let all: usize = lines.iter().map(|line| line.len()).sum();
    odd * 100 <= all
}

/// How well a separator parts the lines: the share of lines with the usual number of fields, and among
/// equals the rarer separator, then the one with more fields.
fn score(sample: &[u8], lines: &[&[u8]], separator: &'static str) -> Option<(usize, Delimited)> {
    let quotes = has_quotes(lines, separator);
    let counts = if quotes {
        quoted_counts(sample, separator, lines.len())
    } else {
        lines.iter().map(|line| count(line, separator) + 1).collect()
    };
    let columns = most_frequent(&counts);
    if separator.is_empty() {
        let found = Delimited { separator: Separator(""), quotes: false, columns: 1 };
        return Some((50, found));
    }
    if columns < 2 {
        return None;
    }
    let alike = counts.iter().filter(|&&count| count == columns).count() * 1000 / counts.len().max(1);
    let weight = weight(separator);
    let score = (alike * alike / 1000) * weight / 100 + columns.min(20) * 10;
    let found = Delimited { separator: Separator(separator), quotes, columns };
    (alike >= 500).then_some((score, found))
}

/// How seldom a separator is part of a value, in percent.
fn weight(separator: &str) -> usize {
    match separator {
        "----" => 150,
        "---" | "||" | "\t" | "\u{1}" => 140,
        "|" | "::" => 130,
        "," | ";" => 100,
        ":" => 85,
        "==" | "~" | "^" | "#" => 75,
        "--" => 70,
        _ => 40,
    }
}

/// How often a separator stands in a line. Colons of a time of day and of `https://` do not count.
fn count(line: &[u8], separator: &str) -> usize {
    let found = memchr::memmem::find_iter(line, separator.as_bytes());
    if separator != ":" {
        return found.count();
    }
    let digit = |at: Option<usize>| at.and_then(|at| line.get(at)).is_some_and(u8::is_ascii_digit);
    let is_time = |at: usize| {
        digit(at.checked_sub(2))
            && digit(at.checked_sub(1))
            && digit(Some(at + 1))
            && digit(Some(at + 2))
            && !digit(at.checked_sub(3))
            && !digit(Some(at + 3))
    };
    found.filter(|&at| !is_time(at) && !line[at + 1..].starts_with(b"//")).count()
}

/// Whether fields are quoted. A list by commas may have its first quote beyond the sample.
fn has_quotes(lines: &[&[u8]], separator: &str) -> bool {
    let &[byte] = separator.as_bytes() else { return false };
    let is_usual = matches!(byte, b',' | b';' | b'\t');
    let is_possible = is_usual || matches!(byte, b'|' | b':');
    let begins = |line: &&&[u8]| line.starts_with(b"\"") || memchr::memmem::find(line, &[byte, b'"']).is_some();
    let ends = |line: &&&[u8]| line.ends_with(b"\"") || memchr::memmem::find(line, &[b'"', byte]).is_some();
    let (begun, ended) = (lines.iter().filter(begins).count(), lines.iter().filter(ends).count());
    is_possible
        && if begun + ended == 0 { is_usual } else { begun > 0 && ended > 0 && begun.abs_diff(ended) * 4 <= begun }
}

fn quoted_counts(sample: &[u8], separator: &'static str, most: usize) -> Vec<usize> {
    let rows = Delimited { separator: Separator(separator), quotes: true, columns: 0 };
    let mut fields = Fields::new();
    let mut counts = Vec::new();
    let mut at = 0;
    let text = Text { bytes: sample, ended: false, examine: false, lines: false };
    while at < sample.len() && counts.len() < most {
        match rows.step(text, at, &mut fields) {
            Step::Row(next) => {
                counts.push(fields.open());
                fields.abandon();
                at = next;
            }
            Step::Skip(next) | Step::Lost(next, _) => at = next,
            _ => break,
        }
    }
    counts
}

fn most_frequent(counts: &[usize]) -> usize {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).and_then(|run| run.first().copied()).unwrap_or(0)
}
