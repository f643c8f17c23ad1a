//! What a file is, by its content first.

use crate::{datastore, leveldb, mmkv};
use std::path::Path;

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An SQLite database.
    Sqlite,
    /// The write-ahead log of an SQLite database, without it.
    SqliteWal,
    /// The rollback journal of an SQLite database, without it.
    SqliteJournal,
    /// A table of LevelDB (`.ldb`, `.sst`).
    LevelDbTable,
    /// A log of LevelDB (`.log`, `MANIFEST-…`).
    LevelDbLog,
    /// A binary property list.
    Plist,
    /// MMKV.
    Mmkv,
    /// Android's DataStore of preferences.
    DataStore,
    /// Android's compiled XML, as in packages.
    CompiledXml,
    /// Android's binary XML, as in system settings from version 12.
    BinaryXml,
    /// A Realm database: given raw.
    Realm,
    /// Android's `SharedPreferences`.
    SharedPreferences,
    /// Any other XML, property lists among it.
    Xml,
}

/// What a file is: by its content, and by its name only where the format has no mark. `name` may be a path.
///
/// None is not "nothing in it": JSON, logs and everything unknown are searched as they are.
pub fn recognise(name: &str, bytes: &[u8]) -> Option<Kind> {
    let marked = [
        (&b"SQLite format 3\0"[..], Kind::Sqlite),
        (&[0x37, 0x7f, 0x06, 0x82], Kind::SqliteWal),
        (&[0x37, 0x7f, 0x06, 0x83], Kind::SqliteWal),
        (crate::plist::MAGIC, Kind::Plist),
        (crate::abx::MAGIC, Kind::BinaryXml),
        (crate::axml::MAGIC, Kind::CompiledXml),
        (&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7], Kind::SqliteJournal),
    ];
    if let Some((_, kind)) = marked.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Some(*kind);
    }
    if leveldb::is_table(bytes) {
        return Some(Kind::LevelDbTable);
    }
    if leveldb::is_log(bytes) {
        return Some(Kind::LevelDbLog);
    }
    if bytes.get(16..20) == Some(b"T-DB") {
        return Some(Kind::Realm);
    }
    xml(bytes).or_else(|| unmarked(name, bytes))
}

/// Formats without a mark: by what their names and folders are by habit, or by contents that come out even.
fn unmarked(name: &str, bytes: &[u8]) -> Option<Kind> {
    if name.ends_with(".preferences_pb") && datastore::is_datastore(bytes) {
        return Some(Kind::DataStore);
    }
    let is_checksum = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("crc"));
    (!is_checksum && mmkv::is_mmkv(bytes)).then_some(Kind::Mmkv)
}

/// Bytes in which the root element's name is looked for.
const PROLOGUE: usize = 1024;

fn xml(bytes: &[u8]) -> Option<Kind> {
    let start = bytes.get(..bytes.len().min(PROLOGUE))?;
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let has = |tag: &[u8]| memchr::memmem::find(start, tag).is_some();
    let declared = start.starts_with(b"<?xml");
    if (declared || start.starts_with(b"<map")) && (has(b"<map>") || has(b"<map />") || has(b"<map/>")) {
        return Some(Kind::SharedPreferences);
    }
    declared.then_some(Kind::Xml)
}
