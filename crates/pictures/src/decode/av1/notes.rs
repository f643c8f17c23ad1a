//! What is kept of blocks for later ones and for the filter.

/// Something of each block of 4 (or 64) pixels.
pub(super) struct Grid {
    values: Vec<u8>,
    columns: usize,
}

impl Grid {
    fn new(rows: usize, columns: usize) -> Self {
        Self { values: vec![0; rows * columns], columns }
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
    pub(super) segments: Grid,
    /// Whether 64 by 64 pixels have been told the strength of the enhancement filter.
    pub(super) strengths: Grid,
}

impl Notes {
    /// For so many blocks of 4 pixels down and across.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        let grid = || Grid::new(rows, columns);
        let strengths = Grid::new(rows.div_ceil(16), columns.div_ceil(16));
        Self { levels: [grid(), grid()], transforms: grid(), segments: grid(), strengths }
    }
}
