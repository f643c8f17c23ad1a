//! Palettes: blocks of few colours, as screens have (AV1 specification, sections 5.11.46 to 5.11.50).

use super::probabilities::Modes;
use super::symbols::Symbols;

/// Colours of a block in one plane, in order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Palette {
    colours: [u16; 8],
    pub(super) length: usize,
}

impl Palette {
    pub(super) fn colours(&self) -> &[u16] {
        &self.colours[..self.length.min(8)]
    }

    /// Reads the colours of brightness, or of the first of the other two planes.
    pub(super) fn read(
        symbols: &mut Symbols<'_>,
        modes: &mut Modes,
        plane: usize,
        (context, depth): (usize, u32),
        (above, left): (&Self, &Self),
    ) -> Self {
        let length = symbols.symbol(&mut modes.palette_size[plane & 1][context.min(6)]) + 2;
        let mut colours = [0_u16; 8];
        let mut count = 0;
        for colour in known(above, left) {
            if count >= length {
                break;
            }
            if symbols.bit() == 1 {
                colours[count] = colour;
                count += 1;
            }
        }
        let most = (1 << depth) - 1;
        let least = u32::from(plane == 0);
        if count < length {
            colours[count] = symbols.bits(depth) as u16;
            count += 1;
        }
        if count < length {
            let mut bits = depth - 3 + symbols.bits(2);
            while count < length {
                let before = u32::from(colours[count - 1]);
                let colour = (before + symbols.bits(bits) + least).min(most);
                colours[count] = colour as u16;
                count += 1;
                let range = most + 1 - colour - least;
                bits = bits.min(if range < 2 { 0 } else { (range - 1).ilog2() + 1 });
            }
        }
        colours[..length].sort_unstable();
        Self { colours, length }
    }

    /// Reads over the colours of the third plane.
    pub(super) fn skip_last(&self, symbols: &mut Symbols<'_>, depth: u32) {
        if symbols.bit() == 0 {
            symbols.bits(depth * self.length as u32);
            return;
        }
        let bits = depth - 4 + symbols.bits(2);
        symbols.bits(depth);
        for _ in 1..self.length {
            if symbols.bits(bits) != 0 {
                symbols.bit();
            }
        }
    }

    /// Reads which pixel of a block has which colour; `shown` is how much of the block is in the picture.
    pub(super) fn map(
        &self,
        symbols: &mut Symbols<'_>,
        modes: &mut Modes,
        plane: usize,
        (width, height): (usize, usize),
        shown: (usize, usize),
    ) -> Vec<u8> {
        let mut map = vec![0_u8; width * height];
        let rows = &mut modes.palette_colour[plane & 1][self.length.clamp(2, 8) - 2];
        map[0] = symbols.below(self.length as u32) as u8;
        for sum in 1..shown.0 + shown.1 - 1 {
            let columns = (sum + 1).saturating_sub(shown.1)..=sum.min(shown.0 - 1);
            for x in columns.rev() {
                let y = sum - x;
                let (order, context) = order(&map, width, x, y);
                let colour = symbols.symbol(&mut rows[context][..self.length]);
                map[y * width + x] = order[colour & 7];
            }
        }
        if shown.0 < width {
            for row in map.chunks_exact_mut(width).take(shown.1) {
                let last = row[shown.0 - 1];
                row[shown.0..].fill(last);
            }
        }
        let last = map[(shown.1 - 1) * width..shown.1 * width].to_vec();
        map.chunks_exact_mut(width).skip(shown.1).for_each(|row| row.copy_from_slice(&last));
        map
    }
}

/// Colours of the palettes above and on the left, in order and each once (`get_palette_cache`).
fn known(above: &Palette, left: &Palette) -> Vec<u16> {
    let mut all: Vec<u16> = above.colours().iter().chain(left.colours()).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Colours by how likely a pixel has them, and the context (`get_palette_color_context`).
fn order(map: &[u8], width: usize, x: usize, y: usize) -> ([u8; 8], usize) {
    let at = y * width + x;
    let mut scores = [0_u8; 8];
    let mut add = |is_there: bool, back: usize, score: u8| {
        if is_there {
            scores[usize::from(map[at - back] & 7)] += score;
        }
    };
    add(x > 0, 1, 2);
    add(x > 0 && y > 0, width + 1, 1);
    add(y > 0, width, 2);
    let mut order = [0, 1, 2, 3, 4, 5, 6, 7];
    order.sort_by_key(|colour| std::cmp::Reverse(scores[usize::from(*colour)]));
    let ranked = |rank: usize| usize::from(scores[usize::from(order[rank])]);
    let context = match ranked(0) + 2 * ranked(1) + 2 * ranked(2) {
        2 => 0,
        5 => 4,
        6 => 3,
        7 => 2,
        _ => 1,
    };
    (order, context)
}
