//! Pictures at other sizes and pieces of them.

use crate::geometry::Tilted;

/// Height of a line as the second model takes it.
pub(crate) const LINE: usize = 48;
/// From this height over width on, text stands upright along the line.
const UPRIGHT: f32 = 1.5;
/// Width of the narrowest strip.
const NARROWEST: usize = 8;

/// The brightness of a picture.
pub(crate) struct Grey<'p> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: &'p [u8],
}

/// One line of text, 48 pixels high, row by row.
pub(crate) struct Strip {
    pub(crate) width: usize,
    pub(crate) pixels: Vec<f32>,
}

impl<'p> Grey<'p> {
    pub(crate) fn new(width: usize, height: usize, pixels: &'p [u8]) -> Option<Self> {
        let whole = width.checked_mul(height)? == pixels.len() && !pixels.is_empty();
        whole.then_some(Self { width, height, pixels })
    }

    fn pixel(&self, x: i64, y: i64) -> f32 {
        let x = x.clamp(0, self.width as i64 - 1) as usize;
        let y = y.clamp(0, self.height as i64 - 1) as usize;
        f32::from(self.pixels.get(y * self.width + x).copied().unwrap_or_default())
    }

    /// Between four pixels; outside it is as at the edge.
    fn between(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (right_share, bottom_share) = (x - left, y - top);
        let row =
            |y: i64| self.pixel(left as i64, y) * (1.0 - right_share) + self.pixel(left as i64 + 1, y) * right_share;
        row(top as i64) * (1.0 - bottom_share) + row(top as i64 + 1) * bottom_share
    }

    /// The picture in another size, as the models take brightness: -1 to 1.
    pub(crate) fn resized(&self, width: usize, height: usize) -> Vec<f32> {
        let (across, down) = (self.width as f32 / width as f32, self.height as f32 / height as f32);
        let at = |x: usize, y: usize| self.between((x as f32 + 0.5) * across - 0.5, (y as f32 + 0.5) * down - 0.5);
        (0..height).flat_map(|y| (0..width).map(move |x| normal(at(x, y)))).collect()
    }
}

/// True where text stands upright: it is read from its foot to its head, turned to the right.
fn is_upright(place: &Tilted) -> bool {
    place.sides.1 >= UPRIGHT * place.sides.0
}

/// How wide a rectangle's strip is, at most `widest`.
pub(crate) fn strip_width(place: &Tilted, widest: usize) -> usize {
    let (along, across) = place.sides;
    let (long, short) = if is_upright(place) { (across, along) } else { (along, across) };
    ((LINE as f32 * long / short.max(1.0)).ceil() as usize).clamp(NARROWEST, widest.max(NARROWEST))
}

/// The piece that a rectangle cuts out, laid level, so wide.
pub(crate) fn strip(picture: &Grey<'_>, place: &Tilted, width: usize) -> Strip {
    let ((x, y), (along, across)) = (place.direction, place.sides);
    let (u, v, long, short) =
        if is_upright(place) { ((y, -x), (x, y), across, along) } else { ((x, y), (-y, x), along, across) };
    let mut pixels = Vec::with_capacity(width * LINE);
    for row in 0..LINE {
        let off_v = ((row as f32 + 0.5) / LINE as f32 - 0.5) * short;
        for column in 0..width {
            let off_u = ((column as f32 + 0.5) / width as f32 - 0.5) * long;
            let at = (place.middle.0 + u.0 * off_u + v.0 * off_v, place.middle.1 + u.1 * off_u + v.1 * off_v);
            pixels.push(normal(picture.between(at.0, at.1)));
        }
    }
    Strip { width, pixels }
}

fn normal(brightness: f32) -> f32 {
    brightness / 127.5 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_strip_is_what_stands_in_the_picture() {
        let pixels: Vec<u8> = (0..100 * 60).map(|at| if at % 100 < 50 { 0 } else { 255 }).collect();
        let picture = Grey::new(100, 60, &pixels).unwrap();
        let place = Tilted { middle: (50.0, 30.0), sides: (80.0, 20.0), direction: (1.0, 0.0) };
        let strip = strip(&picture, &place, strip_width(&place, 1000));
        assert_eq!((strip.width, strip.pixels.len()), (192, 192 * LINE));
        assert_eq!((strip.pixels[0], strip.pixels[191]), (-1.0, 1.0));
    }

    #[test]
    fn text_that_stands_upright_is_laid_down() {
        // Dark at the foot.
        let pixels: Vec<u8> = (0..60 * 100).map(|at| if at / 60 >= 50 { 0 } else { 255 }).collect();
        let picture = Grey::new(60, 100, &pixels).unwrap();
        let place = Tilted { middle: (30.0, 50.0), sides: (20.0, 80.0), direction: (1.0, 0.0) };
        assert_eq!((strip_width(&place, 1000), strip_width(&place, 100)), (192, 100));
        let strip = strip(&picture, &place, 192);
        assert_eq!((strip.pixels[0], strip.pixels[191]), (-1.0, 1.0));
    }

    #[test]
    fn too_few_pixels_are_no_picture() {
        assert!(Grey::new(10, 10, &[0; 99]).is_none());
        assert!(Grey::new(0, 10, &[]).is_none());
        assert!(Grey::new(usize::MAX, 2, &[0; 4]).is_none());
    }
}
