//! One of the subject's pictures.

use super::Likeness;
use super::judgement::{judge, shows_nothing_else};
use crate::geometry::Affine;
use crate::luma::{Luma, Pyramid};
use crate::packed::Kept;
use crate::tiles::{Verdict, compare};

pub(super) struct Original {
    pub(super) id: u32,
    pub(super) frame: Kept,
    pub(super) small: Luma,
    /// Share of it that is plain, 0 to 1.
    pub(super) plainness: f32,
    /// Size of the picture that features were taken from.
    pub(super) size: (f32, f32),
}

impl Original {
    /// A screen or the like: others have some that differ in nothing but a few letters.
    pub(super) fn is_drawn(&self) -> bool {
        self.plainness >= 0.85
    }

    /// A screen or a card: others have some of which parts are the same.
    pub(super) fn has_rivals(&self) -> bool {
        self.plainness >= 0.2
    }

    /// What the tiles mean for this original.
    pub(super) fn judge(&self, verdict: &Verdict) -> Option<Likeness> {
        let verdict = self.unsigned(verdict);
        let judged = judge(&verdict, self.is_drawn())?;
        Some(if !self.is_drawn() && shows_nothing_else(&verdict, self.has_rivals()) { Likeness::Same } else { judged })
    }

    /// What the tiles say apart from a name that programs write into a corner. Of a photograph the corner may differ; of a screen
    /// it must be plain, and all else as it was; of a card, and what else others have parts of, it counts like the rest.
    pub(super) fn unsigned(&self, verdict: &Verdict) -> Verdict {
        match (self.is_drawn(), self.has_rivals()) {
            (true, _) => verdict.without_added_corner(),
            (false, true) => *verdict,
            (false, false) => verdict.without_corner(),
        }
    }

    /// From the kept copy to the size that features were taken at.
    pub(super) fn to_full(&self) -> Affine {
        let (width, height) = self.frame.size();
        Affine::scaled(self.size.0 / width as f32, self.size.1 / height as f32)
    }

    /// Whether two originals are of one shape: screens of one app on two phones may be of different sizes.
    pub(super) fn has_shape_of(&self, other: &Self) -> bool {
        let ratio = (self.size.0 * other.size.1) / (self.size.1 * other.size.0).max(1.0);
        (0.99..1.01).contains(&ratio)
    }

    /// Whether two originals are one picture that was added twice.
    pub(super) fn is_copy_of(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (self.frame.open(), other.frame.open()) else { return false };
        let map =
            Affine::scaled(others.width() as f32 / own.width() as f32, others.height() as f32 / own.height() as f32);
        let whole = compare(&own, &Pyramid::new(&others), map, (false, true), |_| false);
        whole.is_some_and(|verdict| judge(&verdict, true) == Some(Likeness::Same))
    }
}
