//! Originals laid on a picture, and compared there.

use super::candidates::Candidate;
use super::judgement::{FEWEST_TILES, is_doubtful, is_soft, is_vague, judge};
use super::original::Original;
use super::{Gallery, Likeness, Match, View};
use crate::geometry::Affine;
use crate::luma::{Luma, Pyramid};
use crate::tiles::{Detail, Glance, Rivals, Verdict, compare};
use std::cell::LazyCell;
use std::collections::HashSet;

/// Mean correlation from which an original is believed to lie where corners on one line say.
const LEAST_ON_A_LINE: f32 = 0.85;
/// Share of a card that must be seen in a mirror: a smaller part may be symmetrical, or a portrait that was turned round.
const LEAST_MIRRORED: f32 = 0.3;

/// An original that a picture shows, and where.
#[derive(Clone)]
pub(super) struct Laying {
    /// Its place in the gallery.
    pub(super) place: u32,
    /// From its kept copy to the picture.
    pub(super) map: Affine,
    /// Size of the kept copy.
    pub(super) frame: (f32, f32),
    pub(super) found: Match,
}

impl Laying {
    pub(super) fn is_same(&self) -> bool {
        self.found.likeness == Likeness::Same
    }

    /// The part of a picture that it fills: left, top, right and bottom of the box around it.
    fn filled(&self, size: (f32, f32)) -> [f32; 4] {
        let (width, height) = self.frame;
        let corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)].map(|(x, y)| self.map.apply(x, y));
        let all = |pick: fn(&(f32, f32)) -> f32, end: fn(f32, f32) -> f32| {
            corners.iter().map(pick).reduce(end).unwrap_or_default()
        };
        let (left, right) = (all(|at| at.0, f32::min), all(|at| at.0, f32::max));
        let (top, bottom) = (all(|at| at.1, f32::min), all(|at| at.1, f32::max));
        [left.max(0.0), top.max(0.0), right.min(size.0), bottom.min(size.1)]
    }

    /// Whether half of what one of them fills the other fills too.
    fn overlaps(&self, other: &Self, size: (f32, f32)) -> bool {
        let area = |[left, top, right, bottom]: [f32; 4]| (right - left).max(0.0) * (bottom - top).max(0.0);
        let (one, two) = (self.filled(size), other.filled(size));
        let both = [one[0].max(two[0]), one[1].max(two[1]), one[2].min(two[2]), one[3].min(two[3])];
        area(both) * 2.0 >= area(one).min(area(two))
    }
}

fn frame_size(frame: &Luma) -> (f32, f32) {
    (frame.width() as f32, frame.height() as f32)
}

impl Gallery {
    /// What the candidates come to; of each original no more where one shows that it is the same.
    pub(super) fn verified(
        &self,
        candidates: &[Candidate],
        picture: (&Pyramid, u8),
        compared: &mut u64,
    ) -> Vec<Laying> {
        let mut layings: Vec<Laying> = Vec::new();
        let mut found = HashSet::new();
        for candidate in candidates {
            // One way to lay the picture on an original is enough where that is the original.
            if found.contains(&candidate.original) {
                continue;
            }
            let verified = self.verify(candidate, picture, compared);
            if verified.as_ref().is_some_and(Laying::is_same) {
                found.insert(candidate.original);
            }
            layings.extend(verified);
        }
        layings
    }

    /// Screens and cards of one template may have the same part at different places: where two that are not of each
    /// other are both said to be one part of the picture, that part is the template's.
    pub(super) fn doubt_what_several_show(&self, layings: &mut [Laying], size: (f32, f32), compared: &mut u64) {
        // Of those that are copies of one another the first is asked for all.
        let mut heads: Vec<Laying> = Vec::new();
        for at in 0..layings.len() {
            let Some(laying) = layings.get(at).filter(|laying| laying.found.likeness == Likeness::Same).cloned() else {
                continue;
            };
            if !self.originals.get(laying.place as usize).is_some_and(Original::has_rivals) {
                continue;
            }
            let there: Vec<_> = heads.iter().filter(|head| head.overlaps(&laying, size)).cloned().collect();
            if there.is_empty() {
                heads.push(laying);
                continue;
            }
            let other =
                there.iter().find(|head| !self.shows(&laying, head, compared) && !self.shows(head, &laying, compared));
            if let Some(other) = other {
                for doubted in layings.iter_mut().filter(|one| one.place == laying.place || one.place == other.place) {
                    doubted.found.likeness = Likeness::SameTemplate;
                }
            }
        }
    }

