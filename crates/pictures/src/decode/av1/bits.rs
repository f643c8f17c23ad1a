//! The bits of headers (AV1 specification, section 4.10).

/// Reads bits from the highest down. Behind the end there are zeros, which [`Bits::is_over`] tells.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// `f(count)`, of at most 32 bits.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| value << 1 | u32::from(self.flag()))
    }

    /// `f(1)`.
    pub(super) fn flag(&mut self) -> bool {
        let byte = self.data.get(self.at / 8).copied().unwrap_or(0);
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        bit == 1
    }

    /// `su(count)`: with a sign.
    pub(super) fn signed(&mut self, count: u32) -> i32 {
        let value = self.take(count) as i32;
        if value >> (count - 1) & 1 == 1 { value - (1 << count) } else { value }
    }

    /// `ns(count)`: a number below `count`.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        let width = u32::BITS - count.max(1).leading_zeros();
        let short = (1 << width) - count.max(1);
        let value = self.take(width - 1);
        if value < short { value } else { (value << 1) - short + self.take(1) }
    }

    /// `uvlc()`.
    pub(super) fn universal(&mut self) -> u32 {
        let mut zeros = 0;
        while zeros < 32 && !self.flag() {
            zeros += 1;
        }
        if zeros == 32 { u32::MAX } else { self.take(zeros) + (1 << zeros) - 1 }
    }

    pub(super) fn skip(&mut self, count: u32) {
        self.at = self.at.saturating_add(count as usize);
    }

    /// What follows, from the next whole byte.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.data.get(self.at.div_ceil(8)..).unwrap_or_default()
    }

    /// Whether more was read than there is.
    pub(super) fn is_over(&self) -> bool {
        self.at > self.data.len().saturating_mul(8)
    }
}
