//! Prediction of brightness from what is above and on the left (AV1 specification, section 7.11.2).

use super::plane::Plane;
use super::tables::{DIRECTIONS, FILTER_INTRA_TAPS, SMOOTH_WEIGHTS};
use super::transform::Size;

pub(super) const DC: usize = 0;
pub(super) const VERTICAL: usize = 1;
pub(super) const LEFTMOST_DIRECTION: usize = 8;
pub(super) const SMOOTH: usize = 9;
pub(super) const SMOOTH_ACROSS: usize = 11;
const PAETH: usize = 12;
/// Angles of the modes from [`VERTICAL`] to [`LEFTMOST_DIRECTION`], in degrees.
const ANGLES: [i32; 8] = [90, 180, 45, 135, 113, 157, 203, 67];

/// How a transform's place is predicted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    pub(super) kind: usize,
    /// What is added to the mode's direction, in steps of three degrees.
    pub(super) turn: i32,
    /// Which recursive filter is used instead.
    pub(super) filter: Option<usize>,
    /// Whether edges are filtered, and whether a neighbour is smooth, which tells how.
    pub(super) filters_edges: bool,
    pub(super) is_beside_smooth: bool,
}

/// What of the surroundings is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) left: bool,
    pub(super) above: bool,
    pub(super) above_right: bool,
    pub(super) below_left: bool,
    /// Behind the last sample of the picture's blocks, across and down.
    pub(super) end: (usize, usize),
}

/// Place of the first sample of an edge in its array: what stands before it is the corner, and room for twice as many.
const FIRST: usize = 16;
/// Two sides of 64, at twice the number.
const LENGTH: usize = FIRST + 2 * 128 + 16;

struct Edges {
    above: [u16; LENGTH],
    left: [u16; LENGTH],
}

/// Predicts the samples of a transform at a place.
pub(super) fn predict(plane: &mut Plane, (x, y): (usize, usize), size: Size, mode: Mode, known: Known, depth: u32) {
    let mut edges = Edges::of(plane, (x, y), size, known, depth);
    let (width, height) = (size.width(), size.height());
    let mut place = Place { plane, x, y, width, height, most: (1 << depth) - 1 };
    if let Some(filter) = mode.filter {
        place.filter(&edges, &FILTER_INTRA_TAPS[filter.min(4)]);
        return;
    }
    match mode.kind {
        DC => place.mean(&edges, known, depth),
        VERTICAL..=LEFTMOST_DIRECTION => {
            let angle = ANGLES[mode.kind - VERTICAL] + 3 * mode.turn;
            let doubled = edges.prepare(angle, mode, known, &place);
            place.direction(&edges, angle, doubled);
        }
        SMOOTH..=SMOOTH_ACROSS => place.smooth(&edges, mode.kind),
        PAETH => place.paeth(&edges),
        _ => place.mean(&edges, known, depth),
    }
}

impl Edges {
    fn of(plane: &Plane, (x, y): (usize, usize), size: Size, known: Known, depth: u32) -> Self {
        let (width, height) = (size.width(), size.height());
        let middle = 1_u16 << (depth - 1);
        let mut edges = Self { above: [middle - 1; LENGTH], left: [middle + 1; LENGTH] };
        let both = width + height;
        if known.above {
            let length =
                if known.above_right { both.min(2 * width) } else { width }.min(known.end.0.saturating_sub(x)).max(1);
            let row = plane.run(x, y - 1, length);
            edges.above[FIRST..FIRST + length].copy_from_slice(row);
            let last = edges.above[FIRST + length - 1];
            edges.above[FIRST + length..FIRST + both].fill(last);
        } else if known.left {
            edges.above[FIRST..FIRST + both].fill(plane.at(x - 1, y));
        }
        if known.left {
            let length =
                if known.below_left { both.min(2 * height) } else { height }.min(known.end.1.saturating_sub(y)).max(1);
            for (at, sample) in edges.left[FIRST..FIRST + length].iter_mut().enumerate() {
                *sample = plane.at(x - 1, y + at);
            }
            let last = edges.left[FIRST + length - 1];
            edges.left[FIRST + length..FIRST + both].fill(last);
        } else if known.above {
            edges.left[FIRST..FIRST + both].fill(plane.at(x, y - 1));
        }
        let corner = match (known.above, known.left) {
            (true, true) => plane.at(x - 1, y - 1),
            (true, false) => plane.at(x, y - 1),
            (false, true) => plane.at(x - 1, y),
            (false, false) => middle,
        };
        edges.above[FIRST - 1] = corner;
        edges.left[FIRST - 1] = corner;
        edges
    }

