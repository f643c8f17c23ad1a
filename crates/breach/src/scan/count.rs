//! Rows of tables whose columns are typed, counted: in a scan, and in a part that is merged into one.

use crate::column::{At, Column, Digests, Filled};
use crate::hosts::Noted;
use crate::kind::{self, Checker, Kind, Verdict};
use crate::password::Owner;
use crate::people::Facts;
use crate::rows::{Batch, Row};
use crate::scan::ScanOptions;
use crate::scan::valid::tally;
use dyetrace_search::RecogniseOptions;
use std::sync::Arc;

/// Rows counted together, column by column.
const CHUNK: usize = 256;
/// Of so many rows of a cell, the stored password of one is tried against the fields of its row.
const EXAMINED: u64 = 1024;
/// Of the first rows, the stored passwords of so many.
const EXAMINED_FIRST: usize = 128;

/// What counting needs.
pub(super) struct Counter {
    pub(super) checker: Checker,
    pub(super) digests: Arc<Digests>,
    pub(super) noted: Noted,
    facts: Vec<Facts>,
    /// Digests of the values that are counted.
    found: Vec<u64>,
    only_valid: bool,
}

/// Counts of a table's rows.
#[derive(Default, Clone, Copy)]
pub(super) struct RowCounts {
    pub(super) rows: u64,
    /// Rows with more fields than the table has columns.
    pub(super) longer: u64,
    /// Rows of the cell that is read.
    pub(super) in_cell: u64,
}

impl Counter {
    /// With these digests.
    pub(super) fn new(digests: Arc<Digests>, options: &ScanOptions) -> Self {
        let recognise = RecogniseOptions { resident_ids: options.resident_ids, year: options.year, least_bits: 0.0 };
        Self {
            checker: Checker::new(recognise),
            noted: Noted::new(&digests.hosts),
            digests,
            facts: Vec::new(),
            found: Vec::new(),
            only_valid: options.only_valid,
        }
    }

    /// Counts rows of a table, and gives what each says of its person. `are_first` for the rows that the columns were
    /// typed by.
    pub(super) fn count(
        &mut self,
        columns: &mut [Column],
        counts: &mut RowCounts,
        batch: &Batch<'_>,
        (cell, are_first): (u64, bool),
        mut give: impl FnMut(&[Facts], &mut Noted),
    ) {
        let mut filled = Vec::with_capacity(CHUNK);
        let mut from = 0;
        while from + 1 < batch.starts.len() {
            let to = (from + CHUNK).min(batch.starts.len() - 1);
            let Some(starts) = batch.starts.get(from..=to) else { return };
            let chunk = Batch { starts, ..*batch };
            let at = At { is_first: are_first && from == 0, cell };
            self.facts.clear();
            self.facts.resize(chunk.len(), Facts::NONE);
            for (index, column) in columns.iter_mut().enumerate() {
                if self.only_valid && !column.is_open() {
                    column.add_tally(tally(column.kind, &chunk, index, &mut self.checker));
                    continue;
                }
                gather(column, index, &chunk, &mut filled);
                // Where a value may decide on the kind of the next, they are counted one by one.
                let together = if column.is_open() { 1 } else { CHUNK };
                filled.chunks(together).for_each(|filled| self.count_values(column, filled, at));
            }
            if !self.only_valid {
                examine(columns, &chunk, counts.in_cell, at.is_first);
                give(&self.facts, &mut self.noted);
            }
            counts.rows += chunk.len() as u64;
            counts.in_cell += chunk.len() as u64;
            counts.longer += chunk.rows().filter(|row| row.len() > columns.len()).count() as u64;
            from = to;
        }
    }

    /// Counts values of one column.
    fn count_values(&mut self, column: &mut Column, filled: &[Filled<'_>], at: At) {
        let Self { checker, digests, noted, facts, found, only_valid } = self;
        let kind = column.kind;
        if *only_valid {
            let valid = filled.iter().filter(|filled| checker.check(kind, filled.value).is_valid()).count();
            return column.add(filled, valid as u64, &[], at, checker);
        }
        let mut valid = 0;
        found.clear();
        for Filled { row, value } in filled {
            let verdict = checker.check(kind, value);
            let digest = match verdict {
                Verdict::Canonical => digests.of(kind, checker.canonical()),
                _ => digests.of_value(value),
            };
            found.push(digest);
            let Some(facts) = facts.get_mut(*row).filter(|_| verdict.is_valid()) else { continue };
            valid += 1;
            facts.kinds |= kind.bit();
            if verdict == Verdict::Canonical {
                learn_identifier(kind, digest, checker.canonical(), facts, digests, noted);
                continue;
            }
            match kind {
                Kind::Time => column.add_moment(checker.moment()),
                Kind::BirthDate => facts.birth = checker.day().or(facts.birth),
                Kind::Province if facts.province == 0 => facts.province = province(value),
                Kind::Address if facts.province == 0 => facts.province = kind::province_of_text(value).unwrap_or(0),
                _ => {}
            }
        }
        column.add(filled, valid, found, at, checker);
    }
}

/// The fields of a column that are filled; the others are counted.
fn gather<'b>(column: &mut Column, index: usize, chunk: &Batch<'b>, filled: &mut Vec<Filled<'b>>) {
    let (mut null, mut empty) = (0, 0);
    filled.clear();
    for (row, fields) in chunk.rows().enumerate() {
        match fields.field(index) {
            None => null += 1,
            Some([]) => empty += 1,
            Some(value) => filled.push(Filled { row, value }),
        }
    }
    column.add_none(null, empty);
}

