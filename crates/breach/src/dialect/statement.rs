//! The words of a statement, up to where its rows begin.

use super::schema::{MOST_COLUMNS, cut};

/// What a statement is. Lengths count from its first byte.
pub(crate) enum Statement {
    /// It is not all here.
    More,
    /// A comment, or a statement without rows.
    Passed(usize),
    /// No statement that is known.
    Unknown(usize),
    /// PostgreSQL's word that backslashes stand for themselves.
    StandardStrings(usize),
    Create {
        name: String,
        columns: Vec<Option<String>>,
        length: usize,
    },
    /// `length` ends after `VALUES`.
    Insert {
        name: String,
        columns: Vec<Option<String>>,
        length: usize,
    },
    /// `length` ends with the line.
    Copy {
        name: String,
        columns: Vec<Option<String>>,
        length: usize,
    },
}

/// How much of a statement is looked at before its rows.
pub(crate) const LONGEST_HEAD: usize = 64 << 10;

const PASSED: &[&str] = &[
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "COMMENT",
    "COMMIT",
    "CREATE",
    "DECLARE",
    "DELETE",
    "DELIMITER",
    "DROP",
    "END",
    "EXEC",
    "GO",
    "GRANT",
    "IF",
    "LOCK",
    "PRAGMA",
    "PRINT",
    "REVOKE",
    "ROLLBACK",
    "SELECT",
    "SET",
    "START",
    "TRUNCATE",
    "UNLOCK",
    "UPDATE",
    "USE",
    "WITH",
];

/// Words between `INSERT` and the table's name.
const BEFORE_NAME: &[&str] = &[
    "ABORT",
    "DELAYED",
    "FAIL",
    "HIGH_PRIORITY",
    "IGNORE",
    "INTO",
    "LOW_PRIORITY",
    "OR",
    "OVERWRITE",
    "REPLACE",
    "ROLLBACK",
    "TABLE",
];

/// Words that begin an item of `CREATE TABLE` which is no column.
const NO_COLUMN: &[&str] = &[
    "CHECK",
    "CONSTRAINT",
    "EXCLUDE",
    "FOREIGN",
    "FULLTEXT",
    "INDEX",
    "KEY",
    "LIKE",
    "PERIOD",
    "PRIMARY",
    "SPATIAL",
    "UNIQUE",
];

/// Reads the statement that `text` begins with; `ended` says that no text follows.
pub(crate) fn parse(text: &[u8], ended: bool) -> Statement {
    let head = &text[..text.len().min(LONGEST_HEAD)];
    let short = head.len() == text.len() && !ended;
    if head.starts_with(b"--") || head.starts_with(b"#") {
        return ended_by(head, b"\n", short, 0);
    }
    if head.starts_with(b"/*") {
        return ended_by(head, b"*/", short, 2);
    }
    let mut words = Words { text: head, at: 0 };
    let first = words.word();
    if words.at == head.len() && short {
        return Statement::More;
    }
    let parsed = match first.as_str() {
        "INSERT" | "REPLACE" => insert(&mut words),
        "COPY" => copy(&mut words),
        "CREATE" => create(&mut words),
        "SET" => standard_strings(&mut words),
        _ => None,
    };
    match parsed {
        Some(statement) => statement,
        // An INSERT whose head is longer than the text at hand; other statements end with their line.
        None if short
            && matches!(first.as_str(), "INSERT" | "REPLACE" | "CREATE" | "COPY")
            && !words.failed_early() =>
        {
            Statement::More
        }
        None => passed(head, &first, short),
    }
}

fn ended_by(head: &[u8], end: &[u8], short: bool, from: usize) -> Statement {
    match memchr::memmem::find(head.get(from..).unwrap_or_default(), end) {
        Some(place) => Statement::Passed(from + place + end.len()),
        None if short => Statement::More,
        None => Statement::Passed(head.len()),
    }
}

/// Up to the line's end or the first `;`, whichever is first.
fn passed(head: &[u8], first: &str, short: bool) -> Statement {
    let length = match memchr::memchr2(b';', b'\n', head) {
        Some(end) => end + 1,
        None if short => return Statement::More,
        None => head.len(),
    };
    if PASSED.contains(&first) { Statement::Passed(length) } else { Statement::Unknown(length) }
}

fn insert(words: &mut Words<'_>) -> Option<Statement> {
    let name = words.name_after(BEFORE_NAME)?;
    let columns = words.columns_in_brackets()?;
    for _ in 0..4 {
        let word = words.word();
        if word == "VALUES" || (word == "VALUE" && words.peek() == Some(b'(')) {
            return Some(Statement::Insert { name, columns, length: words.at });
        }
        if word == "SELECT" || word.is_empty() {
            return None;
        }
    }
    None
}

