//! The bounded table of connections: finds one by its two sockets, and knows which was idle longest.

use crate::capture::Socket;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Two sockets whatever the direction: the smaller one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The smaller socket.
    pub(crate) low: Socket,
    /// The larger socket.
    pub(crate) high: Socket,
}

/// In as few words as possible: hashing the derived way, tags and lengths included, took a third of
/// the time of a small packet.
impl Hash for Pair {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self.low.0, self.high.0) {
            (IpAddr::V4(low), IpAddr::V4(high)) => {
                state.write_u64(u64::from(low.to_bits()) << 32 | u64::from(high.to_bits()));
            }
            (low, high) => {
                let bits = |address| match address {
                    IpAddr::V4(address) => u128::from(address.to_bits()),
                    IpAddr::V6(address) => address.to_bits(),
                };
                state.write_u128(bits(low));
                state.write_u128(bits(high));
            }
        }
        state.write_u32(u32::from(self.low.1) << 16 | u32::from(self.high.1));
    }
}

impl Pair {
    /// The pair, and the direction of a packet in it: 0 from `low` to `high`, 1 back.
    pub(crate) fn of(source: Socket, destination: Socket) -> (Self, usize) {
        if source <= destination {
            (Self { low: source, high: destination }, 0)
        } else {
            (Self { low: destination, high: source }, 1)
        }
    }
}

/// A map that evicts what was used longest ago; every operation takes constant time.
///
/// Slots are linked from the newest to the oldest by their numbers. The order never depends on the
/// map's random hash keys.
pub(crate) struct Table<V> {
    index: HashMap<Pair, usize>,
    slots: Vec<Slot<V>>,
    free: Vec<usize>,
    newest: usize,
    oldest: usize,
}

struct Slot<V> {
    pair: Pair,
    value: Option<V>,
    newer: usize,
    older: usize,
}

/// No slot: the end of the list.
const NONE: usize = usize::MAX;

impl<V> Table<V> {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self { index: HashMap::new(), slots: Vec::new(), free: Vec::new(), newest: NONE, oldest: NONE }
    }

    /// Entries held.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// The slot of a pair, which becomes the newest.
    pub(crate) fn find(&mut self, pair: &Pair) -> Option<usize> {
        // Packets come in runs of one connection: the newest entry saves hashing.
        if self.slots.get(self.newest).is_some_and(|slot| slot.pair == *pair) {
            return Some(self.newest);
        }
        let slot = *self.index.get(pair)?;
        self.unlink(slot);
        self.link(slot);
        Some(slot)
    }

    /// The value in a slot; `None` where it was removed.
    pub(crate) fn get(&mut self, slot: usize) -> Option<&mut V> {
        self.slots.get_mut(slot)?.value.as_mut()
    }

    /// Puts a value in as the newest. The pair must not be in the table.
    pub(crate) fn insert(&mut self, pair: Pair, value: V) -> usize {
        let entry = Slot { pair, value: Some(value), newer: NONE, older: NONE };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot] = entry;
            slot
        } else {
            self.slots.push(entry);
            self.slots.len() - 1
        };
        self.index.insert(pair, slot);
        self.link(slot);
        slot
    }

    /// Takes a value out.
    pub(crate) fn remove(&mut self, slot: usize) -> Option<V> {
        let value = self.slots.get_mut(slot)?.value.take()?;
        self.unlink(slot);
        self.index.remove(&self.slots[slot].pair);
        self.free.push(slot);
        Some(value)
    }

    /// Takes out the value that was used longest ago.
    pub(crate) fn remove_oldest(&mut self) -> Option<V> {
        self.remove(self.oldest)
    }

    /// Takes out all values, in no order.
    pub(crate) fn drain(&mut self) -> Vec<V> {
        let values = std::mem::replace(self, Self::new()).slots;
        values.into_iter().filter_map(|slot| slot.value).collect()
    }

    fn link(&mut self, slot: usize) {
        self.slots[slot].newer = NONE;
        self.slots[slot].older = self.newest;
        match self.slots.get_mut(self.newest) {
            Some(next) => next.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: usize) {
        let (newer, older) = (self.slots[slot].newer, self.slots[slot].older);
        match self.slots.get_mut(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair(port: u16) -> Pair {
        Pair::of(([10, 0, 0, 1].into(), port), ([10, 0, 0, 2].into(), 80)).0
    }

    #[test]
    fn both_directions_are_one_pair() {
        let (a, b) = (([10, 0, 0, 1].into(), 5000), ([10, 0, 0, 2].into(), 80));
        assert_eq!(Pair::of(a, b).0, Pair::of(b, a).0);
        assert_ne!(Pair::of(a, b).1, Pair::of(b, a).1);
    }

    proptest! {
        /// The table against a plain list kept in the order of use.
        #[test]
        fn the_longest_idle_is_evicted_first(uses in proptest::collection::vec((0u16..12, 0u8..5), 0..200)) {
            let mut table = Table::new();
            let mut list: Vec<u16> = Vec::new();
            for (port, action) in uses {
                let found = table.find(&pair(port));
                prop_assert_eq!(found.is_some(), list.contains(&port));
                list.retain(|other| *other != port);
                match (found, action) {
                    (Some(slot), 0) => prop_assert_eq!(table.remove(slot), Some(port)),
                    (None, 1) => {
                        prop_assert_eq!(table.remove_oldest(), (!list.is_empty()).then(|| list.remove(0)));
                    }
                    (found, _) => {
                        found.unwrap_or_else(|| table.insert(pair(port), port));
                        list.push(port);
                    }
                }
                prop_assert_eq!(table.len(), list.len());
            }
            let mut rest = table.drain();
            rest.sort_unstable();
            list.sort_unstable();
            prop_assert_eq!(rest, list);
        }
    }
}
