//! Reading the text in pictures, where this program was built for it and the models are installed.

#[cfg(feature = "ocr")]
mod reader;

use crate::each_picture::Looked;
use dyetrace_pictures::Files;
use dyetrace_report::audit::TextRead;
use std::sync::Arc;

/// What is missing, and what to type; that says the rest.
pub(crate) const MISSING: &str =
    "that needs models, and a dyetrace that was built with the feature ocr; type: dyetrace models install";

/// One line of text in a picture.
pub(crate) struct TextLine {
    pub(crate) text: String,
    /// Where, in pixels of the upright picture: `120,340 450×32` from its upper left corner.
    pub(crate) place: String,
}

/// Reads text in pictures; the same picture is read once.
pub(crate) struct PictureText {
    #[cfg(feature = "ocr")]
    reader: reader::Remembering,
}

#[cfg(not(feature = "ocr"))]
impl PictureText {
    /// Why it cannot be had.
    pub(crate) fn open() -> Result<Arc<Self>, String> {
        Err(MISSING.to_owned())
    }

    /// Nothing.
    #[expect(clippy::unused_self, reason = "the twin that reads needs it")]
    pub(crate) fn lines(&self, _bytes: &[u8], _files: &Files) -> Vec<Looked<TextLine>> {
        Vec::new()
    }

    /// Nothing.
    #[expect(clippy::unused_self, reason = "the twin that reads needs it")]
    pub(crate) fn account(&self) -> TextRead {
        TextRead::default()
    }
}

#[cfg(feature = "ocr")]
impl PictureText {
    /// Loads the models.
    ///
    /// # Errors
    /// Why text cannot be read, in words.
    pub(crate) fn open() -> Result<Arc<Self>, String> {
        let models = crate::models::reader()?;
        Ok(Arc::new(Self { reader: reader::Remembering::new(models) }))
    }

    /// The lines of each picture that lies in the bytes.
    pub(crate) fn lines(&self, bytes: &[u8], files: &Files) -> Vec<Looked<TextLine>> {
        self.reader.lines(bytes, files)
    }

    /// What was read so far, and what was left.
    pub(crate) fn account(&self) -> TextRead {
        self.reader.account()
    }
}
