//! Inverse transforms (AV1 specification, section 7.13), four rows or columns at once.

use std::sync::LazyLock;

/// Values of four rows or columns at one place.
type Lanes = [i32; 4];

/// What is done in one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Cosine,
    Sine,
    /// A sine transform whose result is mirrored (`FLIPADST`).
    Mirrored,
    Identity,
}

/// A transform: downwards and across.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Type {
    pub(super) down: Kind,
    pub(super) across: Kind,
}

impl Type {
    pub(super) const COSINES: Self = Self { down: Kind::Cosine, across: Kind::Cosine };

    /// Whether coefficients are weighted by a matrix.
    pub(super) fn is_weighted(self) -> bool {
        self.down != Kind::Identity && self.across != Kind::Identity
    }
}

/// Sides of a transform: logarithms of how often four pixels go into each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Size {
    pub(super) across: u8,
    pub(super) down: u8,
}

impl Size {
    pub(super) fn width(self) -> usize {
        4 << self.across
    }

    pub(super) fn height(self) -> usize {
        4 << self.down
    }

    pub(super) fn least(self) -> usize {
        usize::from(self.across.min(self.down))
    }

    pub(super) fn most(self) -> usize {
        usize::from(self.across.max(self.down))
    }

    /// Of coefficients that are coded: at most 32 either way.
    pub(super) fn coded(self) -> (usize, usize) {
        (self.width().min(32), self.height().min(32))
    }

    /// One step smaller: the longer side halved, or both.
    pub(super) fn split(self) -> Self {
        let (across, down) = (self.across, self.down);
        Self {
            across: across.saturating_sub(u8::from(across >= down)),
            down: down.saturating_sub(u8::from(down >= across)),
        }
    }
}

/// The residual of coefficients, which stand row by row, at most 32 either way; rows of the transform's width.
pub(super) fn inverse(coefficients: &[i32], kind: Type, size: Size, depth: u32, residual: &mut [i32]) {
    let (width, height) = (size.width(), size.height());
    let (coded_width, coded_height) = size.coded();
    let is_oblong = size.across.abs_diff(size.down) == 1;
    let shift = row_shift(size);
    let (row_bits, column_bits) = (depth + 8, (depth + 6).max(16));
    let mut lanes = [[0; 4]; 64];
    for (group, rows) in coefficients.chunks_exact(coded_width * 4).take(coded_height / 4).enumerate() {
        let place = &mut residual[group * 4 * width..(group + 1) * 4 * width];
        if rows.iter().all(|value| *value == 0) {
            place.fill(0);
            continue;
        }
        lanes[..width].fill([0; 4]);
        for (lane, row) in rows.chunks_exact(coded_width).enumerate() {
            for (place, value) in lanes.iter_mut().zip(row) {
                let value = if is_oblong { scaled(*value, 2896) } else { *value };
                place[lane] = clipped(value, row_bits);
            }
        }
        one_way(&mut lanes, kind.across, size.across, row_bits);
        for (lane, row) in place.chunks_exact_mut(width).enumerate() {
            for (place, value) in row.iter_mut().zip(&lanes) {
                *place = clipped(rounded(value[lane], shift), column_bits);
            }
        }
    }
    residual[coded_height * width..height * width].fill(0);
    for left in (0..width).step_by(4) {
        for (place, row) in lanes.iter_mut().zip(residual.chunks_exact(width)) {
            place.copy_from_slice(&row[left..left + 4]);
        }
        one_way(&mut lanes, kind.down, size.down, column_bits);
        for (value, row) in lanes.iter().zip(residual.chunks_exact_mut(width).take(height)) {
            row[left..left + 4].copy_from_slice(&value.map(|value| rounded(value, 4)));
        }
    }
}

