//! PDQ: 256 bits of how a picture looks as a whole. After "The PDQ and TMK+PDQF perceptual hashes" (Facebook, 2019) and
//! the reference in the repository ThreatExchange: a tent filter down to 64 by 64 pixels, the lowest 16 by 16
//! frequencies of its cosine transform without the constant ones, and one bit for each: above the median or not.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the functions of `wide` has the vectors of the oldest processors"
)]

use crate::luma::Luma;
use crate::wide::widest;

const SMALL: usize = 64;
const FREQUENCIES: usize = 16;
/// Below this a picture has nothing to hash.
const LEAST_SIDE: usize = 5;

/// A PDQ hash: bit `i * 16 + j` is frequency `i` down, `j` across.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u64; 4]);

impl std::fmt::Debug for Hash {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Hash(…)")
    }
}

impl Hash {
    /// In how many of the 256 bits two hashes differ. The authors call pictures alike up to 31; unrelated ones differ in
    /// about 128.
    #[inline]
    pub fn distance(&self, other: &Self) -> u16 {
        self.0.iter().zip(&other.0).map(|(left, right)| (left ^ right).count_ones() as u16).sum()
    }
}

/// For each hash the nearest of eight others: in how many bits they differ, and which it is (the first of several).
pub(crate) fn nearest(hashes: &[Hash], others: &[Hash; 8]) -> Vec<(u16, usize)> {
    widest!(nearest, nearest_of, (hashes, others))
}

#[inline(always)]
pub(crate) fn nearest_of(hashes: &[Hash], others: &[Hash; 8]) -> Vec<(u16, usize)> {
    let nearest = |hash: &Hash| {
        let mut best = (u16::MAX, 0);
        for (which, other) in others.iter().enumerate() {
            best = best.min((hash.distance(other), which));
        }
        best
    };
    hashes.iter().map(nearest).collect()
}

/// The eight ways to lay a rectangle on itself: what was done to the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Laid {
    /// Rows and columns exchanged (mirrored at the falling diagonal), before the other two.
    pub transposed: bool,
    /// Left and right exchanged.
    pub mirrored: bool,
    /// Top and bottom exchanged.
    pub flipped: bool,
}

impl Laid {
    /// All eight; the first leaves the picture as it is.
    pub const ALL: [Self; 8] = {
        let mut all = [Self { transposed: false, mirrored: false, flipped: false }; 8];
        let mut index = 0;
        while index < 8 {
            all[index] = Self { transposed: index & 4 != 0, mirrored: index & 1 != 0, flipped: index & 2 != 0 };
            index += 1;
        }
        all
    };

    /// Where the point of the unit square that came to lie at (`u`, `v`) was before.
    pub(crate) fn back(self, (u, v): (f32, f32)) -> (f32, f32) {
        let u = if self.mirrored { 1.0 - u } else { u };
        let v = if self.flipped { 1.0 - v } else { v };
        if self.transposed { (v, u) } else { (u, v) }
    }
}

/// The lowest frequencies of a picture: hashes of all its eight layings follow from it.
pub struct Spectrum {
    frequencies: [[f32; FREQUENCIES]; FREQUENCIES],
    /// How much there is to hash, 0 to 100; the authors advise against hashes below 50.
    pub quality: u8,
}

impl Spectrum {
    /// Of a picture. `None` where it is less than five pixels wide or high.
    pub fn of(luma: &Luma) -> Option<Self> {
        if luma.width().min(luma.height()) < LEAST_SIDE {
            return None;
        }
        let small = downscaled(luma);
        Some(Self { frequencies: transformed(&small), quality: quality(&small) })
    }

    /// The picture's hash.
    pub fn hash(&self) -> Hash {
        self.hash_laid(Laid { transposed: false, mirrored: false, flipped: false })
    }

    /// The hash that the picture would have if it were laid so: mirroring turns the signs of odd frequencies.
    pub fn hash_laid(&self, laid: Laid) -> Hash {
        let mut values = [0_f32; FREQUENCIES * FREQUENCIES];
        for (index, value) in values.iter_mut().enumerate() {
            let (down, across) = (index / FREQUENCIES, index % FREQUENCIES);
            let (row, column) = if laid.transposed { (across, down) } else { (down, across) };
            let frequency = self.frequencies.get(row).and_then(|row| row.get(column)).copied().unwrap_or_default();
            // Index 0 is frequency 1: even indices are the odd frequencies.
            let turned = (laid.mirrored && across % 2 == 0) != (laid.flipped && down % 2 == 0);
            *value = if turned { -frequency } else { frequency };
        }
        bits(&values)
    }
}

