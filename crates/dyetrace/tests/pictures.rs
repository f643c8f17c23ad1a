//! What pictures give away, from a product's files to the report.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr};
use dyetrace_lab::gallery;
use serde_json::Value;
use std::path::PathBuf;

/// A folder with a picture in it, for as long as the test runs.
struct Files(PathBuf);

impl Files {
    fn new(name: &str, picture: &[u8]) -> Self {
        let folder = std::env::temp_dir().join(format!("dyetrace-pictures-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("app/cache")).unwrap();
        std::fs::create_dir_all(folder.join("case")).unwrap();
        std::fs::write(folder.join("app/cache/0"), picture).unwrap();
        std::fs::write(folder.join("case/case.yaml"), "format: 1\ntitle: Kept\nruns: [{ id: first }]\n").unwrap();
        Self(folder)
    }

    /// The audit of the folder with those planted values.
    fn audit(&self, planted: &[(&str, &str)], more: &[&str]) -> Value {
        let data: Vec<String> =
            planted.iter().map(|(kind, value)| format!("{{ kind: {kind}, value: \"{value}\" }}")).collect();
        std::fs::write(self.0.join("case/subject.yaml"), format!("data: [{}]\n", data.join(", "))).unwrap();
        let case = self.0.join("case").to_str().unwrap().to_owned();
        if !self.0.join("case/evidence").exists() {
            let packed = dyetrace(&["snapshot", &case, self.0.join("app").to_str().unwrap()]);
            assert!(packed.status.success(), "{}", stderr(&packed));
        }
        let output = dyetrace(&[&["audit", &case, "--format", "json"], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A photograph of the lab with what its camera noted.
fn photograph() -> (Vec<u8>, dyetrace_pictures::Exif) {
    let photo = gallery::originals().iter().find(|one| one.unique_id.is_some()).unwrap();
    let notes = dyetrace_pictures::exif(&photo.bytes).unwrap();
    (photo.bytes.clone(), notes)
}

#[test]
fn a_planted_position_is_found_in_what_the_camera_noted() {
    let (photo, notes) = photograph();
    let (north, east) = (notes.latitude.unwrap(), notes.longitude.unwrap());
    let files = Files::new("position", &photo);
    for decimals in [4, 5] {
        let planted = format!("{north:.decimals$},{east:.decimals$}");
        let audit = files.audit(&[("gps", &planted)], &[]);
        let sighting = &audit["sightings"][0];
        assert_eq!(sighting["trail"], "exif GPSPosition", "{decimals}: {audit:#}");
        assert_eq!((&sighting["direction"], &sighting["hint"]), (&"kept".into(), &false.into()));
        assert_eq!(audit["pictures"]["found"][0]["notes"][0]["planted"][0], "gps");
        assert!(audit["notes"].as_array().unwrap().iter().all(|note| !note.as_str().unwrap().contains("unproved")));
    }
}

#[test]
fn a_position_that_the_cameras_fractions_round_away_is_found_within_a_metre() {
    let (photo, notes) = photograph();
    let files = Files::new("near", &photo);
    let planted = |off: f64| format!("{:.7},{:.7}", notes.latitude.unwrap() + off, notes.longitude.unwrap() - off);
    let audit = files.audit(&[("gps", &planted(2.1e-6))], &[]);
    let near =
        audit["sightings"].as_array().unwrap().iter().find(|sighting| sighting["strength"] == "derived").unwrap();
    assert_eq!(near["form"], "a position within a metre of it, in its exif GPSPosition");
    assert!(near["bits"].as_f64().unwrap() > 45.0);
    assert_eq!(audit["pictures"]["found"][0]["notes"][0]["planted"][0], "gps");
    let other = files.audit(&[("gps", &planted(2e-4))], &[]);
    assert_eq!(other["pictures"]["found"][0]["notes"][0]["planted"].as_array().unwrap().len(), 0);
}

#[test]
fn what_nobody_planted_is_masked_unless_asked_for() {
    let (photo, notes) = photograph();
    let files = Files::new("masked", &photo);
    let model = notes.model.unwrap();
    let masked = files.audit(&[("phone", "13800000427")], &[]);
    assert_eq!((&masked["pictures"]["seen"], &masked["pictures"]["telling"]), (&1.into(), &1.into()));
    let text = masked.to_string();
    assert!(!text.contains(&model) && !text.contains(&notes.taken.clone().unwrap()), "{text}");
    let clear = files.audit(&[("phone", "13800000427")], &["--reveal"]).to_string();
    assert!(clear.contains(&model) && clear.contains(&notes.taken.unwrap()));
}
