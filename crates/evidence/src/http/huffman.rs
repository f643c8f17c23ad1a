//! The static Huffman code of HPACK and QPACK (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their
//! symbols, so the lengths alone define it. Codes are looked up twelve bits at a time, which
//! yields two symbols of ordinary text per step.

/// Code lengths in bits by symbol; the last is EOS.
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
    22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
    27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];
const SYMBOLS: usize = 257;
const EOS: u16 = 256;
const LONGEST: usize = 30;
/// Bits looked up at once.
const PEEK: u32 = 12;

/// A string that is no Huffman code: EOS inside, or padding that is not the start of EOS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Appends the decoded form of `coded` to `text`. On an error `text` is left as it was.
pub(crate) fn decode(coded: &[u8], text: &mut Vec<u8>) -> Result<(), Malformed> {
    let start = text.len();
    // The shortest code has five bits; two bytes are written at a time.
    text.resize(start + coded.len() * 8 / 5 + 2, 0);
    let length = text.get_mut(start..).ok_or(Malformed).and_then(|space| decode_into(coded, space));
    text.truncate(start + length.unwrap_or(0));
    length.map(|_| ())
}

fn decode_into(coded: &[u8], space: &mut [u8]) -> Result<usize, Malformed> {
    let mut bits = Bits { rest: coded, window: 0, held: 0 };
    let mut written = 0;
    loop {
        bits.refill();
        if bits.held < PEEK {
            break;
        }
        let step = STEPS[(bits.window >> (64 - PEEK)) as usize];
        if step.bits > 0 {
            if let Some(target) = space.get_mut(written..written + 2) {
                target.copy_from_slice(&step.symbols);
            }
            written += usize::from(step.count);
            bits.skip(u32::from(step.bits));
        } else {
            put(space, &mut written, bits.long_code().ok_or(Malformed)?)?;
        }
    }
    while bits.held > 0 && !bits.only_padding() {
        put(space, &mut written, bits.long_code().ok_or(Malformed)?)?;
    }
    Ok(written)
}

fn put(space: &mut [u8], written: &mut usize, symbol: u16) -> Result<(), Malformed> {
    let byte = u8::try_from(symbol).map_err(|_| Malformed)?;
    *space.get_mut(*written).ok_or(Malformed)? = byte;
    *written += 1;
    Ok(())
}

/// The bits not yet decoded, the next one on top of `window`.
struct Bits<'a> {
    rest: &'a [u8],
    window: u64,
    held: u32,
}

impl Bits<'_> {
    #[inline]
    fn refill(&mut self) {
        if self.held > 32 {
            return;
        }
        if let Some((word, rest)) = self.rest.split_first_chunk::<4>() {
            self.window |= u64::from(u32::from_be_bytes(*word)) << (32 - self.held);
            self.held += 32;
            self.rest = rest;
            return;
        }
        while let Some((byte, rest)) = self.rest.split_first() {
            self.window |= u64::from(*byte) << (56 - self.held);
            self.held += 8;
            self.rest = rest;
        }
    }

    #[inline]
    fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.held -= bits;
    }

    /// True where fewer than eight bits are left and all are ones (section 5.2).
    fn only_padding(&self) -> bool {
        self.held < 8 && self.window.leading_ones() >= self.held
    }

    /// One symbol of any length, or nothing where the bits left are too few.
    fn long_code(&mut self) -> Option<u16> {
        let (symbol, bits) = symbol_at(self.window)?;
        if bits > self.held {
            return None;
        }
        self.skip(bits);
        Some(symbol)
    }
}

/// The symbol whose code the window begins with, and its length in bits.
const fn symbol_at(window: u64) -> Option<(u16, u32)> {
    let mut length = 5;
    while length <= LONGEST {
        let code = (window >> (64 - length)) as u32;
        let rank = code.wrapping_sub(CODE.first[length]);
        if rank < CODE.count[length] as u32 {
            return Some((CODE.symbols[CODE.offset[length] as usize + rank as usize], length as u32));
        }
        length += 1;
    }
    None
}

/// The canonical code: per length the first code, how many there are, and where their symbols begin.
struct Code {
    first: [u32; LONGEST + 1],
    count: [u16; LONGEST + 1],
    offset: [u16; LONGEST + 1],
    symbols: [u16; SYMBOLS],
}

