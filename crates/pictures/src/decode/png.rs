//! PNG, row by row, so that a large one is never held whole.

use std::io::Cursor;

use super::{Allowance, Rows, Unreadable};
use crate::luma::Luma;

pub(super) fn decode(file: &[u8], limits: &Allowance) -> Result<Luma, Unreadable> {
    let mut decoder = ::png::Decoder::new_with_limits(Cursor::new(file), ::png::Limits { bytes: limits.limits.memory });
    decoder.set_transformations(::png::Transformations::normalize_to_color8());
    decoder.ignore_checksums(true);
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(|_| Unreadable::Damaged)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    limits.check(width, height)?;
    let channels = reader.output_color_type().0.samples();
    if reader.info().interlaced {
        return whole(&mut reader, limits);
    }
    let mut rows = Rows::new(width, height);
    while let Ok(Some(row)) = reader.next_row() {
        rows.push(row.data(), channels);
    }
    limits.give_back(width, height.saturating_sub(rows.came));
    rows.finish()
}

/// Interlaced: rows come in seven passes over all of it.
fn whole(reader: &mut ::png::Reader<Cursor<&[u8]>>, limits: &Allowance) -> Result<Luma, Unreadable> {
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let length = reader.output_buffer_size().ok_or(Unreadable::TooLarge)?;
    limits.check_memory(length)?;
    let mut pixels = vec![0; length];
    let frame = reader.next_frame(&mut pixels).map_err(|_| Unreadable::Damaged)?;
    super::from_pixels(width, height, frame.color_type.samples(), &pixels)
}
