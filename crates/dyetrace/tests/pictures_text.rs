//! Text in pictures, from a product's files to the report and its proof. Needs the feature `ocr` and installed models;
//! without them all tests but one say that they are skipped, and pass. With `DYETRACE_NEEDS_MODELS=1` in the environment
//! they fail instead. Continuous integration does not set it, because no models are installed there.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::kept::{self, Kept};
use common::{stdout, with_models};
use dyetrace_lab::gallery;
use std::path::{Path, PathBuf};

/// The number on the card that the lab draws, which is nobody's: there is no such day.
const NUMBER: &str = "99010119900230004X";
/// The photo of that card.
const CARD: &str = "IMG_20190105_101112.jpg";

fn models() -> Option<PathBuf> {
    kept::models("ch_PP-OCRv4_rec_infer.onnx", cfg!(feature = "ocr"))
}

fn card() -> Vec<u8> {
    gallery::originals().iter().find(|one| one.name == CARD).unwrap().bytes.clone()
}

#[test]
fn without_models_the_text_in_pictures_is_said_not_to_be_examined() {
    let kept = Kept::new("text-without", &[("0", &card())], &[("id.cn", NUMBER)]);
    let nowhere = Path::new("/nowhere");
    assert!(kept.audit(nowhere, &[]).contains("The text in them was not examined: that needs models"));
    let audit = kept.json(nowhere);
    assert!(audit["pictures"]["text_not_examined"].as_str().unwrap().ends_with("type: dyetrace models install"));
    assert!(audit["pictures"]["text_read"].is_null() && audit["sightings"].as_array().unwrap().is_empty());
}

#[test]
fn a_planted_number_is_read_in_a_photo_and_the_reading_is_redone() {
    let Some(models) = models() else { return };
    let kept = Kept::new("text-read", &[("0", &card())], &[("id.cn", NUMBER), ("name", "Zhao Min")]);
    let audit = kept.json(&models);
    let sightings = audit["sightings"].as_array().unwrap();
    let of = |datum: &str| sightings.iter().find(|one| one["datum"] == datum).unwrap();
    let number = of("id.cn");
    assert_eq!((&number["strength"], &number["form"]), (&"exact".into(), &"as read in the picture".into()));
    assert!(number["bits"].as_f64().unwrap() > 55.0 && number["hint"] == false);
    // The name has few bits and the number beside it bears it out.
    assert!(of("name")["bits"].as_f64().unwrap() < 40.0 && of("name")["hint"] == false, "{audit:#}");
    let trail = number["trail"].as_str().unwrap();
    let place: Vec<u32> = trail.split([' ', ',', '×']).filter_map(|word| word.parse().ok()).collect();
    let [_, left, top, width, height] = place[..] else { panic!("{trail}") };
    assert!(trail.starts_with("picture text line ") && left + width <= 800 && top + height <= 600, "{trail}");
    assert!(audit["notes"].as_array().unwrap().iter().all(|note| !note.as_str().unwrap().contains("unproved")));
    assert_eq!(audit["pictures"]["text_read"]["pictures"], 1);
    let masked = audit.to_string() + &kept.audit(&models, &[]);
    assert!(!masked.contains(NUMBER) && !masked.contains("SPECIMEN") && !masked.to_lowercase().contains("zhao"));
    assert!(kept.audit(&models, &["--reveal"]).contains(NUMBER));
    let id = number["id"].as_str().unwrap();
    let explained = with_models(&models, &["explain", id, &kept.case()]);
    let text = stdout(&explained);
    assert!(explained.status.success() && text.contains("reading is not decoding, and may err"), "{text}");
    assert!(text.contains("Proved: ") && !text.contains(NUMBER), "{text}");
}

#[test]
fn a_number_one_digit_from_what_is_shown_is_a_hint_and_three_digits_from_it_is_nothing() {
    let Some(models) = models() else { return };
    // Neither has the check digit that would tell a misread number from another one.
    let [one, three] = ["99010119900230014X", "99010119980230311X"];
    let kept = Kept::new("text-misread", &[("0", &card())], &[("id.cn", one), ("id.cn", three)]);
    let audit = kept.json(&models);
    let [sighting] = &audit["sightings"].as_array().unwrap()[..] else { panic!("{audit:#}") };
    let form = "as read in the picture, 1 of 18 characters different, as in another value that is much like it";
    assert_eq!((&sighting["form"], &sighting["hint"]), (&form.into(), &true.into()));
    assert!(sighting["strength"] == "derived" && (sighting["bits"].as_f64().unwrap() - 10.0).abs() < 0.01);
    let id = sighting["id"].as_str().unwrap();
    let text = stdout(&with_models(&models, &["explain", id, &kept.case()]));
    assert!(text.contains("but for the characters that differ") && !text.contains(NUMBER), "{text}");
}

#[test]
fn pictures_that_cannot_be_read_are_counted_and_stop_nothing() {
    let Some(models) = models() else { return };
    let screen = &gallery::originals().iter().find(|one| one.kind == gallery::SCREENSHOT).unwrap().bytes;
    let cut = &screen[..screen.len() / 5];
    // A bitmap of 65,535 by 60,000 pixels with nothing behind its head.
    let mut bomb = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bomb.extend([0xff, 0xff, 0, 0, 0x60, 0xea, 0, 0, 1, 0, 24, 0]);
    bomb.resize(200, 0);
    let kept = Kept::new("text-hostile", &[("0", cut), ("1", &bomb), ("2", &card())], &[("id.cn", NUMBER)]);
    let audit = kept.json(&models);
    let read = &audit["pictures"]["text_read"];
    assert_eq!((&read["pictures"], &audit["sightings"][0]["datum"]), (&1.into(), &"id.cn".into()), "{audit:#}");
    let why: Vec<_> = read["left"].as_array().unwrap().iter().map(|left| left["why"].as_str().unwrap()).collect();
    let [damaged, too_large] = [
        "damaged, or coded in a way that is not read",
        "larger than 100 megapixels, 65,535 pixels on a side or 256 MiB decoded",
    ];
    assert_eq!(why, [damaged, too_large]);
    let said = kept.audit(&models, &[]);
    for why in [damaged, too_large] {
        assert!(said.contains(&format!("Text not examined in different pictures: 1 ({why}).")), "{said}");
    }
}

#[test]
fn a_model_that_was_changed_is_not_used() {
    let Some(models) = models() else { return };
    let kept = Kept::new("text-changed", &[("0", &card())], &[("id.cn", NUMBER)]);
    let changed = kept.0.join("models");
    common::copy(&models, &changed);
    let model = changed.join("ch_PP-OCRv4_rec_infer.onnx");
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let why = kept.json(&changed)["pictures"]["text_not_examined"].to_string();
    assert!(why.contains("ch_PP-OCRv4_rec_infer.onnx is not the file that was installed"), "{why}");
    let listed = stdout(&with_models(&changed, &["models", "list"]));
    assert!(listed.contains("CHANGED, and not used") && listed.contains("as installed"), "{listed}");
}
