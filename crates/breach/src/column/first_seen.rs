//! Counts of the first so many different things: which they are depends on nothing but their order.

use crate::kept::{In, Out};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::io;

/// Counts, with the place that each thing has in the order in which they were first seen.
pub(crate) struct FirstSeen<K>(HashMap<K, (u64, u32)>);

impl<K> Default for FirstSeen<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> FirstSeen<K> {
    /// How many different ones are counted.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Counts a thing that was seen before; false where it was not.
    pub(crate) fn again<Q: Hash + Eq + ?Sized>(&mut self, thing: &Q, times: u64) -> bool
    where
        K: Borrow<Q>,
    {
        let seen = self.0.get_mut(thing);
        seen.map(|(count, _)| *count += times).is_some()
    }

    /// Counts a thing that was not seen before.
    pub(crate) fn first(&mut self, thing: K, times: u64) {
        let place = self.0.len() as u32;
        self.0.insert(thing, (times, place));
    }

    /// All counts, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.0.iter().map(|(thing, (count, _))| (thing, *count))
    }

    /// All counts, in the order in which things were first seen.
    pub(crate) fn in_order(&self) -> Vec<(&K, u64)> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_unstable_by_key(|(_, (_, place))| *place);
        all.into_iter().map(|(thing, (count, _))| (thing, *count)).collect()
    }

    /// Writes the counts, each thing by `one`.
    pub(crate) fn keep(&self, out: &mut Out<'_>, one: impl Fn(&K, &mut Out<'_>) -> io::Result<()>) -> io::Result<()> {
        out.number(self.0.len() as u64)?;
        for (thing, count) in self.in_order() {
            one(thing, out)?;
            out.number(count)?;
        }
        Ok(())
    }

    /// Reads what was written, at most so many.
    pub(crate) fn kept(from: &mut In<'_>, most: usize, one: impl Fn(&mut In<'_>) -> io::Result<K>) -> io::Result<Self> {
        let mut seen = Self::default();
        for _ in 0..from.length(most)? {
            let thing = one(from)?;
            let count = from.number()?;
            seen.first(thing, count);
        }
        Ok(seen)
    }
}
