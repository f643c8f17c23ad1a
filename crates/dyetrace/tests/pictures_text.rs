//! Text in pictures, from a product's files to the report and its proof. Needs the feature `ocr` and installed models;
//! without them all tests but one say that they are skipped, and pass. With `DYETRACE_NEEDS_MODELS=1` in the environment
//! they fail instead. Continuous integration does not set it, because no models are installed there.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout, with_models};
use dyetrace_lab::gallery;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The number on the card that the lab draws, which is nobody's: there is no such day.
const NUMBER: &str = "99010119900230004X";
/// The photo of that card.
const CARD: &str = "IMG_20190105_101112.jpg";

/// Where models are installed; absent where they are not, which is said.
///
/// # Panics
/// They are not, and `DYETRACE_NEEDS_MODELS` is set.
fn models() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let base = || named("XDG_DATA_HOME").or_else(|| named("HOME").map(|home| home.join(".local/share")));
    let folder = named("DYETRACE_MODELS").or_else(|| base().map(|base| base.join("dyetrace/models")));
    let found = folder.filter(|folder| cfg!(feature = "ocr") && folder.join("ch_PP-OCRv4_rec_infer.onnx").exists());
    if found.is_none() {
        let needed = "needs --features ocr, and models in DYETRACE_MODELS (dyetrace models install)";
        assert!(named("DYETRACE_NEEDS_MODELS").is_none(), "{needed}");
        println!("skipped: {needed}");
    }
    found
}

fn card() -> Vec<u8> {
    gallery::originals().iter().find(|one| one.name == CARD).unwrap().bytes.clone()
}

/// A case with pictures that a product keeps, for as long as the test runs.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, pictures: &[(&str, &[u8])], planted: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("dyetrace-text-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("app")).unwrap();
        std::fs::create_dir_all(folder.join("case")).unwrap();
        for (name, bytes) in pictures {
            std::fs::write(folder.join("app").join(name), bytes).unwrap();
        }
        let kept = Self(folder);
        std::fs::write(kept.0.join("case/case.yaml"), "format: 1\ntitle: Kept\nruns: [{ id: first }]\n").unwrap();
        let data: Vec<_> =
            planted.iter().map(|(kind, value)| format!("{{ kind: {kind}, value: \"{value}\" }}")).collect();
        std::fs::write(kept.0.join("case/subject.yaml"), format!("data: [{}]\n", data.join(", "))).unwrap();
        let packed = dyetrace(&["snapshot", &kept.case(), kept.0.join("app").to_str().unwrap()]);
        assert!(packed.status.success(), "{}", stderr(&packed));
        kept
    }

    fn case(&self) -> String {
        self.0.join("case").to_str().unwrap().to_owned()
    }

    fn audit(&self, models: &Path, more: &[&str]) -> String {
        let output = with_models(models, &[&["audit", &self.case()], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    }

    fn json(&self, models: &Path) -> Value {
        serde_json::from_str(&self.audit(models, &["--format", "json"])).unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn without_models_the_text_in_pictures_is_said_not_to_be_examined() {
    let kept = Kept::new("without", &[("0", &card())], &[("id.cn", NUMBER)]);
    let nowhere = Path::new("/nowhere");
    assert!(kept.audit(nowhere, &[]).contains("The text in them was not examined: that needs models"));
    let audit = kept.json(nowhere);
    assert!(audit["pictures"]["text_not_examined"].as_str().unwrap().ends_with("type: dyetrace models install"));
    assert!(audit["pictures"]["text_read"].is_null() && audit["sightings"].as_array().unwrap().is_empty());
}

#[test]
fn a_planted_number_is_read_in_a_photo_and_the_reading_is_redone() {
    let Some(models) = models() else { return };
    let kept = Kept::new("read", &[("0", &card())], &[("id.cn", NUMBER), ("name", "Zhao Min")]);
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
    let kept = Kept::new("misread", &[("0", &card())], &[("id.cn", one), ("id.cn", three)]);
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
    let kept = Kept::new("hostile", &[("0", cut), ("1", &bomb), ("2", &card())], &[("id.cn", NUMBER)]);
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
    let kept = Kept::new("changed", &[("0", &card())], &[("id.cn", NUMBER)]);
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
