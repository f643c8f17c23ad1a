//! Brightness pictures: what everything else in this crate looks at.

/// Pixels of a picture that the matcher works on. A larger picture is reduced by a whole factor while it is read:
/// 12 megapixels become 1,000 by 750. Enough for 16 by 16 tiles on a phone's screen, and a twelfth of the memory.
pub(crate) const WORKING_PIXELS: u64 = 1 << 20;

/// A picture's brightness, one byte a pixel, rows from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Luma {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl std::fmt::Debug for Luma {
    /// The size alone: a picture may be a planted one.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Luma({} by {})", self.width, self.height)
    }
}

impl Luma {
    /// A picture of `width` by `height` pixels. `None` where that is not how many pixels there are, or none.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        let right = width > 0 && height > 0 && width.checked_mul(height) == Some(pixels.len());
        right.then_some(Self { width, height, pixels })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row after row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels of one row; empty below the last.
    pub fn row(&self, y: usize) -> &[u8] {
        let start = y.saturating_mul(self.width);
        self.pixels.get(start..start.saturating_add(self.width)).unwrap_or_default()
    }

    /// The picture at working size: this one where it is small enough.
    #[must_use]
    pub fn reduced(self) -> Self {
        let mut shrinker = Shrinker::new(self.width, self.height);
        if shrinker.factor() == 1 {
            return self;
        }
        for row in self.pixels.chunks_exact(self.width) {
            shrinker.push(row);
        }
        shrinker.finish().unwrap_or(self)
    }

    /// A smaller copy: every pixel is the mean of the area it stands for. Sizes above this picture's are cut to it.
    pub(crate) fn shrunk(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width.clamp(1, self.width), height.clamp(1, self.height));
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let columns = Spans::new(self.width, width);
        let rows = Spans::new(self.height, height);
        let mut pixels = Vec::with_capacity(width * height);
        let mut wide = vec![0_u32; self.width];
        for y in 0..height {
            wide.fill(0);
            for (row, weight) in rows.of(y) {
                for (sum, pixel) in wide.iter_mut().zip(self.row(row)) {
                    *sum += weight * u32::from(*pixel);
                }
            }
            let weight = rows.weight(y);
            pixels.extend((0..width).map(|x| columns.mean(x, &wide, weight)));
        }
        Self { width, height, pixels }
    }

    /// Half the size: the mean of each two by two pixels.
    pub(crate) fn halved(&self) -> Self {
        if self.width < 2 || self.height < 2 {
            return self.clone();
        }
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let (above, below) = (self.row(2 * y).chunks_exact(2), self.row(2 * y + 1).chunks_exact(2));
            pixels.extend(above.zip(below).map(|(a, b)| {
                let sum: u16 = a.iter().chain(b).map(|pixel| u16::from(*pixel)).sum();
                ((sum + 2) / 4) as u8
            }));
        }
        Self { width, height, pixels }
    }

    /// The part of the picture from `left`, `top`, cut to what there is.
    pub(crate) fn cut(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        let (left, top) = (left.min(self.width - 1), top.min(self.height - 1));
        let (width, height) = (width.clamp(1, self.width - left), height.clamp(1, self.height - top));
        let rows = (top..top + height).filter_map(|y| self.row(y).get(left..left + width));
        Self { width, height, pixels: rows.flatten().copied().collect() }
    }
}

/// For each pixel of a shorter line, the pixels of the longer one under it and how much of each (in 64ths of one).
struct Spans {
    weights: Vec<u32>,
    /// First source pixel, first weight, number of both.
    places: Vec<(usize, usize, usize)>,
    total: Vec<u32>,
}

impl Spans {
    fn new(from: usize, to: usize) -> Self {
        let step = from as f64 / to as f64;
        let mut spans = Self { weights: Vec::new(), places: Vec::with_capacity(to), total: Vec::with_capacity(to) };
        for index in 0..to {
            let (start, end) = (index as f64 * step, ((index + 1) as f64 * step).min(from as f64));
            let first = (start as usize).min(from - 1);
            let at = spans.weights.len();
            let last = (end.ceil() as usize).clamp(first + 1, from);
            spans.weights.extend((first..last).map(|pixel| {
                let covered = (end.min((pixel + 1) as f64) - start.max(pixel as f64)).max(0.0);
                (covered * 64.0).round() as u32
            }));
            spans.places.push((first, at, last - first));
            spans.total.push(spans.weights.iter().skip(at).sum::<u32>().max(1));
        }
        spans
    }

    fn of(&self, index: usize) -> impl Iterator<Item = (usize, u32)> {
        let (first, at, count) = self.places.get(index).copied().unwrap_or_default();
        let weights = self.weights.get(at..at + count).unwrap_or_default();
        weights.iter().enumerate().map(move |(offset, weight)| (first + offset, *weight))
    }

    fn weight(&self, index: usize) -> u64 {
        self.total.get(index).copied().map_or(1, u64::from)
    }

