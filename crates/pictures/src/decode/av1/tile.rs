//! The blocks of a tile (AV1 specification, sections 5.11.2 to 5.11.34): brightness is decoded, colours are read over.

use super::block::{Block, MOST, Side};
use super::copies::Motions;
use super::header::{Frame, Restoration, Sequence};
use super::notes::Notes;
use super::plane::Plane;
use super::probabilities::{COEFFICIENTS, Coefficients, MODES, Modes};
use super::residual::{Around, Residual};
use super::symbols::Symbols;
use super::weights::Weights;
use crate::decode::Unreadable;

/// What tiles are decoded into.
pub(super) struct Canvas {
    pub(super) plane: Plane,
    pub(super) notes: Notes,
    /// Where the picture has blocks that are copied.
    pub(super) motions: Option<Motions>,
}

/// Decodes one tile.
pub(super) struct Tile<'t> {
    pub(super) sequence: &'t Sequence,
    pub(super) frame: &'t Frame,
    pub(super) canvas: &'t mut Canvas,
    pub(super) weights: &'t Weights,
    pub(super) symbols: Symbols<'t>,
    pub(super) modes: Modes,
    pub(super) coefficients: Coefficients,
    pub(super) residual: Residual,
    /// What a transform adds to the prediction.
    pub(super) added: Vec<i32>,
    pub(super) above: Side,
    pub(super) left: Side,
    /// Blocks of 4 pixels: the tile's first and the one behind its last.
    pub(super) rows: (usize, usize),
    pub(super) columns: (usize, usize),
    /// Which blocks of 4 pixels of the superblock are decoded, from one above and one on the left.
    pub(super) decoded: [u64; MOST + 2],
    pub(super) quantiser: i32,
    pub(super) filter_changes: [i32; 4],
    pub(super) reads_changes: bool,
}

impl<'t> Tile<'t> {
    pub(super) fn new(
        (sequence, frame): (&'t Sequence, &'t Frame),
        canvas: &'t mut Canvas,
        weights: &'t Weights,
        data: &'t [u8],
        (row, column): (usize, usize),
    ) -> Self {
        let by_quantiser = match frame.quantiser {
            ..=20 => 0,
            21..=60 => 1,
            61..=120 => 2,
            _ => 3,
        };
        let has_palettes = frame.has_screen_content;
        let bounds = |starts: &[usize], index: usize| {
            (starts.get(index).copied().unwrap_or(0), starts.get(index + 1).copied().unwrap_or(0))
        };
        Self {
            sequence,
            frame,
            canvas,
            weights,
            symbols: Symbols::new(data, frame.learns),
            modes: MODES.clone(),
            coefficients: COEFFICIENTS[by_quantiser].clone(),
            residual: Residual::new(),
            added: vec![0; 64 * 64],
            above: Side::new(frame.block_columns() + MOST, has_palettes),
            left: Side::new(MOST, has_palettes),
            rows: bounds(&frame.rows, row),
            columns: bounds(&frame.columns, column),
            decoded: [0; MOST + 2],
            quantiser: frame.quantiser,
            filter_changes: [0; 4],
            reads_changes: false,
        }
    }

    pub(super) fn decode(mut self) -> Result<(), Unreadable> {
        let level = if self.sequence.has_large_superblocks { 5 } else { 4 };
        for row in (self.rows.0..self.rows.1).step_by(1 << level) {
            self.left.clear();
            for column in (self.columns.0..self.columns.1).step_by(1 << level) {
                self.reads_changes = self.frame.quantiser_shift.is_some();
                self.clear_decoded(row, column, level);
                self.skip_restoration(row, column, level);
                self.partition(row, column, level)?;
                if self.symbols.is_over() {
                    return Err(Unreadable::Damaged);
                }
            }
        }
        Ok(())
    }

    /// `clear_block_decoded_flags`, of brightness.
    fn clear_decoded(&mut self, row: usize, column: usize, level: u8) {
        let side = 1_usize << level;
        let (columns, rows) = (self.columns.1 - column, self.rows.1 - row);
        self.decoded.fill(0);
        self.decoded[0] = (1 << (columns.min(side + 1) + 1)) - 1;
        self.decoded[1..=rows.min(side)].fill(1);
    }