    /// Filters the edges for a direction and doubles their samples where that is due; tells which were doubled.
    fn prepare(&mut self, angle: i32, mode: Mode, known: Known, place: &Place<'_>) -> (bool, bool) {
        if !mode.filters_edges || angle == 90 || angle == 180 {
            return (false, false);
        }
        let (width, height) = (place.width, place.height);
        let both = width + height;
        let smooth = mode.is_beside_smooth;
        if (91..180).contains(&angle) && both >= 24 {
            let [left, corner, above] = [self.left[FIRST], self.above[FIRST - 1], self.above[FIRST]].map(u32::from);
            let filtered = ((left * 5 + corner * 6 + above * 5 + 8) >> 4) as u16;
            self.above[FIRST - 1] = filtered;
            self.left[FIRST - 1] = filtered;
        }
        let (beyond_above, beyond_left) = (if angle < 90 { height } else { 0 }, if angle > 180 { width } else { 0 });
        if known.above {
            let length = width.min(known.end.0.saturating_sub(place.x)) + beyond_above + 1;
            filter_edge(&mut self.above[FIRST - 1..][..length], strength(both, smooth, angle - 90));
        }
        if known.left {
            let length = height.min(known.end.1.saturating_sub(place.y)) + beyond_left + 1;
            filter_edge(&mut self.left[FIRST - 1..][..length], strength(both, smooth, angle - 180));
        }
        let doubles = |delta: i32| (1..40).contains(&delta.abs()) && both <= if smooth { 8 } else { 16 };
        let doubled = (doubles(angle - 90), doubles(angle - 180));
        if doubled.0 {
            double(&mut self.above, width + beyond_above, place.most);
        }
        if doubled.1 {
            double(&mut self.left, height + beyond_left, place.most);
        }
        doubled
    }
}

/// Section 7.11.2.9.
fn strength(both: usize, is_smooth: bool, delta: i32) -> usize {
    let delta = delta.abs();
    let least: [i32; 3] = match (is_smooth, both) {
        (false, ..=8) => [56, 1000, 1000],
        (false, 9..=16) => [40, 1000, 1000],
        (false, 17..=24) => [8, 16, 32],
        (false, 25..=32) => [1, 4, 32],
        (true, ..=8) => [40, 64, 1000],
        (true, 9..=16) => [20, 48, 1000],
        (true, 17..=24) => [4, 4, 4],
        _ => [0, 0, 0],
    };
    least.iter().filter(|least| delta >= **least).count()
}

/// Section 7.11.2.12.
fn filter_edge(edge: &mut [u16], strength: usize) {
    const KERNELS: [[u32; 5]; 3] = [[0, 4, 8, 4, 0], [0, 5, 6, 5, 0], [2, 4, 4, 4, 2]];
    let Some(kernel) = strength.checked_sub(1).and_then(|at| KERNELS.get(at)) else { return };
    let mut before = [0; LENGTH];
    before[..edge.len()].copy_from_slice(edge);
    let last = edge.len() - 1;
    for (at, sample) in edge.iter_mut().enumerate().skip(1) {
        let tap = |(tap, weight): (usize, &u32)| weight * u32::from(before[(at + tap).saturating_sub(2).min(last)]);
        *sample = ((kernel.iter().enumerate().map(tap).sum::<u32>() + 8) >> 4) as u16;
    }
}

/// Section 7.11.2.11: so many samples become twice as many, the first of which stands two before the corner's place.
fn double(edge: &mut [u16; LENGTH], count: usize, most: i32) {
    let mut before = [0_i32; 20];
    before[0] = i32::from(edge[FIRST - 1]);
    for (place, sample) in before[1..count + 2].iter_mut().zip(&edge[FIRST - 1..]) {
        *place = i32::from(*sample);
    }
    before[count + 2] = before[count + 1];
    edge[FIRST - 2] = before[0] as u16;
    for (at, window) in before.windows(4).take(count).enumerate() {
        let between = (9 * (window[1] + window[2]) - window[0] - window[3] + 8) >> 4;
        edge[FIRST + 2 * at - 1] = between.clamp(0, most) as u16;
        edge[FIRST + 2 * at] = window[2] as u16;
    }
}

struct Place<'a> {
    plane: &'a mut Plane,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    most: i32,
}

