//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

#![allow(clippy::missing_panics_doc, reason = "an entry panics where a reader breaks its promise")]

use crate::ab::Backup;
use crate::{Database, File, Found, Kind, Limits, Value, cache_names, read, read_sqlite};
use std::borrow::Cow;
use std::io::Read;

/// Limits under which one run of a fuzz target stays small.
fn small_limits() -> Limits {
    Limits { value: 1 << 16, made: 1 << 20, depth: 16 }
}

/// Holds a value against what is promised of it: borrowed bytes stand where it says.
fn check(value: &Value<'_>, files: [&[u8]; 3]) {
    let [main, wal, journal] = files;
    let file = match value.file {
        File::Main => main,
        File::Wal => wal,
        File::Journal => journal,
    };
    assert!(value.place.to_string().len() < 10_000, "a place is short");
    let borrowed = matches!(value.bytes, Cow::Borrowed(_));
    let Some(at) = &value.at else { return assert!(!borrowed, "borrowed bytes have a place") };
    let there = file.get(at.start as usize..at.end as usize).expect("a place lies inside its file");
    assert!(!borrowed || there == &*value.bytes, "borrowed bytes stand in the file");
}

/// Reads one store, and checks that what it gives is bounded.
fn read_one(kind: Kind, data: &[u8]) {
    let mut given = 0;
    read(kind, data, &small_limits(), &mut |found| {
        if let Found::Value(value) = found {
            given += value.bytes.len();
            check(&value, [data; 3]);
        }
    });
    assert!(given <= data.len().saturating_mul(64) + (4 << 20), "more is given than limits allow");
}

/// Cuts data into two or three files at the lengths that its first bytes give: a database and what belongs to it.
pub fn sqlite(data: &[u8]) {
    let Some((&[a, b], data)) = data.split_first_chunk() else { return };
    let (main, rest) = data.split_at((usize::from(a) * 512).min(data.len()));
    let (wal, journal) = rest.split_at((usize::from(b) * 512).min(rest.len()));
    let given = |files: &[u8]| (!files.is_empty()).then_some(());
    let database = Database { main, wal: given(wal).map(|()| wal), journal: given(journal).map(|()| journal) };
    let mut total = 0;
    read_sqlite(&database, &small_limits(), &mut |found| {
        if let Found::Value(value) = found {
            total += value.bytes.len();
            check(&value, [main, wal, journal]);
        }
    });
    assert!(total <= data.len().saturating_mul(64) + (4 << 20), "more is given than limits allow");
}

/// Reads XML.
pub fn xml(data: &[u8]) {
    read_one(Kind::Xml, data);
}

/// Reads a table of LevelDB.
pub fn leveldb_table(data: &[u8]) {
    read_one(Kind::LevelDbTable, data);
}

/// Reads a log of LevelDB.
pub fn leveldb_log(data: &[u8]) {
    read_one(Kind::LevelDbLog, data);
}

/// Reads a binary property list.
pub fn plist(data: &[u8]) {
    read_one(Kind::Plist, data);
}

/// Reads a file of MMKV.
pub fn mmkv(data: &[u8]) {
    read_one(Kind::Mmkv, data);
}

/// Reads a DataStore.
pub fn datastore(data: &[u8]) {
    read_one(Kind::DataStore, data);
}

/// Reads compiled XML.
pub fn axml(data: &[u8]) {
    read_one(Kind::CompiledXml, data);
}

/// Reads binary XML.
pub fn abx(data: &[u8]) {
    read_one(Kind::BinaryXml, data);
}

/// Opens an Android backup, with a password where it asks for one, and reads what is in it.
pub fn ab(data: &[u8]) {
    for password in [None, Some("pass\u{5bc6}\u{7801}")] {
        let Ok(backup) = Backup::open_with(data, password, 100) else { continue };
        let mut content = Vec::new();
        // A backup that was cut off ends with an error; what was read before it counts.
        let _ = backup.take(1 << 20).read_to_end(&mut content);
        assert!(content.len() <= 1 << 20, "no more is read than was asked for");
    }
}

/// Names a file after any source, under all spellings of it.
pub fn names(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    for source in cache_names::sources(&source) {
        for name in cache_names::names(&source) {
            assert!(name.is_of(&name.name), "a name is its own");
            assert!(name.name.len() < 300, "a name is one that files may have");
        }
    }
}