fn province(value: &[u8]) -> u8 {
    kind::province_of_text(value).or_else(|| kind::province_of_id(value)).unwrap_or(0)
}

/// What an identifier in canonical form says of its person.
#[inline]
fn learn_identifier(
    kind: Kind,
    digest: u64,
    canonical: &[u8],
    facts: &mut Facts,
    digests: &Digests,
    noted: &mut Noted,
) {
    if !kind.joins() || is_placeholder(kind, canonical) {
        return;
    }
    facts.add_key(kind, digest);
    match kind {
        Kind::ResidentId => {
            facts.birth = canonical.get(6..14).and_then(kind::birth).or(facts.birth);
            facts.province = kind::province_of_id(canonical).unwrap_or(facts.province);
        }
        Kind::Email => {
            let at = memchr::memrchr(b'@', canonical).unwrap_or(canonical.len());
            let host = canonical.get(at + 1..).unwrap_or_default();
            facts.host = noted.note(host);
            // The address of a QQ number is made of it.
            let local = canonical.get(..at).unwrap_or_default();
            if host == b"qq.com" && (5..=11).contains(&at) && local.iter().all(u8::is_ascii_digit) {
                facts.add_key(Kind::Qq, digests.of(Kind::Qq, local));
            }
        }
        _ => {}
    }
}

/// Numbers and addresses that stand for "none" and are nobody's.
fn is_placeholder(kind: Kind, canonical: &[u8]) -> bool {
    match kind {
        Kind::Phone => matches!(
            canonical,
            b"8613800138000" | b"8613800000000" | b"8613000000000" | b"8613888888888" | b"8618888888888"
        ),
        Kind::Email => {
            matches!(canonical, b"test@test.com" | b"a@a.com" | b"123@qq.com" | b"123456@qq.com" | b"admin@admin.com")
        }
        Kind::Qq => matches!(
            canonical,
            b"10000" | b"12345" | b"123456" | b"1234567" | b"12345678" | b"123456789" | b"1234567890"
        ),
        _ => false,
    }
}

/// Tries, of some rows, what a stored password is a digest of.
fn examine(columns: &mut [Column], chunk: &Batch<'_>, in_cell: u64, is_first: bool) {
    let secret = |column: &Column| matches!(column.kind, Kind::PasswordHash | Kind::Digest);
    if !columns.iter().any(secret) {
        return;
    }
    let salt = columns.iter().position(|column| column.kind == Kind::Salt);
    let known = |column: &Column| column.kind.joins() || column.kind == Kind::Username;
    let fields: Vec<(usize, Kind)> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| known(column))
        .map(|(index, column)| (index, column.kind))
        .take(8)
        .collect();
    for (_, (row, _)) in chunk
        .rows()
        .zip(in_cell..)
        .enumerate()
        .filter(|(place, (_, number))| is_first && *place < EXAMINED_FIRST || number % EXAMINED == 0)
    {
        let of_row = |(index, kind): &(usize, Kind)| {
            Some((*kind, row.field(*index).filter(|field| (1..=128).contains(&field.len()))?))
        };
        let fields: Vec<(Kind, &[u8])> = fields.iter().filter_map(of_row).collect();
        let owner = Owner { salt: salt.and_then(|salt| row.field(salt)), fields: &fields };
        for (index, column) in columns.iter_mut().enumerate() {
            if let (Some(stored), Some(value)) = (&mut column.stored, filled(&row, index)) {
                stored.examine(value, &owner);
            }
        }
    }
}

fn filled<'a>(row: &Row<'a>, column: usize) -> Option<&'a [u8]> {
    row.field(column).filter(|value| !value.is_empty())
}
