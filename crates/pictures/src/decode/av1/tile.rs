//! The blocks of a tile (AV1 specification, sections 5.11.2 to 5.11.34): brightness is decoded, colours are read over.

use super::copies::{self, Motion, Motions};
use super::header::{Frame, Restoration, Sequence};
use super::notes::Notes;
use super::palette::Palette;
use super::plane::Plane;
use super::predict::{self, Known, LEFTMOST_DIRECTION, Mode, SMOOTH, SMOOTH_ACROSS, VERTICAL};
use super::probabilities::{COEFFICIENTS, Coefficients, MODES, Modes};
use super::residual::{Around, Place, Residual};
use super::symbols::Symbols;
use super::tables::{AC_QUANTISER, DC_QUANTISER};
use super::transform::{Kind, Size, Type, inverse, inverse_lossless};
use super::weights::Weights;
use crate::decode::Unreadable;

/// Mode of colours that are predicted from brightness.
const FROM_BRIGHTNESS: usize = 13;
/// Blocks of 4 pixels in the largest superblock.
const MOST: usize = 32;

/// What the blocks above, or on the left, tell of themselves, by blocks of 4 pixels.
struct Side {
    mode: Vec<u8>,
    /// Logarithm of the block's side, and of its transform's.
    block: Vec<u8>,
    transform: Vec<Option<u8>>,
    /// The same as blocks that are copied are asked for.
    part: Vec<u8>,
    is_skipped: Vec<bool>,
    palettes: Vec<[Palette; 2]>,
    around: [Vec<Around>; 3],
}

impl Side {
    fn new(length: usize, has_palettes: bool) -> Self {
        Self {
            mode: vec![0; length],
            block: vec![7; length],
            transform: vec![None; length],
            part: vec![4; length],
            is_skipped: vec![false; length],
            palettes: vec![Default::default(); if has_palettes { length } else { 0 }],
            around: std::array::from_fn(|_| vec![Around::default(); length]),
        }
    }

    /// As at the edge of a tile.
    fn clear(&mut self) {
        self.mode.fill(0);
        self.block.fill(7);
        self.transform.fill(None);
        self.part.fill(4);
        self.is_skipped.fill(false);
        self.palettes.fill(Default::default());
        self.around.iter_mut().for_each(|around| around.fill(Around::default()));
    }

    fn palette(&self, at: usize, plane: usize) -> Palette {
        self.palettes.get(at).map(|both| both[plane & 1]).unwrap_or_default()
    }
}

/// A block as it is read.
#[derive(Clone, Default)]
struct Block {
    row: usize,
    column: usize,
    /// Logarithms of the sides, of blocks of 4 pixels.
    across: u8,
    down: u8,
    has_colours: bool,
    segment: usize,
    is_skipped: bool,
    is_lossless: bool,
    mode: usize,
    turn: i32,
    filter: Option<usize>,
    is_beside_smooth: bool,
    colour_mode: usize,
    palettes: [Palette; 2],
    /// Which pixel has which colour.
    map: Vec<u8>,
    transform: Size,
    /// Where it is copied from, and then its transforms and which each is.
    motion: Option<Motion>,
    leaves: Vec<(usize, usize, Size)>,
    kinds: Vec<Type>,
}

impl Block {
    fn columns(&self) -> usize {
        1 << self.across
    }

    fn rows(&self) -> usize {
        1 << self.down
    }

    /// Keeps which transform there is at a place, for that of colours.
    fn keep_kind(&mut self, (x, y): (usize, usize), size: Size, kind: Type) {
        let (columns, end) = (self.columns(), self.columns().min(x + (1 << size.across)));
        for line in self.kinds.chunks_exact_mut(columns).skip(y).take(1 << size.down) {
            line[x.min(end)..end].fill(kind);
        }
    }

    /// `compute_tx_type` of colours: that of brightness at the same place where blocks are copied, else the mode's.
    fn kind_of_colours(&self, size: Size, (x, y): (usize, usize)) -> Type {
        if self.is_lossless {
            return Type::COSINES;
        }
        if self.motion.is_none() {
            return if size.most() > 2 { Type::COSINES } else { of_mode(self.colour_mode) };
        }
        let kind = self.kinds.get(y * self.columns() + x).copied().unwrap_or(Type::COSINES);
        let ways = [kind.down, kind.across];
        let (identities, cosines) = (
            ways.iter().filter(|way| **way == Kind::Identity).count(),
            ways.iter().filter(|way| **way == Kind::Cosine).count(),
        );
        let is_allowed = match (size.most(), size.least()) {
            (3.., _) => identities == 2,
            (_, 2) => identities != 1 || cosines == 1,
            _ => true,
        };
        if is_allowed { kind } else { Type::COSINES }
    }

