//! The arithmetic decoder of tiles (AV1 specification, section 8.2).

/// Decodes symbols and learns how often each comes.
pub(super) struct Symbols<'a> {
    data: &'a [u8],
    at: usize,
    /// What was read and not yet used, from the highest bit; inverted, as section 8.2.2 has it.
    window: u64,
    /// Bits of the window that were read.
    filled: u32,
    range: u32,
    learns: bool,
}

impl<'a> Symbols<'a> {
    pub(super) fn new(data: &'a [u8], learns: bool) -> Self {
        let mut symbols = Self { data, at: 0, window: 0, filled: 1, range: 1 << 15, learns };
        symbols.fill();
        symbols
    }

    /// Behind the end of a tile there are zeros.
    fn fill(&mut self) {
        while self.filled <= 56 {
            let byte = !self.data.get(self.at).copied().unwrap_or(0);
            self.window |= u64::from(byte) << (56 - self.filled);
            self.filled += 8;
            self.at += 1;
        }
    }

    /// Whether far more was read than there is: no encoder's tile.
    pub(super) fn is_over(&self) -> bool {
        self.at > self.data.len() + 64
    }

    fn narrow(&mut self, below: u32, above: u32) {
        self.window = self.window.wrapping_sub(u64::from(below) << 48);
        self.range = (above - below).clamp(1, 0xFFFF);
        let bits = self.range.leading_zeros() - 16;
        self.range <<= bits;
        self.window <<= bits;
        self.filled -= bits;
        if self.filled < 24 {
            self.fill();
        }
    }

    /// One of as many symbols as the row has numbers, of which the last counts its uses.
    #[inline]
    pub(super) fn symbol(&mut self, row: &mut [u16]) -> usize {
        let last = row.len() - 1;
        let value = (self.window >> 48) as u32;
        let scale = self.range >> 8;
        let (mut above, mut below, mut symbol) = (self.range, self.range, 0);
        for (index, share) in row.iter().enumerate() {
            above = below;
            let share = if index == last { 0 } else { u32::from(*share) >> 6 };
            below = ((scale * share) >> 1) + 4 * (last - index) as u32;
            symbol = index;
            if value >= below {
                break;
            }
        }
        self.narrow(below, above);
        if self.learns {
            learn(row, symbol);
        }
        symbol
    }

    /// One of two symbols.
    #[inline]
    pub(super) fn flag(&mut self, row: &mut [u16; 2]) -> bool {
        self.symbol(row) == 1
    }

    /// A bit that is as often set as not.
    #[inline]
    pub(super) fn bit(&mut self) -> u32 {
        let value = (self.window >> 48) as u32;
        let split = ((self.range >> 8) << 7) + 4;
        let bit = value < split;
        let (below, above) = if bit { (0, split) } else { (split, self.range) };
        self.narrow(below, above);
        u32::from(bit)
    }

    /// `L(count)`.
    pub(super) fn bits(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| value << 1 | self.bit())
    }

    /// `NS(count)`: a number below `count`.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        let width = u32::BITS - count.max(1).leading_zeros();
        let short = (1 << width) - count.max(1);
        let value = self.bits(width - 1);
        if value < short { value } else { (value << 1) - short + self.bit() }
    }

    /// With a probability that does not change: of zero, in 32,768ths, inverse.
    pub(super) fn flag_of(&mut self, inverse: u16) -> bool {
        let learns = std::mem::replace(&mut self.learns, false);
        let flag = self.flag(&mut [inverse, 0]);
        self.learns = learns;
        flag
    }

    /// Reads over a number below `count` that is coded by its distance from another (`decode_subexp_bool`).
    pub(super) fn skip_distance(&mut self, count: u32, mut width: u32) {
        let (mut below, mut is_first) = (0, true);
        loop {
            let step = 1 << width;
            if count <= below + 3 * step {
                self.below(count - below);
                return;
            }
            if self.bit() == 0 {
                self.bits(width);
                return;
            }
            below += step;
            if !is_first {
                width += 1;
            }
            is_first = false;
        }
    }
}

/// Section 8.2.6: the row moves towards the symbol, the slower the oftener it was used.
#[inline]
fn learn(row: &mut [u16], symbol: usize) {
    let Some((count, row)) = row.split_last_mut() else { return };
    let rate = 3 + u32::from(*count > 15) + u32::from(*count > 31) + (row.len() as u32 + 1).ilog2().min(2);
    for (index, share) in row.iter_mut().enumerate() {
        if index < symbol {
            *share += (32_768 - *share) >> rate;
        } else {
            *share -= *share >> rate;
        }
    }
    *count += u16::from(*count < 32);
}
