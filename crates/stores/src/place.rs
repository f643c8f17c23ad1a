//! Places inside stores, in the store's own terms.

use crate::path;
use std::borrow::Cow;
use std::fmt;

/// Where a value is, in the store's own terms. `Display` writes it as a report would; names and keys in it were
/// chosen by a stranger: they are cut short and freed of control characters there, but may hold personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A column of a row.
    Column {
        /// The table or index.
        within: Within<'a>,
        /// The row's id; none in indexes and in tables without row ids.
        row: Option<i64>,
        /// Which column.
        column: Column<'a>,
        /// Where it starts.
        page: PageAt,
    },
    /// Bytes of a page outside its records.
    Page {
        /// What part of what page.
        part: Part,
        /// The table or index that the page belongs to.
        within: Within<'a>,
        /// Where the bytes start.
        page: PageAt,
    },
    /// What stands under a key.
    Key {
        /// The key.
        key: &'a str,
        /// The number that the store gave to the change, where it counts them (LevelDB's sequence number).
        sequence: Option<u64>,
    },
    /// A path through a tree: names of elements, keys and positions, joined by slashes.
    Path(&'a str),
    /// A part that the format has a name for, and where it starts.
    Named {
        /// The part's name.
        name: &'static str,
        /// Where it starts in the file.
        at: u64,
    },
    /// The file as a whole.
    Whole,
}

/// What a page of an SQLite database belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within<'a> {
    /// A table.
    Table(&'a str),
    /// An index, which holds copies of columns.
    Index(&'a str),
    /// A page does not tell whose it is once nothing refers to it.
    Unknown,
}

/// Which column of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column<'a> {
    /// By the name that the schema gives it.
    Name(&'a str),
    /// By position, from 1, where the schema does not tell.
    Position(u32),
}

/// A place in a page of an SQLite database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageAt {
    /// The page's number, from 1.
    pub number: u32,
    /// Bytes from the page's start.
    pub offset: u32,
    /// Which image of the page: the same page may stand in a database and several times in its log.
    pub origin: Origin,
}

/// Where an image of a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// In the database file.
    Database,
    /// In this frame of the write-ahead log, from 1.
    Frame(u32),
    /// In this record of the rollback journal, from 1.
    Journal(u32),
}

/// What part of a page bytes outside records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Between the records of a page: never used, or what is left of removed records.
    Gap,
    /// Behind the last bytes of a value on its last overflow page.
    Slack,
    /// A page on the list of free pages.
    Free,
    /// A page that nothing refers to, or a page of a type that has no records.
    Other,
}

impl Place<'_> {
    /// The place so many bytes further on.
    pub(crate) fn moved(self, bytes: u32) -> Self {
        let moved = |page: PageAt| PageAt { offset: page.offset.saturating_add(bytes), ..page };
        match self {
            Self::Column { within, row, column, page } => Self::Column { within, row, column, page: moved(page) },
            Self::Page { part, within, page } => Self::Page { part, within, page: moved(page) },
            Self::Named { name, at } => Self::Named { name, at: at.saturating_add(u64::from(bytes)) },
            other => other,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { within, row, column, page } => {
                // Piece by piece: each value of a database has such a name, and a format within a format costs more
                // than the name.
                within.fmt(f)?;
                if let Some(row) = row {
                    f.write_str(", row ")?;
                    row.fmt(f)?;
                }
                f.write_str(", ")?;
                column.fmt(f)?;
                f.write_str(" (")?;
                page.fmt(f)?;
                f.write_str(")")
            }
            Self::Page { part, within: Within::Unknown, page } => write!(f, "{part} ({page})"),
            Self::Page { part, within, page } => write!(f, "{part} of {within} ({page})"),
            Self::Key { key, sequence: None } => write!(f, "key {}", Shown(key)),
            Self::Key { key, sequence: Some(sequence) } => write!(f, "key {} (change {sequence})", Shown(key)),
            Self::Path(path) => Shown(path).fmt(f),
            Self::Named { name, at } => write!(f, "{name} at offset {at}"),
            Self::Whole => f.write_str("the whole file"),
        }
    }
}

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(name) => f.write_str("table ").and_then(|()| Shown(name).fmt(f)),
            Self::Index(name) => f.write_str("index ").and_then(|()| Shown(name).fmt(f)),
            Self::Unknown => f.write_str("an unknown table"),
        }
    }
}

impl fmt::Display for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str("column ").and_then(|()| Shown(name).fmt(f)),
            Self::Position(position) => write!(f, "column {position}"),
        }
    }
}

impl fmt::Display for PageAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, offset, origin } = self;
        match origin {
            Origin::Database => {
                f.write_str("page ")?;
                number.fmt(f)?;
                f.write_str(", offset ")?;
                offset.fmt(f)
            }
            Origin::Frame(frame) => write!(f, "page {number} in frame {frame} of the write-ahead log, offset {offset}"),
            Origin::Journal(record) => {
                write!(f, "page {number} in record {record} of the rollback journal, offset {offset}")
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gap => "space between records",
            Self::Slack => "space behind a long value",
            Self::Free => "a free page",
            Self::Other => "a page without records",
        })
    }
}

/// Characters of a stranger's name that are shown.
const SHOWN: usize = 120;

/// A stranger's text, cut short, its control characters replaced.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        // Most names are short and plain, and each value of a table has one.
        if self.0.len() <= SHOWN && self.0.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return f.write_str(self.0);
        }
        let head = self.0.char_indices().nth(SHOWN).and_then(|(end, _)| self.0.get(..end));
        let shown = head.map_or(Cow::Borrowed(self.0), |head| Cow::Owned(path::cut(head)));
        shown.chars().try_for_each(|c| f.write_char(if steers(c) { '\u{fffd}' } else { c }))
    }
}

/// Controls, and the marks that change the direction of writing (Unicode Standard Annex 9, section 2).
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_a_report_would() {
        let page = PageAt { number: 5, offset: 3120, origin: Origin::Database };
        let (within, column) = (Within::Table("messages"), Column::Name("body"));
        let place = Place::Column { within, row: Some(17), column, page };
        assert_eq!(place.to_string(), "table messages, row 17, column body (page 5, offset 3120)");
        let page = PageAt { origin: Origin::Frame(3), ..page };
        assert_eq!(
            Place::Page { part: Part::Gap, within, page }.to_string(),
            "space between records of table messages (page 5 in frame 3 of the write-ahead log, offset 3120)"
        );
    }

    #[test]
    fn a_strangers_name_does_not_steer_a_terminal() {
        let key = "a\u{1b}[2J\n\u{202e}b".to_owned() + &"x".repeat(500);
        let shown = Place::Key { key: &key, sequence: Some(9) }.to_string();
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'));
        assert!(shown.chars().count() < 150 && shown.ends_with("… (change 9)"), "{shown}");
    }

    /// Planted values are taken out of places as whole values: half of one would stay.
    #[test]
    fn a_cut_name_shows_no_half_of_a_value() {
        for value in ["13800000427", "user.name+tag@mail-host.example", "张伟先生"] {
            for before in 90..SHOWN + 20 {
                let key = format!("{}/{value} {}", "x".repeat(before), "y ".repeat(200));
                let shown = Place::Key { key: &key, sequence: None }.to_string();
                let half = value.chars().take(2).collect::<String>();
                assert!(shown.contains(value) || !shown.contains(&half), "{shown}");
            }
        }
    }
}