/// Without loss: the Walsh-Hadamard transform of four by four (section 7.13.2.10).
pub(super) fn inverse_lossless(coefficients: &[i32], residual: &mut [i32]) {
    let mut block = [0; 16];
    block.copy_from_slice(&coefficients[..16]);
    for row in block.chunks_exact_mut(4) {
        let values = hadamard([row[0] >> 2, row[1] >> 2, row[2] >> 2, row[3] >> 2]);
        row.copy_from_slice(&values);
    }
    for x in 0..4 {
        let values = hadamard([block[x], block[x + 4], block[x + 8], block[x + 12]]);
        for (y, value) in values.into_iter().enumerate() {
            residual[y * 4 + x] = value;
        }
    }
}

fn hadamard([a, c, d, b]: [i32; 4]) -> [i32; 4] {
    let (a, d) = (a.wrapping_add(c), d.wrapping_sub(b));
    let e = a.wrapping_sub(d) >> 1;
    let (b, c) = (e.wrapping_sub(b), e.wrapping_sub(c));
    [a.wrapping_sub(b), b, c, d.wrapping_add(c)]
}

/// `Transform_Row_Shift`.
fn row_shift(size: Size) -> u32 {
    match (size.least(), size.most()) {
        (0, 0 | 1) => 0,
        (0, _) | (1, 1 | 2) | (2, 3) | (3, 4) => 1,
        _ => 2,
    }
}

fn one_way(values: &mut [Lanes; 64], kind: Kind, length: u8, bits: u32) {
    match kind {
        Kind::Cosine => PROGRAMS.0[usize::from(length)].run(values, bits),
        Kind::Sine if length == 0 => sine_of_four(values),
        Kind::Sine => PROGRAMS.1[usize::from(length)].run(values, bits),
        Kind::Mirrored => {
            one_way(values, Kind::Sine, length, bits);
            values[..4 << length].reverse();
        }
        Kind::Identity => identity(values, length),
    }
}

fn identity(values: &mut [Lanes; 64], length: u8) {
    for value in values[..4 << length].iter_mut().flatten() {
        *value = match length {
            0 => scaled(*value, 5793),
            1 => value.wrapping_mul(2),
            2 => scaled(*value, 11_586),
            _ => value.wrapping_mul(4),
        };
    }
}

/// By so many 4,096ths.
fn scaled(value: i32, factor: i64) -> i32 {
    ((i64::from(value) * factor + 2048) >> 12) as i32
}

/// Section 7.13.2.6.
fn sine_of_four(values: &mut [Lanes; 64]) {
    for lane in 0..4 {
        let [a, b, c, d] = [values[0][lane], values[1][lane], values[2][lane], values[3][lane]].map(i64::from);
        let (first, second, third) = (1321 * a + 3803 * c + 2482 * d, 2482 * a - 1321 * c - 3803 * d, 3344 * b);
        let outputs = [first + third, second + third, 3344 * (a - c + d), first + second - third];
        for (value, output) in values.iter_mut().zip(outputs) {
            value[lane] = ((output + 2048) >> 12) as i32;
        }
    }
}

fn rounded(value: i32, bits: u32) -> i32 {
    if bits == 0 { value } else { value.wrapping_add(1 << (bits - 1)) >> bits }
}

