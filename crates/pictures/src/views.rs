//! Parts of an original that are hashed beforehand, for pictures in which corners are not found: smooth or blurred.

use crate::geometry::Affine;
use crate::luma::Luma;
use crate::pdq::Laid;

/// A rectangle of an original, in shares of its sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    left: f32,
    top: f32,
    side: f32,
}

impl Part {
    pub(crate) const WHOLE: Self = Self { left: 0.0, top: 0.0, side: 1.0 };

    /// These pixels.
    pub(crate) fn of(self, luma: &Luma) -> Luma {
        let (width, height) = (luma.width() as f32, luma.height() as f32);
        let whole = |length: f32| length.round().max(1.0) as usize;
        luma.cut(
            (self.left * width).round() as usize,
            (self.top * height).round() as usize,
            whole(self.side * width),
            whole(self.side * height),
        )
    }

    /// Where the original lies in a picture of size `to` if this part, laid so, is all of it.
    pub(crate) fn map(self, original: (f32, f32), to: (f32, f32), laid: Laid) -> Affine {
        let place = |x: f32, y: f32| {
            let part = ((x / original.0 - self.left) / self.side, (y / original.1 - self.top) / self.side);
            // A hash of the picture laid so is the part's: the picture itself is laid back.
            let (u, v) = laid.back(part);
            (u * to.0, v * to.1)
        };
        let ((x0, y0), (x1, y1), (x2, y2)) = (place(0.0, 0.0), place(1.0, 0.0), place(0.0, 1.0));
        Affine { xx: x1 - x0, yx: y1 - y0, xy: x2 - x0, yy: y2 - y0, x0, y0 }
    }
}

/// The whole, and crops from the middle, the corners and the sides.
pub(crate) fn parts() -> Vec<Part> {
    let mut parts = vec![Part::WHOLE];
    for side in [0.9, 0.8, 0.7, 0.6] {
        let rest = 1.0 - side;
        let middle = rest / 2.0;
        for (left, top) in [(middle, middle), (0.0, 0.0), (rest, 0.0), (0.0, rest), (rest, rest)] {
            parts.push(Part { left, top, side });
        }
        if side < 0.85 {
            for (left, top) in [(middle, 0.0), (middle, rest), (0.0, middle), (rest, middle)] {
                parts.push(Part { left, top, side });
            }
        }
    }
    parts
}
