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

    /// Parts the digests of this bucket, `place`-th of half as many as `buckets`, among itself and the empty one that
    /// belongs to the new half. Gives those that belong into neither. Which half it is, no processor can guess: both
    /// are written.
    fn split(&mut self, upper: &mut Self, place: usize, buckets: usize, mut stray: impl FnMut(u64, u32)) {
        let all = std::mem::replace(self, Self::FREE);
        let half = buckets / 2;
        let (mut low, mut high) = (0, 0);
        for (key, value) in all.keys.into_iter().zip(all.values).take_while(|(key, _)| *key != 0) {
            let home = home(key, buckets);
            if home & (half - 1) != place {
                stray(key, value);
                continue;
            }
            let goes = usize::from(home >= half);
            (self.keys[low], self.values[low]) = (key, value);
            (upper.keys[high], upper.values[high]) = (key, value);
            low += 1 - goes;
            high += goes;
        }
        self.keys[low..].fill(0);
        upper.keys[high..].fill(0);
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

/// Where a digest that was not found would be, in a table of so many buckets.
#[derive(Clone, Copy, Default)]
pub(super) struct Free {
    bucket: u32,
    place: u32,
    buckets: u32,
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

    /// Has the processor fetch the bucket where a digest would be, while it does other things.
    #[inline]
    pub(super) fn fetch(&self, key: u64) {
        if let Some(bucket) = self.buckets.get(home(key, self.buckets.len())) {
            fetch(bucket);
        }
    }

    /// The person of a digest that is not 0.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<u32> {
        self.look_up(key).ok()
    }

    /// The person of a digest that is not 0, or where it would be.
    #[inline]
    pub(super) fn look_up(&self, key: u64) -> Result<u32, Free> {
        let Some(slot) = self.find(key) else { return Err(Free::default()) };
        let known = self.buckets.get(slot.bucket).filter(|_| !slot.is_free);
        let free = Free { bucket: slot.bucket as u32, place: slot.place as u32, buckets: self.buckets.len() as u32 };
        known.and_then(|bucket| bucket.values.get(slot.place).copied()).ok_or(free)
    }

    /// Gives a digest that was looked up and not found to a person, where it is nobody's since; true where it was.
    #[inline]
    pub(super) fn insert_at(&mut self, free: Free, key: u64, value: u32) -> bool {
        let has_room = self.buckets.len() as u32 == free.buckets && !is_full(self.held + 1, self.buckets.len());
        let bucket = self.buckets.get_mut(free.bucket as usize).filter(|_| has_room);
        let slot = bucket.and_then(|bucket| {
            Some((bucket.keys.get_mut(free.place as usize)?, bucket.values.get_mut(free.place as usize)?))
        });
        // A slot that is still free is still the first one that is.
        match slot {
            Some((known, person)) if *known == 0 => {
                (*known, *person) = (key, value);
                self.held += 1;
                true
            }
            _ => self.insert(key, value),
        }
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

    /// Keeps the digests of which `keep` gives a person, where they stand. Those that did not stand in their own bucket
    /// are put in again: who looks for them would stop at what the others left free.
    pub(super) fn retain(&mut self, keep: impl Fn(u32) -> Option<u32>) {
        let buckets = self.buckets.len();
        let mut strays = Vec::new();
        self.held = 0;
        for (place, bucket) in self.buckets.iter_mut().enumerate() {
            let all = std::mem::replace(bucket, Bucket::FREE);
            let mut kept = 0;
            for (key, value) in all.keys.into_iter().zip(all.values).take_while(|(key, _)| *key != 0) {
                let Some(value) = keep(value) else { continue };
                if home(key, buckets) == place {
                    (bucket.keys[kept], bucket.values[kept]) = (key, value);
                    kept += 1;
                } else {
                    strays.push((key, value));
                }
            }
            self.held += kept;
        }
        for (key, value) in strays {
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
        for (place, (bucket, upper)) in lower.iter_mut().zip(upper).enumerate() {
            bucket.split(upper, place, size, |key, value| strays.push((key, value)));
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

#[inline]
fn fetch(bucket: &Bucket) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "fetching changes nothing but the cache, and has no preconditions")]
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(bucket).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::hint::black_box(bucket.keys[0]);
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

    /// Digests, many of which have one place, also the last one, behind which the first one follows.
    fn keys() -> impl Strategy<Value = u64> {
        let crowded = (0u64..8, 1u64..400).prop_map(|(place, n)| (place.wrapping_sub(4) << 20) ^ n << 32 | 1);
        prop_oneof![1u64.., crowded]
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(pairs in proptest::collection::vec((keys(), 0u32..100), 0..800)) {
            let mut table = Table::with_limit(100);
            let mut map = HashMap::new();
            for (key, value) in &pairs {
                let known = table.look_up(*key);
                prop_assert_eq!(known.as_ref().ok(), map.get(key));
                if let Err(free) = known {
                    // What was inserted since may have taken the place, or made the table grow.
                    let other = key ^ 1 << 40;
                    prop_assert_eq!(table.insert(other, 7), map.insert(other, 7).is_none());
                    prop_assert!(table.insert_at(free, *key, *value));
                    map.insert(*key, *value);
                } else {
                    prop_assert!(!table.insert(*key, *value));
                }
            }
            prop_assert_eq!(table.len(), map.len());
            table.retain(|value| (value % 2 == 0).then_some(value + 1));
            map.retain(|_, value| *value % 2 == 0);
            prop_assert_eq!(table.len(), map.len());
            for (key, _) in &pairs {
                prop_assert_eq!(table.get(*key), map.get(key).map(|value| value + 1));
            }
        }
    }
}
