//! What smooths a decoded picture: the deblocking filter (AV1 specification, section 7.14) and the constrained directional
//! enhancement filter (7.15).

use super::header::{Cdef, Frame};
use super::notes::Notes;
use super::plane::Plane;

/// Smooths the edges of transforms: first those that go down, then those across.
pub(super) fn deblock(plane: &mut Plane, notes: &Notes, frame: &Frame, depth: u32) {
    if frame.filter.levels == [0, 0] {
        return;
    }
    let (samples, stride) = plane.samples_mut();
    for direction in 0..2 {
        for row in 0..frame.block_rows() {
            for column in 0..frame.block_columns() {
                if let Some((length, level)) = edge(notes, direction, row, column) {
                    let (step, along) = if direction == 0 { (1, stride) } else { (stride, 1) };
                    let thresholds = Thresholds::of(level, frame.filter.sharpness, depth);
                    let start = 4 * row * stride + 4 * column;
                    for line in 0..4 {
                        filter_line(samples, start + line * along, step, length, &thresholds);
                    }
                }
            }
        }
    }
}

/// Where a block begins with the edge of a transform: how many samples the filter may look at, and its level.
fn edge(notes: &Notes, direction: usize, row: usize, column: usize) -> Option<(usize, u8)> {
    let side = |row: usize, column: usize| notes.transforms.get(row, column) >> (4 * direction) & 15;
    let here = side(row, column);
    let at = if direction == 0 { column } else { row };
    if at == 0 || at % (1 << here) != 0 {
        return None;
    }
    let (row_before, column_before) = if direction == 0 { (row, column - 1) } else { (row - 1, column) };
    let levels = &notes.levels[direction];
    let level = match levels.get(row, column) {
        0 => levels.get(row_before, column_before),
        level => level,
    };
    let length = 4 << here.min(side(row_before, column_before)).min(2);
    (level > 0).then_some((length, level))
}

struct Thresholds {
    /// Differences beside the edge, over it, and within what is flat.
    near: i32,
    over: i32,
    high: i32,
    flat: i32,
    depth: u32,
}

impl Thresholds {
    /// Section 7.14.6.2.
    fn of(level: u8, sharpness: i32, depth: u32) -> Self {
        let level = i32::from(level);
        let shift = match sharpness {
            ..=0 => 0,
            1..=4 => 1,
            _ => 2,
        };
        let near = if sharpness > 0 { (level >> shift).clamp(1, 9 - sharpness) } else { (level >> shift).max(1) };
        let more = depth - 8;
        Self {
            near: near << more,
            over: (2 * (level + 2) + near) << more,
            high: (level >> 4) << more,
            flat: 1 << more,
            depth,
        }
    }
}

/// One line over an edge (section 7.14.6): `at` is the first sample behind it.
fn filter_line(samples: &mut [u16], at: usize, step: usize, length: usize, thresholds: &Thresholds) {
    let get = |index: usize| i32::from(samples.get(index).copied().unwrap_or_default());
    let before = |distance: usize| get(at.wrapping_sub((distance + 1) * step));
    let behind = |distance: usize| get(at + distance * step);
    let (first, second) = (before(0), behind(0));
    let differs = |distance: usize| (before(distance) - first).abs().max((behind(distance) - second).abs());
    let step_differs = |distance: usize| {
        let (one, other) = (before(distance) - before(distance - 1), behind(distance) - behind(distance - 1));
        one.abs().max(other.abs())
    };
    let is_high = step_differs(1) > thresholds.high;
    let over = (first - second).abs() * 2 + (before(1) - behind(1)).abs() / 2;
    let is_filtered = over <= thresholds.over
        && step_differs(1) <= thresholds.near
        && (length < 8 || step_differs(2) <= thresholds.near && step_differs(3) <= thresholds.near);
    if !is_filtered {
        return;
    }
    let is_flat = |mut distances: std::ops::Range<usize>| distances.all(|at| differs(at) <= thresholds.flat);
    if length >= 8 && is_flat(1..4) {
        let half = if length >= 16 && is_flat(4..7) { 6 } else { 3 };
        wide(samples, at, step, half);
    } else {
        narrow(samples, at, step, is_high, thresholds.depth);
    }
}

