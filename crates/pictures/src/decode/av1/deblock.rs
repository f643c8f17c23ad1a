//! What smooths a decoded picture: the deblocking filter (AV1 specification, section 7.14).

use super::header::Frame;
use super::notes::Notes;
use super::plane::Plane;

/// Smooths the edges of transforms in what is shown: first those that go down, then those across.
pub(super) fn deblock(plane: &mut Plane, notes: &Notes, frame: &Frame, depth: u32) {
    if frame.filter.levels == [0, 0] {
        return;
    }
    let (samples, stride) = plane.samples_mut();
    for direction in 0..2 {
        for row in 0..frame.height.div_ceil(4) {
            for column in 0..frame.width.div_ceil(4) {
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
    let (bits, doubled) = if half == 6 { (4, 1) } else { (3, 0) };
    let at_or_end = |at: usize| line[at.min(count - 1)];
    // Of all from `half` before to `half` behind; beyond the ends the last ones stand.
    let mut sum = line[0] * half as u32 + line[..=half].iter().sum::<u32>();
    for middle in 1..=2 * half {
        sum += at_or_end(middle + half);
        sum -= line[(middle - 1).saturating_sub(half)];
        let twice: u32 = line[middle - doubled..=middle + doubled].iter().sum();
        if let Some(sample) = samples.get_mut(first.wrapping_add(middle * step)) {
            *sample = ((sum + twice + (1 << (bits - 1))) >> bits) as u16;
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
