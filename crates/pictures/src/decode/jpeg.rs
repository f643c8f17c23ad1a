//! JPEG (ITU-T T.81), by zune-jpeg. Only the brightness is decoded.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{LONGEST_SIDE, Limits, Unreadable, from_pixels};
use crate::luma::Luma;

pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Luma, Unreadable> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(LONGEST_SIDE)
        .set_max_height(LONGEST_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(|_| Unreadable::Damaged)?;
    let (width, height) = decoder.dimensions().ok_or(Unreadable::Damaged)?;
    limits.check(width, height)?;
    // A progressive picture's coefficients, of all components, are held until its last scan.
    limits.check_memory(width.saturating_mul(height).saturating_mul(if is_progressive(file) { 7 } else { 1 }))?;
    let channels = decoder.output_colorspace().map_or(1, |space| space.num_components());
    let pixels = decoder.decode().map_err(|_| Unreadable::Damaged)?;
    from_pixels(width, height, channels, &pixels)
}

fn is_progressive(file: &[u8]) -> bool {
    let mut rest = file.get(2..).unwrap_or_default();
    while let [0xFF, marker, high, low, ..] = rest {
        match marker {
            0xC2 => return true,
            0xDA => return false,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = rest.get(2 + length.max(2)..).unwrap_or_default();
    }
    false
}
