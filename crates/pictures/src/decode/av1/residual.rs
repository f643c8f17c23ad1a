//! Coefficients of transforms (AV1 specification, section 5.11.39 and the contexts of 8.3.2).

use super::probabilities::Coefficients;
use super::refused;
use super::symbols::Symbols;
use super::transform::{Kind, Size, Type};
use crate::decode::Unreadable;
use std::sync::LazyLock;

/// Coefficients of one transform as they are read.
pub(super) struct Residual {
    /// Row by row, at most 32 either way; levels with their sign.
    pub(super) values: Vec<i32>,
    /// Their levels, up to 15, with four columns and rows of zeros behind.
    levels: Vec<u8>,
    /// Where each is, in the order they are read; none but these were touched.
    pub(super) places: Vec<(u8, u8)>,
}

/// What the blocks around tell of coefficients.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around {
    /// Sum of levels, at most 63, and the sign of the first: none, below, above.
    pub(super) level: u8,
    pub(super) sign: u8,
}

/// How a transform lies in its plane.
pub(super) struct Place<'a> {
    pub(super) is_colour: bool,
    pub(super) size: Size,
    /// Sides of the block in its plane, in fours of pixels.
    pub(super) block: (usize, usize),
    pub(super) above: &'a [Around],
    pub(super) left: &'a [Around],
}

impl Residual {
    pub(super) fn new() -> Self {
        Self { values: vec![0; 1024], levels: vec![0; 36 * 36], places: Vec::with_capacity(1024) }
    }

    /// Whether a transform has no coefficient.
    pub(super) fn is_empty(symbols: &mut Symbols<'_>, rows: &mut Coefficients, place: &Place<'_>) -> bool {
        let context = if place.is_colour { context_of_colour(place) } else { context_of_brightness(place) };
        symbols.flag(&mut rows.all_zero[size_context(place.size)][context])
    }

    /// Reads the coefficients, and tells what later ones are to know of them.
    pub(super) fn read(
        &mut self,
        symbols: &mut Symbols<'_>,
        rows: &mut Coefficients,
        place: &Place<'_>,
        kind: Type,
    ) -> Result<Around, Unreadable> {
        let (width, height) = place.size.coded();
        self.values[..width * height].fill(0);
        self.levels[..(width + 4) * (height + 4)].fill(0);
        let class = Class::of(kind);
        let count = count(symbols, rows, place, class);
        self.places.clear();
        self.places.extend_from_slice(&scan(place.size, class)[..count.min(width * height)]);
        self.levels(symbols, rows, place, class);
        self.signs(symbols, rows, place, width)
    }

    fn levels(&mut self, symbols: &mut Symbols<'_>, rows: &mut Coefficients, place: &Place<'_>, class: Class) {
        let (width, height) = place.size.coded();
        let stride = width + 4;
        let plane = usize::from(place.is_colour);
        let context = size_context(place.size);
        let base_rows = &mut rows.base[context][plane];
        let range_rows = &mut rows.range[context.min(3)][plane];
        let (near, far) = class.neighbours(stride);
        let offsets = offsets(place.size);
        let last = self.places.len() - 1;
        for (index, (x, y)) in self.places.iter().enumerate().rev() {
            let (x, y) = (usize::from(*x), usize::from(*y));
            let at = y * stride + x;
            let around = |steps: &[usize], most: u8| -> usize {
                steps.iter().map(|step| usize::from(self.levels[at + step].min(most))).sum()
            };
            let mut level = if index == last {
                let context_of_last = match index {
                    0 => 0,
                    _ if index <= width * height / 8 => 1,
                    _ if index <= width * height / 4 => 2,
                    _ => 3,
                };
                symbols.symbol(&mut rows.base_eob[context][plane][context_of_last]) + 1
            } else {
                let sum = (around(&near, 3) + around(&far, 3)).div_ceil(2).min(4);
                let row = match class {
                    Class::Both if index == 0 => 0,
                    Class::Both => sum + usize::from(offsets[y.min(4)][x.min(4)]),
                    Class::Down => sum + [26, 31, 36][y.min(2)],
                    Class::Across => sum + [26, 31, 36][x.min(2)],
                };
                symbols.symbol(&mut base_rows[row])
            };
            if level > 2 {
                let sum = around(&near, 15).div_ceil(2).min(6);
                let row = match class {
                    _ if x == 0 && y == 0 => sum,
                    Class::Both if x < 2 && y < 2 => sum + 7,
                    Class::Down if y == 0 => sum + 7,
                    Class::Across if x == 0 => sum + 7,
                    _ => sum + 14,
                };
                for _ in 0..4 {
                    let more = symbols.symbol(&mut range_rows[row]);
                    level += more;
                    if more < 3 {
                        break;
                    }
                }
            }
            self.levels[at] = level as u8;
        }
    }

