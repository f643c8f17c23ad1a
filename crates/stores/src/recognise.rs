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

/// Bytes of a file's end that [`recognise_ends`] needs.
pub const TAIL: usize = 48;

/// What a file is: by its content, and by its name only where the format has no mark. `name` may be a path.
///
/// None is not "nothing in it": JSON, logs and everything unknown are searched as they are.
pub fn recognise(name: &str, bytes: &[u8]) -> Option<Kind> {
    recognise_ends(name, bytes, bytes, bytes.len() as u64)
}

/// As [`recognise`], of a file of which only the start and the end are at hand. `head` should be of 64 KiB or more,
/// `tail` of [`TAIL`] bytes or more (it may be the same bytes as the head); `length` is that of the file.
pub fn recognise_ends(name: &str, head: &[u8], tail: &[u8], length: u64) -> Option<Kind> {
    let marked = [
        (&b"SQLite format 3\0"[..], Kind::Sqlite),
        (&[0x37, 0x7f, 0x06, 0x82], Kind::SqliteWal),
        (&[0x37, 0x7f, 0x06, 0x83], Kind::SqliteWal),
        (crate::plist::MAGIC, Kind::Plist),
        (crate::abx::MAGIC, Kind::BinaryXml),
        (crate::axml::MAGIC, Kind::CompiledXml),
        (&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7], Kind::SqliteJournal),
    ];
    if let Some((_, kind)) = marked.iter().find(|(mark, _)| head.starts_with(mark)) {
        return Some(*kind);
    }
    if leveldb::is_table(tail) {
        return Some(Kind::LevelDbTable);
    }
    if leveldb::is_log(head) {
        return Some(Kind::LevelDbLog);
    }
    if head.get(16..20) == Some(b"T-DB") {
        return Some(Kind::Realm);
    }
    xml(head).or_else(|| unmarked(name, head, length))
}

/// Formats without a mark: by what their names and folders are by habit, or by contents that come out even.
fn unmarked(name: &str, head: &[u8], length: u64) -> Option<Kind> {
    let is_whole = head.len() as u64 >= length;
    if name.ends_with(".preferences_pb") && (datastore::is_datastore(head) || !is_whole) {
        return Some(Kind::DataStore);
    }
    let is_checksum = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("crc"));
    if is_checksum || !mmkv::begins(head, length) {
        return None;
    }
    // Of a longer file only the habit of its folder, `files/mmkv/`, tells it from chance.
    (is_whole || name.to_ascii_lowercase().contains("mmkv")).then_some(Kind::Mmkv)
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
    let wide = start.starts_with(b"\xff\xfe<\0") || start.starts_with(b"\xfe\xff\0<");
    (declared || wide).then_some(Kind::Xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_by_their_first_element() {
        let of = |bytes: &[u8]| recognise("x.xml", bytes);
        assert_eq!(of(b"<?xml version='1.0'?>\n<map>\n</map>"), Some(Kind::SharedPreferences));
        assert_eq!(of(b"<?xml version='1.0'?><plist><dict/></plist>"), Some(Kind::Xml));
        assert_eq!(of(b"\xff\xfe<\0a\0"), Some(Kind::Xml));
        assert_eq!(of(b"{\"map\": 1}"), None);
        assert_eq!(of(b""), None);
    }

    #[test]
    fn a_table_is_told_by_its_end() {
        let mut tail = vec![0; TAIL - 8];
        tail.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
        assert_eq!(recognise_ends("000005.ldb", &[7; 100], &tail, 1 << 20), Some(Kind::LevelDbTable));
        assert_eq!(recognise_ends("000005.ldb", &[7; 100], &[7; 48], 1 << 20), None);
    }
}
