//! Places that may show a face, and which of them are the same.

use crate::Face;

/// A square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) side: i32,
    pub(crate) score: f32,
}

/// Side of the smallest place that is looked at, and of the largest.
const SIDES: std::ops::RangeInclusive<i32> = 8..=16_384;

impl Place {
    /// The place in a picture that is so much larger.
    pub(crate) fn unscaled(self, scale: f32) -> Self {
        let pixels = |pixels: i32| (pixels as f32 / scale + 0.5) as i32;
        Self { left: pixels(self.left), top: pixels(self.top), side: pixels(self.side), ..self }
    }

    /// Moved and resized as a network says: by shares of its side, of which a half is none.
    pub(crate) fn corrected(self, [score, across, down, growth]: [f32; 4]) -> Self {
        let old = self.side as f32;
        let side = (2.0 * growth * old + 0.5).floor();
        let moved =
            |at: i32, share: f32| ((share * 2.0 - 1.0) * old + at as f32 + (old - side) * 0.5 + 0.5).floor() as i32;
        Self { left: moved(self.left, across), top: moved(self.top, down), side: side as i32, score }
    }

    /// True where a picture of that size shows some of it, and it is of a size in which anything can be seen.
    pub(crate) fn is_visible(&self, width: usize, height: usize) -> bool {
        let is_inside =
            |at: i32, length: usize| i64::from(at) < length as i64 && i64::from(at) + i64::from(self.side) > 0;
        SIDES.contains(&self.side) && is_inside(self.left, width) && is_inside(self.top, height)
    }

    /// The part of it that lies in a picture of that size, this many times smaller; absent where none does.
    pub(crate) fn in_picture(&self, scale: f32, width: usize, height: usize) -> Option<Face> {
        let span = |at: i32, length: usize| {
            let pixels = |at: f32| (at / scale).round().clamp(0.0, length as f32) as u32;
            let (start, end) = (pixels(at as f32), pixels(at as f32 + self.side as f32));
            (end > start).then(|| (start, end - start))
        };
        let ((left, width), (top, height)) = (span(self.left, width)?, span(self.top, height)?);
        Some(Face { left, top, width, height, score: self.score })
    }

    /// Share of the area of both that both cover.
    fn overlap(&self, other: &Self) -> f32 {
        let shared = |one: i32, two: i32| {
            let end = (one.saturating_add(self.side)).min(two.saturating_add(other.side));
            end.saturating_sub(one.max(two)).max(0) as f32
        };
        let both = shared(self.left, other.left) * shared(self.top, other.top);
        let area = |place: &Self| place.side as f32 * place.side as f32;
        both / (area(self) + area(other) - both).max(1.0)
    }
}

/// Of places that overlap by more than a share, the surest is kept, with the scores of all.
pub(crate) fn merged(mut places: Vec<Place>, share: f32) -> Vec<Place> {
    places.sort_by(|one, two| two.score.total_cmp(&one.score));
    let mut kept: Vec<Place> = Vec::new();
    let mut is_merged = vec![false; places.len()];
    for at in 0..places.len() {
        if is_merged[at] {
            continue;
        }
        let mut place = places[at];
        for (other, is_merged) in places.iter().zip(&mut is_merged).skip(at + 1) {
            if !*is_merged && places[at].overlap(other) > share {
                *is_merged = true;
                place.score += other.score;
            }
        }
        kept.push(place);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(left: i32, top: i32, side: i32, score: f32) -> Place {
        Place { left, top, side, score }
    }

    #[test]
    fn places_on_one_another_are_one_with_all_their_scores() {
        let all = vec![place(0, 0, 40, 1.0), place(100, 0, 40, 3.0), place(2, 2, 40, 2.0), place(0, 30, 40, 0.5)];
        assert_eq!(merged(all, 0.3), [place(100, 0, 40, 3.0), place(2, 2, 40, 3.0), place(0, 30, 40, 0.5)]);
    }

    #[test]
    fn a_correction_of_halves_is_none() {
        assert_eq!(place(7, 9, 40, 1.0).corrected([0.7, 0.5, 0.5, 0.5]), place(7, 9, 40, 0.7));
        assert_eq!(place(0, 0, 40, 1.0).corrected([0.7, 1.0, 0.0, 0.25]), place(50, -30, 20, 0.7));
    }

    #[test]
    fn a_face_lies_in_its_picture() {
        let face = place(-10, 90, 40, 2.0).in_picture(0.5, 300, 200).unwrap();
        assert_eq!((face.left, face.top, face.width, face.height), (0, 180, 60, 20));
        assert_eq!(place(600, 0, 40, 2.0).in_picture(0.5, 300, 200), None);
    }

    #[test]
    fn what_cannot_be_seen_is_not_looked_at() {
        assert!(place(-39, 99, 40, 1.0).is_visible(100, 100));
        for unseen in [place(-40, 0, 40, 1.0), place(0, 100, 40, 1.0), place(0, 0, 1, 1.0), place(0, 0, 0, 1.0)] {
            assert!(!unseen.is_visible(100, 100), "{unseen:?}");
        }
        assert!(!place(i32::MAX, i32::MIN, i32::MAX, 1.0).is_visible(100, 100));
    }
}
