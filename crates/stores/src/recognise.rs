//! What a file is, by its content first.

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
    /// Android's `SharedPreferences`.
    SharedPreferences,
    /// Any other XML.
    Xml,
}

/// What a file is: by its content, and by its name only where the format has no mark. `name` may be a path.
///
/// None is not "nothing in it": JSON, logs and everything unknown are searched as they are.
pub fn recognise(name: &str, bytes: &[u8]) -> Option<Kind> {
    let _ = name;
    let marked = [
        (&b"SQLite format 3\0"[..], Kind::Sqlite),
        (&[0x37, 0x7f, 0x06, 0x82], Kind::SqliteWal),
        (&[0x37, 0x7f, 0x06, 0x83], Kind::SqliteWal),
        (&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7], Kind::SqliteJournal),
    ];
    if let Some((_, kind)) = marked.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Some(*kind);
    }
    xml(bytes)
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
