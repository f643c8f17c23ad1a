//! Small pictures for reports.

use crate::decode::{Limits, Unreadable, decode};

/// A picture file as a PNG in shades of grey whose longer side has at most so many pixels. With a dozen or fewer, nothing
/// can be read or recognised on it that was not known before.
///
/// # Errors
/// The file is no picture that can be read.
pub fn thumbnail(file: &[u8], longest: usize) -> Result<Vec<u8>, Unreadable> {
    let picture = decode(file, &Limits::default())?;
    let (width, height) = (picture.width(), picture.height());
    let longer = width.max(height).max(1);
    let fit = |side: usize| (side * longest.min(longer)).div_ceil(longer).max(1);
    let (small_width, small_height) = (fit(width), fit(height));
    let mut pixels = Vec::with_capacity(small_width * small_height);
    for y in 0..small_height {
        let rows = y * height / small_height..((y + 1) * height).div_ceil(small_height).min(height);
        for x in 0..small_width {
            let columns = x * width / small_width..((x + 1) * width).div_ceil(small_width).min(width);
            let shades = rows.clone().flat_map(|row| picture.row(row).get(columns.clone()).unwrap_or_default());
            let (sum, count) = shades.fold((0_u64, 0_u64), |(sum, count), shade| (sum + u64::from(*shade), count + 1));
            pixels.push((sum / count.max(1)) as u8);
        }
    }
    encoded(small_width as u32, small_height as u32, &pixels).ok_or(Unreadable::Damaged)
}

fn encoded(width: u32, height: u32, pixels: &[u8]) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(pixels).ok()?;
    writer.finish().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_fits_and_keeps_the_shape() {
        let pixels: Vec<u8> = (0..400 * 100).map(|at| if at % 400 < 200 { 10 } else { 240 }).collect();
        let file = encoded(400, 100, &pixels).unwrap();
        let small = decode(&thumbnail(&file, 12).unwrap(), &Limits::default()).unwrap();
        assert_eq!((small.width(), small.height()), (12, 3));
        assert_eq!((small.row(1)[0], small.row(1)[11]), (10, 240));
        let same = decode(&thumbnail(&file, 4000).unwrap(), &Limits::default()).unwrap();
        assert_eq!((same.width(), same.height()), (400, 100), "it is never enlarged");
        assert_eq!(thumbnail(b"no picture", 12), Err(Unreadable::NotAPicture));
    }
}
