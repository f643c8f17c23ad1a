//! SQLite databases, read as evidence: live rows, and what is left of rows that are not.
//!
//! From the file format's description at <https://www.sqlite.org/fileformat2.html>. A page is taken from the
//! write-ahead log where a finished transaction put it there, else from the database file. What is given:
//!
//! 1. every row of every table and every entry of every index that the schema names ([`State::Live`]);
//! 2. records that still stand whole on free pages and on pages that nothing refers to ([`State::Deleted`]);
//! 3. earlier images of pages in the log and the journal ([`State::Superseded`], [`State::Uncommitted`]);
//! 4. every other byte that is not zero, raw: gaps between records, slack of overflow pages, pages without records.
//!
//! A table's name in 3 is that of the table which owns the page's number now.
//!
//! Each image of a page is taken once, whatever refers to it: the work is linear in the bytes.

mod bytes;
mod cell;
mod header;
mod images;
mod journal;
mod reader;
mod record;
mod schema;
mod wal;

use crate::out::{Damaged, File, Found, Limits, Out, State};
use crate::place::Place;
use header::Header;
use images::Images;
use reader::Reader;
use wal::Wal;

/// A database and the files that belong to it. Any of them may be missing, the database itself too (then
/// [`Self::main`] is empty).
#[derive(Debug, Clone, Copy, Default)]
pub struct Database<'a> {
    /// The database file.
    pub main: &'a [u8],
    /// The file beside it with `-wal` added to its name.
    pub wal: Option<&'a [u8]>,
    /// The file beside it with `-journal` added to its name.
    pub journal: Option<&'a [u8]>,
}

/// Reads a database together with its write-ahead log or rollback journal.
///
/// What the journal holds is given as superseded. Where a transaction was cut off in the middle, it is what the app
/// would see after the next opening; the bytes do not say so.
pub fn read_sqlite(database: &Database<'_>, limits: &Limits, found: &mut dyn FnMut(Found<'_>)) {
    read(database, &mut Out::new(limits, found));
}

pub(crate) fn read(database: &Database<'_>, out: &mut Out<'_>) {
    let header = Header::parse(database.main);
    if header.is_none() && !database.main.is_empty() {
        given_raw(database.main, File::Main, out);
    }
    let wal = database.wal.filter(|bytes| !bytes.is_empty()).and_then(|bytes| {
        let wal = Wal::parse(bytes).filter(|wal| header.is_none_or(|header| header.page_size == wal.page_size));
        if wal.is_none() {
            given_raw(bytes, File::Wal, out);
        }
        wal
    });
    let main = if header.is_some() { database.main } else { &[] };
    // The newest first page counts: a young database may have nothing of itself in its file but an empty header.
    let newest = wal.as_ref().and_then(newest_header).or(header);
    let header = newest.or_else(|| wal.as_ref().map(|wal| Header::assumed(wal.page_size))).or_else(|| {
        let page_size = journal::size_of_pages(database.journal?)?;
        Some(Header::assumed(page_size))
    });
    let Some(header) = header else {
        database.journal.iter().for_each(|bytes| given_raw(bytes, File::Journal, out));
        return;
    };
    if let Some((wal, bytes)) = wal.as_ref().zip(database.wal) {
        tail(bytes, wal.end, File::Wal, out);
    }
    tail(main, main.len() / header.page_size * header.page_size, File::Main, out);
    let mut reader = Reader::new(header, Images::new(main, header.page_size, wal), out);
    reader.read_pages();
    if let Some(bytes) = database.journal {
        reader.read_journal(bytes);
    }
}

/// The header in the newest first page that finished transactions put into the log.
fn newest_header(wal: &Wal<'_>) -> Option<Header> {
    let first = wal.frames.iter().take(wal.committed).rev().find(|frame| frame.page == 1)?;
    Header::parse(first.bytes).filter(|header| header.page_size == wal.page_size)
}

fn given_raw(bytes: &[u8], file: File, out: &mut Out<'_>) {
    out.damage(file, 0..bytes.len() as u64, Damaged::Header);
    out.raw(Place::Named { name: "raw bytes", at: 0 }, bytes, 0, file, State::Unallocated);
}

/// Bytes behind the last whole page.
fn tail(bytes: &[u8], end: usize, file: File, out: &mut Out<'_>) {
    let Some(rest) = bytes.get(end..).filter(|rest| !rest.is_empty()) else { return };
    out.damage(file, end as u64..bytes.len() as u64, Damaged::Short);
    let name = match file {
        File::Main => "behind the last page,",
        File::Wal => "behind the last frame of the write-ahead log,",
        File::Journal => "behind the last record of the rollback journal,",
    };
    out.raw(Place::Named { name, at: end as u64 }, rest, end as u64, file, State::Unallocated);
}