    /// `read_lr`: what loop restoration needs is read over.
    fn skip_restoration(&mut self, row: usize, column: usize, level: u8) {
        let subsampling = self.sequence.subsampling;
        for (plane, unit) in self.frame.restoration.into_iter().enumerate() {
            let Some((kind, unit)) = unit else { continue };
            let (across, down) = if plane == 0 { (0, 0) } else { subsampling };
            let units = |at: usize, shift: usize, length: usize| {
                let all = ((length.div_ceil(1 << shift) + unit / 2) / unit).max(1);
                let first = (at * (4 >> shift)).div_ceil(unit);
                let behind = ((at + (1 << level)) * (4 >> shift)).div_ceil(unit);
                behind.min(all).saturating_sub(first.min(all))
            };
            let count = units(row, down, self.frame.height) * units(column, across, self.frame.width);
            (0..count).for_each(|_| self.skip_restoration_unit(kind, plane));
        }
    }

    fn skip_restoration_unit(&mut self, kind: Restoration, plane: usize) {
        let kind = match kind {
            Restoration::Any => match self.symbols.symbol(&mut self.modes.restoration) {
                0 => None,
                1 => Some(Restoration::Wiener),
                _ => Some(Restoration::SelfGuided),
            },
            Restoration::Wiener => self.symbols.flag(&mut self.modes.use_wiener).then_some(kind),
            Restoration::SelfGuided => self.symbols.flag(&mut self.modes.use_self_guided).then_some(kind),
        };
        match kind {
            Some(Restoration::Wiener) => {
                for _ in 0..2 {
                    for width in u32::from(plane > 0) + 1..=3 {
                        self.symbols.skip_distance(8 << width, width);
                    }
                }
            }
            Some(_) => {
                // Sets of which one of the two filters is not used (`Sgr_Params`).
                let set = self.symbols.bits(4);
                let filters = if set < 10 { 2 } else { 1 };
                (0..filters).for_each(|_| self.symbols.skip_distance(128, 4));
            }
            None => {}
        }
    }

