//! JPEG (ITU-T T.81). Only the brightness is decoded: of what a camera writes at working size at once, of all else by
//! zune-jpeg.

mod huffman;
mod reduced;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{LONGEST_SIDE, Limits, Unreadable, from_pixels};
use crate::luma::Luma;

pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Luma, Unreadable> {
    match reduced::decode(file, limits) {
        Some(luma) => Ok(luma),
        None => whole(file, limits),
    }
}

/// All pixels, and then reduced.
fn whole(file: &[u8], limits: &Limits) -> Result<Luma, Unreadable> {
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

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    use proptest::prelude::*;

    use super::*;

    /// Soft waves and noise in three colours, drawn by a fixed generator.
    fn colours(width: u16, height: u16) -> Vec<u8> {
        let (mut state, mut pixels) = (7_u32, Vec::new());
        for at in 0..u32::from(width) * u32::from(height) {
            let (x, y) = ((at % u32::from(width)) as f32, (at / u32::from(width)) as f32);
            for wave in [37.0_f32, 53.0, 91.0] {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let soft = 128.0 + 45.0 * (x / wave).sin() + 45.0 * (y / wave + x / 11.0).cos();
                pixels.push((soft + (state >> 27) as f32) as u8);
            }
        }
        pixels
    }

    fn encoded(width: u16, height: u16, change: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 90);
        change(&mut encoder);
        encoder.encode(&colours(width, height), width, height, ColorType::Rgb).unwrap();
        file
    }

    /// Largest difference of two pictures of one size.
    fn largest_difference(left: &Luma, right: &Luma) -> u8 {
        assert_eq!((left.width(), left.height()), (right.width(), right.height()));
        left.pixels().iter().zip(right.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default()
    }

    /// A picture of more than a megapixel is the same whether its pixels are decoded and reduced or not.
    #[test]
    fn reduced_is_what_decoding_all_and_reducing_gives() {
        let limits = Limits::default();
        for (width, height, sampling, interval, optimized) in [
            (1_451, 1_003, SamplingFactor::R_4_2_0, 0, false),
            (1_451, 1_003, SamplingFactor::R_4_4_4, 5, false),
            (2_001, 2_003, SamplingFactor::R_4_2_2, 0, true),
            (1_400, 1_003, SamplingFactor::R_4_4_0, 70, false),
            (3_203, 3_001, SamplingFactor::R_4_2_0, 0, false),
        ] {
            let file = encoded(width, height, |encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_optimized_huffman_tables(optimized);
                if interval > 0 {
                    encoder.set_restart_interval(interval);
                }
            });
            let (reduced, all) = (reduced::decode(&file, &limits).unwrap(), whole(&file, &limits).unwrap());
            assert!(largest_difference(&reduced, &all) <= 2, "{width} by {height}");
        }
    }

    #[test]
    fn what_cannot_be_reduced_is_left_to_the_other_decoder() {
        let limits = Limits::default();
        let progressive = encoded(1_451, 1_003, |encoder| encoder.set_progressive(true));
        let small = encoded(640, 480, |_| ());
        let mut cut_off = encoded(1_451, 1_003, |_| ());
        cut_off.truncate(cut_off.len() * 2 / 3);
        for file in [progressive, small, cut_off] {
            assert!(reduced::decode(&file, &limits).is_none());
            assert!(decode(&file, &limits).is_ok());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Damage ends in a picture or in none, and never in a panic.
        #[test]
        fn damaged_files_do_no_harm(damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..20)) {
            static FILE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| encoded(1_200, 900, |_| ()));
            let mut file = FILE.clone();
            for (place, byte) in damage {
                // Half of the damage among the headers.
                let end = if byte & 1 == 0 { file.len() } else { 700 };
                let at = place.index(end);
                file[at] = byte;
            }
            let _ = reduced::decode(&file, &Limits::default());
        }
    }
}
