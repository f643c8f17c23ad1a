//! What a line says: the second model gives each column a character or nothing (connectionist temporal classification,
//! Graves et al., 2006), and the likeliest of each column is taken.

use crate::sample::{LINE, Strip};
use crate::{Unusable, failed};
use rten::Model;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

/// Narrower lines are filled up to this width, as in training.
const NARROWEST: usize = 320;
/// Mean probability from which a line is believed.
const BELIEVED: f32 = 0.5;

/// What the model's outputs stand for: nothing first, then its list, then the space.
pub(crate) fn characters(model: &Model) -> Option<Vec<String>> {
    let list = model.metadata().get("character")?;
    let mut all = vec![String::new()];
    all.extend(list.lines().map(str::to_owned));
    all.push(" ".to_owned());
    (all.len() > 2).then_some(all)
}

/// The text of a line and the mean probability of its characters; absent where there is none or the model does not
/// believe it.
pub(crate) fn line(model: &Model, characters: &[String], strip: &Strip) -> Result<Option<(String, f32)>, Unusable> {
    let width = strip.width.max(NARROWEST);
    let mut plane = vec![0.0; width * LINE];
    for (row, pixels) in plane.chunks_exact_mut(width).zip(strip.pixels.chunks_exact(strip.width.max(1))) {
        for (to, from) in row.iter_mut().zip(pixels) {
            *to = *from;
        }
    }
    let input = NdTensor::from_data([1, 3, LINE, width], plane.repeat(3));
    let output = model.run_one(input.into(), None).map_err(|error| failed(&error))?;
    let table: NdTensor<f32, 3> = output.try_into().map_err(|error| failed(&error))?;
    let classes = table.size(2).max(1);
    let columns = table.to_vec();
    Ok(decoded(columns.chunks_exact(classes), characters))
}

/// Of columns in a row with the same character one counts; nothing between two makes them two.
fn decoded<'c>(columns: impl Iterator<Item = &'c [f32]>, characters: &[String]) -> Option<(String, f32)> {
    let (mut text, mut sum, mut count, mut last) = (String::new(), 0.0, 0_usize, 0);
    for column in columns {
        let likeliest = column.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let Some((class, probability)) = likeliest else { continue };
        if class != 0 && class != last {
            text.push_str(characters.get(class).map_or("", String::as_str));
            sum += probability;
            count += 1;
        }
        last = class;
    }
    let score = sum / count.max(1) as f32;
    (score >= BELIEVED && !text.trim().is_empty()).then(|| (text.trim().to_owned(), score))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_columns_are_one_character_and_nothing_parts_them() {
        let characters: Vec<String> = ["", "1", "2", " "].map(str::to_owned).to_vec();
        let column = |class: usize, probability: f32| {
            let mut all = [0.0; 4];
            all[class] = probability;
            all
        };
        let read = |classes: &[usize], probability| {
            let columns: Vec<[f32; 4]> = classes.iter().map(|class| column(*class, probability)).collect();
            decoded(columns.iter().map(<[f32; 4]>::as_slice), &characters).map(|(text, _)| text)
        };
        assert_eq!(read(&[0, 1, 1, 0, 1, 2, 2, 3], 0.9).as_deref(), Some("112"));
        assert_eq!(read(&[1, 2], 0.3), None, "not believed");
        assert_eq!(read(&[0, 0, 3], 0.9), None, "nothing but space");
    }
}
