//! What the networks are given: sums of gradients in the cells of patches of a window, parted by signs (SURF's cells,
//! Bay, Ess, Tuytelaars, Van Gool, 2008; as Li and Zhang use them for faces: CVPR 2013).

use crate::grey::{WINDOW, Window};

/// Kinds of sums in a cell.
const CHANNELS: usize = 8;
/// Cells along each side of a patch.
const CELLS: usize = 2;
/// Numbers that a patch gives.
pub(crate) const VALUES: usize = CHANNELS * CELLS * CELLS;
/// Shorter side of the smallest patch, and pixels between two of one shape.
const SMALLEST: usize = 16;
/// Width and height of patches, as proportions.
const SHAPES: [(usize, usize); 5] = [(1, 1), (1, 2), (2, 1), (2, 3), (3, 2)];
/// Patches of a window, as [`patches`] lists them.
pub(crate) const PATCHES: usize = 56;

type Sums = [i32; CHANNELS];

/// Part of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patch {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// All patches, in the order by which the model names them.
pub(crate) fn patches() -> Vec<Patch> {
    let mut all = Vec::new();
    for (wide, high) in SHAPES {
        let heights = (SMALLEST..=WINDOW).filter(|height| height % CELLS == 0 && height % high == 0);
        for (width, height) in heights.map(|height| (height / high * wide, height)) {
            if width % CELLS != 0 || !(SMALLEST..=WINDOW).contains(&width) {
                continue;
            }
            for top in (0..=WINDOW - height).step_by(SMALLEST) {
                all.extend((0..=WINDOW - width).step_by(SMALLEST).map(|left| Patch { left, top, width, height }));
            }
        }
    }
    all
}

/// The gradients of a window, summed from its upper left corner.
pub(crate) struct Gradients {
    /// One row and one column more than the window has.
    summed: Vec<Sums>,
}

/// Length of a row of sums.
const ROW: usize = WINDOW + 1;

impl Gradients {
    pub(crate) fn of(window: &Window) -> Self {
        let mut summed = vec![[0; CHANNELS]; ROW * ROW];
        for y in 0..WINDOW {
            let mut row = [0; CHANNELS];
            for x in 0..WINDOW {
                let here = channels(difference(window, x, 1, y * WINDOW), difference(window, y, WINDOW, x));
                let above = summed[y * ROW + x + 1];
                for (sum, value) in row.iter_mut().zip(here) {
                    *sum += value;
                }
                let below = &mut summed[(y + 1) * ROW + x + 1];
                for ((sum, row), above) in below.iter_mut().zip(row).zip(above) {
                    *sum = row + above;
                }
            }
        }
        Self { summed }
    }

    /// What a patch gives, of length one where it gives anything.
    pub(crate) fn values(&self, patch: Patch) -> [f32; VALUES] {
        let (width, height) = (patch.width / CELLS, patch.height / CELLS);
        let mut values = [0.0; VALUES];
        for (cell, values) in values.chunks_exact_mut(CHANNELS).enumerate() {
            let (left, top) = (patch.left + cell % CELLS * width, patch.top + cell / CELLS * height);
            let at = |x: usize, y: usize| self.summed.get(y * ROW + x).copied().unwrap_or_default();
            let (right, bottom) = (left + width, top + height);
            let corners = [at(left, top), at(right, top), at(left, bottom), at(right, bottom)];
            for (channel, value) in values.iter_mut().enumerate() {
                let [first, second, third, last] = corners.map(|corner| corner[channel]);
                *value = (last - second - third + first) as f32;
            }
        }
        let squares: f64 = values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
        let length = squares.sqrt() as f32;
        if length > 0.0 {
            values = values.map(|value| value / length);
        }
        values
    }
}

/// Along one axis, between both neighbours; at an edge twice what is between it and its neighbour.
fn difference(window: &Window, at: usize, step: usize, start: usize) -> i32 {
    let pixel = |at: usize| i32::from(window[start + at * step]);
    match at {
        0 => 2 * (pixel(1) - pixel(0)),
        _ if at == WINDOW - 1 => 2 * (pixel(at) - pixel(at - 1)),
        _ => pixel(at + 1) - pixel(at - 1),
    }
}

/// A gradient with its amount, parted by the sign of the other.
fn channels(across: i32, down: i32) -> Sums {
    let mut channels = [0; CHANNELS];
    let first = [(if down >= 0 { 0 } else { 2 }, across), (if across >= 0 { 4 } else { 6 }, down)];
    for (at, value) in first {
        (channels[at], channels[at + 1]) = (value, value.abs());
    }
    channels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_patches_as_models_may_name() {
        assert_eq!(patches().len(), PATCHES);
    }

    #[test]
    fn sums_of_a_cell_are_those_of_its_pixels() {
        let mut window = [0; WINDOW * WINDOW];
        let pixels = window.iter_mut().enumerate();
        pixels.for_each(|(at, pixel)| *pixel = (at * at % 251) as u8);
        let gradients = Gradients::of(&window);
        for patch in patches() {
            let mut sums = [0_i64; VALUES];
            for y in 0..patch.height {
                for x in 0..patch.width {
                    let (column, row) = (patch.left + x, patch.top + y);
                    let cell = 2 * y / patch.height * CELLS + 2 * x / patch.width;
                    let (across, down) =
                        (difference(&window, column, 1, row * WINDOW), difference(&window, row, WINDOW, column));
                    for (channel, value) in channels(across, down).into_iter().enumerate() {
                        sums[cell * CHANNELS + channel] += i64::from(value);
                    }
                }
            }
            let length = sums.iter().map(|sum| (sum * sum) as f64).sum::<f64>().sqrt();
            for (value, sum) in gradients.values(patch).iter().zip(sums) {
                assert!((f64::from(*value) - sum as f64 / length).abs() < 1e-5, "{patch:?}");
            }
        }
    }
}
