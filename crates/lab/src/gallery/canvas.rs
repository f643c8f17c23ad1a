//! What the lab draws on. All numbers are whole ones, so that every machine draws the same.

use super::font;

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

/// A picture, row by row from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<Colour>,
}

/// A turn and a change of size, in 4,096ths: the cosine and the sine of the angle, each divided by the size.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) cosine: i32,
    pub(super) sine: i32,
}

impl Canvas {
    /// A picture of one colour.
    pub(super) fn new(width: i32, height: i32, colour: Colour) -> Self {
        let count = width.max(0) as usize * height.max(0) as usize;
        Self { width, height, pixels: vec![colour; count] }
    }

    /// From rows of red, green and blue; nothing where the count does not fit.
    pub(super) fn from_rgb(width: i32, height: i32, bytes: &[u8]) -> Option<Self> {
        let pixels: Vec<Colour> = bytes.chunks_exact(3).filter_map(|pixel| pixel.try_into().ok()).collect();
        let count = usize::try_from(width).ok()?.checked_mul(usize::try_from(height).ok()?)?;
        (pixels.len() == count).then_some(Self { width, height, pixels })
    }

    /// Rows of red, green and blue.
    pub fn rgb(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (i32, i32) {
        (self.width, self.height)
    }

    /// The colour there, or at the edge next to it.
    pub(super) fn at(&self, x: i32, y: i32) -> Colour {
        let (x, y) = (x.clamp(0, self.width - 1), y.clamp(0, self.height - 1));
        self.pixels.get((y * self.width + x) as usize).copied().unwrap_or_default()
    }

    /// What lies outside is left out.
    pub(super) fn put(&mut self, x: i32, y: i32, colour: Colour) {
        if (0..self.width).contains(&x)
            && (0..self.height).contains(&y)
            && let Some(pixel) = self.pixels.get_mut((y * self.width + x) as usize)
        {
            *pixel = colour;
        }
    }

    pub(super) fn rectangle(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        for row in y..y + height {
            (x..x + width).for_each(|column| self.put(column, row, colour));
        }
    }

    pub(super) fn ellipse(&mut self, (x, y): (i32, i32), (wide, high): (i32, i32), colour: Colour) {
        for row in -high..=high {
            for column in -wide..=wide {
                let (across, down) = (i64::from(column * high), i64::from(row * wide));
                if across * across + down * down <= i64::from(wide * high).pow(2) {
                    self.put(x + column, y + row, colour);
                }
            }
        }
    }

    /// Text from its upper left corner; a dot of its letters is `dot` pixels wide and high.
    pub(super) fn text(&mut self, x: i32, y: i32, dot: i32, colour: Colour, text: &str) {
        for (at, letter) in text.chars().enumerate() {
            let left = x + at as i32 * (font::WIDTH + 1) * dot;
            for (column, dots) in font::columns(letter).into_iter().enumerate() {
                for row in (0..font::HEIGHT).filter(|row| dots >> row & 1 == 1) {
                    self.rectangle(left + column as i32 * dot, y + row * dot, dot, dot, colour);
                }
            }
        }
    }

    /// The same, ending at `right`.
    pub(super) fn text_to(&mut self, right: i32, y: i32, dot: i32, colour: Colour, text: &str) {
        self.text(right - text.chars().count() as i32 * (font::WIDTH + 1) * dot, y, dot, colour, text);
    }

    /// Lays another picture on this one, turned around its middle, which comes to lie at `middle`.
    pub(super) fn lay(&mut self, other: &Self, middle: (i32, i32), turn: Turn) {
        for y in 0..self.height {
            for x in 0..self.width {
                let (across, down) = (x - middle.0, y - middle.1);
                let from_x = across * turn.cosine + down * turn.sine + (other.width << 11);
                let from_y = down * turn.cosine - across * turn.sine + (other.height << 11);
                if (0..other.width).contains(&(from_x >> 12)) && (0..other.height).contains(&(from_y >> 12)) {
                    self.put(x, y, other.between(from_x, from_y));
                }
            }
        }
    }

    /// Changes each pixel by where it is and what it was.
    pub(super) fn change(&mut self, to: impl Fn(i32, i32, Colour) -> Colour) {
        for (at, pixel) in self.pixels.iter_mut().enumerate() {
            *pixel = to(at as i32 % self.width, at as i32 / self.width, *pixel);
        }
    }

    /// The picture at a smaller width, as it is where it has no more than that.
    #[must_use]
    pub fn at_most_wide(&self, width: i32) -> Self {
        if self.width <= width {
            return self.clone();
        }
        let height = (self.height * width / self.width).max(1);
        let mut small = Self::new(width, height, [0; 3]);
        let middle = |at: i32, many: i32, few: i32| {
            let (at, many, few) = (i64::from(at), i64::from(many), i64::from(few));
            ((((2 * at + 1) * many) << 11) / few - (1 << 11)) as i32
        };
        small.change(|x, y, _| self.between(middle(x, self.width, width), middle(y, self.height, height)));
        small
    }

    /// The colour between four pixels, in 4,096ths of a pixel from the middle of the first.
    fn between(&self, x: i32, y: i32) -> Colour {
        let (left, top) = (x >> 12, y >> 12);
        let (right_part, lower_part) = (x & 0xfff, y & 0xfff);
        let mix = |a: u8, b: u8, part: i32| i32::from(a) * (4096 - part) + i32::from(b) * part;
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(across, down)| self.at(left + across, top + down));
        std::array::from_fn(|channel| {
            let row = |left: usize| mix(corners[left][channel], corners[left + 1][channel], right_part) >> 4;
            let (above, below) = (row(0), row(2));
            ((above * (4096 - lower_part) + below * lower_part) >> 20) as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_made_smaller_keeps_its_colours_where_they_are() {
        let mut canvas = Canvas::new(80, 40, [10, 20, 30]);
        canvas.rectangle(40, 0, 40, 40, [200, 100, 50]);
        let small = canvas.at_most_wide(20);
        assert_eq!(small.size(), (20, 10));
        assert_eq!(small.at(3, 5), [10, 20, 30]);
        assert_eq!(small.at(16, 5), [200, 100, 50]);
        assert!(canvas.at_most_wide(80) == canvas);
    }

    #[test]
    fn what_is_laid_straight_in_the_middle_is_what_it_was() {
        let mut card = Canvas::new(6, 4, [9; 3]);
        card.put(2, 1, [1, 2, 3]);
        let mut table = Canvas::new(20, 20, [0; 3]);
        table.lay(&card, (10, 10), Turn { cosine: 4096, sine: 0 });
        assert_eq!(table.at(10 - 3 + 2, 10 - 2 + 1), [1, 2, 3]);
        assert_eq!((table.at(6, 8), table.at(7, 8)), ([0; 3], [9; 3]));
    }
}
