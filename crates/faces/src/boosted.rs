//! The first stage: which windows may show a face. Each of nine blocks of three by three pixels is compared with the one
//! in the middle ("locally assembled binary" features, Yan, Shan, Chen, Gao: CVPR 2008), and what the eight answers
//! weigh is summed until too little is there.

use crate::grey::{Grey, WINDOW};
use crate::place::Place;

/// Answers that a feature can give.
pub(crate) const BINS: usize = 256;
/// Features between two thresholds.
pub(crate) const GROUP: usize = 10;
/// Side of a block.
const BLOCK: usize = 3;
/// Side of a feature.
const FEATURE: usize = 3 * BLOCK;
/// The last place of a feature in a window.
pub(crate) const FARTHEST: usize = WINDOW - FEATURE;
/// Pixels between two windows.
const STEP: usize = 4;
/// Standard deviation of brightness up to which a window shows nothing.
const PLAIN: f64 = 10.0;
/// The block in each direction, in blocks, and the bit that is set where it is no brighter than the middle.
const AROUND: [(usize, usize, u8); 8] =
    [(0, 0, 0x80), (1, 0, 0x40), (2, 0, 0x20), (2, 1, 0x08), (2, 2, 0x01), (1, 2, 0x02), (0, 2, 0x04), (0, 1, 0x10)];

/// A sum of features.
pub(crate) struct Boosted {
    pub(crate) weak: Vec<Weak>,
    /// What must be there after each group.
    pub(crate) thresholds: Vec<f32>,
}

/// One feature.
pub(crate) struct Weak {
    /// In the window.
    pub(crate) place: (usize, usize),
    /// What each answer weighs.
    pub(crate) weights: Box<[f32; BINS]>,
}

/// The features of a picture.
struct Features {
    width: usize,
    answers: Vec<u8>,
}

/// The windows of a picture that each classifier lets through, in its scale.
pub(crate) fn windows(classifiers: &[Boosted], picture: &Grey) -> Vec<Vec<Place>> {
    let mut found = vec![Vec::new(); classifiers.len()];
    if picture.width < WINDOW || picture.height < WINDOW {
        return found;
    }
    let features = Features::of(picture);
    let offsets: Vec<Vec<usize>> = classifiers.iter().map(|one| one.offsets(features.width)).collect();
    for y in (0..=picture.height - WINDOW).step_by(STEP) {
        for x in (0..=picture.width - WINDOW).step_by(STEP) {
            let Some(answers) = features.answers.get(y * features.width + x..) else { continue };
            for ((one, offsets), found) in classifiers.iter().zip(&offsets).zip(&mut found) {
                let score = one.score(offsets, answers).filter(|_| !is_plain(picture, x, y));
                let place = |score| Place { left: x as i32, top: y as i32, side: WINDOW as i32, score };
                found.extend(score.map(place));
            }
        }
    }
    found
}

impl Boosted {
    /// Where its features are, from the first of a window.
    fn offsets(&self, width: usize) -> Vec<usize> {
        self.weak.iter().map(|weak| weak.place.1 * width + weak.place.0).collect()
    }

    /// Absent where it is no face.
    fn score(&self, offsets: &[usize], answers: &[u8]) -> Option<f32> {
        let mut score = 0.0;
        let groups = self.weak.chunks_exact(GROUP).zip(offsets.chunks_exact(GROUP));
        for ((group, offsets), threshold) in groups.zip(&self.thresholds) {
            for (weak, offset) in group.iter().zip(offsets) {
                score += weak.weights[usize::from(answers.get(*offset).copied().unwrap_or_default())];
            }
            if score < *threshold {
                return None;
            }
        }
        Some(score)
    }
}

impl Features {
    fn of(picture: &Grey) -> Self {
        let blocks = blocks(picture);
        let (width, height) = (picture.width + 1 - FEATURE, picture.height + 1 - FEATURE);
        let mut answers = vec![0; width * height];
        let row = |x: usize, y: usize| {
            let start = y * (picture.width + 1 - BLOCK) + x;
            blocks.get(start..start + width).unwrap_or_default()
        };
        for (y, answers) in answers.chunks_exact_mut(width).enumerate() {
            let middle = row(BLOCK, y + BLOCK);
            for (across, down, bit) in AROUND {
                let other = row(across * BLOCK, y + down * BLOCK);
                for ((answer, middle), other) in answers.iter_mut().zip(middle).zip(other) {
                    *answer |= if middle >= other { bit } else { 0 };
                }
            }
        }
        Self { width, answers }
    }
}

/// The sum of each block, from its upper left corner.
fn blocks(picture: &Grey) -> Vec<u16> {
    let across = |row: &[u8]| -> Vec<u16> {
        let three = row.windows(BLOCK);
        three.map(|three| three.iter().map(|pixel| u16::from(*pixel)).sum()).collect()
    };
    let rows: Vec<Vec<u16>> = picture.rows().map(across).collect();
    let mut sums = Vec::with_capacity(picture.width * picture.height);
    for three in rows.windows(BLOCK) {
        if let [first, second, third] = three {
            sums.extend(first.iter().zip(second).zip(third).map(|((first, second), third)| first + second + third));
        }
    }
    sums
}

fn is_plain(picture: &Grey, left: usize, top: usize) -> bool {
    let rows = picture.rows().skip(top).take(WINDOW);
    let pixels = rows.flat_map(|row| row.iter().skip(left).take(WINDOW)).map(|pixel| u64::from(*pixel));
    let (sum, squares) = pixels.fold((0, 0), |(sum, squares), pixel| (sum + pixel, squares + pixel * pixel));
    let area = (WINDOW * WINDOW) as f64;
    let mean = sum as f64 / area;
    squares as f64 / area - mean * mean <= PLAIN * PLAIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_says_which_blocks_are_no_brighter_than_the_middle() {
        let mut pixels = vec![100; 9 * 9];
        let brighter = |pixels: &mut Vec<u8>, across: usize, down: usize| {
            for y in 0..3 {
                pixels[(3 * down + y) * 9 + 3 * across..][..3].fill(200);
            }
        };
        let answer = |pixels: &[u8]| Features::of(&Grey::new(9, 9, pixels).unwrap()).answers;
        assert_eq!(answer(&pixels), [0xff]);
        brighter(&mut pixels, 2, 0);
        assert_eq!(answer(&pixels), [0xff ^ 0x20]);
        brighter(&mut pixels, 0, 1);
        assert_eq!(answer(&pixels), [0xff ^ 0x20 ^ 0x10]);
        brighter(&mut pixels, 1, 1);
        assert_eq!(answer(&pixels), [0xff]);
    }

    #[test]
    fn a_window_of_one_grey_is_plain_and_one_with_an_edge_is_not() {
        let plain = Grey::new(50, 50, &[77; 2500]).unwrap();
        let edge: Vec<u8> = (0..2500).map(|at| if at % 50 < 30 { 60 } else { 160 }).collect();
        assert!(is_plain(&plain, 5, 5) && !is_plain(&Grey::new(50, 50, &edge).unwrap(), 5, 5));
    }
}
