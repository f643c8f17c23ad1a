//! Which originals a picture may show, and how it would lie on them.

use super::{Gallery, HASHED_PIXELS};
use crate::features::{Feature, Features, Wanted, features};
use crate::geometry::{Affine, Agreement, Consensus, Hint, Spread, consensus};
use crate::index::{Effort, Pair};
use crate::luma::{Luma, Pyramid, limited};
use crate::pdq::{Laid, Spectrum, nearest};
use crate::views::Part;
use std::collections::HashMap;

/// Differing bits of two hashes up to which the tiles are asked.
const HASHES_ALIKE: u16 = 64;
/// Originals that are compared tile by tile with one picture, and ways to lay it on each of them.
pub(super) const COMPARED: usize = 48;
pub(super) const WAYS: usize = 3;
/// Corners nearer to one line than this may slide along it: a rail, a cable, a row of windows.
const LEAST_BREADTH: f32 = 0.1;
/// Originals that a few features hint at which are followed.
const HINTS: usize = 24;
/// Originals that are compared when a picture is looked at closely.
const CLOSELY: usize = 16;

/// A way to lay an original on the picture.
pub(super) struct Candidate {
    /// Its place in the gallery.
    pub(super) original: u32,
    /// From the original to the picture.
    pub(super) map: Affine,
    /// Corners that agree; none where only a hash led there.
    pub(super) votes: usize,
    /// How far they spread across the line that they are nearest to, by how far along it.
    pub(super) breadth: f32,
    /// Bits in which the hashes differ, 256 where none was compared.
    pub(super) distance: u16,
}

impl Candidate {
    pub(super) fn is_on_a_line(&self) -> bool {
        self.breadth < LEAST_BREADTH
    }

    /// Where features agree; `back` from what was mirrored, if it was.
    fn new(agreed: &Consensus, back: Affine) -> Self {
        Self {
            original: agreed.original,
            map: back.after(&agreed.map),
            votes: agreed.votes,
            breadth: agreed.breadth,
            distance: 256,
        }
    }
}

pub(super) fn surest_candidates_first(candidates: &mut [Candidate]) {
    candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.votes), candidate.distance, candidate.original));
}

impl Gallery {
    /// What enough features agree on.
    pub(super) fn by_features(&self, found: &Features, width: f32) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        self.each_group(found, Effort::USUAL, |pairs, mirrored| {
            if let Agreement::Enough(agreed) = consensus(pairs) {
                candidates.push(Candidate::new(&agreed, back(mirrored, width)));
            }
        });
        candidates
    }

    /// What also too few features hint at, the surest first.
    pub(super) fn hinted(&self, found: &Features, size: (f32, f32)) -> Vec<Candidate> {
        let mut hints = Hints::new(found, size);
        let mut candidates = Vec::new();
        self.each_group(found, Effort::MORE, |pairs, mirrored| match consensus(pairs) {
            Agreement::Enough(agreed) => candidates.push(Candidate::new(&agreed, back(mirrored, size.0))),
            Agreement::TooLittle(hint) => hints.all.push((hint, mirrored)),
            Agreement::Nothing => {}
        });
        candidates.extend(self.by_hints(&mut hints));
        surest_candidates_first(&mut candidates);
        candidates.truncate(CLOSELY);
        candidates
    }

    /// Calls `visit` with the pairs of each original, and with whether they are of the picture in a mirror.
    fn each_group(&self, found: &Features, effort: Effort, mut visit: impl FnMut(&mut Vec<Pair>, bool)) {
        for (features, mirrored) in [(&found.plain, false), (&found.mirrored, true)] {
            let mut pairs = self.index.pairs(features, effort);
            pairs.sort_by_key(|pair| pair.original);
            let groups = pairs.chunk_by(|left, right| left.original == right.original);
            groups
                .filter(|group| group.len() >= effort.least_pairs)
                .for_each(|group| visit(&mut group.to_vec(), mirrored));
        }
    }

    /// Where the originals lie that features hint at, the likeliest first.
    fn by_hints(&self, hints: &mut Hints) -> Vec<Candidate> {
        hints.all.sort_by_key(|(hint, _)| std::cmp::Reverse(hint.weight));
        let likely = hints.all.iter().take(HINTS);
        let guided = likely.filter_map(|(hint, mirrored)| {
            let spread = if *mirrored { &hints.mirrored } else { &hints.plain };
            let agreed = spread.guided(hint, self.index.of(hint.original))?;
            Some(Candidate::new(&agreed, back(*mirrored, hints.width)))
        });
        guided.collect()
    }

    /// Adds what hashes lead to. Returns how much there is to hash, 0 to 100.
    pub(super) fn by_hash(&self, pyramid: &Pyramid, candidates: &mut Vec<Candidate>) -> u8 {
        let hashed = pyramid.levels().iter().rev().find(|level| level.luma.pixels().len() >= HASHED_PIXELS);
        let hashed = hashed.or(pyramid.levels().first()).map(|level| limited(&level.luma, HASHED_PIXELS));
        let Some(spectrum) = hashed.and_then(|luma| Spectrum::of(&luma)) else { return 0 };
        let turned = Laid::ALL.map(|laid| spectrum.hash_laid(laid));
        let mut closest: Vec<(u16, Part, Laid)> = vec![(257, Part::WHOLE, Laid::ALL[0]); self.originals.len()];
        for ((distance, turn), (original, part)) in nearest(&self.hashes, &turned).into_iter().zip(&self.hashed) {
            let laid = Laid::ALL.get(turn).copied().unwrap_or(Laid::ALL[0]);
            if let Some(best) = closest.get_mut(*original as usize).filter(|best| distance < best.0) {
                *best = (distance, *part, laid);
            }
        }
        for candidate in candidates.iter_mut() {
            candidate.distance = closest.get(candidate.original as usize).map_or(256, |best| best.0);
        }
        for (place, (distance, part, laid)) in closest.into_iter().enumerate() {
            let Some(original) = self.originals.get(place).filter(|_| distance <= HASHES_ALIKE) else { continue };
            let map = part.map(original.size, pyramid.size(), laid);
            candidates.push(Candidate { original: place as u32, map, votes: 0, breadth: 1.0, distance });
        }
        spectrum.quality
    }
}

