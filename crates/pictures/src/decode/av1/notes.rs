//! What filters need to know of blocks once all are decoded.

/// Something of each block of 4 (or 64) pixels.
pub(super) struct Grid {
    values: Vec<u8>,
    columns: usize,
}

impl Grid {
    fn new(rows: usize, columns: usize, value: u8) -> Self {
        Self { values: vec![value; rows * columns], columns }
    }

    pub(super) fn get(&self, row: usize, column: usize) -> u8 {
        self.values.get(row * self.columns + column).copied().unwrap_or_default()
    }

    /// What of the rectangle is in the picture.
    pub(super) fn fill(&mut self, (row, column): (usize, usize), (rows, columns): (usize, usize), value: u8) {
        let end = self.columns.min(column + columns);
        for line in self.values.chunks_exact_mut(self.columns).skip(row).take(rows) {
            if let Some(place) = line.get_mut(column..end) {
                place.fill(value);
            }
        }
    }
}

/// Grids of a picture.
pub(super) struct Notes {
    /// Levels of the loop filter, for edges that go down and across.
    pub(super) levels: [Grid; 2],
    /// Logarithms of the sides of transforms: across, and down in the upper four bits.
    pub(super) transforms: Grid,
    pub(super) skips: Grid,
    pub(super) segments: Grid,
    /// Which strength of the enhancement filter each 64 by 64 pixels have; 255 where none was told.
    pub(super) strengths: Grid,
}

impl Notes {
    /// For so many blocks of 4 pixels down and across.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        let grid = || Grid::new(rows, columns, 0);
        let strengths = Grid::new(rows.div_ceil(16), columns.div_ceil(16), u8::MAX);
        Self { levels: [grid(), grid()], transforms: grid(), skips: grid(), segments: grid(), strengths }
    }
}
