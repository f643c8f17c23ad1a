//! From a digest to a person, in 13 bytes a slot.

/// Digests and people that are looked for together: they share one line of the processor's cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket {
    /// 0 for a free slot. The slots that are taken come first.
    keys: [u64; Self::SLOTS],
    values: [u32; Self::SLOTS],
}

impl Bucket {
    const SLOTS: usize = 5;
    const FREE: Self = Self { keys: [0; Self::SLOTS], values: [0; Self::SLOTS] };

    /// Takes a digest in where there is room.
    fn push(&mut self, key: u64, value: u32) -> bool {
        let Some(place) = self.keys.iter().position(|known| *known == 0) else { return false };
        (self.keys[place], self.values[place]) = (key, value);
        true
    }

    /// Takes out the digests that have another place among so many buckets than the bucket's own.
    fn take_strangers(&mut self, place: usize, buckets: usize) -> impl Iterator<Item = (u64, u32)> + use<> {
        let all = std::mem::replace(self, Self::FREE);
        let slots = all.keys.into_iter().zip(all.values).filter(|(key, _)| *key != 0);
        let stays = move |key: u64| home(key, buckets) == place;
        for (key, value) in slots.clone().filter(|(key, _)| stays(*key)) {
            self.push(key, value);
        }
        slots.filter(move |(key, _)| !stays(*key))
    }
}

/// Buckets, as many as a power of two; what does not fit into its own is in the next that has room. Digests are
/// pseudorandom, so their bits are the place.
///
/// It grows where it stands, in room that was reserved and not yet written to: the system clears memory before it gives
/// it, and a copy of twice the size would have three times as much cleared.
pub(super) struct Table {
    buckets: Vec<Bucket>,
    held: usize,
}

/// A slot that holds the digest that was looked for, or that is free for it.
struct Slot {
    bucket: usize,
    place: usize,
    is_free: bool,
}

impl Table {
    /// Empty, with room reserved for so many.
    pub(super) fn with_limit(limit: usize) -> Self {
        Self { buckets: Vec::with_capacity(buckets_for(limit)), held: 0 }
    }

    /// Has buckets for so many at once.
    pub(super) fn reserve(&mut self, held: usize) {
        while is_full(held, self.buckets.len()) {
            self.grow();
        }
    }

    /// All digests and their people.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        let slots = |bucket: &Bucket| bucket.keys.into_iter().zip(bucket.values);
        self.buckets.iter().flat_map(slots).filter(|(key, _)| *key != 0)
    }

    /// Digests held.
    pub(super) fn len(&self) -> usize {
        self.held
    }

    /// Reads the bucket where a digest would be.
    pub(super) fn touch(&self, key: u64) -> u64 {
        self.buckets.get(home(key, self.buckets.len())).map_or(0, |bucket| bucket.keys[0])
    }

    /// The person of a digest that is not 0.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<u32> {
        let slot = self.find(key).filter(|slot| !slot.is_free)?;
        self.buckets.get(slot.bucket)?.values.get(slot.place).copied()
    }

    /// Gives a digest to a person where it is nobody's yet; true where it was.
    #[inline]
    pub(super) fn insert(&mut self, key: u64, value: u32) -> bool {
        if is_full(self.held + 1, self.buckets.len()) {
            self.grow();
        }
        let Some(slot) = self.find(key).filter(|slot| slot.is_free) else { return false };
        let Some(bucket) = self.buckets.get_mut(slot.bucket) else { return false };
        (bucket.keys[slot.place], bucket.values[slot.place]) = (key, value);
        self.held += 1;
        true
    }

    /// Keeps the digests of which `keep` gives a person.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u32) -> Option<u32>) {
        let count = self.iter().filter(|(_, value)| keep(*value).is_some()).count();
        let mut kept = Vec::with_capacity(count);
        kept.extend(self.iter().filter_map(|(key, value)| Some((key, keep(value)?))));
        self.buckets.fill(Bucket::FREE);
        self.held = 0;
        for (key, value) in kept {
            self.insert(key, value);
        }
    }

    /// `None` while there are no buckets.
    #[inline]
    fn find(&self, key: u64) -> Option<Slot> {
        let mut bucket = home(key, self.buckets.len());
        loop {
            let keys = &self.buckets.get(bucket)?.keys;
            // All are looked at: where a search ends that stops, no processor can guess.
            let places = |wanted: u64| {
                let places = keys.iter().rev().fold(0u32, |places, known| places << 1 | u32::from(*known == wanted));
                (places != 0).then(|| (places.trailing_zeros() as usize).min(Bucket::SLOTS - 1))
            };
            if let Some(place) = places(key) {
                return Some(Slot { bucket, place, is_free: false });
            }
            if let Some(place) = places(0) {
                return Some(Slot { bucket, place, is_free: true });
            }
            bucket = (bucket + 1) & (self.buckets.len() - 1);
        }
    }

    /// Doubles the buckets. Half of the digests go into the new half, and all that did not stand in their own bucket
    /// are put in again: who looks for them would stop at what the others left free.
    #[cold]
    fn grow(&mut self) {
        let old = self.buckets.len();
        let size = (old * 2).max(FEWEST);
        self.buckets.resize(size, Bucket::FREE);
        let mut strays = Vec::new();
        let (lower, upper) = self.buckets.split_at_mut(old);
        for (index, bucket) in lower.iter_mut().enumerate() {
            for (key, value) in bucket.take_strangers(index, size) {
                let moved = upper.get_mut(home(key, size).wrapping_sub(old)).is_some_and(|own| own.push(key, value));
                if !moved {
                    strays.push((key, value));
                }
            }
        }
        self.held -= strays.len();
        for (key, value) in strays {
            self.insert(key, value);
        }
    }
}

/// Buckets that a table begins with.
const FEWEST: usize = 256;

/// Buckets of a table that holds so many.
fn buckets_for(held: usize) -> usize {
    let mut buckets = FEWEST;
    while is_full(held, buckets) {
        buckets *= 2;
    }
    buckets
}

/// Where more than two thirds of the slots are taken, many digests are not in their own bucket.
fn is_full(held: usize, buckets: usize) -> bool {
    held * 3 > buckets * Bucket::SLOTS * 2
}

/// The last bits thin people out; those in the middle are the place.
fn home(key: u64, buckets: usize) -> usize {
    (key >> 20) as usize & buckets.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(pairs in proptest::collection::vec((1u64.., 0u32..100), 0..3000)) {
            let mut table = Table::with_limit(100);
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
