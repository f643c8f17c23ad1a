//! Pictures are decoded and given to the models.

use super::memory::{CUT, Known, Memory, Picture, TOO_MANY};
use super::{PictureLines, TextLine};
use dyetrace_ocr::{Line, Reader};
use dyetrace_pictures::{Files, Format, Limits, Luma, Notes, Unreadable, decode_counted};
use dyetrace_report::audit::TextRead;

/// Shorter side in pixels of the smallest picture that is read: icons hold no text.
const SMALLEST: u32 = 24;

const TOO_SMALL: &str = "less than 24 pixels wide or high";
const NO_FORMAT: &str = "of a format whose pixels are not read";
const TOO_LARGE: &str = "larger than 100 megapixels, 65,535 pixels on a side or 256 MiB decoded";
const DAMAGED: &str = "damaged, or coded in a way that is not read";
const FAILED: &str = "the models failed on them";

/// A reader that knows what it has read.
pub(super) struct Remembering {
    reader: Reader,
    memory: Memory,
}

impl Remembering {
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader, memory: Memory::default() }
    }

    /// What stands in each picture that was asked, in order.
    pub(super) fn lines(&self, bytes: &[u8], files: &Files) -> Vec<PictureLines> {
        let file = |range: &std::ops::Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        let asked =
            files.asked.iter().map(|notes| Picture { file: file(&notes.range), left: by_its_head(bytes, notes) });
        let others = files.left.iter().map(|range| Picture { file: file(range), left: None });
        let pictures: Vec<Picture<'_>> = asked.chain(others).collect();
        let size = |at: usize| files.asked.get(at).and_then(|notes| notes.size);
        self.memory.of_body(&pictures, |file, at| self.read(file, size(at)))
    }

    pub(super) fn account(&self) -> TextRead {
        self.memory.account()
    }

    fn read(&self, file: &[u8], size: Option<(u32, u32)>) -> Known {
        let (picture, pixels) = decode_counted(file, &Limits::default());
        let (lines, left) = match picture {
            Ok(picture) => self.read_pixels(&picture, size),
            Err(why) => (Vec::new(), Some(in_words(why))),
        };
        Known { lines: lines.into(), left, pixels }
    }

    fn read_pixels(&self, picture: &Luma, size: Option<(u32, u32)>) -> (Vec<TextLine>, Option<&'static str>) {
        if !self.memory.take() {
            return (Vec::new(), Some(TOO_MANY));
        }
        let Ok(read) = self.reader.read(picture.width(), picture.height(), picture.pixels()) else {
            return (Vec::new(), Some(FAILED));
        };
        let scale = scale(picture, size);
        (read.lines.into_iter().map(|line| as_shown(line, scale)).collect(), (read.left > 0).then_some(CUT))
    }
}

/// Why a picture is not read, where its head says so and nothing needs to be decoded.
fn by_its_head(bytes: &[u8], notes: &Notes) -> Option<&'static str> {
    let file = bytes.get(notes.range.clone()).unwrap_or_default();
    let is_small = notes.size.is_some_and(|(width, height)| width.min(height) < SMALLEST);
    if Format::of(file).is_none() { Some(NO_FORMAT) } else { is_small.then_some(TOO_SMALL) }
}

fn in_words(why: Unreadable) -> &'static str {
    match why {
        Unreadable::NotAPicture => NO_FORMAT,
        Unreadable::TooLarge => TOO_LARGE,
        Unreadable::Damaged => DAMAGED,
    }
}

/// How many pixels of the stored picture one of the working picture stands for.
fn scale(picture: &Luma, size: Option<(u32, u32)>) -> f64 {
    let longest = picture.width().max(picture.height()).max(1) as f64;
    size.map_or(1.0, |(width, height)| (f64::from(width.max(height)) / longest).max(1.0))
}

fn as_shown(line: Line, scale: f64) -> TextLine {
    let scaled = |pixels: u32| (f64::from(pixels) * scale).round();
    let place = line.place;
    let (left, top, width, height) = (scaled(place.left), scaled(place.top), scaled(place.width), scaled(place.height));
    TextLine { text: line.text, place: format!("{left},{top} {width}×{height}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bitmap of one grey, one byte a pixel.
    fn bitmap(width: u32, height: u32) -> Vec<u8> {
        let mut file = b"BM\0\0\0\0\0\0\0\0\x36\x04\0\0\x28\0\0\0".to_vec();
        file.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
        file.extend([1, 0, 8, 0]);
        file.resize(0x436 + width.next_multiple_of(4) as usize * height as usize, 0);
        file
    }

    #[test]
    fn smallness_is_judged_by_the_stored_picture_and_not_by_the_reduced_one() {
        let judged = |file: &[u8]| by_its_head(file, &dyetrace_pictures::notes(file).asked[0]);
        let long = bitmap(60_000, 30);
        let reduced = decode_counted(&long, &Limits::default()).0.unwrap();
        assert!(reduced.height() < SMALLEST as usize);
        assert_eq!(judged(&long), None);
        assert_eq!(judged(&bitmap(60_000, 23)), Some(TOO_SMALL));
        assert_eq!(judged(&bitmap(23, 24)), Some(TOO_SMALL));
        assert_eq!(judged(&bitmap(24, 24)), None);
    }
}
