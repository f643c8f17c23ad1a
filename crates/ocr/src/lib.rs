//! Reads the text in pictures, with models of PP-OCRv4 that the user brings: one finds where text is (differentiable
//! binarization, Liao et al., 2020), one reads a line of it (SVTR_LCNet with CTC).
//!
//! A [`Reader`] is made once from the bytes of both models and shared by all threads. [`Reader::read`] takes the
//! brightness of an upright picture and gives its lines from top to bottom, each with its place. Work is bounded by
//! [`Limits`] in pixels, not in time, so that what is read does not depend on how busy a computer is.
//!
//! Reading is not decoding: what a model reads may differ from what stands there, and on another processor, which rounds
//! in another order, a doubtful character may be read as another one.
//!
//! Nothing here reads a clock, a file, the network or the environment.

mod detect;
mod geometry;
mod recognise;
mod sample;

use geometry::Tilted;
use rten::Model;
use sample::Grey;
use std::panic::{RefUnwindSafe, catch_unwind};

/// What reading one picture may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Pixels of the picture as it is given to the first model.
    pub pixels: usize,
    /// Lines that are read of one picture, the topmost first.
    pub lines: usize,
    /// Width in pixels of one line, 48 pixels high, beyond which it is pressed together.
    pub width: usize,
    /// The same of all lines of one picture together: lines beyond are left.
    pub columns: usize,
}

impl Default for Limits {
    /// 1.5 megapixels, 200 lines, 2,400 pixels, 60,000 pixels together: more than a screenful of text.
    fn default() -> Self {
        Self { pixels: 3 << 19, lines: 200, width: 2400, columns: 60_000 }
    }
}

/// One line of text.
#[derive(Clone, PartialEq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Mean probability that the model gives its characters.
    pub score: f32,
    /// The upright box around it, in pixels of the picture.
    pub place: Place,
}

/// A box in a picture, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// To the right.
    pub left: u32,
    /// Down.
    pub top: u32,
    /// At least 1.
    pub width: u32,
    /// At least 1.
    pub height: u32,
}

/// What was read of one picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Read {
    /// From top to bottom.
    pub lines: Vec<Line>,
    /// Places of text that were left because of a limit.
    pub left: usize,
}

impl std::fmt::Debug for Line {
    /// Without the text, which may be planted.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} characters, {:.2}", self.text.chars().count(), self.score)
    }
}

/// Why the models cannot be used, or a picture not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable(String);

impl std::fmt::Display for Unusable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// The first byte of an ONNX file: the tag of its version.
const FIRST: u8 = 8;

/// Both models, ready to read.
pub struct Reader {
    detection: Model,
    recognition: Model,
    /// What the second model's outputs stand for, the first of them nothing.
    characters: Vec<String>,
    limits: Limits,
}

/// Reading changes nothing in the models.
impl RefUnwindSafe for Reader {}

impl Reader {
    /// Takes the ONNX files of a detection and a recognition model. The caller has compared their checksums: a model is
    /// a program, and the runtime takes one that was made to stall it at its word.
    ///
    /// # Errors
    /// One of them is no such model.
    pub fn new(detection: Vec<u8>, recognition: Vec<u8>, limits: Limits) -> Result<Self, Unusable> {
        let load = |bytes: Vec<u8>, which: &str| {
            if bytes.first() != Some(&FIRST) {
                return Err(Unusable(format!("the {which} model is no ONNX file")));
            }
            Model::load(bytes).map_err(|error| Unusable(format!("the {which} model cannot be loaded: {error}")))
        };
        let (detection, recognition) = (load(detection, "detection")?, load(recognition, "recognition")?);
        let characters = recognise::characters(&recognition)
            .ok_or_else(|| Unusable("the recognition model does not say its characters".to_owned()))?;
        Ok(Self { detection, recognition, characters, limits })
    }

    /// The lines of text in a picture, from top to bottom. `pixels` is the brightness of each, row by row.
    ///
    /// # Errors
    /// The pixels are not as many as width and height say, or a model failed.
    pub fn read(&self, width: usize, height: usize, pixels: &[u8]) -> Result<Read, Unusable> {
        let picture = Grey::new(width, height, pixels).ok_or_else(|| Unusable("not a whole picture".to_owned()))?;
        // The runtime is other people's, and pictures are whoever's.
        catch_unwind(|| self.read_lines(&picture)).unwrap_or_else(|_| Err(failed(&"it panicked")))
    }

    fn read_lines(&self, picture: &Grey<'_>) -> Result<Read, Unusable> {
        let mut places = detect::places(&self.detection, picture, self.limits.pixels)?;
        places.sort_by(Tilted::in_reading_order);
        let (mut read, mut columns) = (Read::default(), 0);
        for (at, place) in places.iter().enumerate() {
            let width = sample::strip_width(place, self.limits.width);
            columns += width;
            if at >= self.limits.lines || columns > self.limits.columns {
                read.left = places.len() - at;
                break;
            }
            let strip = sample::strip(picture, place, width);
            let line = recognise::line(&self.recognition, &self.characters, &strip)?;
            let place = place.upright(picture.width, picture.height);
            read.lines.extend(line.map(|(text, score)| Line { text, score, place }));
        }
        Ok(read)
    }
}

fn failed(error: &dyn std::fmt::Display) -> Unusable {
    Unusable(format!("a model failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_is_refused_with_a_reason() {
        for bytes in [&b""[..], b"PK\x03\x04", &[0xff; 4096], b"RTEN\x02\0\0\0"] {
            let error = Reader::new(bytes.to_vec(), bytes.to_vec(), Limits::default()).err();
            assert_eq!(error, Some(Unusable("the detection model is no ONNX file".to_owned())), "{bytes:?}");
        }
    }

    #[test]
    fn a_line_is_printed_without_what_it_says() {
        let place = Place { left: 1, top: 2, width: 3, height: 4 };
        let printed = format!("{:?}", Line { text: "planted".to_owned(), score: 0.5, place });
        assert_eq!(printed, "7 characters, 0.50");
    }
}
