//! Rectangles around stretches of text, tilted as the text is.

use crate::Place;
use std::cmp::Ordering;

/// A rectangle: its middle, its sides, and the direction of the first of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tilted {
    pub(crate) middle: (f32, f32),
    /// Along the direction, and across.
    pub(crate) sides: (f32, f32),
    /// Of length one.
    pub(crate) direction: (f32, f32),
}

impl Tilted {
    /// The smallest rectangle around the points, with the longer side first. One side of it lies on an edge of the
    /// hull (Freeman and Shapira, 1975).
    pub(crate) fn around(points: &mut [(i32, i32)]) -> Option<Self> {
        let hull = hull(points);
        let edges = hull.iter().zip(hull.iter().cycle().skip(1));
        let directions = edges.filter_map(|(a, b)| unit((b.0 - a.0) as f32, (b.1 - a.1) as f32));
        let upright = std::iter::once((1.0, 0.0));
        let all = upright.chain(directions).filter_map(|direction| Self::along(&hull, direction));
        all.min_by(|a, b| a.area().total_cmp(&b.area())).map(Self::level)
    }

    fn along(hull: &[(i32, i32)], direction: (f32, f32)) -> Option<Self> {
        let across = (-direction.1, direction.0);
        let spread = |axis: (f32, f32)| {
            let on = hull.iter().map(|point| point.0 as f32 * axis.0 + point.1 as f32 * axis.1);
            on.fold(None, |ends: Option<(f32, f32)>, at| {
                Some(ends.map_or((at, at), |(low, high)| (low.min(at), high.max(at))))
            })
        };
        let ((left, right), (top, bottom)) = (spread(direction)?, spread(across)?);
        let (u, v) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
        let middle = (u * direction.0 + v * across.0, u * direction.1 + v * across.1);
        Some(Self { middle, sides: (right - left + 1.0, bottom - top + 1.0), direction })
    }

    /// The same rectangle with the direction nearest to that of reading: to the right.
    fn level(self) -> Self {
        let (x, y) = self.direction;
        let turned = if x.abs() >= y.abs() {
            self
        } else {
            Self { sides: (self.sides.1, self.sides.0), direction: (-y, x), ..self }
        };
        let (x, y) = turned.direction;
        if x < 0.0 { Self { direction: (-x, -y), ..turned } } else { turned }
    }

    pub(crate) fn area(&self) -> f32 {
        self.sides.0 * self.sides.1
    }

    /// Larger on all sides, because the model marks only the inner part of text: by `ratio` of area over circumference.
    pub(crate) fn grown(self, ratio: f32) -> Self {
        let by = self.area() * ratio / (2.0 * (self.sides.0 + self.sides.1)).max(1.0);
        Self { sides: (self.sides.0 + 2.0 * by, self.sides.1 + 2.0 * by), ..self }
    }

    /// In a picture of another scale.
    pub(crate) fn scaled(self, x: f32, y: f32) -> Self {
        // Both scales are nearly the same; the direction is kept.
        let (along, across) = if self.direction.0.abs() > 0.7 { (x, y) } else { (y, x) };
        Self {
            middle: (self.middle.0 * x, self.middle.1 * y),
            sides: (self.sides.0 * along, self.sides.1 * across),
            ..self
        }
    }

    /// The upright box around it, inside a picture of that size.
    pub(crate) fn upright(&self, width: usize, height: usize) -> Place {
        let (x, y) = (self.direction.0.abs(), self.direction.1.abs());
        let (along, across) = self.sides;
        let half = (f32::midpoint(along * x, across * y), f32::midpoint(along * y, across * x));
        let span = |middle: f32, half: f32, side: usize| {
            // Casts from floating point numbers saturate.
            let (start, end) = ((middle - half).round() as u32, (middle + half).round() as u32);
            let start = start.min((side as u32).saturating_sub(1));
            (start, end.min(side as u32).max(start + 1) - start)
        };
        let ((left, width), (top, height)) = (span(self.middle.0, half.0, width), span(self.middle.1, half.1, height));
        Place { left, top, width, height }
    }

    /// From top to bottom, and from left to right where they stand side by side.
    pub(crate) fn in_reading_order(&self, other: &Self) -> Ordering {
        // Rows of ten pixels, so that the order is one.
        let row = |one: &Self| (one.middle.1 / 10.0) as i32;
        row(self)
            .cmp(&row(other))
            .then(self.middle.0.total_cmp(&other.middle.0))
            .then(self.middle.1.total_cmp(&other.middle.1))
    }
}

fn unit(x: f32, y: f32) -> Option<(f32, f32)> {
    let length = x.hypot(y);
    (length > 0.0).then(|| (x / length, y / length))
}

/// The convex hull (Andrew's monotone chain, 1979).
fn hull(points: &mut [(i32, i32)]) -> Vec<(i32, i32)> {
    points.sort_unstable();
    let half = |points: &mut dyn Iterator<Item = (i32, i32)>| {
        let mut chain: Vec<(i32, i32)> = Vec::new();
        for point in points {
            while let [.., a, b] = chain[..] {
                let turn =
                    i64::from(b.0 - a.0) * i64::from(point.1 - a.1) - i64::from(b.1 - a.1) * i64::from(point.0 - a.0);
                if turn > 0 {
                    break;
                }
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut all = half(&mut points.iter().copied());
    all.extend(half(&mut points.iter().rev().copied()));
    if all.is_empty() { points.first().copied().into_iter().collect() } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_rectangle_lies_as_the_points_do() {
        let mut level: Vec<_> = (0..100).flat_map(|x| (0..10).map(move |y| (x + 5, y + 7))).collect();
        let found = Tilted::around(&mut level).unwrap();
        assert_eq!((found.sides, found.middle), ((100.0, 10.0), (54.5, 11.5)));
        // Three to the right and one down.
        let mut tilted: Vec<_> = (0..90).flat_map(|x| (0..9).map(move |y| (3 * x - y, x + 3 * y))).collect();
        let found = Tilted::around(&mut tilted).unwrap();
        assert!((found.direction.1 / found.direction.0 - 1.0 / 3.0).abs() < 0.02, "{found:?}");
        assert!((found.sides.0 - 89.0 * 10_f32.sqrt()).abs() < 3.0 && found.sides.0 > found.sides.1);
    }

    #[test]
    fn the_box_around_it_lies_in_the_picture() {
        let level = Tilted { middle: (50.0, 20.0), sides: (80.0, 10.0), direction: (1.0, 0.0) };
        assert_eq!(level.upright(100, 40), Place { left: 10, top: 15, width: 80, height: 10 });
        let tilted = Tilted { direction: (0.8, 0.6), ..level };
        assert_eq!(tilted.upright(100, 100), Place { left: 15, top: 0, width: 70, height: 48 });
        let outside = Tilted { middle: (500.0, -500.0), ..level };
        assert_eq!(outside.upright(100, 40), Place { left: 99, top: 0, width: 1, height: 1 });
    }

    #[test]
    fn points_that_span_nothing_have_a_rectangle_too() {
        assert_eq!(Tilted::around(&mut []), None);
        assert_eq!(Tilted::around(&mut [(3, 4)]).unwrap().sides, (1.0, 1.0));
        assert_eq!(Tilted::around(&mut [(0, 0), (9, 0)]).unwrap().sides, (10.0, 1.0));
    }
}
