//! Says where faces are in a picture, never whose, with the frontal model of SeetaFace Detection that the user brings: a
//! funnel of boosted classifiers over the whole picture and of small networks over what they let through (Wu, Kan, He,
//! Shan, Chen: "Funnel-structured cascade for multi-view face detection with alignment-awareness", Neurocomputing 2017).
//!
//! A [`Detector`] is made once from the bytes of the model and shared by all threads. [`Detector::find`] takes the
//! brightness of an upright picture and gives its faces, the surest first. Work is bounded by [`Limits`] in pixels and
//! places, not in time, so that what is found does not depend on how busy a computer is.
//!
//! This is written anew and not a wrapper of the crate `rustface`, from which the model comes: that follows pointers to
//! where a network moves a place, which a picture can drive out of the picture and out of memory. The ways differ in
//! three things: a place that is partly outside the picture is not moved inside before it is corrected (as in the
//! original), strong edges do not overflow, and places outside are dropped. `LICENSE-SEETAFACE` is the original's.
//!
//! Nothing here reads a clock, a file, the network or the environment.

mod boosted;
mod cascade;
mod gradients;
mod grey;
mod model;
mod network;
mod place;

use grey::Grey;
use model::Model;

/// What a look at one picture may cost, and what is believed.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longer side in pixels at which a picture is looked at.
    pub side: usize,
    /// Smaller pictures are enlarged by no more than this.
    pub enlarged: f32,
    /// Places that each classifier of the first stage may let through, the surest first.
    pub places: usize,
    /// Score from which a place is a face: the sum of what the last network says (0 to 1) of all the places that lie on
    /// one another there.
    pub score: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { side: 1000, enlarged: 2.0, places: 4096, score: 3.0 }
    }
}

/// One face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// To the right, in pixels of the picture.
    pub left: u32,
    /// Down.
    pub top: u32,
    /// At least 1.
    pub width: u32,
    /// At least 1.
    pub height: u32,
    /// How sure it is; see [`Limits::score`].
    pub score: f32,
}

/// What a look at one picture gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The surest first.
    pub faces: Vec<Face>,
    /// True where more places were let through than are looked at.
    pub is_cut: bool,
}

/// Why the model cannot be used, or a picture not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable(&'static str);

impl std::fmt::Display for Unusable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for Unusable {}

/// The model, ready to look.
pub struct Detector {
    model: Model,
    limits: Limits,
}

impl Detector {
    /// Takes the bytes of `seeta_fd_frontal_v1.0.bin`.
    ///
    /// # Errors
    /// They are no such model.
    pub fn new(model: &[u8], limits: Limits) -> Result<Self, Unusable> {
        let model = Model::read(model).ok_or(Unusable("this is no model of SeetaFace Detection"))?;
        Ok(Self { model, limits })
    }

    /// The faces in a picture. `pixels` is the brightness of each, row by row.
    ///
    /// # Errors
    /// The pixels are not as many as width and height say.
    pub fn find(&self, width: usize, height: usize, pixels: &[u8]) -> Result<Found, Unusable> {
        let picture = Grey::new(width, height, pixels).ok_or(Unusable("not a whole picture"))?;
        let longest = width.max(height) as f32;
        let scale = (self.limits.side as f32 / longest).min(self.limits.enlarged);
        let side = |side: usize| ((side as f32 * scale).round() as usize).max(1);
        let sized = picture.shrunk_to(side(width), side(height));
        let (places, is_cut) = cascade::places(&self.model, &sized, self.limits.places);
        let sure = places.iter().filter(|place| place.score >= self.limits.score);
        Ok(Found { faces: sure.filter_map(|place| place.in_picture(scale, width, height)).collect(), is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_is_refused() {
        for bytes in [&b""[..], &[0; 4096], &[0xff; 4096], b"\x03\0\0\0\x03\0\0\0\xff\xff\xff\x7f"] {
            assert!(Detector::new(bytes, Limits::default()).is_err());
        }
    }
}
