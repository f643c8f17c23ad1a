//! Corners, and what is around them: how parts of a picture are known again wherever they lie.
//!
//! Corners are found where the smaller eigenvalue of the structure tensor is large (Shi and Tomasi, "Good features to
//! track", 1994), on a pyramid of sizes and spread evenly. Each has a direction, that of the brightness around it
//! (Rosin 1999), and 256 comparisons of brightness between pairs of points turned by it (BRIEF, Calonder 2010; turned
//! as in ORB, Rublee 2011). The pairs are drawn by a fixed generator.

use std::sync::LazyLock;

use crate::luma::{Level, Luma, Pyramid};

/// How far from a corner pixels are looked at, on the corner's level.
const RADIUS: usize = 15;
/// Directions that the pairs are turned to beforehand.
const TURNS: usize = 64;
/// Least eigenvalue of a corner: squares of steps of one and a half grey values summed over 25 pixels.
const LEAST_CORNER: f32 = 56.25;

/// One corner.
#[derive(Clone, Copy)]
pub(crate) struct Feature {
    /// Place in the picture; the first pixel's middle is (0.5, 0.5).
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Pixels of the picture for one of the level the corner was found on.
    pub(crate) size: f32,
    /// Direction, in radians.
    pub(crate) angle: f32,
    /// The comparisons.
    pub(crate) bits: [u64; 4],
}

impl Feature {
    /// In how many comparisons two corners differ.
    #[inline]
    pub(crate) fn distance(&self, other: &Self) -> u32 {
        self.bits.iter().zip(&other.bits).map(|(left, right)| (left ^ right).count_ones()).sum()
    }
}

/// Which features are wanted of a picture.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// How many at most.
    pub(crate) count: usize,
    /// Levels with more pixels than this are left out.
    pub(crate) pixels: usize,
    /// Whether those of the mirrored picture are wanted too.
    pub(crate) mirrored: bool,
}

/// A picture's features, and (where wanted) those it would have in the mirror, in the mirror's places.
pub(crate) struct Features {
    pub(crate) plain: Vec<Feature>,
    pub(crate) mirrored: Vec<Feature>,
}

/// Features of a picture.
pub(crate) fn features(pyramid: &Pyramid, wanted: Wanted) -> Features {
    let used: Vec<&Level> =
        pyramid.levels().iter().filter(|level| level.luma.pixels().len() <= wanted.pixels).collect();
    let total: f32 = used.iter().map(|level| level.scale.0).sum();
    let mut all = Features { plain: Vec::new(), mirrored: Vec::new() };
    for level in used {
        let quota = (wanted.count as f32 * level.scale.0 / total).ceil() as usize;
        describe_level(level, quota, pyramid.size().0, wanted.mirrored, &mut all);
    }
    all
}

fn describe_level(level: &Level, quota: usize, width: f32, mirrored: bool, all: &mut Features) {
    if level.luma.width().min(level.luma.height()) <= 2 * RADIUS + 2 {
        return;
    }
    let smooth = smoothed(&level.luma);
    for (x, y) in corners(&smooth, quota) {
        let Some(angle) = direction(&smooth, x, y) else { continue };
        let mut feature = Feature {
            x: (x as f32 + 0.5) / level.scale.0,
            y: (y as f32 + 0.5) / level.scale.1,
            size: 2.0 / (level.scale.0 + level.scale.1),
            angle,
            bits: compared(&smooth, x, y, angle, false),
        };
        all.plain.push(feature);
        if mirrored {
            feature.x = width - feature.x;
            feature.angle = std::f32::consts::PI - angle;
            feature.bits = compared(&smooth, x, y, feature.angle, true);
            all.mirrored.push(feature);
        }
    }
}

/// Binomial smoothing over five pixels each way. Sums of 16 weights fit 16 bits, down and then across.
fn smoothed(luma: &Luma) -> Luma {
    let (width, height) = (luma.width(), luma.height());
    let mut pixels = vec![0; width * height];
    let mut line = vec![0_u16; width + 4];
    for (y, out) in pixels.chunks_exact_mut(width).enumerate() {
        let rows = FIVE.map(|offset| luma.row((y + offset).saturating_sub(2).min(height - 1)));
        weigh(rows, line.get_mut(2..width + 2).unwrap_or_default(), |sum| sum);
        let (first, last) = (line.get(2).copied().unwrap_or(0), line.get(width + 1).copied().unwrap_or(0));
        line.iter_mut().take(2).for_each(|edge| *edge = first);
        line.iter_mut().skip(width + 2).for_each(|edge| *edge = last);
        let shifted = FIVE.map(|offset| line.get(offset..offset + width).unwrap_or_default());
        weigh(shifted, out, |sum| ((sum + 128) >> 8) as u8);
    }
    Luma::new(width, height, pixels).unwrap_or_else(|| luma.clone())
}

