//! Names of tables and columns, as `CREATE TABLE` and keys give them. They are the dump's, so they are bounded, and never
//! shown by `Debug`: where quotes slipped, a name is a value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name that is kept, in bytes: four times as long as servers allow.
pub(crate) const LONGEST_NAME: usize = 256;
/// The most columns that one statement names; what a table has beyond is counted without a name.
pub(crate) const MOST_COLUMNS: usize = 1024;
/// How many tables' columns are remembered, against a dump that is all `CREATE TABLE`.
const MOST_TABLES: usize = 10_000;
/// How much memory the names of all of them may take.
const MOST_BYTES: usize = 32 << 20;
/// What a column takes beside its name.
const COLUMN: usize = 48;

/// A table's name and columns.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<Option<String>>,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({} columns)", self.columns.len())
    }
}

impl Header {
    fn bytes(&self) -> usize {
        let names = self.name.iter().chain(self.columns.iter().flatten()).map(String::len);
        names.sum::<usize>() + (self.columns.len() + 1) * COLUMN
    }
}

/// The tables created so far. Copies share them: one is made at every checkpoint.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schemas {
    tables: Arc<BTreeMap<String, Arc<Header>>>,
    bytes: usize,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schemas({} tables)", self.tables.len())
    }
}

impl Schemas {
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Header>> {
        self.tables.get(name)
    }

    /// Remembers a table, or what it is after it was made anew; where there is no room, nothing of it.
    pub(crate) fn insert(&mut self, name: String, columns: Vec<Option<String>>) {
        let header = Header { name: Some(name.clone()), columns };
        let old = self.tables.get(&name).map_or(0, |old| old.bytes());
        let bytes = self.bytes - old.min(self.bytes) + header.bytes();
        if old == 0 && self.tables.len() >= MOST_TABLES || bytes > MOST_BYTES {
            return;
        }
        self.bytes = bytes;
        Arc::make_mut(&mut self.tables).insert(name, Arc::new(header));
    }
}

/// A name no longer than is kept.
pub(crate) fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST_NAME)).unwrap_or(name)
}

/// The name of a key in an object that has a name itself.
pub(crate) fn joined<'k>(path: &str, key: Cow<'k, str>) -> Cow<'k, str> {
    if !path.is_empty() {
        return Cow::Owned(cut(&format!("{path}.{}", cut(&key))).to_owned());
    }
    match key {
        Cow::Borrowed(key) => Cow::Borrowed(cut(key)),
        Cow::Owned(key) => Cow::Owned(cut(&key).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(column: usize) -> Vec<Option<String>> {
        vec![Some("x".repeat(LONGEST_NAME)); column]
    }

    #[test]
    fn tables_that_are_created_without_end_take_no_more_than_their_share_of_memory() {
        let mut schemas = Schemas::default();
        (0..20_000).for_each(|number| schemas.insert(number.to_string(), wide(MOST_COLUMNS)));
        assert!(schemas.bytes <= MOST_BYTES && schemas.bytes > MOST_BYTES / 2);
        let held: usize = schemas.tables.values().map(|header| header.bytes()).sum();
        assert_eq!(held, schemas.bytes);
        (0..20_000).for_each(|number| schemas.insert(number.to_string(), Vec::new()));
        assert_eq!(schemas.tables.len(), MOST_TABLES);
    }

    #[test]
    fn a_copy_of_the_schemas_shares_them() {
        let mut schemas = Schemas::default();
        schemas.insert("users".to_owned(), wide(3));
        let copy = schemas.clone();
        assert!(Arc::ptr_eq(&copy.tables, &schemas.tables));
        schemas.insert("orders".to_owned(), wide(3));
        assert!(copy.get("orders").is_none());
        assert!(Arc::ptr_eq(copy.get("users").unwrap(), schemas.get("users").unwrap()));
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(cut(&"张".repeat(100)).len(), 255);
        assert_eq!(joined("a", Cow::Borrowed("b")), "a.b");
        assert_eq!(joined(&"p".repeat(300), Cow::Borrowed("b")).len(), LONGEST_NAME);
    }

    #[test]
    fn names_are_not_shown() {
        let mut schemas = Schemas::default();
        schemas.insert("li.lei@example.com".to_owned(), vec![Some("13812345678".to_owned())]);
        let shown = format!("{schemas:?} {:?}", schemas.get("li.lei@example.com"));
        assert!(!shown.contains("li.lei") && !shown.contains("138"), "{shown}");
    }
}
