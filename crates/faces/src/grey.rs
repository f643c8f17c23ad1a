//! Pictures in shades of grey, at other sizes, and windows of them.

/// Side of the window that all classifiers look through.
pub(crate) const WINDOW: usize = 40;

/// The pixels of a window, row by row.
pub(crate) type Window = [u8; WINDOW * WINDOW];

/// The brightness of a picture.
#[derive(Clone)]
pub(crate) struct Grey {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<u8>,
}

/// Where a row or column of another size is taken from: the first of two neighbours, and the share of the second.
type Source = (usize, f32);

impl Grey {
    pub(crate) fn new(width: usize, height: usize, pixels: &[u8]) -> Option<Self> {
        let whole = width.checked_mul(height)? == pixels.len() && !pixels.is_empty();
        whole.then(|| Self { width, height, pixels: pixels.to_vec() })
    }

    /// All rows, from top to bottom.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.width)
    }

    fn row(&self, y: usize) -> &[u8] {
        self.pixels.get(y * self.width..(y + 1) * self.width).unwrap_or_default()
    }

    /// The picture in another size, without the patterns that skipped pixels give: halved as often as it can be first.
    pub(crate) fn shrunk_to(&self, width: usize, height: usize) -> Self {
        let mut picture = self.clone();
        while picture.width >= 2 * width && picture.height >= 2 * height {
            picture = picture.halved();
        }
        picture.resized(width, height)
    }

    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let (upper, lower) = (self.row(2 * y).chunks_exact(2), self.row(2 * y + 1).chunks_exact(2));
            let sum = |pair: &[u8]| pair.iter().map(|pixel| u32::from(*pixel)).sum::<u32>();
            pixels.extend(upper.zip(lower).map(|(upper, lower)| ((sum(upper) + sum(lower) + 2) / 4) as u8));
        }
        Self { width, height, pixels }
    }

    /// The picture in another size, between four pixels each, as the model was trained: from the upper left corners.
    pub(crate) fn resized(&self, width: usize, height: usize) -> Self {
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let (columns, rows) = (sources(self.width, width), sources(self.height, height));
        let mut pixels = Vec::with_capacity(width * height);
        for (y, down) in rows {
            let (upper, lower) = (self.row(y), self.row((y + 1).min(self.height - 1)));
            pixels.extend(columns.iter().map(|(x, across)| {
                let between = |row: &[u8]| {
                    let (left, right) = (pixel(row, *x), pixel(row, (x + 1).min(self.width - 1)));
                    left + across * (right - left)
                };
                let (above, below) = (between(upper), between(lower));
                (above + down * (below - above)) as u8
            }));
        }
        Self { width, height, pixels }
    }

    /// The picture after a quarter turn to the right.
    pub(crate) fn turned(&self) -> Self {
        let column = |x: usize| (0..self.height).rev().map(move |y| self.row(y).get(x).copied().unwrap_or_default());
        let pixels = (0..self.width).flat_map(column).collect();
        Self { width: self.height, height: self.width, pixels }
    }

    /// What is seen in a square of that side, black outside the picture.
    pub(crate) fn window(&self, left: i32, top: i32, side: usize) -> Window {
        let mut window = [0; WINDOW * WINDOW];
        let sources = sources(side, WINDOW);
        for (row, (y, down)) in window.chunks_exact_mut(WINDOW).zip(&sources) {
            let line = |y: usize| usize::try_from(i64::from(top) + y as i64).ok().filter(|y| *y < self.height);
            let (upper, lower) = (line(*y), line(*y + 1));
            let (upper, lower) = (upper.map(|y| self.row(y)), lower.map(|y| self.row(y)));
            for (pixel, (x, across)) in row.iter_mut().zip(&sources) {
                let at = |row: Option<&[u8]>, x: usize| {
                    let x = usize::try_from(i64::from(left) + x as i64).ok();
                    x.and_then(|x| row?.get(x).copied()).map_or(0.0, f32::from)
                };
                let between = |row| at(row, *x) + across * (at(row, *x + 1) - at(row, *x));
                let (above, below) = (between(upper), between(lower));
                *pixel = (above + down * (below - above)) as u8;
            }
        }
        window
    }
}

fn pixel(row: &[u8], x: usize) -> f32 {
    f32::from(row.get(x).copied().unwrap_or_default())
}

fn sources(from: usize, to: usize) -> Vec<Source> {
    let scale = from as f64 / to as f64;
    let source = |at: usize| {
        let exact = scale * at as f64;
        let first = (exact as usize).min(from.saturating_sub(2));
        (first, (exact - first as f64) as f32)
    };
    (0..to).map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_black_outside_the_picture() {
        let white = Grey::new(50, 60, &[255; 3000]).unwrap();
        assert_eq!(white.window(0, 0, 40), [255; 1600]);
        let window = white.window(-20, 40, 40);
        assert_eq!((window[0], window[20], window[39], window[40 * 20 + 20]), (0, 255, 255, 0));
        assert_eq!(white.window(50, 0, 80), [0; 1600]);
        assert_eq!(white.window(i32::MAX, i32::MIN, usize::from(u16::MAX)), [0; 1600]);
    }

    #[test]
    fn a_quarter_turn_takes_the_upper_left_corner_to_the_upper_right() {
        let turned = Grey::new(3, 2, &[1, 2, 3, 4, 5, 6]).unwrap().turned();
        assert_eq!((turned.width, turned.height, &turned.pixels[..]), (2, 3, &[4, 1, 5, 2, 6, 3][..]));
    }

    #[test]
    fn every_size_can_be_made_of_every_other() {
        for (width, height) in [(1, 1), (1, 90), (2, 3), (300, 1), (41, 40)] {
            let picture = Grey::new(width, height, &vec![200; width * height]).unwrap();
            for (wide, high) in [(1, 1), (7, 1), (80, 81), (640, 2)] {
                let other = picture.shrunk_to(wide, high);
                assert_eq!((other.width, other.height), (wide, high));
                assert_eq!(other.rows().flatten().filter(|pixel| **pixel == 200).count(), wide * high);
            }
        }
    }

    #[test]
    fn too_few_pixels_are_no_picture() {
        assert!(Grey::new(10, 10, &[0; 99]).is_none());
        assert!(Grey::new(0, 10, &[]).is_none());
        assert!(Grey::new(usize::MAX, 2, &[0; 4]).is_none());
    }
}
