//! Names of columns, out of the `CREATE` statements that `sqlite_schema` keeps. A small tokenizer, not a parser of
//! SQL: what it does not understand loses a name, never a value.

use crate::place::Within;

/// A table or index as its statement declares it, in the order in which its records hold columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) is_index: bool,
    pub(super) columns: Vec<String>,
    /// The column that is another name of the row's id: records hold NULL for it.
    pub(super) row_id: Option<usize>,
}

/// One token: a word or quoted name, or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare word or a quoted name.
    Word {
        text: String,
        quoted: bool,
    },
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word { text, quoted: false } if text.eq_ignore_ascii_case(word))
    }
}

/// Most columns that a statement can declare (SQLite's own upper bound is 32767).
const MOST_COLUMNS: usize = 32_767;

impl Table {
    /// Bytes that its names take.
    pub(super) fn kept_bytes(&self) -> usize {
        let names = self.columns.iter().map(|name| name.len() + size_of::<String>()).sum::<usize>();
        names + self.name.len() + size_of::<Self>()
    }

    /// For places.
    pub(super) fn within(&self) -> Within<'_> {
        if self.is_index { Within::Index(&self.name) } else { Within::Table(&self.name) }
    }
}

/// What a statement declares. `name` is the object's name in the schema. The indexes that SQLite makes by itself have
/// no statement.
pub(super) fn declared(name: &str, is_index: bool, statement: &str) -> Table {
    let tokens = tokens(statement);
    let (body, after) = body(&tokens);
    let definitions: Vec<&[Token]> = split(body).take(MOST_COLUMNS).collect();
    if is_index {
        return Table { name: name.to_owned(), is_index, columns: indexed(&definitions), row_id: None };
    }
    let without_row_id = after.windows(2).any(|pair| pair[0].is("WITHOUT") && pair[1].is("ROWID"));
    let columns: Vec<&[Token]> = definitions.iter().copied().filter(|tokens| is_stored_column(tokens)).collect();
    let names: Vec<String> = columns.iter().filter_map(|tokens| first_word(tokens)).collect();
    let key = primary_key(&definitions);
    if without_row_id {
        return Table { name: name.to_owned(), is_index, columns: key_first(&names, &key), row_id: None };
    }
    let row_id = match key.as_slice() {
        [only] => position(&names, only).filter(|at| columns.get(*at).is_some_and(|column| is_integer(column))),
        _ => None,
    };
    Table { name: name.to_owned(), is_index, columns: names, row_id }
}

/// Names of an index's columns; expressions have none.
fn indexed(definitions: &[&[Token]]) -> Vec<String> {
    let name = |tokens: &&[Token]| match tokens.get(1) {
        None | Some(Token::Word { .. }) => first_word(tokens).unwrap_or_default(),
        Some(Token::Sign(_)) => String::new(),
    };
    definitions.iter().map(name).collect()
}

/// The columns of a table without row ids, as its records hold them: those of the key before the others (SQLite file
/// format, section 2.4).
fn key_first(names: &[String], key: &[String]) -> Vec<String> {
    let mut first: Vec<usize> = Vec::new();
    for at in key.iter().filter_map(|name| position(names, name)) {
        if !first.contains(&at) {
            first.push(at);
        }
    }
    let mut in_key = vec![false; names.len()];
    for at in &first {
        in_key[*at] = true;
    }
    let others = (0..names.len()).filter(|at| !in_key[*at]);
    first.iter().copied().chain(others).filter_map(|at| names.get(at).cloned()).collect()
}

fn position(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|other| other.eq_ignore_ascii_case(name))
}

/// The columns of the primary key, whether declared with a column or apart.
fn primary_key(definitions: &[&[Token]]) -> Vec<String> {
    for definition in definitions {
        let Some(at) = definition.windows(2).position(|pair| pair[0].is("PRIMARY") && pair[1].is("KEY")) else {
            continue;
        };
        if is_column(definition) {
            return first_word(definition).into_iter().collect();
        }
        let (inside, _) = body(definition.get(at..).unwrap_or_default());
        return split(inside).take(MOST_KEY_COLUMNS).filter_map(first_word).collect();
    }
    Vec::new()
}

/// Bounds the work on a key that names the same columns again and again.
const MOST_KEY_COLUMNS: usize = 64;

fn is_integer(column: &[Token]) -> bool {
    column.get(1).is_some_and(|token| token.is("INTEGER"))
}