fn bits(values: &[f32; FREQUENCIES * FREQUENCIES]) -> Hash {
    let mut sorted = *values;
    let (_, median, _) = sorted.select_nth_unstable_by(FREQUENCIES * FREQUENCIES / 2 - 1, f32::total_cmp);
    let median = *median;
    let mut hash = [0_u64; 4];
    for (word, group) in hash.iter_mut().zip(values.chunks_exact(64)) {
        for (bit, value) in group.iter().enumerate() {
            *word |= u64::from(*value > median) << bit;
        }
    }
    Hash(hash)
}

type Small = [[f32; SMALL]; SMALL];

fn downscaled(luma: &Luma) -> Small {
    let (width, height) = (luma.width(), luma.height());
    let mut pixels: Vec<f32> = luma.pixels().iter().map(|pixel| f32::from(*pixel)).collect();
    if (width, height) != (SMALL, SMALL) {
        // Two passes of a box make a tent; each is half a small pixel wide.
        for _ in 0..2 {
            pixels = box_across(&pixels, width, width.div_ceil(2 * SMALL));
            pixels = box_down(&pixels, width, height.div_ceil(2 * SMALL));
        }
    }
    let mut small = [[0.0; SMALL]; SMALL];
    for (y, row) in small.iter_mut().enumerate() {
        let start = (2 * y + 1) * height / (2 * SMALL) * width;
        for (x, value) in row.iter_mut().enumerate() {
            *value = pixels.get(start + (2 * x + 1) * width / (2 * SMALL)).copied().unwrap_or_default();
        }
    }
    small
}

/// How far a box of `window` reaches to the left (or up) and to the right.
fn reach(window: usize) -> (usize, usize) {
    let half = usize::midpoint(window, 2);
    (window - half, half - 1)
}

fn box_across(pixels: &[f32], width: usize, window: usize) -> Vec<f32> {
    let (left, right) = reach(window);
    let mut out = Vec::with_capacity(pixels.len());
    for row in pixels.chunks_exact(width) {
        let mut sum: f32 = row.iter().take(right).sum();
        for x in 0..width {
            sum += row.get(x + right).copied().unwrap_or_default();
            if let Some(gone) = x.checked_sub(left + 1) {
                sum -= row.get(gone).copied().unwrap_or_default();
            }
            let count = (x + right + 1).min(width) - x.saturating_sub(left);
            out.push(sum / count as f32);
        }
    }
    out
}

fn box_down(pixels: &[f32], width: usize, window: usize) -> Vec<f32> {
    let (above, below) = reach(window);
    let rows: Vec<&[f32]> = pixels.chunks_exact(width).collect();
    let mut sums = vec![0_f32; width];
    let add = |sums: &mut [f32], row: Option<&&[f32]>, sign: f32| {
        for (sum, pixel) in sums.iter_mut().zip(row.copied().unwrap_or_default()) {
            *sum += sign * pixel;
        }
    };
    for row in rows.iter().take(below) {
        add(&mut sums, Some(row), 1.0);
    }
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..rows.len() {
        add(&mut sums, rows.get(y + below), 1.0);
        add(&mut sums, y.checked_sub(above + 1).and_then(|gone| rows.get(gone)), -1.0);
        let count = ((y + below + 1).min(rows.len()) - y.saturating_sub(above)) as f32;
        out.extend(sums.iter().map(|sum| sum / count));
    }
    out
}

/// Frequencies 1 to 16 of the cosine transform, down and across.
fn transformed(small: &Small) -> [[f32; FREQUENCIES]; FREQUENCIES] {
    let cosines = cosines();
    let mut half = [[0_f32; SMALL]; FREQUENCIES];
    for (out, wave) in half.iter_mut().zip(&cosines) {
        for (row, cosine) in small.iter().zip(wave) {
            for (sum, value) in out.iter_mut().zip(row) {
                *sum += cosine * value;
            }
        }
    }
    let mut frequencies = [[0_f32; FREQUENCIES]; FREQUENCIES];
    for (out, row) in frequencies.iter_mut().zip(&half) {
        for (value, wave) in out.iter_mut().zip(&cosines) {
            *value = row.iter().zip(wave).map(|(left, right)| left * right).sum();
        }
    }
    frequencies
}

fn cosines() -> [[f32; SMALL]; FREQUENCIES] {
    let mut waves = [[0_f32; SMALL]; FREQUENCIES];
    for (frequency, wave) in (1_u8..).zip(&mut waves) {
        for (x, value) in (0_u8..).zip(wave) {
            let angle = std::f64::consts::PI / (2 * SMALL) as f64 * f64::from(frequency) * f64::from(2 * x + 1);
            *value = ((2.0 / SMALL as f64).sqrt() * angle.cos()) as f32;
        }
    }
    waves
}

