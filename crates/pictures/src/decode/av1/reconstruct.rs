//! Prediction and residual of a block, transform by transform (AV1 specification, sections 5.11.34 to 5.11.39 and 7.12.3).

use super::block::{Block, MOST};
use super::kinds::transform_type;
use super::predict::{self, Known, Mode};
use super::residual::{Around, Place, Residual};
use super::tables::{AC_QUANTISER, DC_QUANTISER};
use super::tile::Tile;
use super::transform::{Size, Type, inverse, inverse_lossless};
use crate::decode::Unreadable;

impl Tile<'_> {
    /// `residual`: in parts of at most 64 pixels, plane by plane.
    pub(super) fn transforms(&mut self, block: &mut Block) -> Result<(), Unreadable> {
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
