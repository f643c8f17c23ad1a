//! The small picture that cameras put into a picture's notes (EXIF 2.32, section 4.5.8). Programs that crop or paint over
//! a picture often leave it as it was, and then it shows what was taken away.

use crate::decode::{Limits, decode, decode_counted};
use crate::exif::{exif, upright};
use crate::luma::Luma;
use crate::size::size;
use crate::tiff::Tiff;
use std::ops::Range;

/// Relative difference of the shapes from which they are not the same picture: that of rounding is less.
const SHAPE: f64 = 0.05;
/// Correlation of two pictures of the same contents is above, of the picture and a part of it below.
const ALIKE: f64 = 0.75;
/// Cells on each side in which they are compared.
const GRID: usize = 16;
/// Brightness under which rows and columns at the edges are the bars that cameras fill small pictures up with.
const BLACK: u8 = 24;
/// Variance of brightness under which a picture is too smooth to be compared.
const SMOOTH: f64 = 30.0;

/// A small picture inside a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// Where it lies.
    pub range: Range<usize>,
    /// Width and height in pixels.
    pub size: (u32, u32),
}

/// What a small picture shows, held against the picture it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The same.
    Same,
    /// Something of another shape: the picture was cropped, or turned, after it was taken.
    AnotherShape,
    /// Something else in the same shape: the picture was cropped or changed after it was taken.
    OtherContents,
}

/// The small picture in the notes of a picture file.
pub(crate) fn embedded(file: &[u8], block: Range<usize>) -> Option<Embedded> {
    let tiff = Tiff::new(file.get(block.clone())?)?;
    let second = tiff.second();
    let (at, length) = (tiff.whole(&second, 0x0201)? as usize, tiff.whole(&second, 0x0202)? as usize);
    let start = block.start.checked_add(at)?;
    let range = start..start.checked_add(length)?.min(block.end);
    Some(Embedded { size: size(file.get(range.clone())?)?, range })
}

/// Whether the small picture shows what the picture around it shows. Both are decoded. `None` where one of them cannot
/// be read or is too smooth to tell. And how many pixels of the picture were decoded for it.
pub fn shows(file: &[u8], small: &[u8]) -> (Option<Shows>, u64) {
    let limits = Limits { pixels: 1 << 20, memory: 16 << 20 };
    let orientation = exif(file).and_then(|notes| notes.orientation).unwrap_or(1);
    let Ok(small) = decode(small, &limits) else { return (None, 0) };
    let (picture, pixels) = decode_counted(file, &Limits::default());
    let shows = picture.ok().and_then(|picture| compare(&picture, &upright(small, orientation)));
    (shows, pixels)
}

fn compare(picture: &Luma, small: &Luma) -> Option<Shows> {
    let same_shape = |other: &Luma| (shape(picture) / shape(other)).ln().abs() <= SHAPE;
    let unframed = if same_shape(small) { None } else { Some(without_bars(small)) };
    let small = unframed.as_ref().unwrap_or(small);
    if !same_shape(small) {
        return Some(Shows::AnotherShape);
    }
    let (left, right) = (cells(picture), cells(small));
    let alike = correlation(&left, &right)?;
    Some(if alike >= ALIKE { Shows::Same } else { Shows::OtherContents })
}

fn shape(picture: &Luma) -> f64 {
    picture.width().max(1) as f64 / picture.height().max(1) as f64
}

/// Without black rows above and below and black columns left and right.
fn without_bars(picture: &Luma) -> Luma {
    let (width, height) = (picture.width(), picture.height());
    let dark_row = |y: &usize| picture.row(*y).iter().all(|shade| *shade < BLACK);
    let dark_column = |x: &usize| (0..height).all(|y| picture.row(y).get(*x).is_none_or(|shade| *shade < BLACK));
    let top = (0..height).take_while(dark_row).count();
    let bottom = (top..height).rev().take_while(dark_row).count();
    let left = (0..width).take_while(dark_column).count();
    let right = (left..width).rev().take_while(dark_column).count();
    picture.cut(left, top, (width - left - right).max(1), (height - top - bottom).max(1))
}

