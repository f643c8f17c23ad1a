//! What apps keep on a device, opened byte by byte: SQLite with its write-ahead log, free and unallocated space,
//! preferences, LevelDB, MMKV, property lists, Android backups, and the names that image caches give to their files.
//!
//! Bytes in, values out. Nothing here opens a file, and no library that owns a format is linked: those show the rows
//! that an app would see, and evidence is also in what the app would not see any more.
//!
//! * [`recognise`] says what a file is, by its content first.
//! * [`read`] calls back for every [`Value`] and every [`Damage`]. It never fails as a whole.
//! * [`read_sqlite`] takes a database together with its write-ahead log or rollback journal.
//!
//! Two things hold of every reader. A value whose bytes are borrowed stands in its file as it is, at [`Value::at`].
//! And what one input can make a reader do is bounded by the input's length and by [`Limits`].

pub mod ab;
mod abx;
mod axml;
pub mod cache_names;
mod datastore;
#[doc(hidden)]
pub mod fuzzing;
mod leveldb;
mod mmkv;
mod names;
mod out;
mod path;
mod place;
mod plist;
mod recognise;
mod sqlite;
mod varint;
mod xml;

pub use out::{Damage, Damaged, File, Form, Found, Limits, State, Value};
pub use place::{Column, Origin, PageAt, Part, Place, Within};
pub use recognise::{Kind, TAIL, recognise, recognise_ends};
pub use sqlite::{Database, read_sqlite};

use out::Out;

/// Calls `found` for everything that one store holds, and for everything in it that could not be read.
///
/// Bytes that are not of this kind are not an error: what cannot be read in order is given raw.
pub fn read(kind: Kind, bytes: &[u8], limits: &Limits, found: &mut dyn FnMut(Found<'_>)) {
    let mut out = Out::new(limits, found);
    match kind {
        Kind::Sqlite => sqlite::read(&Database { main: bytes, ..Database::default() }, &mut out),
        Kind::SqliteWal => sqlite::read(&Database { wal: Some(bytes), ..Database::default() }, &mut out),
        Kind::SqliteJournal => sqlite::read(&Database { journal: Some(bytes), ..Database::default() }, &mut out),
        Kind::LevelDbTable => leveldb::read_table(bytes, &mut out),
        Kind::LevelDbLog => leveldb::read_log(bytes, &mut out),
        Kind::Plist => plist::read(bytes, &mut out),
        Kind::Mmkv => mmkv::read(bytes, &mut out),
        Kind::DataStore => datastore::read(bytes, &mut out),
        Kind::CompiledXml => axml::read(bytes, &mut out),
        Kind::BinaryXml => abx::read(bytes, &mut out),
        Kind::Realm => realm(bytes, &mut out),
        Kind::SharedPreferences | Kind::Xml => xml::read(bytes, &mut out),
    }
}

/// Realm has no public description of its format: the file is given whole, and that is said by its place.
fn realm(bytes: &[u8], out: &mut Out<'_>) {
    let place = Place::Named { name: "a Realm file, raw,", at: 0 };
    out.raw(place, bytes, 0, File::Main, State::Unallocated);
}
