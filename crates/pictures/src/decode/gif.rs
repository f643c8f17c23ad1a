//! GIF: the first frame, on white where it does not cover the picture.

use ::gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::{Allowance, Unreadable, brightness, from_pixels};
use crate::luma::Luma;

pub(super) fn decode(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let memory = std::num::NonZeroU64::new(limits.limits.memory as u64).ok_or(Unreadable::TooLarge)?;
    options.set_memory_limit(MemoryLimit::Bytes(memory));
    let mut decoder = options.read_info(file).map_err(|_| Unreadable::Damaged)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    limits.check(width, height)?;
    limits.check_memory(width.saturating_mul(height))?;
    let frame = decoder.read_next_frame().ok().flatten().ok_or(Unreadable::Damaged)?;
    let mut pixels = vec![255_u8; width * height];
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let length = usize::from(frame.width) * 4;
    if length == 0 {
        return Err(Unreadable::Damaged);
    }
    for (y, row) in frame.buffer.chunks_exact(length).enumerate() {
        let Some(line) = pixels.get_mut((top + y).saturating_mul(width)..).and_then(|rest| rest.get_mut(..width))
        else {
            break;
        };
        for (out, pixel) in line.iter_mut().skip(left).zip(row.chunks_exact(4)) {
            if let [red, green, blue, 1..=255] = pixel {
                *out = brightness(*red, *green, *blue);
            }
        }
    }
    from_pixels(width, height, 1, &pixels)
}