impl Place<'_> {
    fn rows(&mut self, mut row: impl FnMut(usize, &mut [u16])) {
        for y in 0..self.height {
            row(y, self.plane.run_mut(self.x, self.y + y, self.width));
        }
    }

    fn mean(&mut self, edges: &Edges, known: Known, depth: u32) {
        let sum = |edge: &[u16; LENGTH], length: usize| -> usize {
            edge[FIRST..FIRST + length].iter().map(|sample| usize::from(*sample)).sum()
        };
        let (width, height) = (self.width, self.height);
        let mean = match (known.above, known.left) {
            (true, true) => {
                let both = width + height;
                (sum(&edges.above, width) + sum(&edges.left, height) + both / 2) / both
            }
            (true, false) => (sum(&edges.above, width) + width / 2) / width,
            (false, true) => (sum(&edges.left, height) + height / 2) / height,
            (false, false) => 1 << (depth - 1),
        };
        self.rows(|_, row| row.fill(mean as u16));
    }

    fn smooth(&mut self, edges: &Edges, mode: usize) {
        let (width, height) = (self.width, self.height);
        let (last_above, last_left) = (edges.above[FIRST + width - 1], edges.left[FIRST + height - 1]);
        let mixed = |near: u16, far: u16, weight: u8| {
            u32::from(weight) * u32::from(near) + (256 - u32::from(weight)) * u32::from(far)
        };
        self.rows(|y, row| {
            let left = edges.left[FIRST + y];
            let down = SMOOTH_WEIGHTS[height + y];
            for (x, sample) in row.iter_mut().enumerate() {
                let above = edges.above[FIRST + x];
                let across = SMOOTH_WEIGHTS[width + x];
                *sample = match mode {
                    SMOOTH => (mixed(above, last_left, down) + mixed(left, last_above, across) + 256) >> 9,
                    SMOOTH_ACROSS => (mixed(left, last_above, across) + 128) >> 8,
                    _ => (mixed(above, last_left, down) + 128) >> 8,
                } as u16;
            }
        });
    }

    fn paeth(&mut self, edges: &Edges) {
        let corner = i32::from(edges.above[FIRST - 1]);
        self.rows(|y, row| {
            let left = i32::from(edges.left[FIRST + y]);
            for (x, sample) in row.iter_mut().enumerate() {
                let above = i32::from(edges.above[FIRST + x]);
                let base = above + left - corner;
                let (to_left, to_above, to_corner) = ((base - left).abs(), (base - above).abs(), (base - corner).abs());
                *sample = if to_left <= to_above && to_left <= to_corner {
                    left
                } else if to_above <= to_corner {
                    above
                } else {
                    corner
                } as u16;
            }
        });
    }

    /// Section 7.11.2.4.
    fn direction(&mut self, edges: &Edges, angle: i32, (above_doubled, left_doubled): (bool, bool)) {
        let step = |angle: i32| i32::from(DIRECTIONS.get((angle / 2) as usize).copied().unwrap_or(0));
        let (up, left_up) = (i32::from(above_doubled), i32::from(left_doubled));
        let both = (self.width + self.height) as i32;
        let between = |edge: &[u16; LENGTH], base: i32, shift: i32| {
            let at = (base + FIRST as i32).clamp(0, LENGTH as i32 - 2) as usize;
            ((i32::from(edge[at]) * (32 - shift) + i32::from(edge[at + 1]) * shift + 16) >> 5) as u16
        };
        let (above, left) = (&edges.above, &edges.left);
        match angle {
            90 => self.rows(|_, row| row.copy_from_slice(&above[FIRST..FIRST + row.len()])),
            180 => self.rows(|y, row| row.fill(left[FIRST + y])),
            ..90 => {
                let (dx, last) = (step(angle), (both - 1) << up);
                self.rows(|y, row| {
                    let index = (y as i32 + 1) * dx;
                    let shift = (index << up) >> 1 & 31;
                    for (x, sample) in row.iter_mut().enumerate() {
                        let base = (index >> (6 - up)) + ((x as i32) << up);
                        *sample = if base < last { between(above, base, shift) } else { above[FIRST + last as usize] };
                    }
                });
            }
            91..180 => {
                let (dx, dy) = (step(180 - angle), step(angle - 90));
                self.rows(|y, row| {
                    let y = y as i32;
                    for (x, sample) in row.iter_mut().enumerate() {
                        let x = x as i32;
                        let index = (x << 6) - (y + 1) * dx;
                        let base = index >> (6 - up);
                        *sample = if base >= -(1 << up) {
                            between(above, base, (index << up) >> 1 & 31)
                        } else {
                            let index = (y << 6) - (x + 1) * dy;
                            between(left, index >> (6 - left_up), (index << left_up) >> 1 & 31)
                        };
                    }
                });
            }
            _ => {
                let dy = step(270 - angle);
                self.rows(|y, row| {
                    for (x, sample) in row.iter_mut().enumerate() {
                        let index = (x as i32 + 1) * dy;
                        let base = (index >> (6 - left_up)) + ((y as i32) << left_up);
                        *sample = between(left, base, (index << left_up) >> 1 & 31);
                    }
                });
            }
        }
    }

    /// Section 7.11.2.3: four by two samples at once, from what is around them.
    fn filter(&mut self, edges: &Edges, taps: &[[i8; 7]; 8]) {
        for y in (0..self.height).step_by(2) {
            for x in (0..self.width).step_by(4) {
                let around = self.around(edges, x, y);
                for (at, taps) in taps.iter().enumerate() {
                    let sum: i32 = taps.iter().zip(around).map(|(tap, sample)| i32::from(*tap) * sample).sum();
                    let sample = if sum < 0 { -((8 - sum) >> 4) } else { (sum + 8) >> 4 };
                    self.plane.set(self.x + x + at % 4, self.y + y + at / 4, sample.clamp(0, self.most) as u16);
                }
            }
        }
    }

    fn around(&self, edges: &Edges, x: usize, y: usize) -> [i32; 7] {
        let above = |x: usize| match y {
            0 => edges.above[FIRST + x - 1],
            _ if x == 0 => edges.left[FIRST + y - 1],
            _ => self.plane.at(self.x + x - 1, self.y + y - 1),
        };
        let left = |y: usize| match x {
            0 => edges.left[FIRST + y],
            _ => self.plane.at(self.x + x - 1, self.y + y),
        };
        [above(x), above(x + 1), above(x + 2), above(x + 3), above(x + 4), left(y), left(y + 1)].map(i32::from)
    }
}
