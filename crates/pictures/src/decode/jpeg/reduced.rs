//! A large JPEG at half, a quarter or an eighth of its size, without decoding its pixels.
//!
//! The mean of pixels is linear in a block's frequencies: each coefficient is added to the means with its weight as it
//! is read. Colours are only stepped over. This gives what decoding all pixels and reducing them would, but that
//! pixels beyond black and white are not cut off before they are averaged.
//!
//! Sequential pictures of eight bits (ITU-T T.81 annex F) whose brightness is sampled fully. Whatever else a file says,
//! or where it contradicts itself, the answer is `None`, and the decoder for everything has to be asked.

use super::huffman::{Bits, Codes, PADDING, extended};
use crate::decode::Allowance;
use crate::luma::{Luma, factor_for};

/// Coefficients of a block in the order they are coded: eight times the row and the column (figure A.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// The picture's brightness at working size, where it can be had without decoding its pixels.
pub(super) fn decode(file: &[u8], limits: &Allowance) -> Option<Luma> {
    let header = Header::read(file)?;
    limits.refuse(header.width, header.height).ok()?;
    if !super::may_hold(file, header.width, header.height) {
        return None;
    }
    let factor = factor_for(header.width, header.height);
    if matches!(factor, 2 | 4 | 8) {
        limits.check(header.width, header.height).ok()?;
    }
    match factor {
        2 => Scan::<16>::new(&header)?.read(),
        4 => Scan::<4>::new(&header)?.read(),
        8 => Scan::<1>::new(&header)?.read(),
        _ => None,
    }
}

/// The picture's brightness at working size, from all pixels of a scan that has nothing else in it.
pub(super) fn alone(file: &[u8], limits: &Allowance) -> Option<Luma> {
    let header = Header::read(file).filter(|header| header.components.len() == 1)?;
    limits.refuse(header.width, header.height).ok()?;
    limits.check_memory(header.width.saturating_mul(header.height)).ok()?;
    if !super::may_hold(file, header.width, header.height) {
        return None;
    }
    limits.check(header.width, header.height).ok()?;
    Some(Scan::<64>::new(&header)?.read()?.reduced())
}

/// A component of the picture: brightness first, then colours.
#[derive(Clone, Copy)]
struct Component {
    id: u8,
    /// Blocks in a minimum coded unit, across and down.
    across: usize,
    down: usize,
    quantization: usize,
    constant: usize,
    frequencies: usize,
}

/// What the segments before the first scan say.
struct Header<'a> {
    width: usize,
    height: usize,
    components: Vec<Component>,
    quantization: [Option<[u16; 64]>; 4],
    constant: [Option<Codes>; 4],
    frequencies: [Option<Codes>; 4],
    /// Units between restarts; 0 where there are none.
    interval: usize,
    coded: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(file: &'a [u8]) -> Option<Self> {
        let mut header = Self {
            width: 0,
            height: 0,
            components: Vec::new(),
            quantization: [None; 4],
            constant: [const { None }; 4],
            frequencies: [const { None }; 4],
            interval: 0,
            coded: &[],
        };
        let mut rest = file.get(2..)?;
        loop {
            let [0xFF, marker, high, low, ..] = *rest else { return None };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let segment = rest.get(4..2 + length)?;
            rest = rest.get(2 + length..)?;
            match marker {
                0xC0 | 0xC1 => header.frame(segment)?,
                0xC4 => header.codes(segment)?,
                0xDB => header.quantization(segment)?,
                0xDD => header.interval = usize::from(u16::from_be_bytes(*segment.first_chunk()?)),
                0xDA => {
                    header.scan(segment)?;
                    header.coded = rest;
                    return Some(header);
                }
                // Adobe's: colours may not be brightness and two differences.
                0xEE if segment.starts_with(b"Adobe") && segment.get(11) != Some(&1) => return None,
                0xE0..=0xEF | 0xFE => {}
                _ => return None,
            }
        }
    }

    fn frame(&mut self, segment: &[u8]) -> Option<()> {
        let [8, high, low, wide, narrow, count @ (1 | 3), components @ ..] = segment else { return None };
        if !self.components.is_empty() {
            return None;
        }
        self.height = usize::from(u16::from_be_bytes([*high, *low]));
        self.width = usize::from(u16::from_be_bytes([*wide, *narrow]));
        for component in components.chunks_exact(3).take(usize::from(*count)) {
            let [id, sampling, quantization] = *component else { return None };
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            let (across, down) = if *count == 1 { (1, 1) } else { (across, down) };
            let quantization = usize::from(quantization);
            self.components.push(Component { id, across, down, quantization, constant: 0, frequencies: 0 });
        }
        let sampled = |component: &Component| matches!(component.across, 1..=4) && matches!(component.down, 1..=4);
        let first = *self.components.first()?;
        let fully = self.components.iter().all(|other| other.across <= first.across && other.down <= first.down);
        let is_rgb = self.components.iter().map(|component| component.id).eq(*b"RGB");
        let whole = self.components.len() == usize::from(*count) && self.components.iter().all(sampled);
        (whole && fully && !is_rgb && self.height > 0).then_some(())
    }

    fn codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&[which, ref counts @ ..], rest)) = segment.split_first_chunk::<17>() {
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let codes = Codes::new(counts, rest.get(..total)?)?;
            let tables = if which >> 4 == 0 { &mut self.constant } else { &mut self.frequencies };
            *tables.get_mut(usize::from(which & 15))? = Some(codes);
            segment = rest.get(total..)?;
        }
        Some(())
    }

    fn quantization(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((which, rest)) = segment.split_first() {
            let width = if which >> 4 == 0 { 1 } else { 2 };
            let steps = rest.get(..64 * width)?;
            let mut table = [0; 64];
            for (step, bytes) in table.iter_mut().zip(steps.chunks_exact(width)) {
                *step = bytes.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
            }
            *self.quantization.get_mut(usize::from(which & 15))? = Some(table);
            segment = rest.get(64 * width..)?;
        }
        Some(())
    }

    /// The first scan has to be of all components, or of the brightness alone: then a unit is one block (A.2.2).
    fn scan(&mut self, segment: &[u8]) -> Option<()> {
        let (count, rest) = segment.split_first()?;
        if *count == 1 {
            self.components.truncate(1);
            self.components.iter_mut().for_each(|only| (only.across, only.down) = (1, 1));
        }
        if usize::from(*count) != self.components.len() || self.components.is_empty() {
            return None;
        }
        for (component, chosen) in self.components.iter_mut().zip(rest.chunks_exact(2)) {
            let [id, tables] = *chosen else { return None };
            (component.constant, component.frequencies) = (usize::from(tables >> 4), usize::from(tables & 15));
            (component.id == id).then_some(())?;
        }
        (rest.len() == 2 * usize::from(*count) + 3).then_some(())
    }
}

