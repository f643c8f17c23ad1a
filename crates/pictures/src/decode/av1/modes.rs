//! What a block says of itself before its residual (AV1 specification, sections 5.11.5 to 5.11.25 and 5.11.46).

use super::block::{Block, MOST, Side};
use super::palette::Palette;
use super::predict::{self, LEFTMOST_DIRECTION, SMOOTH, SMOOTH_ACROSS, VERTICAL};
use super::symbols::Symbols;
use super::tile::Tile;
use super::transform::Size;

/// Mode of colours that are predicted from brightness.
const FROM_BRIGHTNESS: usize = 13;

impl Tile<'_> {
    /// Segment, whether there is a residual, and what changes from here on.
    pub(super) fn read_heading(&mut self, block: &mut Block) {
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

    pub(super) fn read_modes(&mut self, block: &mut Block) {
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

    /// Palettes, recursive filters, and which pixel has which colour.
    pub(super) fn read_palettes(&mut self, block: &mut Block) {
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

    pub(super) fn read_transform_size(&mut self, block: &mut Block) {
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