static CODE: Code = CODE_VALUE;
const CODE_VALUE: Code = build_code();

const fn build_code() -> Code {
    let mut code =
        Code { first: [0; LONGEST + 1], count: [0; LONGEST + 1], offset: [0; LONGEST + 1], symbols: [0; SYMBOLS] };
    let (mut next, mut filled, mut length) = (0u32, 0usize, 1usize);
    while length <= LONGEST {
        next <<= 1;
        code.first[length] = next;
        code.offset[length] = filled as u16;
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                code.symbols[filled] = symbol as u16;
                filled += 1;
                next += 1;
            }
            symbol += 1;
        }
        code.count[length] = filled as u16 - code.offset[length];
        length += 1;
    }
    code
}

/// What twelve bits decode to: up to two symbols, or no bits where a longer code begins.
#[derive(Clone, Copy)]
struct Step {
    symbols: [u8; 2],
    count: u8,
    bits: u8,
}

static STEPS: [Step; 1 << PEEK] = build_steps();

const fn build_steps() -> [Step; 1 << PEEK] {
    let mut steps = [Step { symbols: [0; 2], count: 0, bits: 0 }; 1 << PEEK];
    let mut index = 0;
    while index < steps.len() {
        let mut step = steps[index];
        while step.count < 2 {
            let window = (index as u64) << (64 - PEEK) << step.bits;
            match symbol_at(window) {
                Some((symbol, bits)) if symbol != EOS && bits + step.bits as u32 <= PEEK => {
                    step.symbols[step.count as usize] = symbol as u8;
                    step.count += 1;
                    step.bits += bits as u8;
                }
                _ => break,
            }
        }
        steps[index] = step;
        index += 1;
    }
    steps
}

/// The Huffman form of `text`, for tests that play an encoder.
#[cfg(test)]
pub(crate) fn encode(text: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    let (mut window, mut held) = (0u64, 0u32);
    for byte in text {
        let length = usize::from(LENGTHS[usize::from(*byte)]);
        let from = usize::from(CODE.offset[length]);
        let rank = CODE.symbols[from..].iter().position(|symbol| *symbol == u16::from(*byte)).unwrap();
        window = window << length | u64::from(CODE.first[length] + rank as u32);
        held += length as u32;
        while held >= 8 {
            held -= 8;
            coded.push((window >> held) as u8);
        }
    }
    if held > 0 {
        coded.push((window << (8 - held)) as u8 | 0xff >> held);
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(coded: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut text = Vec::new();
        decode(coded, &mut text).map(|()| text)
    }

    #[test]
    fn strings_of_rfc_7541_appendix_c() {
        let www = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(text(&www).unwrap(), b"www.example.com");
        assert_eq!(text(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).unwrap(), b"no-cache");
        let date = [
            0xd0, 0x7a, 0xbe, 0x94, 0x10, 0x54, 0xd4, 0x44, 0xa8, 0x20, 0x05, 0x95, 0x04, 0x0b, 0x81, 0x66, 0xe0, 0x82,
            0xa6, 0x2d, 0x1b, 0xff,
        ];
        assert_eq!(text(&date).unwrap(), b"Mon, 21 Oct 2013 20:13:21 GMT");
    }

    #[test]
    fn eos_and_wrong_padding_are_refused() {
        assert_eq!(text(&[0xff, 0xff, 0xff, 0xff]), Err(Malformed), "EOS");
        assert_eq!(text(&[0xff]), Err(Malformed), "padding of eight bits");
        assert_eq!(text(&[0b0001_1000]), Err(Malformed), "padding of zeros");
        assert_eq!(text(&[0b0001_1111]).unwrap(), b"a");
        assert_eq!(text(&[]).unwrap(), b"");
    }

    #[test]
    fn what_was_there_before_stays_after_an_error() {
        let mut text = b"before".to_vec();
        assert_eq!(decode(&[0x1f, 0xff, 0xff, 0xff, 0xff], &mut text), Err(Malformed));
        assert_eq!(text, b"before");
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(plain in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(text(&encode(&plain)).unwrap(), plain);
        }

        #[test]
        fn any_bytes_decode_to_what_encodes_to_them_or_are_refused(
            coded in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            if let Ok(plain) = text(&coded) {
                prop_assert_eq!(encode(&plain), coded);
            }
        }
    }
}
