//! Where text is: the first model gives each pixel a probability, and what lies together above a threshold is a place.
//! The numbers are those with which the models are published (PaddleOCR, RapidOCR 1.4.4).

use crate::geometry::Tilted;
use crate::sample::Grey;
use crate::{Unusable, failed};
use rten::Model;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

/// Shorter side that the model is given, where the limits allow it.
const SHORT_SIDE: f32 = 736.0;
/// Sides are multiples of this.
const MULTIPLE: usize = 32;
/// Probability from which a pixel is text.
const PIXEL: f32 = 0.3;
/// Mean probability from which a place is text.
const PLACE: f32 = 0.5;
/// How far a place is grown.
const GROWTH: f32 = 1.6;
/// Shorter side of the smallest place.
const SMALLEST: f32 = 3.0;
/// Places of one picture.
const MOST_PLACES: usize = 1000;

/// Places of text in a picture.
pub(crate) fn places(model: &Model, picture: &Grey<'_>, most_pixels: usize) -> Result<Vec<Tilted>, Unusable> {
    let (width, height) = given_size(picture.width, picture.height, most_pixels);
    let grey = picture.resized(width, height);
    let input = NdTensor::from_data([1, 3, height, width], grey.repeat(3));
    let output = model.run_one(input.into(), None).map_err(|error| failed(&error))?;
    let map: NdTensor<f32, 4> = output.try_into().map_err(|error| failed(&error))?;
    let (rows, columns) = (map.size(2), map.size(3));
    let probabilities = map.to_vec();
    let scale = (picture.width as f32 / columns.max(1) as f32, picture.height as f32 / rows.max(1) as f32);
    let found = regions(&probabilities, columns, rows);
    Ok(found.into_iter().map(|place| place.grown(GROWTH).scaled(scale.0, scale.1)).collect())
}

/// The size in which the model is given a picture.
fn given_size(width: usize, height: usize, most_pixels: usize) -> (usize, usize) {
    let short = width.min(height).max(1) as f32;
    let area = width as f32 * height as f32;
    let most = (most_pixels as f32 / area.max(1.0)).sqrt();
    let scale = (SHORT_SIDE / short).max(1.0).min(most);
    let side = |side: usize| {
        let units = (side as f32 * scale / MULTIPLE as f32).round() as usize;
        units.clamp(1, most_pixels / (MULTIPLE * MULTIPLE)) * MULTIPLE
    };
    (side(width), side(height))
}

/// Pixels that touch, also at corners, as rectangles of enough probability.
fn regions(map: &[f32], width: usize, height: usize) -> Vec<Tilted> {
    let mut seen = vec![false; map.len()];
    let is_text = |at: usize| map.get(at).is_some_and(|probability| *probability > PIXEL);
    let mut found = Vec::new();
    let mut waiting = Vec::new();
    for start in 0..map.len() {
        if seen[start] || !is_text(start) || found.len() >= MOST_PLACES {
            continue;
        }
        let (mut points, mut sum) = (Vec::new(), 0.0);
        seen[start] = true;
        waiting.push(start);
        while let Some(at) = waiting.pop() {
            sum += map[at];
            points.push(((at % width) as i32, (at / width) as i32));
            for next in neighbours(at, width, height) {
                if !seen[next] && is_text(next) {
                    seen[next] = true;
                    waiting.push(next);
                }
            }
        }
        let mean = sum / points.len() as f32;
        let place = Tilted::around(&mut points).filter(|place| place.sides.0.min(place.sides.1) >= SMALLEST);
        found.extend(place.filter(|_| mean >= PLACE));
    }
    found
}

fn neighbours(at: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (at % width, at / width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    rows.flat_map(move |row| (x.saturating_sub(1)..(x + 2).min(width)).map(move |column| row * width + column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_together_is_one_place() {
        let mut map = vec![0.0; 100 * 40];
        for (left, top, width, height) in [(5, 5, 40, 8), (60, 20, 30, 10), (0, 38, 2, 2)] {
            for y in top..top + height {
                map[y * 100 + left..y * 100 + left + width].fill(0.9);
            }
        }
        map[39 * 100 + 50] = 0.4;
        let found: Vec<_> = regions(&map, 100, 40).iter().map(|place| place.sides).collect();
        assert_eq!(found, [(40.0, 8.0), (30.0, 10.0)], "what is too small is none");
    }

    #[test]
    fn the_model_is_never_given_more_than_the_limit_allows() {
        assert_eq!(given_size(540, 1170, 3 << 19), (736, 1600));
        for (width, height) in [(1, 60_000), (60_000, 1), (1, 1), (1024, 1024)] {
            let (wide, high) = given_size(width, height, 3 << 19);
            assert!(wide * high <= 3 << 20 && wide >= 32 && high >= 32, "{wide} {high}");
        }
    }
}
