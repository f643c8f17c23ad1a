//! From all windows of a picture to the faces in it.

use crate::boosted;
use crate::gradients::{Gradients, Patch, patches};
use crate::grey::{Grey, WINDOW};
use crate::model::{Branch, Model};
use crate::place::{Place, merged};

/// How much smaller the picture gets from one look to the next.
const SCALE_STEP: f32 = 0.8;
/// Share that places have in common between stages to be the same.
const SAME: f32 = 0.8;
/// The same at the end.
const SAME_FACE: f32 = 0.3;

/// Places of faces, the surest first; true where more were let through by a classifier than `most`.
pub(crate) fn places(model: &Model, picture: &Grey, most: usize) -> (Vec<Place>, bool) {
    let mut lists = let_through(model, picture);
    let is_cut = lists.iter().any(|list| list.len() > most);
    for list in &mut lists {
        list.sort_by(|one, two| two.score.total_cmp(&one.score));
        list.truncate(most);
        *list = merged(std::mem::take(list), SAME);
    }
    let patches = patches();
    for (at, stage) in model.stages.iter().enumerate() {
        let is_last = at + 1 == model.stages.len();
        lists = stage.iter().map(|branch| branch.places(&patches, &lists, picture, is_last)).collect();
    }
    (lists.into_iter().next().unwrap_or_default(), is_cut)
}

/// What each classifier of the first stage lets through, in the picture at all sizes.
fn let_through(model: &Model, picture: &Grey) -> Vec<Vec<Place>> {
    let mut lists = vec![Vec::new(); model.boosted.len()];
    let mut scale = 1.0;
    loop {
        let side = |side: usize| (side as f32 * scale) as usize;
        let (width, height) = (side(picture.width), side(picture.height));
        if width.min(height) < WINDOW {
            return lists;
        }
        let found = boosted::windows(&model.boosted, &picture.resized(width, height));
        for (list, found) in lists.iter_mut().zip(found) {
            list.extend(found.into_iter().map(|place| place.unscaled(scale)));
        }
        scale *= SCALE_STEP;
    }
}

impl Branch {
    fn places(&self, patches: &[Patch], lists: &[Vec<Place>], picture: &Grey, is_last: bool) -> Vec<Place> {
        let mut places: Vec<Place> =
            self.sources.iter().filter_map(|source| lists.get(*source)).flatten().copied().collect();
        for (at, network) in self.networks.iter().enumerate() {
            let looked = |place: &Place| {
                let side = usize::try_from(place.side).ok().filter(|_| place.is_visible(picture.width, picture.height));
                let window = picture.window(place.left, place.top, side?);
                network.look(patches, &Gradients::of(&window)).map(|said| place.corrected(said))
            };
            places = places.iter().filter_map(looked).collect();
            places = match at + 1 == self.networks.len() {
                false => merged(places, SAME),
                true if is_last => merged(places, SAME_FACE),
                true => places,
            };
        }
        places
    }
}