    fn signs(
        &mut self,
        symbols: &mut Symbols<'_>,
        rows: &mut Coefficients,
        place: &Place<'_>,
        width: usize,
    ) -> Result<Around, Unreadable> {
        let (mut sum, mut first_sign) = (0_u32, 0);
        for (index, (x, y)) in self.places.iter().enumerate() {
            let (x, y) = (usize::from(*x), usize::from(*y));
            let mut level = u32::from(self.levels[y * (width + 4) + x]);
            if level == 0 {
                continue;
            }
            let is_negative = if index == 0 {
                let row = &mut rows.dc_sign[usize::from(place.is_colour)][sign_context(place)];
                let is_negative = symbols.flag(row);
                first_sign = if is_negative { 1 } else { 2 };
                is_negative
            } else {
                symbols.bit() == 1
            };
            if level > 14 {
                level = level.saturating_add(golomb(symbols)?);
            }
            level &= 0xF_FFFF;
            sum = sum.saturating_add(level);
            self.values[y * width + x] = if is_negative { -(level as i32) } else { level as i32 };
        }
        Ok(Around { level: sum.min(63) as u8, sign: first_sign })
    }
}

/// `read_golomb`, less one.
fn golomb(symbols: &mut Symbols<'_>) -> Result<u32, Unreadable> {
    let mut length = 0;
    while symbols.bit() == 0 {
        length += 1;
        if length == 31 {
            return Err(refused());
        }
    }
    Ok((symbols.bits(length) | 1 << length) - 1)
}

/// How many coefficients there are up to the last.
fn count(symbols: &mut Symbols<'_>, rows: &mut Coefficients, place: &Place<'_>, class: Class) -> usize {
    let plane = usize::from(place.is_colour);
    let one_way = usize::from(class != Class::Both);
    let length = usize::from(place.size.across.min(3) + place.size.down.min(3));
    let class = match length {
        0 => symbols.symbol(&mut rows.eob_16[plane][one_way]),
        1 => symbols.symbol(&mut rows.eob_32[plane][one_way]),
        2 => symbols.symbol(&mut rows.eob_64[plane][one_way]),
        3 => symbols.symbol(&mut rows.eob_128[plane][one_way]),
        4 => symbols.symbol(&mut rows.eob_256[plane][one_way]),
        5 => symbols.symbol(&mut rows.eob_512[plane]),
        _ => symbols.symbol(&mut rows.eob_1024[plane]),
    };
    if class < 2 {
        return class + 1;
    }
    let width = class as u32 - 1;
    let first = u32::from(symbols.flag(&mut rows.eob_extra[size_context(place.size)][plane][class]));
    let rest = symbols.bits(width - 1);
    (1 << width) + (first << (width - 1) | rest) as usize + 1
}

/// Which way a transform goes: where it goes one way, coefficients are read along the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Both,
    Down,
    Across,
}

impl Class {
    fn of(kind: Type) -> Self {
        match (kind.down == Kind::Identity, kind.across == Kind::Identity) {
            (false, true) => Self::Down,
            (true, false) => Self::Across,
            _ => Self::Both,
        }
    }

    /// Distances to the coefficients around that count for the rest of a level, and to those that count for its base too.
    fn neighbours(self, stride: usize) -> ([usize; 3], [usize; 2]) {
        match self {
            Self::Both => ([1, stride, stride + 1], [2, 2 * stride]),
            Self::Down => ([1, stride, 2 * stride], [3 * stride, 4 * stride]),
            Self::Across => ([1, stride, 2], [3, 4]),
        }
    }
}