    /// Index in the order of tables that go by block size: from 128 by 128 down to 4 by 4.
    fn size_index(&self) -> usize {
        const SIZES: [(u8, u8); 22] = [
            (5, 5),
            (5, 4),
            (4, 5),
            (4, 4),
            (4, 3),
            (4, 2),
            (3, 4),
            (3, 3),
            (3, 2),
            (3, 1),
            (2, 4),
            (2, 3),
            (2, 2),
            (2, 1),
            (2, 0),
            (1, 3),
            (1, 2),
            (1, 1),
            (1, 0),
            (0, 2),
            (0, 1),
            (0, 0),
        ];
        SIZES.iter().position(|size| *size == (self.across, self.down)).unwrap_or(0)
    }
}

/// What tiles are decoded into.
pub(super) struct Canvas {
    pub(super) plane: Plane,
    pub(super) notes: Notes,
    /// Where the picture has blocks that are copied.
    pub(super) motions: Option<Motions>,
}

/// Decodes one tile.
pub(super) struct Tile<'t> {
    sequence: &'t Sequence,
    frame: &'t Frame,
    canvas: &'t mut Canvas,
    weights: &'t Weights,
    symbols: Symbols<'t>,
    modes: Modes,
    coefficients: Coefficients,
    residual: Residual,
    /// What a transform adds to the prediction.
    added: Vec<i32>,
    above: Side,
    left: Side,
    /// Blocks of 4 pixels: the tile's first and the one behind its last.
    rows: (usize, usize),
    columns: (usize, usize),
    /// Which blocks of 4 pixels of the superblock are decoded, from one above and one on the left.
    decoded: [u64; MOST + 2],
    quantiser: i32,
    filter_changes: [i32; 4],
    reads_changes: bool,
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

    /// Where a block is copied from.
    fn read_motion(&mut self, block: &mut Block) {
        let mask = if self.sequence.has_large_superblocks { 31 } else { 15 };
        let place = copies::Place {
            row: block.row,
            column: block.column,
            across: block.across,
            down: block.down,
            rows: self.rows,
            columns: self.columns,
            knows_above_right: self.is_decoded(block.row & mask, (block.column & mask) + block.columns() + 1),
            level: if self.sequence.has_large_superblocks { 5 } else { 4 },
        };
        let expected = self.canvas.motions.as_ref().map(|motions| motions.expected(&place)).unwrap_or_default();
        block.motion = Some(copies::read(&mut self.symbols, &mut self.modes, expected));
        block.kinds = vec![Type::COSINES; block.columns() * block.rows()];
    }

    /// `read_block_tx_size` of a copied block.
    fn read_parts(&mut self, block: &mut Block) {
        let most = Size { across: block.across.min(4), down: block.down.min(4) };
        block.transform = if block.is_lossless { Size::default() } else { most };
        let is_parted = self.frame.selects_transforms && !block.is_skipped && block.transform.most() > 0;
        for y in (0..block.rows()).step_by(1 << block.transform.down) {
            for x in (0..block.columns()).step_by(1 << block.transform.across) {
                if is_parted {
                    self.read_part(block, (x, y), block.transform, 0);
                } else {
                    block.leaves.push((x, y, block.transform));
                }
            }
        }
        if !is_parted {
            let sides = if block.is_skipped { (block.across, block.down) } else { (most.across, most.down) };
            let (column, row) = (block.column, block.row % MOST);
            self.above.part[column..column + block.columns()].fill(sides.0);
            self.left.part[row..row + block.rows()].fill(sides.1);
        }
    }

    /// `read_var_tx_size`.
    fn read_part(&mut self, block: &mut Block, (x, y): (usize, usize), size: Size, depth: usize) {
        let (column, row) = (block.column + x, block.row + y);
        if column >= self.frame.block_columns() || row >= self.frame.block_rows() {
            return;
        }
        let (in_left, wide, high) = (row % MOST, 1 << size.across, 1 << size.down);
        let mut is_split = false;
        if depth < 2 && size.most() > 0 {
            let context =
                usize::from(self.above.part[column] < size.across) + usize::from(self.left.part[in_left] < size.down);
            let row = (2 * (4 - size.most())).saturating_sub(depth).min(6);
            is_split = self.symbols.flag(&mut self.modes.tx_split[row][context]);
        }
        let part = if is_split { size.split() } else { size };
        if is_split && size.most() > 1 {
            for y_part in (0..high).step_by(1 << part.down) {
                for x_part in (0..wide).step_by(1 << part.across) {
                    self.read_part(block, (x + x_part, y + y_part), part, depth + 1);
                }
            }
            return;
        }
        self.above.part[column..column + wide].fill(part.across);
        self.left.part[in_left..in_left + high].fill(part.down);
        for y_part in (0..high).step_by(1 << part.down) {
            for x_part in (0..wide).step_by(1 << part.across) {
                block.leaves.push((x + x_part, y + y_part, part));
            }
        }
    }

    /// Copies what is to be in the tile, and decoded: nothing of this superblock or of later ones.
    fn copy(&mut self, block: &Block, (down, across): Motion) -> Result<(), Unreadable> {
        let (left, top) = (4 * block.column as i32 + (across >> 3), 4 * block.row as i32 + (down >> 3));
        let (right, bottom) = (left + 4 * block.columns() as i32, top + 4 * block.rows() as i32);
        let level = if self.sequence.has_large_superblocks { 7 } else { 6 };
        let start = |at: usize| (4 * at as i32) & -(1 << level);
        let (here, line) = (start(block.column), start(block.row));
        let end = 4 * self.columns.1.next_multiple_of(block.columns()) as i32;
        let is_inside = left >= 4 * self.columns.0 as i32 && top >= 4 * self.rows.0 as i32 && right <= end;
        let is_decoded = bottom <= line || right <= here && bottom <= line + (1 << level);
        if !is_inside || !is_decoded {
            return Err(Unreadable::Damaged);
        }
        let width = 4 * block.columns();
        for y in 0..4 * block.rows() {
            let from = self.canvas.plane.run(left as usize, top as usize + y, width).to_vec();
            self.canvas.plane.run_mut(4 * block.column, 4 * block.row + y, width).copy_from_slice(&from);
        }
        Ok(())
    }

    fn is_decoded(&self, row: usize, column: usize) -> bool {
        self.decoded.get(row).is_some_and(|bits| column < 64 && bits >> column & 1 == 1)
    }

    /// Segment, whether there is a residual, and what changes from here on.
    fn read_heading(&mut self, block: &mut Block) {
        let frame = self.frame;
        if frame.has_segments() && frame.segments_come_first {
            self.read_segment(block);
        }
        block.is_skipped = if frame.segments_come_first && frame.segment(block.segment).is_skipped {
            true
        } else {
            let context =
                usize::from(self.above.is_skipped[block.column]) + usize::from(self.left.is_skipped[block.row % MOST]);
            self.symbols.flag(&mut self.modes.skip[context])
        };
        if frame.has_segments() && !frame.segments_come_first {
            self.read_segment(block);
        }
        block.is_lossless = frame.is_lossless(block.segment);
        self.read_cdef(block);
        self.read_changes(block);
    }

    fn read_segment(&mut self, block: &mut Block) {
        let segments = &self.canvas.notes.segments;
        let at = |row: usize, column: usize| segments.get(row, column);
        let (has_above, has_left) = (block.row > self.rows.0, block.column > self.columns.0);
        let above = has_above.then(|| at(block.row - 1, block.column));
        let left = has_left.then(|| at(block.row, block.column - 1));
        let corner = (has_above && has_left).then(|| at(block.row - 1, block.column - 1));
        let predicted = match (above, left) {
            (Some(above), Some(left)) => {
                if corner == Some(above) {
                    above
                } else {
                    left
                }
            }
            (one, other) => one.or(other).unwrap_or(0),
        };
        let context = match corner {
            Some(_) if above == left && left == corner => 2,
            Some(_) if above == left || above == corner || left == corner => 1,
            _ => 0,
        };
        block.segment = if block.is_skipped {
            usize::from(predicted)
        } else {
            let difference = self.symbols.symbol(&mut self.modes.segment[context]) as i32;
            let count = self.frame.last_segment as i32 + 1;
            let segment = beside(difference, i32::from(predicted), count);
            if (0..count).contains(&segment) { segment as usize } else { 0 }
        };
        let (rows, columns) = (block.rows(), block.columns());
        self.canvas.notes.segments.fill((block.row, block.column), (rows, columns), block.segment as u8);
    }

    /// Reads over the strength of the enhancement filter, which comes once for each 64 by 64 pixels.
    fn read_cdef(&mut self, block: &Block) {
        let Some(bits) = self.frame.cdef_bits else { return };
        if block.is_skipped || self.canvas.notes.strengths.get(block.row / 16, block.column / 16) == 1 {
            return;
        }
        self.symbols.bits(bits);
        let (rows, columns) = (block.rows().div_ceil(16), block.columns().div_ceil(16));
        self.canvas.notes.strengths.fill((block.row / 16, block.column / 16), (rows, columns), 1);
    }

    fn read_changes(&mut self, block: &Block) {
        let reads = std::mem::replace(&mut self.reads_changes, false);
        let level = if self.sequence.has_large_superblocks { 5 } else { 4 };
        let is_whole = block.across == level && block.down == level;
        let Some(shift) = self.frame.quantiser_shift.filter(|_| reads && !(is_whole && block.is_skipped)) else {
            return;
        };
        let change = read_change(&mut self.symbols, &mut self.modes.delta_q);
        self.quantiser = (self.quantiser + (change << shift)).clamp(1, 255);
        let Some(shift) = self.frame.filter_shift else { return };
        let is_many = self.frame.has_many_filter_changes;
        let count = match (is_many, self.sequence.is_monochrome) {
            (false, _) => 1,
            (true, true) => 2,
            (true, false) => 4,
        };
        for index in 0..count {
            let change = read_change(&mut self.symbols, &mut self.modes.delta_lf[index + usize::from(is_many)]);
            self.filter_changes[index] = (self.filter_changes[index] + (change << shift)).clamp(-63, 63);
        }
    }

    fn read_modes(&mut self, block: &mut Block) {
        const CONTEXTS: [u8; 13] = [0, 1, 2, 3, 4, 4, 4, 4, 3, 0, 1, 2, 0];
        let context = |mode: u8| usize::from(CONTEXTS[usize::from(mode).min(12)]);
        let is_smooth = |mode: u8| (SMOOTH..=SMOOTH_ACROSS).contains(&usize::from(mode));
        let (above, left) = (self.above.mode[block.column], self.left.mode[block.row % MOST]);
        block.is_beside_smooth = is_smooth(above) || is_smooth(left);
        let (above, left) = (context(above), context(left));
        block.mode = self.symbols.symbol(&mut self.modes.y_mode[above][left]);
        let turns = block.across + block.down >= 2;
        block.turn = self.read_turn(block.mode, turns);
        if !block.has_colours {
            return;
        }
        let (across, down) = self.colour_sides(block);
        let may_follow = if block.is_lossless { across + down == 0 } else { block.across.max(block.down) <= 3 };
        let row = &mut self.modes.uv_mode[usize::from(may_follow)][block.mode];
        block.colour_mode = self.symbols.symbol(&mut row[..if may_follow { 14 } else { 13 }]);
        if block.colour_mode == FROM_BRIGHTNESS {
            let signs = self.symbols.symbol(&mut self.modes.cfl_sign) + 1;
            for (one, other) in [(signs / 3, signs % 3), (signs % 3, signs / 3)] {
                if one != 0 {
                    self.symbols.symbol(&mut self.modes.cfl_alpha[(one - 1) * 3 + other]);
                }
            }
        }
        self.read_turn(block.colour_mode, turns);
    }

    fn read_turn(&mut self, mode: usize, turns: bool) -> i32 {
        if turns && (VERTICAL..=LEFTMOST_DIRECTION).contains(&mode) {
            self.symbols.symbol(&mut self.modes.angle_delta[mode - VERTICAL]) as i32 - 3
        } else {
            0
        }
    }

    /// Logarithms of a block's sides in planes of colours.
    fn colour_sides(&self, block: &Block) -> (u8, u8) {
        let (across, down) = self.sequence.subsampling;
        (block.across.saturating_sub(across as u8), block.down.saturating_sub(down as u8))
    }

    /// Palettes, recursive filters, and which pixel has which colour.
    fn read_palettes(&mut self, block: &mut Block) {
        let (across, down) = (block.across, block.down);
        if self.frame.has_screen_content && across.max(down) <= 4 && across + down >= 2 {
            self.read_colours(block);
        }
        let may_filter = block.mode == predict::DC && block.palettes[0].length == 0 && across.max(down) <= 3;
        if self.sequence.filters_intra && may_filter {
            let row = &mut self.modes.use_filter_intra[block.size_index()];
            block.filter = self.symbols.flag(row).then(|| self.symbols.symbol(&mut self.modes.filter_intra));
        }
        let columns = block.columns().min(self.frame.block_columns() - block.column);
        let rows = block.rows().min(self.frame.block_rows() - block.row);
        for plane in 0..2 {
            let palette = block.palettes[plane];
            if palette.length == 0 {
                continue;
            }
            let (less_across, less_down) = if plane == 0 { (0, 0) } else { self.sequence.subsampling };
            let of_plane = |side: usize, less: usize| 4 * ((side + less) >> less);
            let sides = (of_plane(block.columns(), less_across), of_plane(block.rows(), less_down));
            let shown = (of_plane(columns, less_across), of_plane(rows, less_down));
            let map = palette.map(&mut self.symbols, &mut self.modes, plane, sides, shown);
            if plane == 0 {
                block.map = map;
            }
        }
    }

    fn read_colours(&mut self, block: &mut Block) {
        let depth = self.sequence.depth;
        let context = usize::from(block.across + block.down) - 2;
        let of = |side: &Side, at: usize, plane: usize| side.palette(at, plane);
        let (column, row) = (block.column, block.row % MOST);
        // Palettes above another row of 64 pixels are not kept.
        let above = |tile: &Self, plane: usize| {
            if block.row.is_multiple_of(16) { Palette::default() } else { of(&tile.above, column, plane) }
        };
        if block.mode == predict::DC {
            let around =
                usize::from(of(&self.above, column, 0).length > 0) + usize::from(of(&self.left, row, 0).length > 0);
            if self.symbols.flag(&mut self.modes.has_palette_y[context.min(6)][around]) {
                let known = (&above(self, 0), &of(&self.left, row, 0));
                block.palettes[0] = Palette::read(&mut self.symbols, &mut self.modes, 0, (context, depth), known);
            }
        }
        if block.has_colours && block.colour_mode == predict::DC {
            let has_other = usize::from(block.palettes[0].length > 0);
            if self.symbols.flag(&mut self.modes.has_palette_uv[has_other]) {
                let known = (&above(self, 1), &of(&self.left, row, 1));
                block.palettes[1] = Palette::read(&mut self.symbols, &mut self.modes, 1, (context, depth), known);
                block.palettes[1].skip_last(&mut self.symbols, depth);
            }
        }
    }

    fn read_transform_size(&mut self, block: &mut Block) {
        if block.is_lossless {
            return;
        }
        let mut size = Size { across: block.across.min(4), down: block.down.min(4) };
        if self.frame.selects_transforms && size.most() > 0 {
            let reaches = |before: Option<u8>, side: u8| usize::from(before.is_some_and(|before| before >= side));
            let context = reaches(self.above.transform[block.column], size.across)
                + reaches(self.left.transform[block.row % MOST], size.down);
            let row = &mut self.modes.tx_depth[size.most() - 1][context];
            let depths = size.most().min(2) + 1;
            for _ in 0..self.symbols.symbol(&mut row[..depths]) {
                size = size.split();
            }
        }
        block.transform = size;
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

    /// `residual`: in parts of at most 64 pixels, plane by plane.
    fn transforms(&mut self, block: &mut Block) -> Result<(), Unreadable> {
        let (across, down) = self.sequence.subsampling;
        let (wide, high) = self.colour_sides(block);
        let colour = if block.is_lossless { Size::default() } else { Size { across: wide.min(3), down: high.min(3) } };
        for part_row in (0..block.rows()).step_by(16) {
            for part_column in (0..block.columns()).step_by(16) {
                self.brightness_of_part(block, (part_column, part_row))?;
                if !block.has_colours || block.is_skipped {
                    continue;
                }
                for plane in 1..3 {
                    let rows = part_row >> down..(1 << high).min((part_row + 16) >> down).max((part_row >> down) + 1);
                    for y in rows.step_by(1 << colour.down) {
                        let first = part_column >> across;
                        let columns = first..(1 << wide).min((part_column + 16) >> across).max(first + 1);
                        for x in columns.step_by(1 << colour.across) {
                            self.colours(block, plane, colour, (x, y))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Transforms of brightness in a part of 64 by 64 pixels.
    fn brightness_of_part(&mut self, block: &mut Block, (column, row): (usize, usize)) -> Result<(), Unreadable> {
        if block.motion.is_some() {
            let leaves = std::mem::take(&mut block.leaves);
            for (x, y, size) in &leaves {
                if x & !15 == column && y & !15 == row {
                    self.brightness(block, *size, (*x, *y))?;
                }
            }
            block.leaves = leaves;
            return Ok(());
        }
        let size = block.transform;
        for y in (row..block.rows().min(row + 16)).step_by(1 << size.down) {
            for x in (column..block.columns().min(column + 16)).step_by(1 << size.across) {
                self.brightness(block, size, (x, y))?;
            }
        }
        Ok(())
    }

    /// Predicts a transform's place and adds its residual.
    fn brightness(&mut self, block: &mut Block, size: Size, (x, y): (usize, usize)) -> Result<(), Unreadable> {
        let (column, row) = (block.column + x, block.row + y);
        if column >= self.frame.block_columns() || row >= self.frame.block_rows() {
            return Ok(());
        }
        if block.motion.is_none() {
            self.predict(block, (x, y), (column, row));
        }
        let mask = if self.sequence.has_large_superblocks { 31 } else { 15 };
        let done = ((1_u64 << (1 << size.across)) - 1) << ((column & mask) + 1);
        for decoded in self.decoded.iter_mut().skip((row & mask) + 1).take(1 << size.down) {
            *decoded |= done;
        }
        if block.is_skipped {
            return Ok(());
        }
        let sides = (block.columns(), block.rows());
        let place = Place {
            is_colour: false,
            size,
            block: sides,
            above: &self.above.around[0][column..column + (1 << size.across)],
            left: &self.left.around[0][row % MOST..row % MOST + (1 << size.down)],
        };
        let mut around = Around::default();
        if !Residual::is_empty(&mut self.symbols, &mut self.coefficients, &place) {
            let kind = transform_type(&mut self.symbols, &mut self.modes, self.frame, block, size);
            block.keep_kind((x, y), size, kind);
            around = self.residual.read(&mut self.symbols, &mut self.coefficients, &place, kind)?;
            self.add(block, kind, size, (column, row));
        }
        self.tell(0, around, size, (column, row), (self.frame.block_columns(), self.frame.block_rows()));
        Ok(())
    }

    fn predict(&mut self, block: &Block, (x, y): (usize, usize), (column, row): (usize, usize)) {
        let size = block.transform;
        let palette = &block.palettes[0];
        if palette.length > 0 {
            let width = 4 << block.across;
            for line in 0..size.height() {
                let from = (4 * y + line) * width + 4 * x;
                let place = self.canvas.plane.run_mut(4 * column, 4 * row + line, size.width());
                for (sample, index) in place.iter_mut().zip(block.map.get(from..).unwrap_or_default()) {
                    *sample = palette.colours().get(usize::from(*index)).copied().unwrap_or(0);
                }
            }
            return;
        }
        let mask = if self.sequence.has_large_superblocks { 31 } else { 15 };
        let (in_column, in_row) = (column & mask, row & mask);
        let known = Known {
            left: column > self.columns.0,
            above: row > self.rows.0,
            above_right: self.is_decoded(in_row, in_column + (1 << size.across) + 1),
            below_left: self.is_decoded(in_row + (1 << size.down) + 1, in_column),
            end: (4 * self.frame.block_columns(), 4 * self.frame.block_rows()),
        };
        let mode = Mode {
            kind: block.mode,
            turn: block.turn,
            filter: block.filter,
            filters_edges: self.sequence.filters_edges,
            is_beside_smooth: block.is_beside_smooth,
        };
        predict::predict(&mut self.canvas.plane, (4 * column, 4 * row), size, mode, known, self.sequence.depth);
    }

    /// Dequantises what was read (section 7.12.3), transforms it back and adds it.
    fn add(&mut self, block: &Block, kind: Type, size: Size, (column, row): (usize, usize)) {
        let depth = self.sequence.depth;
        let table = (depth as usize - 8) / 2;
        let quantiser = self.frame.quantiser_of(block.segment, self.quantiser);
        let first = u64::from(DC_QUANTISER[table][self.frame.dc_index(quantiser)]);
        let other = u64::from(AC_QUANTISER[table][quantiser.clamp(0, 255) as usize]);
        let matrix = self.frame.matrix_of(block.segment).filter(|_| kind.is_weighted());
        let shift = (size.least() + size.most()).div_ceil(2).saturating_sub(2);
        let (width, _) = size.coded();
        let bound = 1_i64 << (depth + 7);
        for (index, (x, y)) in self.residual.places.iter().enumerate() {
            let value = &mut self.residual.values[usize::from(*y) * width + usize::from(*x)];
            if *value == 0 {
                continue;
            }
            let mut factor = if index == 0 { first } else { other };
            if let Some(level) = matrix {
                factor = (factor * u64::from(self.weights.of(level, size, (*x, *y))) + 16) >> 5;
            }
            let size = ((u64::from(value.unsigned_abs()) * factor) & 0xFF_FFFF) >> shift;
            *value = (i64::from(value.signum()) * size as i64).clamp(-bound, bound - 1) as i32;
        }
        if block.is_lossless {
            inverse_lossless(&self.residual.values, &mut self.added);
        } else {
            inverse(&self.residual.values, kind, size, depth, &mut self.added);
        }
        let most = (1 << depth) - 1;
        for (line, added) in self.added.chunks_exact(size.width()).take(size.height()).enumerate() {
            let place = self.canvas.plane.run_mut(4 * column, 4 * row + line, size.width());
            for (sample, added) in place.iter_mut().zip(added) {
                *sample = i32::from(*sample).saturating_add(*added).clamp(0, most) as u16;
            }
        }
    }

    /// Reads over a transform of colours.
    fn colours(&mut self, block: &Block, plane: usize, size: Size, (x, y): (usize, usize)) -> Result<(), Unreadable> {
        let (across, down) = self.sequence.subsampling;
        let (column, row) = ((block.column >> across) + x, (block.row >> down) + y);
        let end = (self.frame.block_columns().div_ceil(1 << across), self.frame.block_rows().div_ceil(1 << down));
        if column >= end.0 || row >= end.1 {
            return Ok(());
        }
        let in_left = ((block.row % MOST) >> down) + y;
        let (wide, high) = self.colour_sides(block);
        let place = Place {
            is_colour: true,
            size,
            block: (1 << wide, 1 << high),
            above: &self.above.around[plane][column..column + (1 << size.across)],
            left: &self.left.around[plane][in_left..in_left + (1 << size.down)],
        };
        let mut around = Around::default();
        if !Residual::is_empty(&mut self.symbols, &mut self.coefficients, &place) {
            let kind = block.kind_of_colours(size, (x << across, y << down));
            around = self.residual.read(&mut self.symbols, &mut self.coefficients, &place, kind)?;
        }
        self.tell(plane, around, size, (column, row), end);
        Ok(())
    }

    /// Tells later transforms of this one, as far as it is in the picture.
    fn tell(&mut self, plane: usize, around: Around, size: Size, (column, row): (usize, usize), end: (usize, usize)) {
        let rows_in_side = if plane == 0 { MOST } else { MOST >> self.sequence.subsampling.1 };
        let in_left = row % rows_in_side;
        for (x, place) in self.above.around[plane].iter_mut().skip(column).take(1 << size.across).enumerate() {
            *place = if column + x < end.0 { around } else { Around::default() };
        }
        for (y, place) in self.left.around[plane].iter_mut().skip(in_left).take(1 << size.down).enumerate() {
            *place = if row + y < end.1 { around } else { Around::default() };
        }
    }
}

/// `transform_type`: of transforms of brightness.
fn transform_type(symbols: &mut Symbols<'_>, modes: &mut Modes, frame: &Frame, block: &Block, size: Size) -> Type {
    use Kind::{Cosine, Identity, Sine};
    const FIVE: [(Kind, Kind); 5] =
        [(Identity, Identity), (Cosine, Cosine), (Sine, Sine), (Sine, Cosine), (Cosine, Sine)];
    const SEVEN: [(Kind, Kind); 7] = [
        (Identity, Identity),
        (Cosine, Cosine),
        (Cosine, Identity),
        (Identity, Cosine),
        (Sine, Sine),
        (Sine, Cosine),
        (Cosine, Sine),
    ];
    /// Modes that recursive filters count as.
    const OF_FILTER: [usize; 5] = [0, 1, 2, 6, 0];
    let is_told = frame.quantiser_of(block.segment, frame.quantiser) > 0;
    if block.motion.is_some() && !block.is_lossless && is_told {
        return type_of_copy(symbols, modes, frame, size);
    }
    if block.is_lossless || size.most() > 2 || !is_told {
        return Type::COSINES;
    }
    let mode = block.filter.map_or(block.mode, |filter| OF_FILTER[filter.min(4)]);
    let (down, across) = if frame.has_few_transforms || size.least() == 2 {
        FIVE[symbols.symbol(&mut modes.tx_type_5[size.least()][mode])]
    } else {
        SEVEN[symbols.symbol(&mut modes.tx_type_7[size.least()][mode])]
    };
    Type { down, across }
}

/// The same of a copied block.
fn type_of_copy(symbols: &mut Symbols<'_>, modes: &mut Modes, frame: &Frame, size: Size) -> Type {
    use Kind::{Cosine, Identity, Mirrored, Sine};
    const BOTH_WAYS: [(Kind, Kind); 9] = [
        (Cosine, Cosine),
        (Sine, Cosine),
        (Cosine, Sine),
        (Mirrored, Cosine),
        (Cosine, Mirrored),
        (Sine, Sine),
        (Mirrored, Mirrored),
        (Sine, Mirrored),
        (Mirrored, Sine),
    ];
    const ONE_WAY: [(Kind, Kind); 7] = [
        (Identity, Identity),
        (Cosine, Identity),
        (Identity, Cosine),
        (Sine, Identity),
        (Identity, Sine),
        (Mirrored, Identity),
        (Identity, Mirrored),
    ];
    let pick = |index: usize, one_way: usize| match index.checked_sub(one_way) {
        Some(index) => BOTH_WAYS[index.min(8)],
        None => ONE_WAY[index.min(6)],
    };
    let (down, across) = match (size.least(), size.most()) {
        (_, 4..) => (Cosine, Cosine),
        (least, most) if frame.has_few_transforms || most == 3 => {
            if symbols.flag(&mut modes.tx_type_2[least]) {
                (Cosine, Cosine)
            } else {
                (Identity, Identity)
            }
        }
        (2, _) => pick(symbols.symbol(&mut modes.tx_type_12), 3),
        (least, _) => pick(symbols.symbol(&mut modes.tx_type_16[least]), 7),
    };
    Type { down, across }
}

/// `Mode_To_Txfm`: the transform of colours.
fn of_mode(mode: usize) -> Type {
    let (down, across) = match mode {
        1 | 5 | 8 | 10 => (Kind::Sine, Kind::Cosine),
        2 | 6 | 7 | 11 => (Kind::Cosine, Kind::Sine),
        4 | 9 | 12 => (Kind::Sine, Kind::Sine),
        _ => (Kind::Cosine, Kind::Cosine),
    };
    Type { down, across }
}

/// A change of the quantiser or of the loop filter.
fn read_change(symbols: &mut Symbols<'_>, row: &mut [u16; 4]) -> i32 {
    let mut change = symbols.symbol(row) as i32;
    if change == 3 {
        let bits = symbols.bits(3) + 1;
        change = symbols.bits(bits) as i32 + (1 << bits) + 1;
    }
    if change != 0 && symbols.bit() == 1 { -change } else { change }
}

/// `neg_deinterleave`: a segment by its distance from another, which goes up and down by turns.
fn beside(difference: i32, other: i32, count: i32) -> i32 {
    if other == 0 {
        return difference;
    }
    if other >= count - 1 {
        return count - difference - 1;
    }
    let room = other.min(count - other - 1);
    if difference <= 2 * room {
        if difference & 1 == 1 { other + (difference + 1) / 2 } else { other - difference / 2 }
    } else if 2 * other < count {
        difference
    } else {
        count - (difference + 1)
    }
}
