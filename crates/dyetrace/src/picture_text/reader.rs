//! Pictures are given to the models that read.

use super::TextLine;
use crate::each_picture::{EachPicture, Found, Looked, Most, Pixels, Smallest};
use dyetrace_ocr::{Line, Reader};
use dyetrace_pictures::Files;
use dyetrace_report::audit::TextRead;

const MOST: Most = Most { pictures: 500, in_words: "more than 500 different pictures" };
/// Icons hold no text.
const SMALLEST: Smallest = Smallest { side: 24, in_words: "less than 24 pixels wide or high" };

const CUT: &str = "read in part: more text than 200 lines or 60,000 columns";
const FAILED: &str = "the models failed on them";

/// A reader that knows what it has read.
pub(super) struct Remembering {
    reader: Reader,
    pictures: EachPicture<TextLine>,
}

impl Remembering {
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader, pictures: EachPicture::new(MOST, SMALLEST) }
    }

    /// What stands in each picture that was asked, in order.
    pub(super) fn lines(&self, bytes: &[u8], files: &Files) -> Vec<Looked<TextLine>> {
        self.pictures.of(bytes, files, |picture| self.read(&picture))
    }

    pub(super) fn account(&self) -> TextRead {
        let account = self.pictures.account();
        TextRead { pictures: account.pictures, lines: account.found, left: account.left }
    }

    fn read(&self, picture: &Pixels<'_>) -> Found<TextLine> {
        let Pixels { luma, scale } = picture;
        let Ok(read) = self.reader.read(luma.width(), luma.height(), luma.pixels()) else {
            return (None, Some(FAILED));
        };
        let lines = read.lines.into_iter().map(|line| as_shown(line, *scale)).collect();
        (Some(lines), (read.left > 0).then_some(CUT))
    }
}

fn as_shown(line: Line, scale: f64) -> TextLine {
    let scaled = |pixels: u32| (f64::from(pixels) * scale).round();
    let place = line.place;
    let (left, top, width, height) = (scaled(place.left), scaled(place.top), scaled(place.width), scaled(place.height));
    TextLine { text: line.text, place: format!("{left},{top} {width}×{height}") }
}