    /// Whether one original shows the other where both are laid on the same picture.
    fn shows(&self, one: &Laying, other: &Laying, compared: &mut u64) -> bool {
        let original = |laying: &Laying| self.originals.get(laying.place as usize);
        let (Some(shown), Some(showing)) = (original(other), original(one)) else { return false };
        let (Some(frame), Some(picture)) = (shown.frame.open(), showing.frame.open()) else { return false };
        let Some(back) = one.map.inverse() else { return false };
        *compared += (frame.pixels().len() + picture.pixels().len()) as u64;
        let drawn = shown.is_drawn();
        let verdict = compare(&frame, &Pyramid::new(&picture), back.after(&other.map), (false, drawn), |_| false);
        verdict.is_some_and(|verdict| judge(&verdict, drawn) == Some(Likeness::Same))
    }

    fn verify(&self, candidate: &Candidate, (pyramid, quality): (&Pyramid, u8), compared: &mut u64) -> Option<Laying> {
        let original = self.originals.get(candidate.original as usize)?;
        let to_full = original.to_full();
        let frame = original.frame.open()?;
        *compared += frame.pixels().len() as u64;
        let map = candidate.map.after(&to_full);
        let drawn = original.is_drawn();
        // Where others may show the same, how well it can be laid decides.
        let is_enough = |verdict: &Verdict| !original.has_rivals() && original.judge(verdict) == Some(Likeness::Same);
        let verdict = compare(&frame, pyramid, map, (candidate.votes == 0, drawn), is_enough)?;
        let map = verdict.map.after(&to_full.inverse()?);
        let view = view(&verdict, &map, original.size, pyramid.size());
        let is_borne_out = LazyCell::new(|| {
            let detail = Detail::of(&frame, pyramid, verdict.map);
            let is_little = verdict.tiles < FEWEST_TILES || candidate.is_on_a_line();
            if is_little { detail.is_enough() } else { detail.bears_out() }
        });
        let mut likeness = match original.judge(&verdict) {
            None if is_soft(candidate, &verdict, drawn) && *is_borne_out => Likeness::Same,
            judged => judged?,
        };
        let may_be_chance = || {
            (candidate.is_on_a_line() && verdict.correlation < LEAST_ON_A_LINE)
                || (original.has_rivals() && view.mirrored && view.shown < LEAST_MIRRORED)
                || is_vague(candidate, &verdict, quality)
                || (is_doubtful(candidate, &verdict, drawn) && !*is_borne_out)
        };
        if likeness == Likeness::Same
            && (may_be_chance()
                || (original.has_rivals() && self.is_contested(candidate.original, &verdict, pyramid, compared)))
        {
            likeness = Likeness::SameTemplate;
        }
        let found = Match {
            original: original.id,
            likeness,
            view,
            bad_tiles: verdict.bad_share(),
            tiles: verdict.tiles,
            correlation: verdict.correlation,
            distance: candidate.distance,
            corners: candidate.votes as u32,
            worst_tile: verdict.worst,
        };
        Some(Laying { place: candidate.original, map: verdict.map, frame: frame_size(&frame), found })
    }

    /// Whether what the picture shows of a screen or card is what another of the same shape shows there too, and no
    /// worse: then the picture cannot tell them apart, and shows the template alone.
    fn is_contested(&self, place: u32, verdict: &Verdict, pyramid: &Pyramid, compared: &mut u64) -> bool {
        let Some(original) = self.originals.get(place as usize) else { return false };
        let Some(frame) = original.frame.open() else { return false };
        let mut rivals = None;
        let mut glance = Glance::of(&frame, &original.small, pyramid, verdict.map);
        let others = self.originals.iter().enumerate().filter(|(other, _)| *other != place as usize);
        for (_, other) in others.filter(|(_, other)| other.has_rivals() && original.has_shape_of(other)) {
            *compared += other.small.pixels().len() as u64;
            if glance.is_another(&other.small) {
                continue;
            }
            let Some(theirs) = other.frame.open() else { continue };
            *compared += theirs.pixels().len() as u64;
            let rivals = rivals.get_or_insert_with(|| Rivals::of(&frame, pyramid, verdict, original.is_drawn()));
            if rivals.is_as_good(&theirs) && !original.is_copy_of(other) {
                return true;
            }
        }
        false
    }
}

fn view(verdict: &Verdict, map: &Affine, original: (f32, f32), picture: (f32, f32)) -> View {
    let all = ((verdict.width / 8).saturating_sub(1) * (verdict.height / 8).saturating_sub(1)).max(1) as f32;
    let shown = verdict.inside as f32 / all;
    let filled = shown * map.area().abs() * original.0 * original.1 / (picture.0 * picture.1);
    let mirrored = map.area() < 0.0;
    let degrees = if mirrored { (-map.yx).atan2(-map.xx) } else { map.yx.atan2(map.xx) }.to_degrees();
    View { mirrored, degrees, scale: map.scale(), shown, filled: filled.min(1.0) }
}
