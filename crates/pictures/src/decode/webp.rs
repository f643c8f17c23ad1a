//! WebP (RFC 9649): lossy, lossless, and the first frame of a moving one.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{Allowance, Unreadable, from_pixels};
use crate::luma::Luma;

pub(super) fn decode(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|_| Unreadable::Damaged)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    limits.check(width, height)?;
    let length = decoder.output_buffer_size().ok_or(Unreadable::TooLarge)?;
    limits.check_memory(length.saturating_mul(2))?;
    decoder.set_memory_limit(limits.limits.memory);
    let mut pixels = vec![0; length];
    let read = if decoder.is_animated() {
        decoder.read_frame(&mut pixels).map(|_| ())
    } else {
        decoder.read_image(&mut pixels)
    };
    read.map_err(|_| Unreadable::Damaged)?;
    from_pixels(width, height, if decoder.has_alpha() { 4 } else { 3 }, &pixels)
}