/// Section 7.14.6.4: so many samples either side become means.
fn wide(samples: &mut [u16], at: usize, step: usize, half: usize) {
    let mut line = [0_u32; 14];
    let count = 2 * half + 2;
    let first = at.wrapping_sub((half + 1) * step);
    for (index, sample) in line[..count].iter_mut().enumerate() {
        *sample = u32::from(samples.get(first.wrapping_add(index * step)).copied().unwrap_or_default());
    }
    let bits = if half == 6 { 4 } else { 3 };
    let doubled = if half == 6 { 1 } else { 0 };
    for middle in 1..=2 * half {
        let sum: u32 = (0..=2 * half)
            .map(|tap| {
                let weight = 1 + u32::from(tap.abs_diff(half) <= doubled);
                weight * line[(middle + tap).saturating_sub(half).min(count - 1)]
            })
            .sum();
        if let Some(sample) = samples.get_mut(first.wrapping_add(middle * step)) {
            *sample = ((sum + (1 << (bits - 1))) >> bits) as u16;
        }
    }
}

/// Section 7.14.6.3.
fn narrow(samples: &mut [u16], at: usize, step: usize, is_high: bool, depth: u32) {
    let middle = 0x80 << (depth - 8);
    let bound = 1 << (depth - 1);
    let clamped = |value: i32| value.clamp(-bound, bound - 1);
    let places = [at.wrapping_sub(2 * step), at.wrapping_sub(step), at, at + step];
    let [p1, p0, q0, q1] = places.map(|place| i32::from(samples.get(place).copied().unwrap_or_default()) - middle);
    let base = if is_high { clamped(p1 - q1) } else { 0 };
    let base = clamped(base + 3 * (q0 - p0));
    let (less, more) = (clamped(base + 4) >> 3, clamped(base + 3) >> 3);
    let outer = if is_high { 0 } else { (less + 1) >> 1 };
    for (place, value) in places.into_iter().zip([p1 + outer, p0 + more, q0 - less, q1 - outer]) {
        if let Some(sample) = samples.get_mut(place) {
            *sample = (clamped(value) + middle) as u16;
        }
    }
}

/// Takes ringing from along edges: every 8 by 8 samples by themselves.
pub(super) fn enhance(plane: &mut Plane, notes: &Notes, frame: &Frame, depth: u32) {
    let Some(cdef) = &frame.cdef else { return };
    if cdef.strengths.iter().all(|strength| *strength == (0, 0)) {
        return;
    }
    let (rows, columns) = (frame.block_rows(), frame.block_columns());
    let width = 4 * columns;
    // Rows as they were before: of these eight, the two above and the two below.
    let mut before: Vec<Vec<u16>> = (0..12).map(|_| vec![0; width]).collect();
    for row in (0..rows).step_by(2) {
        before.rotate_left(8);
        let first = if row == 0 { 0 } else { 4 };
        for (line, copy) in before.iter_mut().enumerate().skip(first) {
            let y = 4 * row + line;
            if (2..4 * rows + 2).contains(&y) {
                copy.copy_from_slice(plane.run(0, y - 2, width));
            }
        }
        for column in (0..columns).step_by(2) {
            let strength = usize::from(notes.strengths.get(row / 16, column / 16));
            let is_skipped = (0..2).all(|down| (0..2).all(|across| notes.skips.get(row + down, column + across) == 1));
            if let Some(strength) = cdef.strengths.get(strength).filter(|_| !is_skipped) {
                let block = Eight { before: &before, x: 4 * column, y: 4 * row, end: (width, 4 * rows), depth };
                block.enhance(plane, *strength, cdef);
            }
        }
    }
}

/// Eight by eight samples.
struct Eight<'a> {
    /// Two rows above, the eight, and two below.
    before: &'a [Vec<u16>],
    x: usize,
    y: usize,
    end: (usize, usize),
    depth: u32,
}

