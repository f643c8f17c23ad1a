//! Windows bitmaps: 1, 4 or 8 bits by palette, 24 and 32 bits, without compression.

use super::{Allowance, Rows, Unreadable, brightness};
use crate::luma::Luma;

pub(super) fn decode(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    let header = Header::read(file).ok_or(Unreadable::Damaged)?;
    limits.refuse(header.width, header.height)?;
    // Rows that are not there cost nothing: a header alone may speak of a hundred megapixels.
    if header.rows_in(file) * 2 < header.height {
        return Err(Unreadable::Damaged);
    }
    limits.check(header.width, header.height)?;
    let palette = header.palette(file);
    let mut rows = Rows::new(header.width, header.height);
    let mut line = Vec::with_capacity(header.width);
    for y in 0..header.height {
        // Rows are written from the bottom, unless the height is negative.
        let at = if header.downwards { y } else { header.height - 1 - y };
        let start = at.saturating_mul(header.stride).saturating_add(header.pixels);
        let Some(row) = file.get(start..).and_then(|rest| rest.get(..header.used)) else {
            if header.downwards {
                break;
            }
            rows.push(&[], 1);
            continue;
        };
        line.clear();
        header.brightness(row, &palette, &mut line);
        rows.push(&line, 1);
    }
    rows.finish()
}

struct Header {
    width: usize,
    height: usize,
    downwards: bool,
    bits: usize,
    /// Where the palette and the pixels start.
    palette: usize,
    pixels: usize,
    /// Bytes of a row, with and without what fills it to four bytes.
    stride: usize,
    used: usize,
}

impl Header {
    fn read(file: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            file.get(at..at + 4).map(|bytes| bytes.iter().rev().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)))
        };
        let (pixels, size) = (number(10)? as usize, number(14)? as usize);
        let (width, height) = (number(18)? as i32, number(22)? as i32);
        let (bits, compression) = ((number(26)? >> 16) as usize, number(30)?);
        let plain = matches!(bits, 1 | 4 | 8 | 24 | 32) && (compression == 0 || (compression == 3 && bits == 32));
        let width = usize::try_from(width).ok()?;
        let used = width.checked_mul(bits)?.div_ceil(8);
        plain.then_some(Self {
            width,
            height: height.unsigned_abs() as usize,
            downwards: height < 0,
            bits,
            palette: 14 + size,
            pixels,
            stride: used.next_multiple_of(4),
            used,
        })
    }

    /// How many rows the file holds.
    fn rows_in(&self, file: &[u8]) -> usize {
        let there = file.len().saturating_sub(self.pixels);
        if there < self.used { 0 } else { ((there - self.used) / self.stride.max(1) + 1).min(self.height) }
    }

    fn palette(&self, file: &[u8]) -> Vec<u8> {
        let entries = file.get(self.palette..self.pixels.min(file.len())).unwrap_or_default();
        let colours = entries.chunks_exact(4).take(256);
        colours
            .map(|entry| if let [blue, green, red, _] = entry { brightness(*red, *green, *blue) } else { 0 })
            .collect()
    }

    fn brightness(&self, row: &[u8], palette: &[u8], line: &mut Vec<u8>) {
        if self.bits >= 24 {
            let pixels = row.chunks_exact(self.bits / 8);
            line.extend(
                pixels
                    .map(|pixel| if let [blue, green, red, ..] = pixel { brightness(*red, *green, *blue) } else { 0 }),
            );
            return;
        }
        let mask = (1_usize << self.bits) - 1;
        for x in 0..self.width {
            let bit = x * self.bits;
            let byte = row.get(bit / 8).copied().map_or(0, usize::from);
            let index = byte >> (8 - self.bits - bit % 8) & mask;
            line.push(palette.get(index).copied().unwrap_or_default());
        }
    }
}
