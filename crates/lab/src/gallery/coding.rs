//! Pictures as files: PNG and JPEG, written and read.

use super::canvas::Canvas;
use crate::tester::Outcome;
use std::collections::BTreeSet;
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

impl Canvas {
    /// A PNG with a palette, for screens: a phone that saves its screen uses none, but files are larger then.
    ///
    /// # Errors
    /// The picture has no pixels, or more than 256 colours.
    pub fn png(&self) -> Outcome<Vec<u8>> {
        let mut file = Vec::new();
        let (width, height) = self.size();
        let palette: BTreeSet<&[u8]> = self.rgb().chunks(3).collect();
        let palette: Vec<&[u8]> = palette.into_iter().collect();
        let index = |colour| palette.binary_search(&colour).ok().and_then(|at| u8::try_from(at).ok());
        let pixels: Option<Vec<u8>> = self.rgb().chunks(3).map(index).collect();
        let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.concat());
        // The one compression whose output does not depend on which deflate the build has.
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Up);
        encoder.write_header()?.write_image_data(&pixels.ok_or("too many colours")?)?;
        Ok(file)
    }

    /// A JPEG, with EXIF (the TIFF structure alone) where there is some.
    ///
    /// # Errors
    /// The picture has no pixels or too many.
    pub fn jpeg(&self, quality: u8, exif: Option<&[u8]>) -> Outcome<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut file, quality);
        if let Some(exif) = exif {
            encoder.add_exif_metadata(exif)?;
        }
        let (width, height) = self.size();
        encoder.encode(self.rgb(), width.try_into()?, height.try_into()?, jpeg_encoder::ColorType::Rgb)?;
        Ok(file)
    }

    /// The picture in a PNG or JPEG file that the lab wrote.
    ///
    /// # Errors
    /// The file is neither.
    pub fn read(file: &[u8]) -> Outcome<Self> {
        let read = if file.starts_with(b"\x89PNG") { Self::read_png(file)? } else { Self::read_jpeg(file)? };
        Ok(read.ok_or("not a picture in red, green and blue")?)
    }

    fn read_png(file: &[u8]) -> Outcome<Option<Self>> {
        let mut decoder = png::Decoder::new(Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().ok_or("too large")?];
        let info = reader.next_frame(&mut pixels)?;
        Ok(Self::from_rgb(info.width.try_into()?, info.height.try_into()?, &pixels))
    }

    fn read_jpeg(file: &[u8]) -> Outcome<Option<Self>> {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(file), options);
        let pixels = decoder.decode()?;
        let (width, height) = decoder.dimensions().ok_or("no size")?;
        Ok(Self::from_rgb(width.try_into()?, height.try_into()?, &pixels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_read_again_exactly_from_png_and_nearly_from_jpeg() {
        let mut canvas = Canvas::new(64, 48, [20, 120, 200]);
        canvas.ellipse((30, 20), (20, 12), [220, 180, 40]);
        assert!(Canvas::read(&canvas.png().unwrap()).unwrap() == canvas);
        for quality in [90, 60] {
            let again = Canvas::read(&canvas.jpeg(quality, None).unwrap()).unwrap();
            assert_eq!(again.size(), canvas.size());
            let off = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b));
            let sum: u64 = again.rgb().iter().zip(canvas.rgb()).map(off).sum();
            assert!(sum < 64 * 48 * 3 * 12, "{quality}: {sum}");
        }
    }

    #[test]
    fn what_is_no_picture_is_none() {
        assert!(Canvas::read(b"GIF89a").is_err());
    }
}