    fn partition(&mut self, row: usize, column: usize, level: u8) -> Result<(), Unreadable> {
        let (rows, columns) = (self.frame.block_rows(), self.frame.block_columns());
        if row >= rows || column >= columns {
            return Ok(());
        }
        let half = (1_usize << level) / 2;
        let kind = self.partition_kind(row, column, level, (row + half < rows, column + half < columns));
        let is_upright = matches!(kind, 2 | 6 | 7 | 9);
        if is_upright && self.sequence.subsampling == (1, 0) {
            return Err(Unreadable::Damaged);
        }
        let less = level - 1;
        match kind {
            0 => self.block(row, column, level, level),
            1 => {
                self.block(row, column, level, less)?;
                if row + half < rows { self.block(row + half, column, level, less) } else { Ok(()) }
            }
            2 => {
                self.block(row, column, less, level)?;
                if column + half < columns { self.block(row, column + half, less, level) } else { Ok(()) }
            }
            3 if level == 1 => {
                for (down, across) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    self.block(row + down, column + across, 0, 0)?;
                }
                Ok(())
            }
            3 => {
                for (down, across) in [(0, 0), (0, half), (half, 0), (half, half)] {
                    self.partition(row + down, column + across, less)?;
                }
                Ok(())
            }
            4 => {
                self.block(row, column, less, less)?;
                self.block(row, column + half, less, less)?;
                self.block(row + half, column, level, less)
            }
            5 => {
                self.block(row, column, level, less)?;
                self.block(row + half, column, less, less)?;
                self.block(row + half, column + half, less, less)
            }
            6 => {
                self.block(row, column, less, less)?;
                self.block(row + half, column, less, less)?;
                self.block(row, column + half, less, level)
            }
            7 => {
                self.block(row, column, less, level)?;
                self.block(row, column + half, less, less)?;
                self.block(row + half, column + half, less, less)
            }
            8 => (0..4)
                .map(|part| row + part * half / 2)
                .take_while(|row| *row < rows)
                .try_for_each(|row| self.block(row, column, level, level - 2)),
            _ => (0..4)
                .map(|part| column + part * half / 2)
                .take_while(|column| *column < columns)
                .try_for_each(|column| self.block(row, column, level - 2, level)),
        }
    }

    fn partition_kind(&mut self, row: usize, column: usize, level: u8, (has_rows, has_columns): (bool, bool)) -> usize {
        let above = usize::from(self.above.block[column] < level);
        let left = usize::from(self.left.block[row % MOST] < level);
        let row = &mut self.modes.partition[usize::from(5 - level)][above + 2 * left];
        let kinds = match level {
            5 => 8,
            1 => 4,
            _ => 10,
        };
        let row = &mut row[..kinds];
        if has_rows && has_columns {
            return self.symbols.symbol(row);
        }
        if !has_rows && !has_columns {
            return 3;
        }
        let share = |kind: usize| {
            let before = if kind == 0 { 32_768 } else { row[kind - 1] };
            before - if kind + 1 < kinds { row[kind] } else { 0 }
        };
        let others: &[usize] = if has_columns { &[2, 3, 4, 6, 7, 9] } else { &[1, 3, 4, 5, 6, 8] };
        let inverse = others.iter().filter(|kind| **kind < kinds).map(|kind| share(*kind)).sum();
        match (self.symbols.flag_of(inverse), has_columns) {
            (true, _) => 3,
            (false, true) => 1,
            (false, false) => 2,
        }
    }

    fn block(&mut self, row: usize, column: usize, across: u8, down: u8) -> Result<(), Unreadable> {
        let subsampling = self.sequence.subsampling;
        let is_first_of_two = down == 0 && subsampling.1 == 1 && row.is_multiple_of(2)
            || across == 0 && subsampling.0 == 1 && column.is_multiple_of(2);
        let has_colours = !self.sequence.is_monochrome && !is_first_of_two;
        let mut block = Block { row, column, across, down, has_colours, ..Block::default() };
        self.read_heading(&mut block);
        if self.frame.copies && self.symbols.flag(&mut self.modes.use_intrabc) {
            self.read_motion(&mut block);
            self.read_parts(&mut block);
        } else {
            self.read_modes(&mut block);
            self.read_palettes(&mut block);
            self.read_transform_size(&mut block);
        }
        if block.is_skipped {
            self.forget_residual(&block);
        }
        self.note(&block);
        if let Some(motion) = block.motion {
            self.copy(&block, motion)?;
        }
        self.transforms(&mut block)
    }

    pub(super) fn is_decoded(&self, row: usize, column: usize) -> bool {
        self.decoded.get(row).is_some_and(|bits| column < 64 && bits >> column & 1 == 1)
    }

    /// Logarithms of a block's sides in planes of colours.
    pub(super) fn colour_sides(&self, block: &Block) -> (u8, u8) {
        let (across, down) = self.sequence.subsampling;
        (block.across.saturating_sub(across as u8), block.down.saturating_sub(down as u8))
    }

    /// `reset_block_context`.
    fn forget_residual(&mut self, block: &Block) {
        let (across, down) = self.sequence.subsampling;
        for plane in 0..if block.has_colours { 3 } else { 1 } {
            let (across, down) = if plane == 0 { (0, 0) } else { (across, down) };
            let columns = block.column >> across..=(block.column + block.columns() - 1) >> across;
            let rows = (block.row % MOST) >> down..=(block.row % MOST + block.rows() - 1) >> down;
            self.above.around[plane][columns].fill(Around::default());
            self.left.around[plane][rows].fill(Around::default());
        }
    }

    /// Keeps what later blocks and the filters need to know.
    fn note(&mut self, block: &Block) {
        let (row, column) = (block.row % MOST, block.column);
        for (side, at, length, block_side, transform) in [
            (&mut self.above, column, block.columns(), block.across, block.transform.across),
            (&mut self.left, row, block.rows(), block.down, block.transform.down),
        ] {
            side.mode[at..at + length].fill(block.mode as u8);
            side.block[at..at + length].fill(block_side);
            side.transform[at..at + length].fill(Some(if block.motion.is_some() { block_side } else { transform }));
            if block.motion.is_none() {
                side.part[at..at + length].fill(transform);
            }
            side.is_skipped[at..at + length].fill(block.is_skipped);
            if let Some(palettes) = side.palettes.get_mut(at..at + length) {
                palettes.fill(block.palettes);
            }
        }
        if let Some(motions) = &mut self.canvas.motions {
            motions.note((block.row, block.column), (block.across, block.down), block.motion);
        }
        let changes = self.filter_changes;
        let change = |direction: usize| changes[if self.frame.has_many_filter_changes { direction } else { 0 }];
        let level = |direction: usize| self.frame.filter_level(direction, block.segment, change(direction));
        let place = ((block.row, block.column), (block.rows(), block.columns()));
        let notes = &mut self.canvas.notes;
        notes.levels[0].fill(place.0, place.1, level(0));
        notes.levels[1].fill(place.0, place.1, level(1));
        notes.transforms.fill(place.0, place.1, block.transform.across | block.transform.down << 4);
    }
}
