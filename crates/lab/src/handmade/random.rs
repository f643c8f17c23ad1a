//! Values that look random and follow from a name.

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Seeded with a name (FNV-1a, RFC 9923).
    pub(crate) fn new(name: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, nearly even.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// `length` characters of `alphabet`.
    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let pick = |_| alphabet.get(self.below(alphabet.len() as u64) as usize).copied();
        (0..length).filter_map(pick).collect()
    }

    /// Decimal digits.
    pub(crate) fn digits(&mut self, length: usize) -> String {
        self.text("0123456789", length)
    }

    /// Hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.text("0123456789abcdef", length)
    }

    /// Lower-case letters and digits that nobody mistakes for one another.
    pub(crate) fn word(&mut self, length: usize) -> String {
        self.text("abcdefghjkmnpqrstuvwxyz23456789", length)
    }

    /// Letters of both cases and digits.
    pub(crate) fn password(&mut self, length: usize) -> String {
        self.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789", length)
    }
}