/// The scan, each block reduced to `MEANS` means.
struct Scan<'a, const MEANS: usize> {
    header: &'a Header<'a>,
    /// Means of a block, across and down.
    side: usize,
    /// What one of each coefficient, as coded, adds to the means.
    weights: [[f32; MEANS]; 64],
    /// Size of the reduced picture, and of the whole blocks that cover it.
    size: (usize, usize),
    stride: usize,
    pixels: Vec<u8>,
}

impl<'a, const MEANS: usize> Scan<'a, MEANS> {
    fn new(header: &'a Header<'a>) -> Option<Self> {
        let first = header.components.first()?;
        let side = MEANS.isqrt();
        let units = (header.width.div_ceil(8 * first.across), header.height.div_ceil(8 * first.down));
        let stride = units.0 * first.across * side;
        let quantization = header.quantization.get(first.quantization)?.as_ref()?;
        let factor = 8 / side;
        Some(Self {
            header,
            side,
            weights: weights(quantization),
            size: (header.width / factor, header.height / factor),
            stride,
            pixels: vec![0; stride * units.1 * first.down * side],
        })
    }

    fn read(mut self) -> Option<Luma> {
        let first = self.header.components.first()?;
        let across = self.stride / (first.across * self.side);
        let units = across * (self.pixels.len() / self.stride.max(1) / (first.down * self.side));
        let interval = if self.header.interval == 0 { units } else { self.header.interval };
        let (mut coded, mut stretch) = (self.header.coded, Vec::new());
        for start in (0..units).step_by(interval.max(1)) {
            coded = unstuffed(coded, &mut stretch);
            self.stretch(&stretch, start..(start + interval).min(units), across)?;
        }
        self.cut()
    }

    /// The units between two restarts.
    fn stretch(&mut self, bytes: &[u8], units: std::ops::Range<usize>, across: usize) -> Option<()> {
        let header = self.header;
        let mut bits = Bits::new(bytes);
        let mut constant = 0_i32;
        for unit in units {
            for (index, component) in header.components.iter().enumerate() {
                let constants = header.constant.get(component.constant)?.as_ref()?;
                let frequencies = header.frequencies.get(component.frequencies)?.as_ref()?;
                for block in 0..component.across * component.down {
                    if index > 0 {
                        skip_block(&mut bits, constants, frequencies)?;
                        continue;
                    }
                    constant = constant.wrapping_add(difference(&mut bits, constants)?);
                    let means = block_means(&mut bits, constant, frequencies, &self.weights)?;
                    let column = unit % across * component.across + block % component.across;
                    let row = unit / across * component.down + block / component.across;
                    self.put(column, row, &means);
                }
            }
        }
        Some(())
    }