fn clipped(value: i32, bits: u32) -> i32 {
    value.clamp(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

/// A step of a transform (section 7.13.2.1).
#[derive(Clone, Copy)]
enum Step {
    /// Turns two values, and puts them into the places that are named last: `B`.
    Turn { a: u8, b: u8, cosine: i32, sine: i32, first: u8, second: u8 },
    /// Their sum and difference: `H`.
    Sum { a: u8, b: u8 },
}

/// A transform of one length as its steps, and the order in which it takes and gives values.
#[derive(Default)]
struct Program {
    takes: Vec<u8>,
    steps: Vec<Step>,
    gives: Vec<(u8, bool)>,
}

impl Program {
    fn run(&self, values: &mut [Lanes; 64], bits: u32) {
        let taken = *values;
        for (value, from) in values.iter_mut().zip(&self.takes) {
            *value = taken[usize::from(from & 63)];
        }
        for step in &self.steps {
            match *step {
                Step::Turn { a, b, cosine, sine, first, second } => {
                    let (left, right) = (values[usize::from(a & 63)], values[usize::from(b & 63)]);
                    let (a, b) = (usize::from(first & 63), usize::from(second & 63));
                    for lane in 0..4 {
                        let (x, y) = (left[lane], right[lane]);
                        values[a][lane] = rounded(x.wrapping_mul(cosine).wrapping_sub(y.wrapping_mul(sine)), 12);
                        values[b][lane] = rounded(x.wrapping_mul(sine).wrapping_add(y.wrapping_mul(cosine)), 12);
                    }
                }
                Step::Sum { a, b } => {
                    let (a, b) = (usize::from(a & 63), usize::from(b & 63));
                    let (left, right) = (values[a], values[b]);
                    for lane in 0..4 {
                        values[a][lane] = clipped(left[lane].wrapping_add(right[lane]), bits);
                        values[b][lane] = clipped(left[lane].wrapping_sub(right[lane]), bits);
                    }
                }
            }
        }
        let given = *values;
        for (value, (from, is_negative)) in values.iter_mut().zip(&self.gives) {
            let given = given[usize::from(from & 63)];
            *value = if *is_negative { given.map(i32::wrapping_neg) } else { given };
        }
    }

    /// `B(a, b, angle, flip)`.
    fn turn(&mut self, a: usize, b: usize, angle: usize, flips: bool) {
        let (a, b) = (a as u8, b as u8);
        let (first, second) = if flips { (b, a) } else { (a, b) };
        self.steps.push(Step::Turn { a, b, cosine: cosine(angle), sine: cosine(angle + 192), first, second });
    }

    /// `H(a, b, flip)`.
    fn sum(&mut self, a: usize, b: usize, flips: bool) {
        let (a, b) = if flips { (b, a) } else { (a, b) };
        self.steps.push(Step::Sum { a: a as u8, b: b as u8 });
    }
}

/// Cosine and sine transforms, by logarithm of a fourth of the length.
static PROGRAMS: LazyLock<([Program; 5], [Program; 3])> = LazyLock::new(|| {
    ([2, 3, 4, 5, 6].map(cosine_program), [Program::default(), sine_program_of_8(), sine_program_of_16()])
});

/// `cos128(angle)`: the cosine of that many 128ths of half a turn, in 4,096ths.
fn cosine(angle: usize) -> i32 {
    #[rustfmt::skip]
    const COSINES: [i32; 65] = [
        4096, 4095, 4091, 4085, 4076, 4065, 4052, 4036, 4017, 3996, 3973, 3948, 3920, 3889, 3857, 3822, 3784, 3745,
        3703, 3659, 3612, 3564, 3513, 3461, 3406, 3349, 3290, 3229, 3166, 3102, 3035, 2967, 2896, 2824, 2751, 2675,
        2598, 2520, 2440, 2359, 2276, 2191, 2106, 2019, 1931, 1842, 1751, 1660, 1567, 1474, 1380, 1285, 1189, 1092,
        995, 897, 799, 700, 601, 501, 401, 301, 201, 101, 0,
    ];
    match angle & 255 {
        angle @ 0..=64 => COSINES[angle],
        angle @ 65..=128 => -COSINES[128 - angle],
        angle @ 129..=192 => -COSINES[angle - 128],
        angle => COSINES[256 - angle],
    }
}

fn reversed(bits: u32, value: usize) -> usize {
    (0..bits).fold(0, |all, bit| all << 1 | value >> bit & 1)
}

/// Section 7.13.2.3, step by step, for a length of 2 to the power of `n`.
fn cosine_program(n: u32) -> Program {
    let mut it = Program { takes: (0..1 << n).map(|at| reversed(n, at) as u8).collect(), ..Program::default() };
    let from = |least: u32, count: usize| 0..if n >= least { count } else { 0 };
    from(6, 16).for_each(|i| it.turn(32 + i, 63 - i, 63 - 4 * reversed(4, i), false));
    from(5, 8).for_each(|i| it.turn(16 + i, 31 - i, 6 + (reversed(3, 7 - i) << 3), false));
    from(6, 16).for_each(|i| it.sum(32 + i * 2, 33 + i * 2, i & 1 == 1));
    from(4, 4).for_each(|i| it.turn(8 + i, 15 - i, 12 + (reversed(2, 3 - i) << 4), false));
    from(5, 8).for_each(|i| it.sum(16 + 2 * i, 17 + 2 * i, i & 1 == 1));
    for (i, j) in pairs(from(6, 4), 2) {
        it.turn(62 - i * 4 - j, 33 + i * 4 + j, 60 - 16 * reversed(2, i) + 64 * j, true);
    }
    from(3, 2).for_each(|i| it.turn(4 + i, 7 - i, 56 - 32 * i, false));
    from(4, 4).for_each(|i| it.sum(8 + 2 * i, 9 + 2 * i, i & 1 == 1));
    for (i, j) in pairs(from(5, 2), 2) {
        it.turn(30 - 4 * i - j, 17 + 4 * i + j, 24 + (j << 6) + ((1 - i) << 5), true);
    }
    for (i, j) in pairs(from(6, 8), 2) {
        it.sum(32 + i * 4 + j, 35 + i * 4 - j, i & 1 == 1);
    }
    (0..2).for_each(|i| it.turn(2 * i, 2 * i + 1, 32 + 16 * i, i == 0));
    from(3, 2).for_each(|i| it.sum(4 + 2 * i, 5 + 2 * i, i == 1));
    from(4, 2).for_each(|i| it.turn(14 - i, 9 + i, 48 + 64 * i, true));
    for (i, j) in pairs(from(5, 4), 2) {
        it.sum(16 + 4 * i + j, 19 + 4 * i - j, i & 1 == 1);
    }
    for (i, j) in pairs(from(6, 2), 4) {
        it.turn(61 - i * 8 - j, 34 + i * 8 + j, 56 - i * 32 + (j >> 1) * 64, true);
    }
    (0..2).for_each(|i| it.sum(i, 3 - i, false));
    from(3, 1).for_each(|_| it.turn(6, 5, 32, true));
    for (i, j) in pairs(from(4, 2), 2) {
        it.sum(8 + 4 * i + j, 11 + 4 * i - j, i == 1);
    }
    from(5, 4).for_each(|i| it.turn(29 - i, 18 + i, 48 + (i >> 1) * 64, true));
    for (i, j) in pairs(from(6, 4), 4) {
        it.sum(32 + 8 * i + j, 39 + 8 * i - j, i & 1 == 1);
    }
    from(3, 4).for_each(|i| it.sum(i, 7 - i, false));
    from(4, 2).for_each(|i| it.turn(13 - i, 10 + i, 32, true));
    for (i, j) in pairs(from(5, 2), 4) {
        it.sum(16 + i * 8 + j, 23 + i * 8 - j, i == 1);
    }
    from(6, 8).for_each(|i| it.turn(59 - i, 36 + i, if i < 4 { 48 } else { 112 }, true));
    from(4, 8).for_each(|i| it.sum(i, 15 - i, false));
    from(5, 4).for_each(|i| it.turn(27 - i, 20 + i, 32, true));
    from(6, 8).for_each(|i| {
        it.sum(32 + i, 47 - i, false);
        it.sum(48 + i, 63 - i, true);
    });
    from(5, 16).for_each(|i| it.sum(i, 31 - i, false));
    from(6, 8).for_each(|i| it.turn(55 - i, 40 + i, 32, true));
    from(6, 32).for_each(|i| it.sum(i, 63 - i, false));
    it.gives = (0..1 << n).map(|at| (at, false)).collect();
    it
}

fn pairs(outer: std::ops::Range<usize>, inner: usize) -> impl Iterator<Item = (usize, usize)> {
    outer.flat_map(move |i| (0..inner).map(move |j| (i, j)))
}

/// What a sine transform takes first (section 7.13.2.4), and gives last (7.13.2.5), every second with the other sign.
fn sine_program(n: u32) -> Program {
    let length = 1_usize << n;
    let takes = (0..length).map(|at| if at & 1 == 0 { length - 1 - at } else { at - 1 } as u8).collect();
    let gray = |at: usize| at ^ at >> 1;
    let gives = (0..length).map(|at| (reversed(n, gray(at)) as u8, at & 1 == 1)).collect();
    Program { takes, steps: Vec::new(), gives }
}

/// Section 7.13.2.7.
fn sine_program_of_8() -> Program {
    let mut it = sine_program(3);
    (0..4).for_each(|i| it.turn(2 * i, 2 * i + 1, 60 - 16 * i, true));
    (0..4).for_each(|i| it.sum(i, 4 + i, false));
    (0..2).for_each(|i| it.turn(4 + 3 * i, 5 + i, 48 - 32 * i, true));
    pairs(0..2, 2).for_each(|(i, j)| it.sum(4 * j + i, 2 + 4 * j + i, false));
    (0..2).for_each(|i| it.turn(2 + 4 * i, 3 + 4 * i, 32, true));
    it
}

/// Section 7.13.2.8.
fn sine_program_of_16() -> Program {
    let mut it = sine_program(4);
    (0..8).for_each(|i| it.turn(2 * i, 2 * i + 1, 62 - 8 * i, true));
    (0..8).for_each(|i| it.sum(i, 8 + i, false));
    for i in 0..2 {
        it.turn(8 + 2 * i, 9 + 2 * i, 56 - 32 * i, true);
        it.turn(13 + 2 * i, 12 + 2 * i, 8 + 32 * i, true);
    }
    pairs(0..4, 2).for_each(|(i, j)| it.sum(8 * j + i, 4 + 8 * j + i, false));
    pairs(0..2, 2).for_each(|(i, j)| it.turn(4 + 8 * j + 3 * i, 5 + 8 * j + i, 48 - 32 * i, true));
    pairs(0..2, 4).for_each(|(i, j)| it.sum(4 * j + i, 2 + 4 * j + i, false));
    (0..4).for_each(|i| it.turn(2 + 4 * i, 3 + 4 * i, 32, true));
    it
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    /// What a transform of one length makes of one coefficient, as its definition has it.
    fn defined(kind: Kind, length: usize, frequency: usize, at: usize) -> f64 {
        let (n, k, i) = (length as f64, frequency as f64, at as f64);
        match kind {
            Kind::Cosine if frequency == 0 => 1.0 / 2_f64.sqrt(),
            Kind::Cosine => (PI * (2.0 * i + 1.0) * k / (2.0 * n)).cos(),
            Kind::Sine if length == 4 => (PI * (i + 1.0) * (2.0 * k + 1.0) / 9.0).sin() * 2.0 * 2_f64.sqrt() / 3.0,
            Kind::Sine => (PI * (2.0 * i + 1.0) * (2.0 * k + 1.0) / (4.0 * n)).sin(),
            Kind::Mirrored => defined(Kind::Sine, length, frequency, length - 1 - at),
            Kind::Identity => 0.0,
        }
    }

    #[test]
    fn every_transform_is_the_one_of_its_definition() {
        for (kind, lengths) in [(Kind::Cosine, 0..5_u8), (Kind::Sine, 0..3), (Kind::Mirrored, 0..3)] {
            for length in lengths {
                let count = 4_usize << length;
                for frequency in 0..count {
                    let mut values = [[0; 4]; 64];
                    values[frequency] = [10_000, -10_000, 0, 1000];
                    one_way(&mut values, kind, length, 24);
                    for (at, value) in values[..count].iter().enumerate() {
                        let expected = 10_000.0 * defined(kind, count, frequency, at);
                        let told = (kind, count, frequency, at);
                        assert!((f64::from(value[0]) - expected).abs() < 12.0, "{told:?}: {value:?} {expected}");
                        assert!((f64::from(value[1]) + expected).abs() < 12.0 && value[2] == 0, "{told:?}");
                    }
                }
            }
        }
    }
}
