//! Faces in pictures, from a product's files to the report. Needs the model; without it the tests that need it say that
//! they are skipped, and pass. With `DYETRACE_NEEDS_MODELS=1` in the environment they fail instead. `check.sh` installs the
//! model where it can be fetched.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::kept::{self, Kept};
use common::{dyetrace, stderr, stdout, with_models};
use dyetrace_lab::gallery;
use serde_json::Value;
use std::path::{Path, PathBuf};

const MODEL: &str = "seeta_fd_frontal_v1.0.bin";
/// The lab's drawing of a face, 800 pixels wide.
const FACE: &str = "IMG_20190105_101530.jpg";
/// The lab's card with a small one.
const CARD: &str = "IMG_20190105_101112.jpg";

fn models() -> Option<PathBuf> {
    kept::models(MODEL, true)
}

fn picture(name: &str) -> Vec<u8> {
    gallery::originals().iter().find(|one| one.name == name).unwrap().bytes.clone()
}

fn screen() -> Vec<u8> {
    gallery::originals().iter().find(|one| one.kind == gallery::SCREENSHOT).unwrap().bytes.clone()
}

/// Left, top, width and height of each face of a picture.
fn boxes(row: &Value) -> Vec<[u64; 4]> {
    let of = |face: &Value| ["left", "top", "width", "height"].map(|name| face[name].as_u64().unwrap());
    row["faces"].as_array().unwrap().iter().map(of).collect()
}

/// True where the box has this point in it and is no wider than that.
fn is_around([left, top, width, height]: [u64; 4], (x, y): (u64, u64), widest: u64) -> bool {
    (left..left + width).contains(&x) && (top..top + height).contains(&y) && width <= widest
}

#[test]
fn without_the_model_faces_are_said_not_to_be_examined() {
    let kept = Kept::new("faces-without", &[("0", &picture(FACE))], &[]);
    let nowhere = Path::new("/nowhere");
    let said = kept.audit(nowhere, &[]);
    assert!(said.contains("Faces in them were not examined: that needs a model; type: dyetrace models install."));
    let pictures = &kept.json(nowhere)["pictures"];
    assert!(pictures["faces_not_examined"].as_str().unwrap().ends_with("type: dyetrace models install"));
    assert!(
        pictures["faces_sought"].is_null()
            && pictures["found"].as_array().unwrap().iter().all(|row| boxes(row).is_empty())
    );
}

#[test]
fn a_file_that_is_no_known_package_is_refused_and_nothing_is_installed() {
    let folder = std::env::temp_dir().join(format!("dyetrace-faces-refused-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (package, models) = (folder.join("rustface-0.1.7.crate"), folder.join("models"));
    std::fs::write(&package, b"\x1f\x8b something else").unwrap();
    let refused = with_models(&models, &["models", "install", package.to_str().unwrap()]);
    let said = stderr(&refused);
    assert!(
        said.contains("its SHA-256 is not that of rustface-0.1.7.crate") && said.contains("--crates URL"),
        "{said}"
    );
    assert!(!refused.status.success() && !models.exists());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn faces_are_found_where_they_are_and_a_screen_has_none() {
    let Some(models) = models() else { return };
    let pictures = [("0", &picture(FACE)[..]), ("1", &picture(CARD)), ("2", &screen())];
    let kept = Kept::new("faces-found", &pictures, &[]);
    let audit = kept.json(&models);
    let sought = &audit["pictures"]["faces_sought"];
    assert_eq!((&sought["pictures"], &sought["faces"]), (&3.into(), &2.into()), "{sought:#}");
    let rows = audit["pictures"]["found"].as_array().unwrap();
    let all: Vec<[u64; 4]> = rows.iter().flat_map(boxes).collect();
    assert!(all.iter().any(|face| is_around(*face, (420, 300), 300)), "the face in the photo: {all:?}");
    assert!(all.iter().any(|face| is_around(*face, (608, 296), 110)), "the face on the card: {all:?}");
    assert!(
        rows.iter().flat_map(|row| row["faces"].as_array().unwrap()).all(|face| face["score"].as_f64() >= Some(3.0))
    );
    let said = kept.audit(&models, &[]);
    assert!(said.contains("Faces were looked for in different pictures: 3. Found: 2."), "{said}");
    let [left, top, width, height] = all[0];
    assert!(said.contains(&format!("face  at {left},{top} {width}×{height}, score ")), "{said}");
}

#[test]
fn a_judgement_is_the_same_with_and_without_the_model() {
    let Some(models) = models() else { return };
    let case = common::root().join("cases/story4-pictures");
    let judged = |models: &Path| {
        let output = with_models(models, &["judge", case.to_str().unwrap(), "--format", "html"]);
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let with = judged(&models);
    assert!(with.1.contains("Faces in them were not examined"), "{}", with.2);
    assert!(with == judged(Path::new("/nowhere")));
}

#[test]
fn pictures_that_cannot_be_looked_at_are_counted_and_stop_nothing() {
    let Some(models) = models() else { return };
    let (screen, face) = (screen(), picture(FACE));
    let kept = Kept::new("faces-hostile", &[("0", &screen[..screen.len() / 5]), ("1", &face)], &[]);
    let sought = &kept.json(&models)["pictures"]["faces_sought"];
    assert_eq!((&sought["pictures"], &sought["faces"]), (&1.into(), &1.into()), "{sought:#}");
    assert_eq!(sought["left"][0]["why"], "damaged, or coded in a way that is not read");
    let said = kept.audit(&models, &[]);
    assert!(said.contains("Faces not examined in different pictures: 1 (damaged,"), "{said}");
}

#[test]
fn a_model_that_was_changed_is_not_used() {
    let Some(models) = models() else { return };
    let kept = Kept::new("faces-changed", &[("0", &picture(FACE))], &[]);
    let changed = kept.0.join("models");
    std::fs::create_dir_all(&changed).unwrap();
    let bytes = std::fs::read(models.join(MODEL)).unwrap();
    std::fs::write(changed.join(MODEL), &bytes[..bytes.len() / 2]).unwrap();
    let why = kept.json(&changed)["pictures"]["faces_not_examined"].to_string();
    assert!(why.contains("seeta_fd_frontal_v1.0.bin is not the file that was installed"), "{why}");
    let listed = stdout(&with_models(&changed, &["models", "list"]));
    assert!(listed.contains("CHANGED, and not used"), "{listed}");
    assert!(stdout(&dyetrace(&["models", "list"])).contains("not installed (dyetrace models install)"));
}
