//! Blocks that are copied from the same picture, as screens have them (`intrabc`): from where is told by its difference
//! from what blocks around say (AV1 specification, sections 5.11.26, 5.11.32 and 7.10.2).

use super::block::{Block, MOST};
use super::probabilities::Modes;
use super::symbols::Symbols;
use super::tile::Tile;
use super::transform::{Size, Type};
use crate::decode::Unreadable;

/// How far a block lies from what it is copied from: down and across, in eighths of a pixel.
pub(super) type Motion = (i32, i32);

/// What is kept of the block at a place.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    motion: Option<Motion>,
    /// Logarithms of its sides.
    across: u8,
    down: u8,
}

/// Where blocks were copied from, by blocks of 4 pixels.
pub(super) struct Motions {
    noted: Vec<Noted>,
    columns: usize,
}

/// A block that is to be copied, in blocks of 4 pixels, and its tile.
struct Place {
    row: usize,
    column: usize,
    across: u8,
    down: u8,
    /// Where the tile begins, and what is behind it.
    rows: (usize, usize),
    columns: (usize, usize),
    /// Whether the block above its right end is decoded.
    knows_above_right: bool,
    /// Logarithm of a superblock's side.
    level: u8,
}

/// What blocks around say, and how much of them.
#[derive(Default)]
struct Said(Vec<(Motion, i32)>);

impl Said {
    fn add(&mut self, noted: Noted, weight: i32) {
        let Some(motion) = noted.motion else { return };
        if let Some((_, sum)) = self.0.iter_mut().find(|(other, _)| *other == motion) {
            *sum += weight;
        } else if self.0.len() < 8 {
            self.0.push((motion, weight));
        }
    }
}

impl Motions {
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self { noted: vec![Noted::default(); rows * columns], columns }
    }

    /// Notes a block, as far as it is in the picture.
    pub(super) fn note(&mut self, (row, column): (usize, usize), (across, down): (u8, u8), motion: Option<Motion>) {
        let end = self.columns.min(column + (1 << across));
        for line in self.noted.chunks_exact_mut(self.columns.max(1)).skip(row).take(1 << down) {
            if let Some(place) = line.get_mut(column..end) {
                place.fill(Noted { motion, across, down });
            }
        }
    }

    fn at(&self, row: i32, column: i32) -> Noted {
        let inside = (0..self.columns as i32).contains(&column) && row >= 0;
        let at = inside.then(|| row as usize * self.columns + column as usize);
        at.and_then(|at| self.noted.get(at)).copied().unwrap_or_default()
    }

    /// What a motion is told as the difference from.
    fn expected(&self, place: &Place) -> Motion {
        let likely = self.around(place);
        let first = likely.iter().take(2).find(|motion| **motion != (0, 0));
        let side = 32 << place.level;
        first.copied().unwrap_or(if place.row < place.rows.0 + (1 << place.level) {
            (0, -side - 2048)
        } else {
            (-side, 0)
        })
    }

    /// What blocks around say, the likeliest first (`find_mv_stack`, of a picture that needs no other).
    fn around(&self, place: &Place) -> Vec<Motion> {
        let (row, column) = (place.row as i32, place.column as i32);
        let (wide, high) = (1_i32 << place.across, 1_i32 << place.down);
        let shown_wide = wide.min(16).min(place.columns.1 as i32 - column);
        let shown_high = high.min(16).min(place.rows.1 as i32 - row);
        let (above, left) = (place.row > place.rows.0, place.column > place.columns.0);
        let reach =
            |from: i32, start: usize, is_long: bool| ((from - start as i32 + 1) >> 1).min(2 + i32::from(is_long));
        let most_rows = if above { reach(row, place.rows.0, high > 1) } else { 0 };
        let most_columns = if left { reach(column, place.columns.0, wide > 1) } else { 0 };
        let step = |side: i32, near: i32| if side >= 16 { 4 } else { near };
        let mut said = Said::default();
        let mut seen_rows = i32::MAX;
        let mut seen_columns = i32::MAX;
        if above {
            let steps = (wide, shown_wide, most_rows, step(wide, 1));
            seen_rows = scan(&mut said, steps, |at| self.at(row - 1, column + at), false);
        }
        if left {
            let steps = (high, shown_high, most_columns, step(high, 1));
            seen_columns = scan(&mut said, steps, |at| self.at(row + at, column - 1), true);
        }
        if above && place.knows_above_right && wide.max(high) <= 16 && column + wide < place.columns.1 as i32 {
            said.add(self.at(row - 1, column + wide), 4);
        }
        let near = said.0.len();
        said.0.iter_mut().for_each(|(_, weight)| *weight += 640);
        if above && left {
            said.add(self.at(row - 1, column - 1), 4);
        }
        for distance in 2..=3 {
            if distance > seen_rows && distance <= most_rows {
                let line = (row - 2 * distance + 1) | 1;
                let steps = (wide, shown_wide, 1 + most_rows - distance, step(wide, 2));
                seen_rows += scan(&mut said, steps, |at| self.at(line, (column | 1) + at), false);
            }
            if distance > seen_columns && distance <= most_columns {
                let line = (column - 2 * distance + 1) | 1;
                let steps = (high, shown_high, 1 + most_columns - distance, step(high, 2));
                seen_columns += scan(&mut said, steps, |at| self.at((row | 1) + at, line), true);
            }
        }
        let (first, others) = said.0.split_at_mut(near);
        first.sort_by_key(|(_, weight)| -weight);
        others.sort_by_key(|(_, weight)| -weight);
        said.0.into_iter().map(|(motion, _)| motion).collect()
    }
}

