//! Digests looked up for many places together: asked about one by one, each would wait for a fetch from far memory.

use crate::digest::{Digests, MOST_STARTS};

/// Places that wait to be looked up.
pub(crate) struct Lookups<'d> {
    digests: &'d Digests,
    starts: [u64; MOST_STARTS],
    /// An item by its number, and an offset in it.
    places: [(usize, usize); MOST_STARTS],
    count: usize,
    /// Where known digests begin.
    found: Vec<(usize, usize)>,
}

impl<'d> Lookups<'d> {
    /// No places yet.
    pub(crate) fn new(digests: &'d Digests) -> Self {
        Self { digests, starts: [0; MOST_STARTS], places: [(0, 0); MOST_STARTS], count: 0, found: Vec::new() }
    }

    /// Adds a place in an item and the eight bytes that begin there, the first one highest.
    #[inline]
    pub(crate) fn add(&mut self, item: usize, at: usize, start: u64) {
        // There is always room for one.
        self.starts[self.count % MOST_STARTS] = start;
        self.places[self.count % MOST_STARTS] = (item, at);
        self.count += 1;
        if self.count == MOST_STARTS {
            self.ask();
        }
    }

    /// The same for a place in the item's bytes, unless it is too near to their end.
    #[inline]
    pub(crate) fn add_at(&mut self, item: usize, at: usize, bytes: &[u8]) {
        if let Some(start) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            self.add(item, at, u64::from_be_bytes(*start));
        }
    }

    fn ask(&mut self) {
        let starts = self.starts.get(..self.count).unwrap_or_default();
        let mut known = self.digests.known_starts(starts);
        while known != 0 {
            self.found.extend(self.places.get(known.trailing_zeros() as usize));
            known &= known - 1;
        }
        self.count = 0;
    }

    /// The places at which a digest that is looked for may begin, in the order in which they were added. Then it is as
    /// new.
    pub(crate) fn finish(&mut self) -> Vec<(usize, usize)> {
        self.ask();
        std::mem::take(&mut self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Material, SHORTEST, Source};
    use dyetrace_case::Secret;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// MD5 of `13800000427`, as computed with Python's hashlib.
    const DIGEST: [u8; 16] = 0x0098_a5ca_2f57_d3b0_d8b8_11f7_566a_8aee_u128.to_be_bytes();

    static DIGESTS: LazyLock<Digests> = LazyLock::new(|| {
        let (form, bytes) = ("as typed".to_owned(), Secret::new("13800000427"));
        Digests::new(vec![Source { datum: 0, form, bytes, checksums_only: false }], Material::default())
    });

    /// Asks about one place alone.
    fn is_known(bytes: &[u8], at: usize) -> bool {
        let start = bytes.get(at..).and_then(<[u8]>::first_chunk);
        start.is_some_and(|start| DIGESTS.known_starts(&[u64::from_be_bytes(*start)]) != 0)
    }

    proptest! {
        #[test]
        fn looked_up_together_each_place_has_the_answer_it_has_alone(
            items in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), 0usize..30), 1..12),
        ) {
            let planted = |(noise, place): (Vec<u8>, usize)| {
                let place = place.min(noise.len());
                (place, [&noise[..place], &DIGEST, &noise[place..]].concat())
            };
            let items: Vec<(usize, Vec<u8>)> = items.into_iter().map(planted).collect();
            // Places too near to the end and behind it are asked about, too.
            let sizes = items.iter().enumerate().map(|(item, (_, bytes))| (item, bytes.len() + 2));
            let places = sizes.flat_map(|(item, size)| (0..size).map(move |at| (item, at)));
            let places: Vec<(usize, usize)> = places.collect();
            let mut lookups = Lookups::new(&DIGESTS);
            for (item, at) in &places {
                lookups.add_at(*item, *at, &items[*item].1);
            }
            let found = lookups.finish();
            let alone: Vec<_> = places.into_iter().filter(|(item, at)| is_known(&items[*item].1, *at)).collect();
            prop_assert_eq!(&found, &alone);
            for (item, (place, _)) in items.iter().enumerate() {
                prop_assert!(found.contains(&(item, *place)), "the digest itself");
            }
        }
    }

    #[test]
    fn nothing_is_forgotten_where_the_last_rows_are_full_or_one_short_of_it() {
        let start = u64::from_be_bytes(DIGEST[..SHORTEST].try_into().unwrap());
        for count in [0, 1, MOST_STARTS - 1, MOST_STARTS, MOST_STARTS + 1, 3 * MOST_STARTS] {
            let mut lookups = Lookups::new(&DIGESTS);
            for item in 0..count {
                lookups.add(item, 7, start);
            }
            assert!(lookups.finish().into_iter().eq((0..count).map(|item| (item, 7))));
        }
    }
}
