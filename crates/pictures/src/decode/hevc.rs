//! The first picture of an HEVC stream (ITU-T H.265), by a decoder of the `heifer` crates, which bounds the size of a picture
//! but not how often its slices may come: that is bounded here.

use super::{Allowance, Unreadable};
use heifer_hevc_dec::nal::{NalUnit, split_annex_b};
use heifer_hevc_dec::params::ParameterSets;
pub(super) use heifer_hevc_dec::recon::Frame;
use heifer_hevc_dec::recon::Reconstructor;
use heifer_hevc_dec::slice::SliceHeader;
use heifer_hevc_dec::syntax::{Picture, decode_slice_segment};
use heifer_isobmff::{HeifFile, ItemId};

/// Bytes that the decoder holds for each pixel of a coded picture: three planes of 16 bits, at most, and its notes.
const BYTES_OF_PIXEL: usize = 8;
/// Coded pictures are larger than they say by less than this, on each side: sides are multiples of a coding block.
const EDGE: u64 = 64;
/// Units of one coded picture: parameters, notes, and slices, of which none has more than 600 (H.265 table A.8).
const UNITS: usize = 4096;
/// Bytes that a stream's one byte may become before it is taken apart: lengths become start codes, and all is copied.
const COPIES: usize = 5;

/// Decodes a coded picture that has at least this size. Takes the bytes that are read from those that are left.
pub(super) fn decode(
    (heif, item): (&HeifFile<'_>, ItemId),
    (width, height): (usize, usize),
    limits: &Allowance,
    left: &mut usize,
) -> Result<Frame, Unreadable> {
    limits.check_memory(width.saturating_mul(height).saturating_mul(BYTES_OF_PIXEL))?;
    let most = (width as u64 + EDGE) * (height as u64 + EDGE);
    limits.check_memory(heif.item_data(item).map_err(damaged)?.len().saturating_mul(COPIES))?;
    let stream = heif.hevc_bitstream(item).map_err(damaged)?;
    *left = left.checked_sub(stream.len()).ok_or(Unreadable::TooLarge)?;
    let frame = first_picture(&stream, most)?;
    if (frame.widths[0] as usize) < width || (frame.heights[0] as usize) < height {
        return Err(Unreadable::Damaged);
    }
    Ok(frame)
}

/// Decodes the first picture of a stream with start codes. Each of its blocks may come once: slices that come again
/// would cost any time.
fn first_picture(stream: &[u8], most_pixels: u64) -> Result<Frame, Unreadable> {
    let units = split_annex_b(stream).take(UNITS + 1).map(NalUnit::parse);
    let units: Vec<NalUnit<'_>> = units.collect::<Result<_, _>>().map_err(damaged)?;
    if units.len() > UNITS {
        return Err(Unreadable::TooLarge);
    }
    let mut sets = ParameterSets::default();
    for unit in units.iter().take_while(|unit| !unit.header.unit_type.is_slice()) {
        sets.add(unit).map_err(damaged)?;
    }
    let mut decoded: Option<(Picture<'_>, Reconstructor<'_>, u8)> = None;
    let mut last: Option<SliceHeader> = None;
    for unit in units.iter().filter(|unit| unit.header.unit_type.is_slice()) {
        let begins_a_picture = unit.rbsp.first().is_some_and(|first| first & 0x80 != 0);
        if begins_a_picture && decoded.is_some() {
            break;
        }
        let header = SliceHeader::parse(&unit.rbsp, &unit.header, &sets, last.as_ref()).map_err(damaged)?;
        let parameters = header.slice_pic_parameter_set_id;
        let (pps, sps) = sets.get(usize::from(parameters)).map_err(damaged)?;
        if u64::from(sps.pic_width_in_luma_samples) * u64::from(sps.pic_height_in_luma_samples) > most_pixels {
            return Err(Unreadable::TooLarge);
        }
        let (picture, samples, of) =
            decoded.get_or_insert_with(|| (Picture::new(sps, pps), Reconstructor::new(sps, pps), parameters));
        if *of != parameters {
            return Err(Unreadable::Damaged);
        }
        if picture.decoded_ctbs >= picture.layout.width * picture.layout.height {
            return Err(Unreadable::TooLarge);
        }
        samples.start_slice(&header);
        let data = unit.rbsp.get(header.header_size..).unwrap_or_default();
        let quantiser = header.slice_qp_y(&sets).map_err(damaged)?;
        decode_slice_segment(picture, &header, quantiser, data, samples).map_err(damaged)?;
        if samples.error.is_some() {
            return Err(Unreadable::Damaged);
        }
        if !header.dependent_slice_segment_flag {
            last = Some(header);
        }
    }
    let (picture, samples, _) = decoded.filter(|(picture, ..)| picture.is_complete()).ok_or(Unreadable::Damaged)?;
    let sps = picture.sps;
    Ok(samples.finish(false).cropped(sps))
}

fn damaged<E>(_: E) -> Unreadable {
    Unreadable::Damaged
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::drawings::photo;
    use crate::luma::Luma;
    use heifer::{EncodeOptions, encode_rgb8};

    /// A HEIF file of a picture.
    pub(in crate::decode) fn coded(picture: &Luma) -> Vec<u8> {
        let colours: Vec<u8> = picture.pixels().iter().flat_map(|grey| [*grey; 3]).collect();
        let options = EncodeOptions { max_threads: 1, ..EncodeOptions::default() };
        encode_rgb8(picture.width() as u32, picture.height() as u32, &colours, &options).unwrap()
    }

    /// Every slice of the stream again, as if it were one more of the same picture.
    #[test]
    fn blocks_that_come_again_are_not_decoded_again() {
        let file = coded(&photo(64, 64, 1));
        let heif = HeifFile::parse(&file).unwrap();
        let stream = heif.hevc_bitstream(heif.primary_id).unwrap();
        assert!(first_picture(&stream, 1 << 20).is_ok());
        let units: Vec<&[u8]> = split_annex_b(&stream).collect();
        let slice = *units.iter().find(|unit| NalUnit::parse(unit).unwrap().header.unit_type.is_slice()).unwrap();
        // The first bit after the unit's head says that a picture begins; without it an address follows, of no bits
        // where a picture has one block.
        let mut again = slice.to_vec();
        again[2] &= 0x7F;
        let twice: Vec<u8> = [&stream[..], &[0, 0, 0, 1], &again].concat();
        assert!(matches!(first_picture(&twice, 1 << 20), Err(Unreadable::TooLarge)));
    }

    #[test]
    fn a_stream_of_nothing_but_small_units_is_not_held() {
        let unit = [0, 0, 0, 1, 0x4E, 1, 0x80];
        assert_eq!(first_picture(&unit.repeat(UNITS + 1), 1 << 20).err(), Some(Unreadable::TooLarge));
    }
}
