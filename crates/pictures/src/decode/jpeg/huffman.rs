//! Huffman codes of JPEG (ITU-T T.81 annexes C and F) and the bits they are read from.

/// Bits by which a code is looked up at once.
const LOOKED_UP: u32 = 10;
/// Longest code.
const LONGEST: usize = 16;
/// What stands for a code that is longer than [`LOOKED_UP`] bits, or is none.
const LONGER: u16 = 0;

/// One table of codes.
pub(super) struct Codes {
    /// By the next bits: the length of the code in the upper byte, its value in the lower; [`LONGER`] otherwise.
    short: [u16; 1 << LOOKED_UP],
    /// For each length, the first 16 bits that are no code of it or of a shorter one, and what to add to a code for
    /// its place in `values`.
    bounds: [(u32, i32); LONGEST + 1],
    values: Vec<u8>,
}

impl Codes {
    /// From how many codes there are of each length, and their values (C.2). `None` where they are no prefix code.
    pub(super) fn new(counts: &[u8; LONGEST], values: &[u8]) -> Option<Self> {
        let mut codes =
            Self { short: [LONGER; 1 << LOOKED_UP], bounds: [(0, 0); LONGEST + 1], values: values.to_vec() };
        let (mut code, mut place) = (0_u32, 0_usize);
        for (length, count) in (1_u32..).zip(counts) {
            let offset = place as i32 - code as i32;
            for _ in 0..*count {
                codes.enter(code, length, *values.get(place)?);
                (code, place) = (code + 1, place + 1);
            }
            if code > 1 << length {
                return None;
            }
            *codes.bounds.get_mut(length as usize)? = (code << (LONGEST as u32 - length), offset);
            code <<= 1;
        }
        Some(codes)
    }

    fn enter(&mut self, code: u32, length: u32, value: u8) {
        let Some(rest) = LOOKED_UP.checked_sub(length) else { return };
        let (first, count) = ((code as usize) << rest, 1 << rest);
        for entry in self.short.iter_mut().skip(first).take(count) {
            *entry = (length as u16) << 8 | u16::from(value);
        }
    }

    /// Length and value of the code that `bits` begins with.
    #[inline]
    pub(super) fn first(&self, bits: u64) -> Option<(u32, u8)> {
        let entry = self.short[(bits >> (64 - LOOKED_UP)) as usize & ((1 << LOOKED_UP) - 1)];
        if entry == LONGER { self.first_long(bits) } else { Some((u32::from(entry >> 8), entry as u8)) }
    }

    #[cold]
    fn first_long(&self, bits: u64) -> Option<(u32, u8)> {
        let next = (bits >> (64 - LONGEST as u32)) as u32;
        let (length, (_, offset)) = self.bounds.iter().enumerate().skip(1).find(|(_, (bound, _))| next < *bound)?;
        let place = (next >> (LONGEST - length)) as i32 + offset;
        Some((length as u32, *self.values.get(usize::try_from(place).ok()?)?))
    }
}

/// Bits of one stretch between restarts, without the zero bytes stuffed behind 0xFF (F.1.2.3).
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, from the top; below `count` of them, some that are read once more.
    buffer: u64,
    count: u32,
}

/// Bytes that must follow the last one of [`Bits`]: what is read at once, and as far ahead.
pub(super) const PADDING: usize = 16;

impl<'a> Bits<'a> {
    /// Of bytes that end with [`PADDING`] that are not read.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, count: 0 }
    }

    /// At least 56 bits are ready, those behind the end being zero. `None` where the end has been passed.
    #[inline]
    pub(super) fn fill(&mut self) -> Option<u64> {
        if self.count < 32 {
            let next = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>)?;
            self.buffer |= u64::from_be_bytes(*next) >> self.count;
            self.at += ((63 - self.count) >> 3) as usize;
            self.count |= 0b11_1000;
        }
        Some(self.buffer)
    }

    /// Leaves so many bits behind: at most 32 after [`Self::fill`].
    #[inline]
    pub(super) fn skip(&mut self, bits: u32) {
        self.buffer <<= bits & 63;
        self.count = self.count.wrapping_sub(bits);
    }
}

/// The number that `length` bits behind the first `skipped` of `bits` stand for (F.2.2.1): those that begin with a zero
/// are negative.
#[inline]
pub(super) fn extended(bits: u64, skipped: u32, length: u32) -> i32 {
    if length == 0 {
        return 0;
    }
    let value = (bits << (skipped & 63)) >> (64 - length.min(16));
    let value = value as i32;
    let negative = i32::from(value >> (length.min(16) - 1) == 0);
    value - negative * ((1 << length.min(16)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table K.3 of the standard: differences of brightness.
    const COUNTS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn codes_of_the_standard_are_read() {
        let values: Vec<u8> = (0..12).collect();
        let codes = Codes::new(&COUNTS, &values).unwrap();
        let known = [("00", 0), ("010", 1), ("011", 2), ("110", 5), ("1110", 6), ("11111110", 10), ("111111110", 11)];
        for (code, value) in known {
            let bits = u64::from_str_radix(code, 2).unwrap() << (64 - code.len());
            assert_eq!(codes.first(bits), Some((code.len() as u32, value)), "{code}");
        }
        assert_eq!(codes.first(u64::MAX), None);
    }

    #[test]
    fn a_code_longer_than_the_table_is_read_too() {
        let mut counts = [1_u8; 16];
        counts[15] = 2;
        let values: Vec<u8> = (0..17).collect();
        let codes = Codes::new(&counts, &values[..16]);
        assert!(codes.is_none(), "a value is missing");
        let codes = Codes::new(&counts, &values).unwrap();
        for length in 1..=16_u32 {
            let bits = !(u64::MAX >> (length - 1));
            assert_eq!(codes.first(bits), Some((length, length as u8 - 1)));
        }
        assert_eq!(codes.first(u64::MAX), Some((16, 16)));
        assert!(Codes::new(&[3; 16], &[0; 48]).is_none(), "three codes of one bit");
    }

    #[test]
    fn numbers_are_extended_as_in_table_f_1() {
        let known = [("0", -1), ("1", 1), ("00", -3), ("01", -2), ("10", 2), ("11", 3), ("0000", -15), ("1000", 8)];
        for (code, value) in known {
            let bits = u64::from_str_radix(code, 2).unwrap() << (64 - code.len() - 3);
            assert_eq!(extended(bits, 3, code.len() as u32), value, "{code}");
        }
        assert_eq!(extended(u64::MAX, 0, 0), 0);
    }

    #[test]
    fn bits_end_where_the_bytes_end() {
        let mut bytes = vec![0xA5; 20];
        bytes.extend([0; PADDING]);
        let mut bits = Bits::new(&bytes);
        for _ in 0..20 {
            assert_eq!(bits.fill().unwrap() >> 56, 0xA5);
            bits.skip(8);
        }
        assert_eq!(bits.fill().map(|bits| bits >> 56), Some(0));
    }
}