impl Eight<'_> {
    fn at(&self, x: i32, y: i32) -> Option<i32> {
        let (across, down) = (self.x as i32 + x, self.y as i32 + y);
        let is_inside = (0..self.end.0 as i32).contains(&across) && (0..self.end.1 as i32).contains(&down);
        let row = self.before.get((y + 2) as usize).filter(|_| is_inside)?;
        row.get(across as usize).map(|sample| i32::from(*sample))
    }

    fn enhance(&self, plane: &mut Plane, (first, second): (i32, i32), cdef: &Cdef) {
        let more = self.depth - 8;
        let (direction, variance) = self.direction(more);
        let (mut first, second) = (first << more, second << more);
        let main = if first == 0 { 0 } else { direction };
        let strength = if variance >> 6 == 0 { 0 } else { ((variance >> 6).ilog2() as i32).min(12) };
        first = if variance == 0 { 0 } else { (first * (4 + strength) + 8) >> 4 };
        if first == 0 && second == 0 {
            return;
        }
        let taps = if (first >> more) & 1 == 1 { [3, 3] } else { [4, 2] };
        let damping = cdef.damping + more as i32;
        for y in 0..8 {
            for x in 0..8 {
                let Some(here) = self.at(x, y) else { continue };
                let (mut sum, mut least, mut most) = (0, here, here);
                let mut count = |(across, down): (i32, i32), tap: i32, strength: i32| {
                    for sign in [-1, 1] {
                        if let Some(other) = self.at(x + sign * across, y + sign * down) {
                            sum += tap * constrained(other - here, strength, damping);
                            (least, most) = (least.min(other), most.max(other));
                        }
                    }
                };
                for (distance, tap) in taps.into_iter().enumerate() {
                    count(way(main, distance), tap, first);
                    for turned in [main + 6, main + 2] {
                        count(way(turned, distance), 2 - distance as i32, second);
                    }
                }
                let value = (here + ((8 + sum - i32::from(sum < 0)) >> 4)).clamp(least, most);
                plane.set(self.x + x as usize, self.y + y as usize, value as u16);
            }
        }
    }

    /// The direction along which samples differ least, and how much more they do across it (section 7.15.2).
    fn direction(&self, more: u32) -> (usize, i32) {
        let mut sums = [[0_i32; 15]; 8];
        for y in 0..8_i32 {
            for x in 0..8_i32 {
                let sample = (self.at(x, y).unwrap_or_default() >> more) - 128;
                let lines = [x + y, y + x / 2, y, 3 + y - x / 2, 7 + y - x, 3 - y / 2 + x, x, y / 2 + x];
                for (sums, line) in sums.iter_mut().zip(lines) {
                    sums[line as usize] += sample;
                }
            }
        }
        const SHARES: [i32; 9] = [0, 840, 420, 280, 210, 168, 140, 120, 105];
        let mut costs = [0_i32; 8];
        for (direction, (cost, sums)) in costs.iter_mut().zip(&sums).enumerate() {
            *cost = match direction {
                2 | 6 => sums[..8].iter().map(|sum| sum * sum).sum::<i32>() * SHARES[8],
                0 | 4 => (0..15_i32).map(|at| sums[at as usize].pow(2) * SHARES[(8 - (at - 7).abs()) as usize]).sum(),
                _ => {
                    let middle: i32 = (3..8).map(|at| sums[at] * sums[at]).sum::<i32>() * SHARES[8];
                    let ends = (0..3).map(|at| (sums[at].pow(2) + sums[10 - at].pow(2)) * SHARES[2 * at + 2]);
                    middle + ends.sum::<i32>()
                }
            };
        }
        let mut best = 0;
        for (direction, cost) in costs.iter().enumerate() {
            if *cost > costs[best] {
                best = direction;
            }
        }
        (best, (costs[best] - costs[(best + 4) & 7]) >> 10)
    }
}

fn constrained(difference: i32, strength: i32, damping: i32) -> i32 {
    if strength == 0 {
        return 0;
    }
    let shift = (damping - strength.ilog2() as i32).max(0);
    let size = difference.abs();
    difference.signum() * (strength - (size >> shift)).clamp(0, size)
}

/// `Cdef_Directions`: steps across and down.
fn way(direction: usize, distance: usize) -> (i32, i32) {
    const WAYS: [[(i32, i32); 2]; 8] = [
        [(1, -1), (2, -2)],
        [(1, 0), (2, -1)],
        [(1, 0), (2, 0)],
        [(1, 0), (2, 1)],
        [(1, 1), (2, 2)],
        [(0, 1), (1, 2)],
        [(0, 1), (0, 2)],
        [(0, 1), (-1, 2)],
    ];
    WAYS[direction & 7][distance & 1]
}