    fn put(&mut self, column: usize, row: usize, means: &[f32; MEANS]) {
        let start = row * self.side * self.stride + column * self.side;
        for (line, means) in means.chunks_exact(self.side).enumerate() {
            let from = start + line * self.stride;
            let pixels = self.pixels.get_mut(from..from + self.side).unwrap_or_default();
            for (pixel, mean) in pixels.iter_mut().zip(means) {
                *pixel = (mean + 128.5) as u8;
            }
        }
    }

    /// Without what lies right of the picture and below it.
    fn cut(self) -> Option<Luma> {
        let (width, height) = self.size;
        let rows = self.pixels.chunks_exact(self.stride.max(1)).take(height);
        Luma::new(width, height, rows.filter_map(|row| row.get(..width)).flatten().copied().collect())
    }
}

/// The bytes up to the next marker without what was stuffed between them, and [`PADDING`]; what follows the marker.
fn unstuffed<'a>(coded: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    out.clear();
    let mut rest = coded;
    while let Some(at) = memchr::memchr(0xFF, rest) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        match from {
            [_, 0, after @ ..] => {
                out.push(0xFF);
                rest = after;
            }
            [_, 0xFF, ..] => rest = from.get(1..).unwrap_or_default(),
            _ => {
                out.extend([0; PADDING]);
                return from.get(2..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    out.extend([0; PADDING]);
    &[]
}

#[inline]
fn difference(bits: &mut Bits<'_>, constants: &Codes) -> Option<i32> {
    let next = bits.fill()?;
    let (length, size) = constants.first(next)?;
    let size = u32::from(size);
    if size > 15 {
        return None;
    }
    bits.skip(length + size);
    Some(extended(next, length, size))
}

#[inline]
fn block_means<const MEANS: usize>(
    bits: &mut Bits<'_>,
    constant: i32,
    frequencies: &Codes,
    weights: &[[f32; MEANS]; 64],
) -> Option<[f32; MEANS]> {
    let mut means = weights[0].map(|weight| weight * constant as f32);
    let mut place = 1;
    while place < 64 {
        let next = bits.fill()?;
        let (length, value) = frequencies.first(next)?;
        let (run, size) = (usize::from(value >> 4), u32::from(value & 15));
        bits.skip(length + size);
        if size == 0 {
            if run < 15 {
                break;
            }
            place += 16;
            continue;
        }
        place += run;
        let coefficient = extended(next, length, size) as f32;
        for (mean, weight) in means.iter_mut().zip(weights.get(place)?) {
            *mean += weight * coefficient;
        }
        place += 1;
    }
    Some(means)
}

#[inline]
fn skip_block(bits: &mut Bits<'_>, constants: &Codes, frequencies: &Codes) -> Option<()> {
    difference(bits, constants)?;
    let mut place = 1;
    while place < 64 {
        let (length, value) = frequencies.first(bits.fill()?)?;
        let (run, size) = (usize::from(value >> 4), u32::from(value & 15));
        bits.skip(length + size);
        if size == 0 && run < 15 {
            break;
        }
        place += run + 1;
    }
    (place <= 64).then_some(())
}

/// What one of each coefficient adds to each mean: the inverse cosine transform (A.3.3), averaged over the pixels of
/// the mean, times the coefficient's step.
fn weights<const MEANS: usize>(quantization: &[u16; 64]) -> [[f32; MEANS]; 64] {
    let side = MEANS.isqrt();
    let along = |mean: usize, frequency: usize| {
        let pixels = 8 / side;
        let wave = |pixel: usize| ((2 * pixel + 1) as f32 * frequency as f32 * std::f32::consts::PI / 16.0).cos();
        let sum: f32 = (mean * pixels..(mean + 1) * pixels).map(wave).sum();
        let norm = if frequency == 0 { std::f32::consts::FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
        norm * sum / pixels as f32
    };
    let mut all = [[0.0; MEANS]; 64];
    for ((weights, place), step) in all.iter_mut().zip(ZIGZAG).zip(quantization) {
        let (down, across) = (usize::from(place / 8), usize::from(place % 8));
        for (mean, weight) in weights.iter_mut().enumerate() {
            *weight = along(mean % side, across) * along(mean / side, down) * f32::from(*step);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocks_mean_is_an_eighth_of_its_constant_and_nothing_else() {
        let weights = weights::<1>(&[16; 64]);
        assert!((weights[0][0] - 2.0).abs() < 1e-5);
        assert!(weights.iter().skip(1).all(|[weight]| weight.abs() < 1e-5));
    }

    #[test]
    fn stuffed_bytes_and_markers_are_taken_out() {
        let mut out = Vec::new();
        assert_eq!(unstuffed(&[1, 0xFF, 0, 2, 0xFF, 0xFF, 0xD0, 3, 4], &mut out), [3, 4]);
        assert_eq!(out.strip_suffix(&[0; PADDING]), Some(&[1, 0xFF, 2][..]));
        assert_eq!(unstuffed(&[7, 0xFF], &mut out), []);
        assert_eq!(out.strip_suffix(&[0; PADDING]), Some(&[7][..]));
    }
}