/// A column, and not a constraint of the table.
fn is_column(definition: &[Token]) -> bool {
    let Some(first) = definition.first() else { return false };
    !["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| first.is(word))
}

/// A column that records hold: computed ones are only where they are declared so.
fn is_stored_column(definition: &[Token]) -> bool {
    let computed = definition.windows(2).any(|pair| pair[0].is("AS") && pair[1] == Token::Sign('('));
    is_column(definition) && (!computed || definition.iter().any(|token| token.is("STORED")))
}

fn first_word(tokens: &[Token]) -> Option<String> {
    match tokens.first()? {
        Token::Word { text, .. } => Some(text.clone()),
        Token::Sign(_) => None,
    }
}

/// What stands between the first parentheses, and what follows them.
fn body(tokens: &[Token]) -> (&[Token], &[Token]) {
    let Some(open) = tokens.iter().position(|token| *token == Token::Sign('(')) else { return (&[], &[]) };
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&tokens[open + 1..at], &tokens[at + 1..]);
        }
    }
    (&tokens[open + 1..], &[])
}

/// The parts between commas that stand in no parentheses.
fn split(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0_usize;
    tokens.split(move |token| {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *token == Token::Sign(',')
    })
}

fn tokens(statement: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = statement;
    while let Some(first) = rest.chars().next() {
        let (token, length) = token(rest, first);
        tokens.extend(token);
        rest = rest.get(length.max(1)..).unwrap_or_default();
    }
    tokens
}

/// The token at the start of `rest`, none for space and comments, and how long it is.
fn token(rest: &str, first: char) -> (Option<Token>, usize) {
    let after = rest.get(first.len_utf8()..).unwrap_or_default();
    match first {
        '"' | '`' | '\'' => quoted(after, first),
        '[' => quoted(after, ']'),
        '-' if after.starts_with('-') => (None, rest.find('\n').unwrap_or(rest.len())),
        '/' if after.starts_with('*') => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
        c if is_name(c) => {
            let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            (Some(Token::Word { text: rest[..length].to_owned(), quoted: false }), length)
        }
        c if c.is_whitespace() => (None, c.len_utf8()),
        c => (Some(Token::Sign(c)), c.len_utf8()),
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii() && !c.is_whitespace()
}

/// A quoted name up to its mark, which is doubled where it belongs to the name.
fn quoted(after: &str, mark: char) -> (Option<Token>, usize) {
    let mut text = String::new();
    let mut chars = after.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == mark {
            if chars.peek().is_none_or(|(_, next)| *next != mark) {
                return (Some(Token::Word { text, quoted: true }), at + 2);
            }
            chars.next();
        }
        text.push(c);
    }
    (Some(Token::Word { text, quoted: true }), after.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(statement: &str) -> Vec<String> {
        declared("t", false, statement).columns
    }

    #[test]
    fn columns_of_ordinary_tables() {
        let table = declared(
            "messages",
            false,
            "CREATE TABLE messages (\n _id INTEGER PRIMARY KEY AUTOINCREMENT, -- the id, it says\n body TEXT NOT NULL \
             DEFAULT 'a, b', [a time] DATE CHECK (x IN (1, 2)), \"say \"\"so\"\"\" , /* , */ `last`, \
             FOREIGN KEY (body) REFERENCES o(x), UNIQUE (body, last))",
        );
        assert_eq!(table.columns, ["_id", "body", "a time", "say \"so\"", "last"]);
        assert_eq!(table.row_id, Some(0));
    }

    #[test]
    fn a_key_that_is_not_the_row_id() {
        assert_eq!(declared("t", false, "CREATE TABLE t (a INT PRIMARY KEY, b)").row_id, None, "INT is not INTEGER");
        assert_eq!(declared("t", false, "CREATE TABLE t (a, b INTEGER, PRIMARY KEY (b))").row_id, Some(1));
    }

    #[test]
    fn tables_without_row_ids_hold_their_key_first() {
        assert_eq!(columns("CREATE TABLE t(a, b, c, PRIMARY KEY (c, A)) WITHOUT ROWID"), ["c", "a", "b"]);
    }

    #[test]
    fn computed_columns_are_held_only_where_stored() {
        let statement = "CREATE TABLE t(a, b AS (a || ',') VIRTUAL, c GENERATED ALWAYS AS (a) STORED, d)";
        assert_eq!(columns(statement), ["a", "c", "d"]);
    }

    #[test]
    fn columns_of_an_index() {
        let statement = "CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE, lower(b), \"c d\" DESC)";
        assert_eq!(declared("i", true, statement).columns, ["a", "", "c d"]);
    }

    #[test]
    fn half_a_statement_gives_half_its_columns() {
        assert_eq!(columns("CREATE TABLE t(a TEXT, 'b"), ["a", "b"]);
        assert_eq!(columns("CREATE TABLE t"), [""; 0]);
        assert_eq!(columns(")))((("), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn no_statement_is_too_strange(statement in ".{0,200}") {
            declared("t", false, &statement);
        }
    }
}