/// The authors' measure of how much there is to hash: the sum of whole steps of a 100th between neighbours.
fn quality(small: &Small) -> u8 {
    let step = |left: &f32, right: &f32| (((left - right) * 100.0 / 255.0) as i32).unsigned_abs();
    let down = small.iter().zip(small.iter().skip(1)).flat_map(|(above, below)| above.iter().zip(below));
    let across = small.iter().flat_map(|row| row.iter().zip(row.iter().skip(1)));
    let sum: u32 = down.chain(across).map(|(left, right)| step(left, right)).sum();
    (sum / 90).min(100) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A picture of whole numbers, the same wherever it is made.
    fn drawn(width: usize, height: usize, seed: usize) -> Luma {
        let pixel = |x: usize, y: usize| {
            let wave = (x * x * (3 + seed) + y * y * 5 + x * y * (7 * seed + 1)) / 97;
            let checked = (x / (20 + seed) + y / 31) % 2 == 1;
            (if checked { wave ^ (x * 2) ^ (y * 3 / 2) } else { x * 2 + y * (seed + 1) }) as u8
        };
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| pixel(x, y))).collect();
        Luma::new(width, height, pixels).unwrap()
    }

    #[test]
    fn the_nearest_of_eight_is_the_first_that_differs_least() {
        let others = [0_u64, 1, 3, 7, 15, 31, 63, 127].map(|bits| Hash([bits, 0, bits, 0]));
        let hashes = [Hash([7, 0, 7, 0]), Hash([2, 0, 0, 0]), Hash([u64::MAX; 4])];
        assert_eq!(nearest(&hashes, &others), [(0, 3), (1, 0), (242, 7)]);
        assert_eq!(nearest(&hashes, &others), nearest_of(&hashes, &others));
    }

    #[test]
    fn hashes_are_those_of_the_reference() {
        // What the reference (C++, commit of pdqhash 0.2.8 for Python) says of the same pictures.
        let known = [
            (
                (64, 64, 0),
                [0x1559_1554_f26d_a458, 0x7450_69a7_5d58_71a3, 0xb490_a74a_6bb7_5a2f, 0xb5f0_32cb_0d34_eaeb_u64],
            ),
            (
                (200, 150, 1),
                [0xc496_e5fc_3098_1eb2, 0x2778_4a3d_d0bf_e7ca, 0xb3c7_2f8e_7e2e_f542, 0x9806_bcd4_1c81_3043],
            ),
            (
                (333, 257, 2),
                [0x29a4_1e48_1c0a_a9ca, 0xffe4_b8b5_fbe0_554a, 0x7c00_2974_fde0_79f5, 0x0c1a_23f5_a9ff_16b0],
            ),
            (
                (500, 401, 3),
                [0x4f2a_907f_3f2b_e869, 0x4f2a_107f_4f2a_907f, 0x552a_087f_4f2a_007f, 0x4ad7_9780_08dd_df80],
            ),
            (
                (129, 511, 4),
                [0x8bd0_e3a8_f56f_eba8, 0x8df1_1353_18d1_1251, 0x3bdb_d841_dac2_1a40, 0xbfd3_f841_bbf3_9851],
            ),
        ];
        for ((width, height, seed), words) in known {
            let spectrum = Spectrum::of(&drawn(width, height, seed)).unwrap();
            assert_eq!(spectrum.quality, 100);
            // The reference's 32-bit sums are in another order: a frequency at the median may fall to the other side.
            let distance = spectrum.hash().distance(&Hash(words));
            assert!(distance <= 4, "{width} by {height}: {distance} bits");
        }
    }

    #[test]
    fn a_picture_of_one_grey_has_no_quality() {
        assert_eq!(Spectrum::of(&Luma::new(80, 80, vec![90; 6400]).unwrap()).unwrap().quality, 0);
        assert!(Spectrum::of(&Luma::new(4, 80, vec![90; 320]).unwrap()).is_none());
    }

    proptest! {
        /// The hash of a picture that was laid is that which its spectrum gives for it.
        #[test]
        fn layings_follow_from_the_spectrum(pixels in proptest::collection::vec(any::<u8>(), 64 * 64), which in 0_usize..8) {
            let laid = Laid::ALL[which];
            let turned = (0..64 * 64).map(|at| {
                let (x, y) = (at % 64, at / 64);
                let (u, v) = laid.back(((x as f32 + 0.5) / 64.0, (y as f32 + 0.5) / 64.0));
                pixels[(v * 64.0) as usize * 64 + (u * 64.0) as usize]
            });
            let turned = Luma::new(64, 64, turned.collect()).unwrap();
            let spectrum = Spectrum::of(&Luma::new(64, 64, pixels).unwrap()).unwrap();
            let direct = Spectrum::of(&turned).unwrap().hash();
            prop_assert!(spectrum.hash_laid(laid).distance(&direct) <= 4);
        }
    }
}
