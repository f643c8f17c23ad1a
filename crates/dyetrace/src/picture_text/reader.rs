//! The reader with its memory and its bounds.

use super::TextLine;
use dyetrace_ocr::{Line, Reader};
use dyetrace_pictures::{Limits, Luma, Notes, Unreadable, decode};
use dyetrace_report::audit::TextRead;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Pictures of one body that are read.
const MOST_OF_A_BODY: usize = 16;
/// Different pictures of one run of the program that are read.
const MOST: usize = 500;
/// Shorter side in pixels of the smallest picture that is read: icons hold no text.
const SMALLEST: usize = 24;

const TOO_MANY: &str = "more than 500 different pictures";
const TOO_MANY_OF_A_BODY: &str = "more than 16 in one body";
const TOO_SMALL: &str = "less than 24 pixels wide or high";
const NO_FORMAT: &str = "of a format whose pixels are not read";
const TOO_LARGE: &str = "larger than 100 megapixels";
const DAMAGED: &str = "damaged";
const FAILED: &str = "the models failed on them";
const CUT: &str = "read in part: more text than 200 lines or 60,000 columns";

/// A reader that knows what it has read.
pub(super) struct Remembering {
    reader: Reader,
    known: Mutex<HashMap<[u8; 32], Known>>,
}

/// What became of one picture.
#[derive(Clone, Default)]
struct Known {
    lines: Arc<[TextLine]>,
    /// Why it was not read, or only in part.
    left: Option<&'static str>,
}

impl Remembering {
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader, known: Mutex::default() }
    }

    pub(super) fn lines(&self, bytes: &[u8], pictures: &[Notes]) -> Vec<Arc<[TextLine]>> {
        let of = |(at, picture): (usize, &Notes)| {
            let file = bytes.get(picture.range.clone()).unwrap_or_default();
            self.of_picture(file, picture.size, at < MOST_OF_A_BODY)
        };
        pictures.iter().enumerate().map(of).collect()
    }

    pub(super) fn account(&self) -> TextRead {
        let known = self.lock();
        let mut left: BTreeMap<&'static str, u64> = BTreeMap::new();
        for why in known.values().filter_map(|known| known.left) {
            *left.entry(why).or_default() += 1;
        }
        let was_read = |known: &&Known| known.left.is_none_or(|why| why == CUT);
        TextRead {
            pictures: known.values().filter(was_read).count() as u64,
            lines: known.values().map(|known| known.lines.len() as u64).sum(),
            left: left.into_iter().map(|(why, count)| (why.to_owned(), count)).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_picture(&self, file: &[u8], size: Option<(u32, u32)>, is_wanted: bool) -> Arc<[TextLine]> {
        let key: [u8; 32] = Sha256::digest(file).into();
        let is_full = {
            let mut known = self.lock();
            match known.get(&key) {
                // In another body it may be among the first.
                Some(one) if !(is_wanted && one.left == Some(TOO_MANY_OF_A_BODY)) => return Arc::clone(&one.lines),
                _ => {}
            }
            if !is_wanted {
                known.insert(key, Known { left: Some(TOO_MANY_OF_A_BODY), ..Known::default() });
                return Arc::default();
            }
            let is_read = |one: &&Known| one.left.is_none_or(|why| why == CUT || why == FAILED);
            known.values().filter(is_read).count() >= MOST
        };
        let read = if is_full { Known { left: Some(TOO_MANY), ..Known::default() } } else { self.read(file, size) };
        let lines = Arc::clone(&read.lines);
        self.lock().insert(key, read);
        lines
    }

    fn read(&self, file: &[u8], size: Option<(u32, u32)>) -> Known {
        let left = |why| Known { left: Some(why), ..Known::default() };
        let picture = match decode(file, &Limits::default()) {
            Ok(picture) => picture,
            Err(Unreadable::NotAPicture) => return left(NO_FORMAT),
            Err(Unreadable::TooLarge) => return left(TOO_LARGE),
            Err(Unreadable::Damaged) => return left(DAMAGED),
        };
        if picture.width().min(picture.height()) < SMALLEST {
            return left(TOO_SMALL);
        }
        let Ok(read) = self.reader.read(picture.width(), picture.height(), picture.pixels()) else {
            return left(FAILED);
        };
        let scale = scale(&picture, size);
        let lines = read.lines.into_iter().map(|line| as_shown(line, scale)).collect();
        Known { lines, left: (read.left > 0).then_some(CUT) }
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