/// Asks the blocks along a side of so many blocks of 4 pixels, of which some are shown; tells how many lines were seen.
fn scan(
    said: &mut Said,
    (side, shown, most, step): (i32, i32, i32, i32),
    at: impl Fn(i32) -> Noted,
    is_down: bool,
) -> i32 {
    let sides = |noted: Noted| {
        let (along, beside) = if is_down { (noted.down, noted.across) } else { (noted.across, noted.down) };
        (1_i32 << along, 1_i32 << beside)
    };
    let first = at(0);
    let (along, beside) = sides(first);
    let mut length = step.max(side.min(along));
    if side <= along {
        let weight = if side == 1 { 2 } else { (2 * most).min(beside).max(2) };
        said.add(first, length * weight);
        return weight >> 1;
    }
    let (mut noted, mut place) = (first, 0);
    loop {
        said.add(noted, length * 2);
        place += length;
        if place >= shown {
            return 1;
        }
        noted = at(place);
        length = step.max(sides(noted).0);
    }
}

/// Reads how far a motion, in whole pixels, is from what was expected.
fn read(symbols: &mut Symbols<'_>, modes: &mut Modes, expected: Motion) -> Motion {
    let joint = symbols.symbol(&mut modes.motion_joint);
    let (mut down, mut across) = expected;
    if joint & 2 != 0 {
        down += read_one_way(symbols, modes, 0);
    }
    if joint & 1 != 0 {
        across += read_one_way(symbols, modes, 1);
    }
    (down, across)
}

fn read_one_way(symbols: &mut Symbols<'_>, modes: &mut Modes, way: usize) -> i32 {
    let is_negative = symbols.flag(&mut modes.motion_sign[way]);
    let class = symbols.symbol(&mut modes.motion_class[way]);
    let pixels = if class == 0 {
        i32::from(symbols.flag(&mut modes.motion_first[way]))
    } else {
        let rows = modes.motion_bits[way].iter_mut().take(class).enumerate();
        rows.fold(1 << class, |all, (bit, row)| all | i32::from(symbols.flag(row)) << bit)
    };
    let eighths = (pixels + 1) * 8;
    if is_negative { -eighths } else { eighths }
}

impl Tile<'_> {
    /// Where a block is copied from.
    pub(super) fn read_motion(&mut self, block: &mut Block) {
        let mask = if self.sequence.has_large_superblocks { 31 } else { 15 };
        let place = Place {
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
        block.motion = Some(read(&mut self.symbols, &mut self.modes, expected));
        block.kinds = vec![Type::COSINES; block.columns() * block.rows()];
    }

    /// `read_block_tx_size` of a copied block.
    pub(super) fn read_parts(&mut self, block: &mut Block) {
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
    pub(super) fn copy(&mut self, block: &Block, (down, across): Motion) -> Result<(), Unreadable> {
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
}