const FIVE: [usize; 5] = [0, 1, 2, 3, 4];

/// Adds five lines up, with binomial weights.
fn weigh<T: Copy + Into<u16>, U>(lines: [&[T]; 5], out: &mut [U], finish: impl Fn(u16) -> U) {
    let [first, second, third, fourth, fifth] = lines;
    let outer = first.iter().zip(fifth);
    let inner = second.iter().zip(fourth);
    for (((out, (first, fifth)), (second, fourth)), third) in out.iter_mut().zip(outer).zip(inner).zip(third) {
        let far: u16 = (*first).into() + (*fifth).into();
        let near: u16 = (*second).into() + (*fourth).into();
        *out = finish(far + 4 * near + 6 * (*third).into());
    }
}

/// The strongest corners, one at most in each of about `quota` cells, where their surroundings lie inside.
fn corners(smooth: &Luma, quota: usize) -> Vec<(usize, usize)> {
    let response = Responses::new(smooth);
    let cell = (smooth.pixels().len() as f32 / (quota.max(1) as f32 * 1.3)).sqrt().max(6.0) as usize;
    let mut best: Vec<(f32, usize, usize)> = Vec::new();
    for top in (RADIUS + 1..smooth.height().saturating_sub(RADIUS + 1)).step_by(cell) {
        for left in (RADIUS + 1..smooth.width().saturating_sub(RADIUS + 1)).step_by(cell) {
            best.extend(response.best(left, top, cell));
        }
    }
    best.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.2, a.1).cmp(&(b.2, b.1))));
    best.truncate(quota);
    best.into_iter().map(|(_, x, y)| (x, y)).collect()
}

/// The smaller eigenvalue of the structure tensor around each pixel.
struct Responses {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Responses {
    fn new(smooth: &Luma) -> Self {
        let (width, height) = (smooth.width(), smooth.height());
        let mut values = vec![0.0; width * height];
        // Products of slopes of the last five rows, each already summed over five pixels across. All are whole numbers
        // below 2^24, so that adding and taking away again is exact.
        let mut ring = vec![Slopes::new(width); 5];
        let mut window = Slopes::new(width);
        for y in 1..height - 1 {
            let Some(slopes) = ring.get_mut(y % 5) else { continue };
            window.add(slopes, -1.0);
            slopes.fill(smooth.row(y - 1), smooth.row(y), smooth.row(y + 1));
            window.add(slopes, 1.0);
            if y >= 5 {
                let start = (y - 2) * width;
                window.least_eigenvalues(values.get_mut(start..start + width).unwrap_or_default());
            }
        }
        Self { width, height, values }
    }

    /// The strongest corner of a cell, unless a neighbour is stronger.
    fn best(&self, left: usize, top: usize, cell: usize) -> Option<(f32, usize, usize)> {
        let right = (left + cell).min(self.width - RADIUS - 1);
        let mut best = (LEAST_CORNER, 0, 0);
        for y in top..(top + cell).min(self.height - RADIUS - 1) {
            let row = self.values.get(y * self.width + left..y * self.width + right)?;
            for (x, value) in row.iter().enumerate() {
                if *value > best.0 {
                    best = (*value, left + x, y);
                }
            }
        }
        let (value, x, y) = best;
        let around = (y.checked_sub(1)?..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| y * self.width + x));
        let is_peak = around.into_iter().all(|at| self.values.get(at).is_some_and(|other| *other <= value));
        (x > 0 && is_peak).then_some(best)
    }
}

#[derive(Clone)]
struct Slopes {
    across: Vec<f32>,
    both: Vec<f32>,
    down: Vec<f32>,
    products: [Vec<f32>; 3],
}

impl Slopes {
    fn new(width: usize) -> Self {
        let line = vec![0.0; width];
        Self {
            across: line.clone(),
            both: line.clone(),
            down: line.clone(),
            products: [line.clone(), line.clone(), line],
        }
    }

    fn fill(&mut self, above: &[u8], row: &[u8], below: &[u8]) {
        let [xx, xy, yy] = &mut self.products;
        let right = row.get(2..).unwrap_or_default();
        let (above, below) = (above.get(1..).unwrap_or_default(), below.get(1..).unwrap_or_default());
        let out = xx.iter_mut().zip(xy).zip(yy).skip(1);
        for (((xx, xy), yy), ((left, right), (above, below))) in
            out.zip(row.iter().zip(right).zip(above.iter().zip(below)))
        {
            let x = f32::from(i16::from(*right) - i16::from(*left));
            let y = f32::from(i16::from(*below) - i16::from(*above));
            (*xx, *xy, *yy) = (x * x, x * y, y * y);
        }
        let [xx, xy, yy] = &self.products;
        for (sums, products) in [(&mut self.across, xx), (&mut self.both, xy), (&mut self.down, yy)] {
            let [first, second, third, fourth, fifth] = FIVE.map(|offset| products.get(offset..).unwrap_or_default());
            let outer = first.iter().zip(fifth);
            let inner = second.iter().zip(fourth);
            for (((sum, outer), inner), third) in sums.iter_mut().skip(2).zip(outer).zip(inner).zip(third) {
                *sum = outer.0 + outer.1 + inner.0 + inner.1 + third;
            }
        }
    }

