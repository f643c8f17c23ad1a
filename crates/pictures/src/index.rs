//! Finds which originals' features look like a picture's, without comparing all with all.
//!
//! Locality-sensitive hashing (Indyk and Motwani 1998): each table sorts features by 16 of their bits. A feature that
//! differs in 30 of 256 bits is in the same bucket of one of four tables in two cases of five, which is plenty where a
//! picture has hundreds. Where it has few, eight tables are asked, and more of each bucket.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the functions of `wide` has the vectors of the oldest processors"
)]

use crate::features::Feature;
use crate::geometry::LEAST_VOTES;
use crate::wide::widest;

const TABLES: usize = 8;
const BUCKETS: usize = 1 << 16;
/// Differing bits of two features that may be the same place.
pub(crate) const ALIKE: u32 = 52;
/// Differing bits of their sketches, an eighth of all bits.
const SKETCHES_ALIKE: u32 = 11;

/// Features of all originals.
pub(crate) struct Index {
    tables: Vec<Vec<Vec<Entry>>>,
    features: Vec<Kept>,
    /// Where each original's features begin.
    starts: Vec<usize>,
}

/// How hard features are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Tables that are asked.
    tables: usize,
    /// Entries of a bucket that are looked at: screens of one template fill buckets with copies of the same letters.
    entries: usize,
    /// Originals with fewer pairs are passed over.
    pub(crate) least_pairs: usize,
}

impl Effort {
    pub(crate) const USUAL: Self = Self { tables: 4, entries: 48, least_pairs: LEAST_VOTES };
    /// For a picture with few features.
    pub(crate) const MORE: Self = Self { tables: TABLES, entries: 128, least_pairs: 2 };
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
        Self { tables: vec![vec![Vec::new(); BUCKETS]; TABLES], features: Vec::new(), starts: Vec::new() }
    }

    /// Adds features of an original: originals come in the order of their places.
    pub(crate) fn add(&mut self, original: u32, features: &[Feature]) {
        self.starts.resize((original as usize + 1).max(self.starts.len()), self.features.len());
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

    /// All features of an original.
    pub(crate) fn of(&self, original: u32) -> impl Iterator<Item = &Feature> {
        let start = |original: usize| self.starts.get(original).copied().unwrap_or(self.features.len());
        let range = start(original as usize)..start(original as usize + 1);
        self.features.get(range).unwrap_or_default().iter().map(|kept| &kept.feature)
    }

    /// Features that look like those of a picture: of each original the one most alike to each of them.
    pub(crate) fn pairs(&self, features: &[Feature], effort: Effort) -> Vec<Pair> {
        widest!(pairs, Self::pairs_of, (self, features, effort))
    }

    #[inline(always)]
    pub(crate) fn pairs_of(&self, features: &[Feature], effort: Effort) -> Vec<Pair> {
        let mut all = Vec::new();
        let mut found: Vec<(u32, u32, u32)> = Vec::new();
        for (turn, ours) in features.iter().enumerate() {
            found.clear();
            self.alike(ours, turn, effort, &mut found);
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
    fn alike(&self, ours: &Feature, turn: usize, effort: Effort, found: &mut Vec<(u32, u32, u32)>) {
        let own = sketch(ours);
        for (table, key) in self.tables.iter().zip(keys(ours)).take(effort.tables) {
            let bucket = table.get(key).map_or(&[][..], Vec::as_slice);
            // Where not all are looked at, each feature starts elsewhere, so that every original has its turn.
            let start = if bucket.len() > effort.entries { turn * effort.entries % bucket.len() } else { 0 };
            for entry in bucket.iter().cycle().skip(start).take(bucket.len().min(effort.entries)) {
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

/// The buckets of a feature: the first 128 bits in eight groups.
fn keys(feature: &Feature) -> [usize; TABLES] {
    let [first, second, ..] = feature.bits;
    let groups =
        [(first, 0), (first, 16), (first, 32), (first, 48), (second, 0), (second, 16), (second, 32), (second, 48)];
    groups.map(|(bits, shift)| ((bits >> shift) & 0xFFFF) as usize)
}

/// 32 bits that no table uses.
fn sketch(feature: &Feature) -> u32 {
    let [.., last] = feature.bits;
    last as u32
}
