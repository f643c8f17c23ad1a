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
//! original), strong edges do not overflow, and places outside are dropped. Beside that, pictures are turned.
//! `LICENSE-SEETAFACE` is the original's.
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
    /// Longer side at which a picture is looked at as if it lay on a side or upside down; it is not enlarged for that.
    pub turned_side: usize,
    /// Score from which a place is a face then.
    pub turned_score: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { side: 1000, enlarged: 2.0, places: 4096, score: 3.0, turned_side: 500, turned_score: 6.0 }
    }
}

/// How a picture may lie.
const TURNS: usize = 4;

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

    /// The faces in a picture, also in one that lies on a side or upside down. `pixels` is the brightness of each, row by row.
    ///
    /// # Errors
    /// The pixels are not as many as width and height say.
    pub fn find(&self, width: usize, height: usize, pixels: &[u8]) -> Result<Found, Unusable> {
        let picture = Grey::new(width, height, pixels).ok_or(Unusable("not a whole picture"))?;
        let (scale, upright) = at_side(&picture, self.limits.side, self.limits.enlarged);
        let mut found = self.look(&upright, (scale, width, height), self.limits.score);
        let (scale, mut turned) = at_side(&picture, self.limits.turned_side, 1.0);
        for turns in 1..TURNS {
            turned = turned.turned();
            let (wide, high) = if turns.is_multiple_of(2) { (width, height) } else { (height, width) };
            let more = self.look(&turned, (scale, wide, high), self.limits.turned_score);
            let back = more.faces.into_iter().map(|face| face.turned_back(turns, width, height));
            let is_new = |face: &Face| !found.faces.iter().any(|other| other.is_around(face));
            let new: Vec<Face> = back.filter(is_new).collect();
            found.faces.extend(new);
            found.is_cut |= more.is_cut;
        }
        found.faces.sort_by(|one, two| two.score.total_cmp(&one.score));
        Ok(found)
    }

    /// The upright faces in a picture of that width and height, which is given so many times larger.
    fn look(&self, sized: &Grey, (scale, width, height): (f32, usize, usize), score: f32) -> Found {
        let (places, is_cut) = cascade::places(&self.model, sized, self.limits.places);
        let sure = places.iter().filter(|place| place.score >= score);
        Found { faces: sure.filter_map(|place| place.in_picture(scale, width, height)).collect(), is_cut }
    }
}

/// The picture with its longer side so long, but not enlarged by more than that; and by how much it is larger now.
fn at_side(picture: &Grey, side: usize, enlarged: f32) -> (f32, Grey) {
    let scale = (side as f32 / picture.width.max(picture.height) as f32).min(enlarged);
    let side = |side: usize| ((side as f32 * scale).round() as usize).max(1);
    (scale, picture.shrunk_to(side(picture.width), side(picture.height)))
}

impl Face {
    /// Where it is in a picture of that size, having been found after so many quarter turns to the right.
    fn turned_back(self, turns: usize, width: usize, height: usize) -> Self {
        (0..turns).rev().fold(self, |face, turn| {
            let bottom = if turn.is_multiple_of(2) { height } else { width } as u32;
            let top = bottom.saturating_sub(face.left + face.width);
            Self { left: face.top, top, width: face.height, height: face.width, ..face }
        })
    }

    /// True where the middle of the other lies in it.
    fn is_around(&self, other: &Self) -> bool {
        let (x, y) = (other.left + other.width / 2, other.top + other.height / 2);
        (self.left..self.left + self.width).contains(&x) && (self.top..self.top + self.height).contains(&y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_in_a_turned_picture_is_where_it_is_in_the_upright_one() {
        // 300 by 200; a face near the upper left corner, then at the upper right, the lower right, the lower left.
        let here = Face { left: 10, top: 20, width: 30, height: 40, score: 5.0 };
        let turned = [
            here,
            Face { left: 140, top: 10, width: 40, height: 30, ..here },
            Face { left: 260, top: 140, width: 30, height: 40, ..here },
            Face { left: 20, top: 260, width: 40, height: 30, ..here },
        ];
        for (turns, face) in turned.into_iter().enumerate() {
            assert_eq!(face.turned_back(turns, 300, 200), here, "{turns}");
        }
    }

    #[test]
    fn what_is_no_model_is_refused() {
        for bytes in [&b""[..], &[0; 4096], &[0xff; 4096], b"\x03\0\0\0\x03\0\0\0\xff\xff\xff\x7f"] {
            assert!(Detector::new(bytes, Limits::default()).is_err());
        }
    }
}