/// Mean brightness of each cell of a grid.
fn cells(picture: &Luma) -> Vec<f64> {
    let (width, height) = (picture.width(), picture.height());
    let mut means = Vec::with_capacity(GRID * GRID);
    for row in 0..GRID {
        for column in 0..GRID {
            let (mut sum, mut count) = (0_u64, 0_u64);
            for y in row * height / GRID..((row + 1) * height).div_ceil(GRID).min(height) {
                let cells = column * width / GRID..((column + 1) * width).div_ceil(GRID).min(width);
                for shade in picture.row(y).get(cells).unwrap_or_default() {
                    sum += u64::from(*shade);
                    count += 1;
                }
            }
            means.push(sum as f64 / count.max(1) as f64);
        }
    }
    means
}

/// Pearson's coefficient; `None` where one side hardly varies.
fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    let count = left.len().max(1) as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (left_mean, right_mean) = (mean(left), mean(right));
    let (mut both, mut of_left, mut of_right) = (0.0, 0.0, 0.0);
    for (a, b) in left.iter().zip(right) {
        let (a, b) = (a - left_mean, b - right_mean);
        both += a * b;
        of_left += a * a;
        of_right += b * b;
    }
    (of_left / count > SMOOTH && of_right / count > SMOOTH).then(|| both / (of_left * of_right).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blobs of light that no part of the picture repeats.
    fn scene(width: usize, height: usize) -> Luma {
        let shade = |x: usize, y: usize| {
            let (x, y) = (x as f64 / width as f64, y as f64 / height as f64);
            (128.0 + 60.0 * (7.0 * x + 3.0 * y * y).sin() + 60.0 * (9.0 * y - 4.0 * x * x).cos()) as u8
        };
        Luma::new(width, height, (0..width * height).map(|at| shade(at % width, at / width)).collect()).unwrap()
    }

    #[test]
    fn what_was_cropped_away_is_told_by_shape_or_contents() {
        let (taken, small) = (scene(640, 480), scene(160, 120));
        assert_eq!(compare(&taken, &small), Some(Shows::Same));
        assert_eq!(compare(&taken.cut(0, 0, 300, 480), &small), Some(Shows::AnotherShape));
        assert_eq!(compare(&taken.cut(300, 200, 320, 240), &small), Some(Shows::OtherContents));
    }

    #[test]
    fn bars_that_fill_a_small_picture_up_are_no_contents() {
        let (wide, inner) = (scene(640, 360), scene(160, 90));
        let mut framed = vec![0; 160 * 15];
        framed.extend(inner.pixels());
        framed.extend(vec![3; 160 * 15]);
        assert_eq!(compare(&wide, &Luma::new(160, 120, framed).unwrap()), Some(Shows::Same));
    }

    #[test]
    fn what_is_smooth_cannot_be_told() {
        let grey = |width, height| Luma::new(width, height, vec![200; width * height]).unwrap();
        assert_eq!(compare(&grey(64, 48), &grey(16, 12)), None);
    }

    fn file(picture: &Luma) -> Vec<u8> {
        let mut file = Vec::new();
        let (width, height) = (picture.width() as u16, picture.height() as u16);
        let encoder = jpeg_encoder::Encoder::new(&mut file, 90);
        encoder.encode(picture.pixels(), width, height, jpeg_encoder::ColorType::Luma).unwrap();
        file
    }

    #[test]
    fn a_head_that_speaks_of_gigapixels_costs_nothing_and_what_is_decoded_is_told() {
        let (picture, small) = (file(&scene(640, 480)), file(&scene(160, 120)));
        assert_eq!(shows(&picture, &small), (Some(Shows::Same), 640 * 480));
        assert_eq!(shows(&picture, b"no picture"), (None, 0));
        let mut bomb = picture.clone();
        let frame = memchr::memmem::find(&bomb, b"\xFF\xC0").unwrap();
        bomb[frame + 5..frame + 9].fill(0xFF);
        assert_eq!(size(&bomb), Some((65_535, 65_535)));
        assert_eq!(shows(&bomb, &small), (None, 0));
    }
}
