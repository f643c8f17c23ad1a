//! Looking for faces in pictures, where the model is installed: whether and where there are any, never whose.

use crate::each_picture::{EachPicture, Found, Looked, Most, Pixels, Smallest};
use dyetrace_faces::{Detector, Face};
use dyetrace_pictures::Files;
use dyetrace_report::audit::FacesSought;
use std::sync::Arc;

/// What is missing, and what to type; that says the rest.
pub(crate) const MISSING: &str = "that needs a model; type: dyetrace models install";

const MOST: Most = Most { pictures: 4000, in_words: "more than 4,000 different pictures" };
/// Smaller faces are not found.
const SMALLEST: Smallest = Smallest { side: 20, in_words: "less than 20 pixels wide or high" };

const CUT: &str = "looked at in part: too much of them may be faces";

/// Looks for faces; at the same picture once.
pub(crate) struct PictureFaces {
    detector: Detector,
    pictures: EachPicture<Face>,
}

impl PictureFaces {
    /// Loads the model.
    ///
    /// # Errors
    /// Why faces cannot be looked for, in words.
    pub(crate) fn open() -> Result<Arc<Self>, String> {
        let detector = crate::models::detector()?;
        Ok(Arc::new(Self { detector, pictures: EachPicture::new(MOST, SMALLEST) }))
    }

    /// The faces of each picture that lies in the bytes, in pixels of the upright picture.
    pub(crate) fn faces(&self, bytes: &[u8], files: &Files) -> Vec<Looked<Face>> {
        self.pictures.of(bytes, files, |picture| self.find(&picture))
    }

    /// What was found so far, and what was left.
    pub(crate) fn account(&self) -> FacesSought {
        let account = self.pictures.account();
        FacesSought { pictures: account.pictures, faces: account.found, left: account.left }
    }

    fn find(&self, picture: &Pixels<'_>) -> Found<Face> {
        let Pixels { luma, scale } = picture;
        let found = self.detector.find(luma.width(), luma.height(), luma.pixels());
        // A decoded picture has as many pixels as it says.
        let found = found.unwrap_or_default();
        let faces = found.faces.into_iter().map(|face| as_shown(face, *scale)).collect();
        (Some(faces), found.is_cut.then_some(CUT))
    }
}

fn as_shown(face: Face, scale: f64) -> Face {
    let scaled = |pixels: u32| (f64::from(pixels) * scale).round() as u32;
    let (left, top, width, height) = (scaled(face.left), scaled(face.top), scaled(face.width), scaled(face.height));
    Face { left, top, width, height, ..face }
}
