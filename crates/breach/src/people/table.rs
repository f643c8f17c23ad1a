//! From a digest to a person, in 12 bytes a slot.

/// Open addressing with steps of one; digests are pseudorandom, so their last bits are the place.
pub(super) struct Table {
    keys: Vec<u64>,
    values: Vec<u32>,
    held: usize,
}

impl Table {
    /// Empty.
    pub(super) fn new() -> Self {
        Self { keys: Vec::new(), values: Vec::new(), held: 0 }
    }

    /// Empty, with room for so many.
    pub(super) fn with_room(held: usize) -> Self {
        let mut table = Self::new();
        while held * 4 > table.keys.len() * 3 {
            table.grow();
        }
        table
    }

    /// All digests and their people.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.keys.iter().copied().zip(self.values.iter().copied()).filter(|(key, _)| *key != 0)
    }

    /// Digests held.
    pub(super) fn len(&self) -> usize {
        self.held
    }

    /// Reads the place where a digest would be.
    pub(super) fn touch(&self, key: u64) -> u64 {
        let place = place(key, self.keys.len());
        self.keys.get(place).copied().unwrap_or(0) ^ u64::from(self.values.get(place).copied().unwrap_or(0))
    }

    /// The person of a digest that is not 0.
    pub(super) fn get(&self, key: u64) -> Option<u32> {
        let at = self.find(key)?;
        (self.keys.get(at) == Some(&key)).then(|| self.values.get(at).copied()).flatten()
    }

    /// Gives a digest to a person where it is nobody's yet; true where it was.
    pub(super) fn insert(&mut self, key: u64, value: u32) -> bool {
        if (self.held + 1) * 4 > self.keys.len() * 3 {
            self.grow();
        }
        let Some(at) = self.find(key) else { return false };
        if self.keys.get(at) == Some(&key) {
            return false;
        }
        self.put(at, key, value);
        true
    }

    /// Keeps the digests of which `keep` gives a person.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u32) -> Option<u32>) {
        let keys = std::mem::take(&mut self.keys);
        let values = std::mem::take(&mut self.values);
        self.held = 0;
        self.keys = vec![0; keys.len()];
        self.values = vec![0; keys.len()];
        for (key, value) in keys.iter().zip(&values).filter(|(key, _)| **key != 0) {
            if let (Some(value), Some(at)) = (keep(*value), self.find(*key)) {
                self.put(at, *key, value);
            }
        }
    }

    /// The slot that holds the digest, or the free one where it belongs. `None` while there are no slots.
    fn find(&self, key: u64) -> Option<usize> {
        let mut at = place(key, self.keys.len());
        loop {
            let slot = *self.keys.get(at)?;
            if slot == 0 || slot == key {
                return Some(at);
            }
            at = (at + 1) & (self.keys.len() - 1);
        }
    }

    fn put(&mut self, at: usize, key: u64, value: u32) {
        if let (Some(slot), Some(place)) = (self.keys.get_mut(at), self.values.get_mut(at)) {
            (*slot, *place) = (key, value);
            self.held += 1;
        }
    }

    fn grow(&mut self) {
        let size = (self.keys.len() * 2).max(1024);
        let keys = std::mem::replace(&mut self.keys, vec![0; size]);
        let values = std::mem::replace(&mut self.values, vec![0; size]);
        self.held = 0;
        for (key, value) in keys.iter().zip(&values).filter(|(key, _)| **key != 0) {
            if let Some(at) = self.find(*key) {
                self.put(at, *key, *value);
            }
        }
    }
}

/// The last bits thin people out; those in the middle are the place.
fn place(key: u64, slots: usize) -> usize {
    (key >> 20) as usize & slots.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(pairs in proptest::collection::vec((1u64.., 0u32..100), 0..3000)) {
            let mut table = Table::new();
            let mut map = HashMap::new();
            for (key, value) in &pairs {
                prop_assert_eq!(table.insert(*key, *value), !map.contains_key(key));
                map.entry(*key).or_insert(*value);
            }
            table.retain(|value| (value % 2 == 0).then_some(value + 1));
            map.retain(|_, value| *value % 2 == 0);
            prop_assert_eq!(table.len(), map.len());
            for (key, _) in &pairs {
                prop_assert_eq!(table.get(*key), map.get(key).map(|value| value + 1));
            }
        }
    }
}
