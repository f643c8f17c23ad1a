//! The evidence that was made by hand is what the program makes.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself")]

use dyetrace_lab::handmade::{STORIES, files};
use std::path::Path;

#[test]
fn the_shipped_evidence_can_be_made_again() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases");
    for (story, case) in STORIES {
        for (path, bytes) in files(story).unwrap() {
            let shipped = std::fs::read(cases.join(case).join(&path)).unwrap();
            assert!(shipped == bytes, "{case}/{path} is not what `handmade {story}` makes");
        }
    }
}

#[test]
fn every_exchange_says_that_it_was_not_recorded() {
    for (story, _) in STORIES {
        let files = files(story).unwrap().into_iter();
        for (path, bytes) in files.filter(|(path, _)| Path::new(path).extension().is_some_and(|end| end == "har")) {
            let har: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let entries = har["log"]["entries"].as_array().unwrap();
            let said = entries.iter().filter(|entry| entry["comment"] == "made by hand, not recorded").count();
            assert!(said == entries.len() && said > 0, "{path}");
        }
    }
}

#[test]
fn there_is_no_other_story() {
    assert!(files("story6").is_none());
}
