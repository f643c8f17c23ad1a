//! Looks at the pixels of pictures, with whatever model there is.
//!
//! What was found is remembered by the picture's digest: a picture is met in several bodies, and again when sightings are
//! proved. Work is bounded by counts and pixels, never by time; what was left is counted and said.

mod memory;

use dyetrace_pictures::{Files, Format, Limits, Luma, Notes, Unreadable, decode_counted};
use memory::{Known, Memory, Picture};
use std::sync::Arc;

const NO_FORMAT: &str = "of a format whose pixels are not read";
const TOO_LARGE: &str = "larger than 100 megapixels, 65,535 pixels on a side or 256 MiB decoded";
const DAMAGED: &str = "damaged, or coded in a way that is not read";

/// How many different pictures of one run of the program are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Most {
    pub(crate) pictures: u64,
    /// Why others are not.
    pub(crate) in_words: &'static str,
}

/// Shorter side in pixels of the smallest picture that is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Smallest {
    pub(crate) side: u32,
    /// Why others are not.
    pub(crate) in_words: &'static str,
}

/// What looking at one picture gave, and what it cost.
#[derive(Clone)]
pub(crate) struct Looked<T> {
    /// Nothing where it was not looked at.
    pub(crate) found: Arc<[T]>,
    /// That were decoded for it, be it now or before.
    pub(crate) pixels: u64,
}

impl<T> Default for Looked<T> {
    fn default() -> Self {
        Self { found: Arc::new([]), pixels: 0 }
    }
}

/// What was found in all pictures. One counts once, however often it was met.
#[derive(Debug, PartialEq)]
pub(crate) struct Account {
    /// Pictures that were looked at.
    pub(crate) pictures: u64,
    /// Things that were found in them.
    pub(crate) found: u64,
    /// Why others were left, or looked at in part, and how many.
    pub(crate) left: Vec<(String, u64)>,
}

/// Decoded pixels, upright.
pub(crate) struct Pixels<'p> {
    pub(crate) luma: &'p Luma,
    /// How many pixels of the stored picture one of these stands for.
    pub(crate) scale: f64,
}

/// What a model found, or why it failed; and why something was left.
pub(crate) type Found<T> = (Option<Vec<T>>, Option<&'static str>);

/// Looks at each picture once.
pub(crate) struct EachPicture<T> {
    memory: Memory<T>,
    smallest: Smallest,
}

impl<T> EachPicture<T> {
    pub(crate) fn new(most: Most, smallest: Smallest) -> Self {
        Self { memory: Memory::new(most), smallest }
    }

    /// What is in each picture that was asked, in order.
    pub(crate) fn of(&self, bytes: &[u8], files: &Files, look: impl Fn(Pixels<'_>) -> Found<T>) -> Vec<Looked<T>> {
        let file = |range: &std::ops::Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        let by_its_head = |notes: &Notes| by_its_head(file(&notes.range), notes.size, self.smallest);
        let asked = files.asked.iter().map(|notes| Picture { file: file(&notes.range), left: by_its_head(notes) });
        let others = files.left.iter().map(|range| Picture { file: file(range), left: None });
        let pictures: Vec<Picture<'_>> = asked.chain(others).collect();
        let size = |at: usize| files.asked.get(at).and_then(|notes| notes.size);
        self.memory.of_body(&pictures, |file, at| self.looked(file, size(at), &look))
    }

    /// What was found so far, and what was left.
    pub(crate) fn account(&self) -> Account {
        self.memory.account()
    }

    fn looked(&self, file: &[u8], size: Option<(u32, u32)>, look: impl Fn(Pixels<'_>) -> Found<T>) -> Known<T> {
        let (picture, pixels) = decode_counted(file, &Limits::default());
        let (found, left) = match picture {
            Err(why) => (None, Some(in_words(why))),
            Ok(luma) => match self.memory.take() {
                Err(why) => (None, Some(why)),
                Ok(()) => look(Pixels { scale: scale(&luma, size), luma: &luma }),
            },
        };
        Known { found: found.map(Arc::from), left, pixels }
    }
}

/// Why a picture is not looked at, where its head says so and nothing needs to be decoded.
fn by_its_head(file: &[u8], size: Option<(u32, u32)>, smallest: Smallest) -> Option<&'static str> {
    let is_small = size.is_some_and(|(width, height)| width.min(height) < smallest.side);
    if Format::of(file).is_none() { Some(NO_FORMAT) } else { is_small.then_some(smallest.in_words) }
}

fn in_words(why: Unreadable) -> &'static str {
    match why {
        Unreadable::NotAPicture => NO_FORMAT,
        Unreadable::TooLarge => TOO_LARGE,
        Unreadable::Damaged => DAMAGED,
    }
}

fn scale(picture: &Luma, size: Option<(u32, u32)>) -> f64 {
    let longest = picture.width().max(picture.height()).max(1) as f64;
    size.map_or(1.0, |(width, height)| (f64::from(width.max(height)) / longest).max(1.0))
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
        let smallest = Smallest { side: 24, in_words: "small" };
        let judged = |file: &[u8]| by_its_head(file, dyetrace_pictures::notes(file).asked[0].size, smallest);
        let long = bitmap(60_000, 30);
        let reduced = decode_counted(&long, &Limits::default()).0.unwrap();
        assert!(reduced.height() < 24);
        assert_eq!(judged(&long), None);
        assert_eq!(judged(&bitmap(60_000, 23)), Some("small"));
        assert_eq!(judged(&bitmap(23, 24)), Some("small"));
        assert_eq!(judged(&bitmap(24, 24)), None);
    }
}
