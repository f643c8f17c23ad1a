//! Captures that the world recorded, and what a second tool found in them.
//!
//! They are no part of the repository. `DYETRACE_CAPTURES` names their folder; by default it is
//! looked for beside the checkout.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder of captures; `None` (said aloud) where there is none.
#[allow(clippy::print_stderr, reason = "a skipped test must not look like a passed one")]
pub(crate) fn captures() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let folder = std::env::var_os("DYETRACE_CAPTURES").map_or(beside, PathBuf::from);
    if folder.join("truth").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no real captures here");
    None
}

/// What is known of each capture whose truth file's name ends so, with the capture's own name.
pub(crate) fn truths(folder: &Path, ending: &str) -> Vec<(String, Value)> {
    let entries = std::fs::read_dir(folder.join("truth")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = paths.iter().filter(|path| path.to_string_lossy().ends_with(ending));
    let read = named.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    read.filter_map(|truth: Value| Some((truth["file"].as_str()?.to_owned(), truth))).collect()
}