fn copy(words: &mut Words<'_>) -> Option<Statement> {
    let name = words.name_after(&[])?;
    let columns = words.columns_in_brackets()?;
    if words.word() != "FROM" || words.word() != "STDIN" {
        return None;
    }
    let Some(line) = memchr::memchr(b'\n', &words.text[words.at..]) else {
        words.at = words.text.len();
        return None;
    };
    Some(Statement::Copy { name, columns, length: words.at + line + 1 })
}

fn create(words: &mut Words<'_>) -> Option<Statement> {
    let before = ["GLOBAL", "LOCAL", "TEMPORARY", "TEMP", "UNLOGGED"];
    let mut word = words.word();
    while before.contains(&word.as_str()) {
        word = words.word();
    }
    if word != "TABLE" {
        return None;
    }
    let name = words.name_after(&["IF", "NOT", "EXISTS"])?;
    let mut columns = Vec::new();
    words.skip_space();
    words.take(b'(').then_some(())?;
    loop {
        let quoted = matches!(words.peek(), Some(b'`' | b'"' | b'['));
        let column = words.identifier()?;
        if columns.len() < MOST_COLUMNS && (quoted || !NO_COLUMN.contains(&column.to_ascii_uppercase().as_str())) {
            columns.push(Some(column));
        }
        if words.skip_item()? == b')' {
            return Some(Statement::Create { name, columns, length: words.at });
        }
    }
}

fn standard_strings(words: &mut Words<'_>) -> Option<Statement> {
    if words.word() != "STANDARD_CONFORMING_STRINGS" {
        return None;
    }
    let end = memchr::memchr(b';', words.text.get(words.at..)?)?;
    let value = &words.text[words.at..words.at + end];
    let is_on = value.to_ascii_lowercase().ends_with(b"on");
    let length = words.at + end + 1;
    Some(if is_on { Statement::StandardStrings(length) } else { Statement::Passed(length) })
}

fn name(bytes: &[u8]) -> String {
    cut(&String::from_utf8_lossy(bytes)).to_owned()
}

/// A reader of words and names.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn skip_space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Whether reading stopped before the text did: more text would not help.
    fn failed_early(&self) -> bool {
        self.at < self.text.len()
    }

    /// A bare word in capitals; empty where there is none.
    fn word(&mut self) -> String {
        self.skip_space();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').take(64).count();
        self.at += length;
        String::from_utf8_lossy(&rest[..length]).to_ascii_uppercase()
    }

    /// A table's name after any of these words, without the name of its database or schema.
    fn name_after(&mut self, words: &[&str]) -> Option<String> {
        loop {
            self.skip_space();
            let start = self.at;
            if !words.contains(&self.word().as_str()) {
                self.at = start;
                break;
            }
        }
        let mut name = self.identifier()?;
        while self.take(b'.') {
            name = self.identifier()?;
        }
        Some(name)
    }

    fn identifier(&mut self) -> Option<String> {
        self.skip_space();
        let close = match self.text.get(self.at)? {
            b'`' => b'`',
            b'"' => b'"',
            b'[' => b']',
            _ => return self.bare_identifier(),
        };
        let rest = &self.text[self.at + 1..];
        let Some(length) = memchr::memchr(close, rest) else {
            self.at = self.text.len();
            return None;
        };
        self.at += length + 2;
        Some(name(&rest[..length]))
    }

    fn bare_identifier(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | 0x80..);
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        self.at += length;
        (length > 0).then(|| name(&rest[..length]))
    }

    /// A list of columns in brackets; empty where there is none.
    fn columns_in_brackets(&mut self) -> Option<Vec<Option<String>>> {
        let mut columns = Vec::new();
        self.skip_space();
        if !self.take(b'(') {
            return Some(columns);
        }
        loop {
            let column = self.identifier()?;
            if columns.len() < MOST_COLUMNS {
                columns.push(Some(column));
            }
            self.skip_space();
            if self.take(b')') {
                return Some(columns);
            }
            self.take(b',').then_some(())?;
        }
    }

    /// The rest of an item of `CREATE TABLE`: returns the `,` or `)` after it.
    fn skip_item(&mut self) -> Option<u8> {
        let mut depth = 0usize;
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            match byte {
                b',' | b')' if depth == 0 => return Some(byte),
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\'' | b'"' | b'`' => {
                    let Some(length) = memchr::memchr(byte, &self.text[self.at..]) else {
                        self.at = self.text.len();
                        return None;
                    };
                    self.at += length + 1;
                }
                _ => {}
            }
        }
    }
}