    /// Mean of the pixels under `index` in sums over rows whose weights sum to `rows`. Up to 60 pixels under one each
    /// way the sums fit 32 bits; no picture at working size is reduced by more.
    fn mean(&self, index: usize, sums: &[u32], rows: u64) -> u8 {
        let (first, at, count) = self.places.get(index).copied().unwrap_or_default();
        let share = 1.0 / (self.weight(index) * rows) as f32;
        let weights = self.weights.get(at..at + count).unwrap_or_default();
        let sums = sums.get(first..first + count).unwrap_or_default();
        let sum =
            weights.iter().zip(sums).fold(0_u32, |all, (weight, sum)| all.wrapping_add(weight.wrapping_mul(*sum)));
        (sum as f32 * share + 0.5) as u8
    }
}

/// Reduces a picture by a whole factor while its rows come in.
pub(crate) struct Shrinker {
    factor: usize,
    width: usize,
    height: usize,
    sums: Vec<u32>,
    rows: usize,
    pixels: Vec<u8>,
}

impl Shrinker {
    /// For a picture of this size.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let factor = factor_for(width, height);
        let (small_width, small_height) = ((width / factor).max(1), (height / factor).max(1));
        let pixels = Vec::with_capacity(if factor == 1 { 0 } else { small_width * small_height });
        Self { factor, width: small_width, height: small_height, sums: vec![0; small_width * factor], rows: 0, pixels }
    }

    /// By how much it reduces.
    pub(crate) fn factor(&self) -> usize {
        self.factor
    }

    /// The next row. Rows behind the last whole group are dropped, and so are pixels on the right.
    pub(crate) fn push(&mut self, row: &[u8]) {
        for (sum, pixel) in self.sums.iter_mut().zip(row) {
            *sum += u32::from(*pixel);
        }
        self.rows += 1;
        if self.rows == self.factor && self.pixels.len() < self.width * self.height {
            let area = (self.factor * self.factor) as u32;
            let means = self.sums.chunks_exact(self.factor).map(|group| (group.iter().sum::<u32>() + area / 2) / area);
            self.pixels.extend(means.map(|mean| mean.min(255) as u8));
            self.sums.fill(0);
            self.rows = 0;
        }
    }

    /// The reduced picture. Rows that never came are the colour of the last one; `None` where none came.
    pub(crate) fn finish(mut self) -> Option<Luma> {
        if self.pixels.is_empty() {
            return None;
        }
        let last = self.pixels.last().copied().unwrap_or_default();
        self.pixels.resize(self.width * self.height, last);
        Luma::new(self.width, self.height, self.pixels)
    }
}

/// The smallest whole factor that brings a picture down to [`WORKING_PIXELS`].
pub(crate) fn factor_for(width: usize, height: usize) -> usize {
    let area = (width as u64).saturating_mul(height as u64);
    let mut factor = 1_u64;
    while area / (factor * factor) > WORKING_PIXELS {
        factor += 1;
    }
    (factor as usize).min(width).min(height).max(1)
}

/// A picture at several sizes, each smaller by the square root of two, down to 48 pixels.
pub(crate) struct Pyramid {
    levels: Vec<Level>,
}

/// One size of a picture.
pub(crate) struct Level {
    pub(crate) luma: Luma,
    /// Pixels of this level for one pixel of the picture, across and down.
    pub(crate) scale: (f32, f32),
}

impl Pyramid {
    /// All sizes of a picture.
    pub(crate) fn new(luma: &Luma) -> Self {
        let root = std::f64::consts::FRAC_1_SQRT_2;
        let middle =
            luma.shrunk((luma.width as f64 * root).round() as usize, (luma.height as f64 * root).round() as usize);
        let mut sizes = vec![luma.clone(), middle];
        while let Some(before) = sizes.len().checked_sub(2).and_then(|index| sizes.get(index)) {
            if before.width.min(before.height) < 96 || sizes.len() >= 12 {
                break;
            }
            sizes.push(before.halved());
        }
        let (width, height) = (luma.width as f32, luma.height as f32);
        let level = |luma: Luma| Level { scale: (luma.width as f32 / width, luma.height as f32 / height), luma };
        Self { levels: sizes.into_iter().map(level).collect() }
    }

    /// Every level, the largest first.
    pub(crate) fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The smallest level that still has `wanted` of the picture's pixels across; the largest where none has.
    pub(crate) fn at_least(&self, wanted: f32) -> Option<&Level> {
        self.levels.iter().rev().find(|level| level.scale.0.min(level.scale.1) >= wanted).or(self.levels.first())
    }

    /// Size of the picture itself.
    pub(crate) fn size(&self) -> (f32, f32) {
        self.levels.first().map_or((1.0, 1.0), |level| (level.luma.width as f32, level.luma.height as f32))
    }
}

/// The picture, reduced to at most so many pixels.
pub(crate) fn limited(luma: &Luma, pixels: usize) -> Luma {
    let share = (pixels as f64 / luma.pixels().len() as f64).sqrt();
    if share >= 1.0 {
        return luma.clone();
    }
    let scaled = |side: usize| (side as f64 * share).floor() as usize;
    luma.shrunk(scaled(luma.width()), scaled(luma.height()))
}