    fn add(&mut self, other: &Self, sign: f32) {
        let pairs = [(&mut self.across, &other.across), (&mut self.both, &other.both), (&mut self.down, &other.down)];
        for (sums, added) in pairs {
            for (sum, value) in sums.iter_mut().zip(added) {
                *sum += sign * value;
            }
        }
    }

    fn least_eigenvalues(&self, out: &mut [f32]) {
        let tensors = self.across.iter().zip(&self.both).zip(&self.down);
        for (value, ((across, both), down)) in out.iter_mut().zip(tensors) {
            let (half, difference) = ((across + down) * 0.5, (across - down) * 0.5);
            *value = half - (difference * difference + both * both).sqrt();
        }
    }
}

/// From the corner to the middle of the brightness around it. `None` too near the border.
fn direction(smooth: &Luma, x: usize, y: usize) -> Option<f32> {
    let (mut across, mut down) = (0_i64, 0_i64);
    for (offset, half) in DISC.iter().enumerate() {
        let row = smooth.row((y + offset).checked_sub(RADIUS)?);
        let line = row.get(x.checked_sub(*half)?..=x + half)?;
        let (mut sum, mut moment) = (0_i64, 0_i64);
        for (step, pixel) in line.iter().enumerate() {
            sum += i64::from(*pixel);
            moment += (step as i64 - *half as i64) * i64::from(*pixel);
        }
        across += moment;
        down += (offset as i64 - RADIUS as i64) * sum;
    }
    Some((down as f32).atan2(across as f32))
}

/// Half the length of each line of a disc of [`RADIUS`].
static DISC: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let radius = RADIUS as f32;
    let half = |offset: usize| (radius * radius - (offset as f32 - radius).powi(2)).max(0.0).sqrt() as usize;
    (0..=2 * RADIUS).map(half).collect()
});

/// Pairs of points, for each direction: across and down of the first, across and down of the second.
static PAIRS: LazyLock<Vec<[[i8; 4]; 256]>> = LazyLock::new(|| {
    let drawn = drawn_pairs();
    let turned = |turn: usize| {
        let (sine, cosine) = (turn as f32 / TURNS as f32 * std::f32::consts::TAU).sin_cos();
        let point = |x: f32, y: f32| ((x * cosine - y * sine).round() as i8, (x * sine + y * cosine).round() as i8);
        drawn.map(|[a, b, c, d]| {
            let ((a, b), (c, d)) = (point(a, b), point(c, d));
            [a, b, c, d]
        })
    };
    (0..TURNS).map(turned).collect()
});

/// Points around the corner, nearer ones more often; no pair is a point with itself.
fn drawn_pairs() -> [[f32; 4]; 256] {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = move || {
        // SplitMix64 (Steele, Lea and Flood 2014); four draws summed are nearly normal.
        let mut sum = 0.0;
        for _ in 0..4 {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            sum += ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1_u64 << 24) as f32 - 0.5;
        }
        sum * 11.0
    };
    [(); 256].map(|()| {
        loop {
            let pair = [draw(), draw(), draw(), draw()];
            let [a, b, c, d] = pair;
            let inside = a.hypot(b) < 14.0 && c.hypot(d) < 14.0;
            if inside && (a - c).hypot(b - d) > 2.0 {
                break pair;
            }
        }
    })
}

fn compared(smooth: &Luma, x: usize, y: usize, angle: f32, mirrored: bool) -> [u64; 4] {
    let turn = (angle / std::f32::consts::TAU * TURNS as f32).round() as i32;
    let mut bits = [0; 4];
    let Some(pairs) = PAIRS.get(turn.rem_euclid(TURNS as i32) as usize) else { return bits };
    let (width, pixels) = (smooth.width() as isize, smooth.pixels());
    let (middle, side) = (y as isize * width + x as isize, if mirrored { -1 } else { 1 });
    let pixel = |across: i8, down: i8| {
        let at = middle + isize::from(down) * width + side * isize::from(across);
        pixels.get(at as usize).copied().unwrap_or_default()
    };
    for (word, group) in bits.iter_mut().zip(pairs.chunks_exact(64)) {
        for (bit, [a, b, c, d]) in group.iter().enumerate() {
            *word |= u64::from(pixel(*a, *b) < pixel(*c, *d)) << bit;
        }
    }
    bits
}
