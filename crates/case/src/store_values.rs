//! What a store holds: many short values, each with what names its place.

use std::fmt::{self, Display, Write};

/// Values of one store in its order, one behind the other in one memory with their names: a database has millions, and
/// two allocations for each would cost as much as searching them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoreValues {
    text: Vec<u8>,
    ends: Vec<Ends>,
    of: Option<(StoreId, u32)>,
    unread: Option<usize>,
}

/// Tells a store from others: SHA-256 of its path, of its content and of the log that was read with it. The same store
/// has the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(pub [u8; 32]);

/// Where a name and the value behind it end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ends {
    name: usize,
    value: usize,
}

impl StoreValues {
    /// No values, and room for as many as others are.
    pub fn with_room_of(other: &Self) -> Self {
        let (text, ends) = (Vec::with_capacity(other.text.len()), Vec::with_capacity(other.ends.len()));
        Self { text, ends, ..Self::default() }
    }

    /// In place of values that were not read again, because the same store was read before: how many bytes they and
    /// their names have.
    pub fn unread(bytes: usize) -> Self {
        Self { unread: Some(bytes), ..Self::default() }
    }

    /// True where they were not read again.
    pub fn is_unread(&self) -> bool {
        self.unread.is_some()
    }

    /// The store that they are of, and which of its records has them, from 0.
    pub fn of(&self) -> Option<(StoreId, u32)> {
        self.of
    }

    /// The same values, said to be of that store.
    #[must_use]
    pub fn said_of(self, store: StoreId, record: u32) -> Self {
        Self { of: Some((store, record)), ..self }
    }

    /// Adds a value and the name of its place.
    pub fn push(&mut self, name: &dyn Display, value: &[u8]) {
        // Writing into memory cannot fail.
        let _ = write!(Appended(&mut self.text), "{name}");
        let name = self.text.len();
        self.text.extend_from_slice(value);
        self.ends.push(Ends { name, value: self.text.len() });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Name and value by position, from 0.
    pub fn get(&self, index: usize) -> Option<(&str, &[u8])> {
        let ends = self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |before| before.value);
        let name = std::str::from_utf8(self.text.get(start..ends.name)?).unwrap_or_default();
        Some((name, self.text.get(ends.name..ends.value)?))
    }

    /// All names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The values without their names.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().map(|ends| self.text.get(ends.name..ends.value).unwrap_or_default())
    }

    /// Bytes of all names and values, also of those that were not read again.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.unread.unwrap_or(0)
    }

    /// Memory that they take, in bytes.
    pub fn memory(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<Ends>()
    }
}

/// Stored values are personal data.
impl fmt::Debug for StoreValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreValues({} values, {} bytes)", self.len(), self.bytes())
    }
}

struct Appended<'t>(&'t mut Vec<u8>);

impl Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_pushed_is_there_in_order(
            pushed in proptest::collection::vec((".{0,20}", proptest::collection::vec(any::<u8>(), 0..40)), 0..40)
        ) {
            let mut values = StoreValues::default();
            for (name, value) in &pushed {
                values.push(name, value);
            }
            let there: Vec<_> = values.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
            prop_assert_eq!(&there, &pushed);
            prop_assert!(values.values().eq(pushed.iter().map(|(_, value)| value.as_slice())));
            prop_assert_eq!(values.bytes(), pushed.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>());
            prop_assert_eq!(values.get(pushed.len()), None);
        }
    }

    #[test]
    fn a_stored_value_is_not_shown_by_debug() {
        let mut values = StoreValues::default();
        values.push(&"table t, row 1, column a", b"13812345427");
        assert_eq!(format!("{values:?}"), "StoreValues(1 values, 35 bytes)");
    }
}
