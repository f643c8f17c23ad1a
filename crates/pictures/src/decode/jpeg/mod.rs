//! JPEG (ITU-T T.81). Only the brightness is decoded: of what a camera writes at working size at once, of all else by
//! zune-jpeg.

mod huffman;
mod reduced;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Allowance, LONGEST_SIDE, Unreadable, from_pixels};
use crate::luma::Luma;

/// A block of 64 pixels takes a bit of each scan of its own at least (F.1.2, G.1.2): more pixels than so many for each
/// byte of the file cannot be there.
const MOST_PIXELS_A_BYTE: usize = 512;

pub(super) fn decode(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    let start = Start::of(file);
    match reduced::decode(file, limits) {
        Some(luma) => Ok(luma),
        // Where each component has a scan of its own, zune-jpeg takes the blocks of subsampled pictures for others.
        None if start.is_some_and(|start| start.is_sequential && start.scanned < start.components) => {
            reduced::alone(file, limits).ok_or(Unreadable::Damaged)
        }
        None => whole(file, limits, start.is_none_or(|start| !start.is_sequential)),
    }
}

/// Whether half of so many pixels could be in a file.
fn may_hold(file: &[u8], width: usize, height: usize) -> bool {
    width.saturating_mul(height) / 2 <= file.len().saturating_mul(MOST_PIXELS_A_BYTE)
}

/// All pixels, and then reduced.
fn whole(file: &[u8], limits: &Allowance, may_be_progressive: bool) -> Result<Luma, Unreadable> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(LONGEST_SIDE)
        .set_max_height(LONGEST_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(|_| Unreadable::Damaged)?;
    let (width, height) = decoder.dimensions().ok_or(Unreadable::Damaged)?;
    limits.refuse(width, height)?;
    // A progressive picture's coefficients, of all components, are held until its last scan.
    limits.check_memory(width.saturating_mul(height).saturating_mul(if may_be_progressive { 7 } else { 1 }))?;
    if !may_hold(file, width, height) {
        return Err(Unreadable::Damaged);
    }
    limits.check(width, height)?;
    let channels = decoder.output_colorspace().map_or(1, |space| space.num_components());
    let pixels = decoder.decode().map_err(|_| Unreadable::Damaged)?;
    from_pixels(width, height, channels, &pixels)
}

/// What the segments up to the first scan say of the whole.
#[derive(Clone, Copy)]
struct Start {
    /// Huffman-coded and sequential: no picture's coefficients are held.
    is_sequential: bool,
    components: u8,
    /// Components of the first scan.
    scanned: u8,
}

impl Start {
    /// `None` where something else than segments (and fill bytes between them, B.1.1.2) comes first.
    fn of(file: &[u8]) -> Option<Self> {
        let mut rest = file.get(2..)?;
        let mut frame = None;
        loop {
            let [0xFF, marker, after @ ..] = rest else { return None };
            if *marker == 0xFF {
                rest = rest.get(1..)?;
                continue;
            }
            let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
            let segment = after.get(2..length)?;
            match marker {
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if frame.is_none() => {
                    frame = Some((matches!(marker, 0xC0 | 0xC1), *segment.get(5)?));
                }
                0xDA => {
                    let ((is_sequential, components), scanned) = (frame?, *segment.first()?);
                    return Some(Self { is_sequential, components, scanned });
                }
                0x01 | 0xD0..=0xD9 => return None,
                _ => {}
            }
            rest = after.get(length..)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    use proptest::prelude::*;

    use super::*;
    use crate::decode::Limits;

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

    fn allowance() -> Allowance {
        Allowance::of(Limits::default())
    }

    /// Largest difference of two pictures of one size.
    fn largest_difference(left: &Luma, right: &Luma) -> u8 {
        assert_eq!((left.width(), left.height()), (right.width(), right.height()));
        left.pixels().iter().zip(right.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default()
    }

    /// A picture of more than a megapixel is the same whether its pixels are decoded and reduced or not.
    #[test]
    fn reduced_is_what_decoding_all_and_reducing_gives() {
        let limits = allowance();
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
            let (reduced, all) = (reduced::decode(&file, &limits).unwrap(), whole(&file, &limits, true).unwrap());
            assert!(largest_difference(&reduced, &all) <= 2, "{width} by {height}");
        }
    }

    #[test]
    fn what_cannot_be_reduced_is_left_to_the_other_decoder() {
        let limits = allowance();
        let progressive = encoded(1_451, 1_003, |encoder| encoder.set_progressive(true));
        let small = encoded(640, 480, |_| ());
        let mut cut_off = encoded(1_451, 1_003, |_| ());
        cut_off.truncate(cut_off.len() * 2 / 3);
        for file in [progressive, small, cut_off] {
            assert!(reduced::decode(&file, &limits).is_none());
            assert!(decode(&file, &limits).is_ok());
        }
    }

    /// Encoders that choose their codes by the picture write one scan for each component.
    #[test]
    fn a_scan_for_each_component_is_no_stripes() {
        for (width, height) in [(640, 480), (651, 483), (1_451, 1_003), (3_203, 2_401)] {
            for sampling in [SamplingFactor::R_4_2_0, SamplingFactor::R_4_2_2, SamplingFactor::R_4_4_4] {
                let together = encoded(width, height, |encoder| encoder.set_sampling_factor(sampling));
                let apart = encoded(width, height, |encoder| {
                    encoder.set_sampling_factor(sampling);
                    encoder.set_optimized_huffman_tables(true);
                });
                let start = Start::of(&apart).unwrap();
                assert!(start.is_sequential && start.scanned == 1 && start.components == 3);
                let (together, apart) =
                    (decode(&together, &allowance()).unwrap(), decode(&apart, &allowance()).unwrap());
                assert!(largest_difference(&together, &apart) <= 2, "{width} by {height}, {sampling:?}");
            }
        }
    }

    #[test]
    fn fill_bytes_do_not_hide_that_a_picture_is_progressive() {
        let file = encoded(160, 120, |encoder| encoder.set_progressive(true));
        let frame = file.windows(2).position(|bytes| bytes == [0xFF, 0xC2]).unwrap();
        let filled = [&file[..frame], &[0xFF; 5], &file[frame..]].concat();
        assert!(Start::of(&filled).is_some_and(|start| !start.is_sequential));
        assert!(
            Start::of(&[&file[..frame], &[0], &file[frame..]].concat()).is_none(),
            "what is not known is not assumed"
        );
        assert!(Start::of(&encoded(160, 120, |_| ())).is_some_and(|start| start.is_sequential && start.scanned == 3));
    }

    #[test]
    fn a_few_bytes_that_speak_of_many_pixels_are_not_charged() {
        let mut file = encoded(64, 64, |_| ());
        let frame = file.windows(2).position(|bytes| bytes == [0xFF, 0xC0]).unwrap();
        file[frame + 5..frame + 9].copy_from_slice(&[0x20, 0, 0x20, 0]);
        let limits = allowance();
        assert_eq!(decode(&file, &limits), Err(Unreadable::Damaged));
        assert_eq!(limits.pixels.get(), 0);
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
            let _ = reduced::decode(&file, &allowance());
        }
    }
}