fn size_context(size: Size) -> usize {
    (size.least() + size.most()).div_ceil(2)
}

/// `Coeff_Base_Ctx_Offset`.
fn offsets(size: Size) -> &'static [[u8; 5]; 5] {
    const SQUARE: [[u8; 5]; 5] =
        [[0, 1, 6, 6, 21], [1, 6, 6, 21, 21], [6, 6, 21, 21, 21], [6, 21, 21, 21, 21], [21, 21, 21, 21, 21]];
    const WIDE: [[u8; 5]; 5] =
        [[0, 16, 6, 6, 21], [16, 16, 6, 21, 21], [16, 16, 21, 21, 21], [16, 16, 21, 21, 21], [16, 16, 21, 21, 21]];
    const HIGH: [[u8; 5]; 5] =
        [[0, 11, 11, 11, 11], [11, 11, 11, 11, 11], [6, 6, 21, 21, 21], [6, 21, 21, 21, 21], [21, 21, 21, 21, 21]];
    match size.across.cmp(&size.down) {
        std::cmp::Ordering::Equal => &SQUARE,
        std::cmp::Ordering::Greater => &WIDE,
        std::cmp::Ordering::Less => &HIGH,
    }
}

fn context_of_brightness(place: &Place<'_>) -> usize {
    let most = |side: &[Around]| side.iter().map(|around| around.level).max().unwrap_or(0);
    let (above, left) = (most(place.above), most(place.left));
    if place.block == (1 << place.size.across, 1 << place.size.down) {
        return 0;
    }
    match (above.min(left), above.max(left)) {
        (0, 0) => 1,
        (0, most) => 2 + usize::from(most > 3),
        (_, ..=3) => 4,
        (..=3, _) => 5,
        _ => 6,
    }
}

fn context_of_colour(place: &Place<'_>) -> usize {
    let is_coded = |side: &[Around]| usize::from(side.iter().any(|around| around.level != 0 || around.sign != 0));
    let is_part = place.block.0 * place.block.1 > 1 << (place.size.across + place.size.down);
    7 + is_coded(place.above) + is_coded(place.left) + if is_part { 3 } else { 0 }
}

fn sign_context(place: &Place<'_>) -> usize {
    let signs = place.above.iter().chain(place.left).map(|around| match around.sign {
        1 => -1,
        2 => 1,
        _ => 0,
    });
    match signs.sum::<i32>() {
        0 => 0,
        ..0 => 1,
        _ => 2,
    }
}

type Scan = Vec<(u8, u8)>;

/// The order in which coefficients stand, as columns and rows.
fn scan(size: Size, class: Class) -> &'static [(u8, u8)] {
    static SCANS: LazyLock<[[[Scan; 3]; 4]; 4]> = LazyLock::new(|| {
        std::array::from_fn(|across| {
            std::array::from_fn(|down| {
                let (width, height) = (4 << across, 4 << down);
                let by_rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).collect();
                let by_columns = (0..width).flat_map(|x| (0..height).map(move |y| (x, y))).collect();
                [diagonal(width, height), by_rows, by_columns]
            })
        })
    });
    let of_size = &SCANS[usize::from(size.across.min(3))][usize::from(size.down.min(3))];
    match class {
        Class::Both => &of_size[0],
        Class::Down => &of_size[1],
        Class::Across => &of_size[2],
    }
}

/// Along diagonals: in squares to and fro, else always the same way.
fn diagonal(width: u8, height: u8) -> Scan {
    let mut scan = Scan::new();
    for sum in 0..width + height - 1 {
        let columns = sum.saturating_sub(height - 1)..=sum.min(width - 1);
        let goes_left = if width == height { sum % 2 == 1 } else { height > width };
        let place = |x: u8| (x, sum - x);
        if goes_left { scan.extend(columns.rev().map(place)) } else { scan.extend(columns.map(place)) }
    }
    scan
}
