//! Finds which originals' features look like a picture's, without comparing all with all.
//!
//! Locality-sensitive hashing (Indyk and Motwani 1998): each table sorts features by 16 of their bits. A feature that
//! differs in 30 of 256 bits is in the same bucket of one of the four tables in two cases of five, which is plenty,
//! because a picture has hundreds.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the functions of `wide` has the vectors of the oldest processors"
)]

use crate::features::Feature;
use crate::wide::widest;

const TABLES: usize = 4;
const BUCKETS: usize = 1 << 16;
/// Entries of a bucket that are looked at. Screens of one template fill buckets with copies of the same letters.
const LOOKED_AT: usize = 48;
/// Differing bits of two features that may be the same place.
pub(crate) const ALIKE: u32 = 52;
/// Differing bits of their sketches, an eighth of all bits.
const SKETCHES_ALIKE: u32 = 11;

/// Features of all originals.
pub(crate) struct Index {
    tables: Vec<Vec<Vec<Entry>>>,
    features: Vec<Kept>,
}

/// A feature and whose it is.
struct Kept {
    feature: Feature,
    original: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    feature: u32,
    sketch: u32,
}

/// A feature of an original and one of the picture that look alike.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    /// Which original, by its place in the gallery.
    pub(crate) original: u32,
    /// The original's feature.
    pub(crate) theirs: Feature,
    /// The picture's feature.
    pub(crate) ours: Feature,
    /// Bits that differ.
    pub(crate) distance: u32,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { tables: vec![vec![Vec::new(); BUCKETS]; TABLES], features: Vec::new() }
    }

    pub(crate) fn add(&mut self, original: u32, features: &[Feature]) {
        for feature in features {
            let Ok(id) = u32::try_from(self.features.len()) else { return };
            for (table, key) in self.tables.iter_mut().zip(keys(feature)) {
                if let Some(bucket) = table.get_mut(key) {
                    bucket.push(Entry { feature: id, sketch: sketch(feature) });
                }
            }
            self.features.push(Kept { feature: *feature, original });
        }
    }

    /// Features that look like those of a picture: of each original the one most alike to each of them.
    pub(crate) fn pairs(&self, features: &[Feature]) -> Vec<Pair> {
        widest!(pairs, Self::pairs_of, (self, features))
    }

    #[inline(always)]
    pub(crate) fn pairs_of(&self, features: &[Feature]) -> Vec<Pair> {
        let mut all = Vec::new();
        let mut found: Vec<(u32, u32, u32)> = Vec::new();
        for (turn, ours) in features.iter().enumerate() {
            found.clear();
            self.alike(ours, turn, &mut found);
            found.sort_unstable();
            found.dedup_by_key(|(original, ..)| *original);
            all.extend(found.iter().filter_map(|(original, distance, id)| {
                let theirs = self.features.get(*id as usize)?.feature;
                Some(Pair { original: *original, theirs, ours: *ours, distance: *distance })
            }));
        }
        all
    }

    /// Original, distance and number of the features like this one.
    #[inline(always)]
    fn alike(&self, ours: &Feature, turn: usize, found: &mut Vec<(u32, u32, u32)>) {
        let own = sketch(ours);
        for (table, key) in self.tables.iter().zip(keys(ours)) {
            let bucket = table.get(key).map_or(&[][..], Vec::as_slice);
            // Where not all are looked at, each feature starts elsewhere, so that every original has its turn.
            let start = if bucket.len() > LOOKED_AT { turn * LOOKED_AT % bucket.len() } else { 0 };
            for entry in bucket.iter().cycle().skip(start).take(bucket.len().min(LOOKED_AT)) {
                if (entry.sketch ^ own).count_ones() > SKETCHES_ALIKE {
                    continue;
                }
                let Some(kept) = self.features.get(entry.feature as usize) else { continue };
                let distance = kept.feature.distance(ours);
                if distance <= ALIKE {
                    found.push((kept.original, distance, entry.feature));
                }
            }
        }
    }
}

/// The buckets of a feature: the first 64 bits in four groups.
fn keys(feature: &Feature) -> [usize; TABLES] {
    let [first, ..] = feature.bits;
    [0, 16, 32, 48].map(|shift| ((first >> shift) & 0xFFFF) as usize)
}

/// 32 bits that no table uses.
fn sketch(feature: &Feature) -> u32 {
    let [.., last] = feature.bits;
    last as u32
}