/// Of the originals that come first the first ways to lay the picture on them; whether others were left out.
pub(super) fn keep_first_originals(candidates: &mut Vec<Candidate>) -> bool {
    let mut ways: HashMap<u32, usize> = HashMap::new();
    let mut is_cut = false;
    candidates.retain(|candidate| {
        let is_known = ways.contains_key(&candidate.original);
        if !is_known && ways.len() >= COMPARED {
            is_cut = true;
            return false;
        }
        let ways = ways.entry(candidate.original).or_default();
        *ways += 1;
        *ways <= WAYS
    });
    is_cut
}

/// Features at the sizes between those of the pyramid: a picture's own sizes may lie there, and what is around a corner
/// is known again within a tenth of its size, not within a fifth.
pub(super) fn between(picture: &Luma, wanted: Wanted) -> Features {
    let share = std::f64::consts::FRAC_1_SQRT_2.sqrt();
    let scaled = |side: usize| (side as f64 * share).round() as usize;
    let smaller = picture.shrunk(scaled(picture.width()), scaled(picture.height()));
    let across = picture.width() as f32 / smaller.width() as f32;
    let down = picture.height() as f32 / smaller.height() as f32;
    let mut found = features(&Pyramid::new(&smaller), wanted);
    for feature in found.plain.iter_mut().chain(&mut found.mirrored) {
        feature.x *= across;
        feature.y *= down;
        feature.size *= f32::midpoint(across, down);
    }
    found
}

/// Originals that too few features agree on, and all features of the picture.
struct Hints {
    /// With whether the picture is mirrored.
    all: Vec<(Hint, bool)>,
    plain: Spread,
    mirrored: Spread,
    width: f32,
}

impl Hints {
    fn new(found: &Features, size: (f32, f32)) -> Self {
        let spread = |features: &[Feature]| Spread::new(features.to_vec(), size);
        Self { all: Vec::new(), plain: spread(&found.plain), mirrored: spread(&found.mirrored), width: size.0 }
    }
}

/// From the places that were mirrored, where they were, to the picture's.
fn back(mirrored: bool, width: f32) -> Affine {
    if mirrored { Affine { xx: -1.0, x0: width, ..Affine::SAME } } else { Affine::SAME }
}
