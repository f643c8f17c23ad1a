//! Quantiser matrices for brightness (AV1 specification, section 9.5).

use super::tables::{MATRICES_32X16, MATRICES_32X32};
use super::transform::Size;

/// The square matrices in full, by level.
pub(super) struct Weights {
    squares: Vec<[u8; 1024]>,
}

impl Weights {
    pub(super) fn new() -> Self {
        let whole = |half: &[u8; 528]| {
            let mut square = [0; 1024];
            for y in 0..32 {
                for x in 0..=y {
                    let weight = half[y * (y + 1) / 2 + x];
                    square[y * 32 + x] = weight;
                    square[x * 32 + y] = weight;
                }
            }
            square
        };
        Self { squares: MATRICES_32X32.iter().map(whole).collect() }
    }

    /// The weight of a coefficient, in 32nds. Smaller matrices are the large ones at fewer places.
    pub(super) fn of(&self, level: usize, size: Size, (x, y): (u8, u8)) -> u8 {
        let (across, down) = (size.across.min(3), size.down.min(3));
        let place = |at: u8, step: u8| (usize::from(at) << step) + ((1 << step) - 1) / 2;
        if across == down {
            let step = 3 - across;
            return self.squares[level.min(14)][place(y, step) * 32 + place(x, step)];
        }
        let (long, short, along, beside) = if across > down { (across, down, x, y) } else { (down, across, y, x) };
        MATRICES_32X16[level.min(14)][place(beside, 2 - short) * 32 + place(along, 3 - long)]
    }
}
