//! `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014): choices that are spread and always the same.

/// What is added for each number: 2⁶⁴ divided by the golden ratio.
pub(crate) const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A row of numbers from its seed.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    /// The next number.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `SplittableRandom` with seed 1234567, as the reference implementation by Vigna gives them.
    #[test]
    fn known_answers() {
        let mut row = SplitMix64(1_234_567);
        assert_eq!([row.draw(), row.draw()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
