//! Evidence of story 3 made by hand: what a tester's proxy would have written, had the
//! system been running. Nothing here was recorded, and every file says so.
//!
//! Everything follows from the story's name, so anyone can make the same bytes again:
//! `cargo run -p dyetrace-lab -- handmade story3 FOLDER`.

pub(crate) mod random;
mod script;
mod story3;

use random::Random;
use script::Script;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// The stories that can be made, with the folder in `cases/` that each belongs to.
pub const STORIES: [(&str, &str); 1] = [("story3", "story3-leaked-dump")];

/// What stands on every file of evidence.
const NOTE: &str = "made by hand, not recorded";

/// One story's evidence: the planted values and the runs.
struct Story {
    person: &'static str,
    data: Vec<Planted>,
    runs: Vec<Script>,
}

/// One planted value.
struct Planted {
    kind: &'static str,
    text: String,
    how: &'static str,
    bits: u32,
}

/// The files of a story by their paths in the case folder, in order of the paths; none for an unknown story.
pub fn files(story: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let random = Random::new(story);
    let story = match story {
        "story3" => story3::make(random),
        _ => return None,
    };
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for run in &story.runs {
        files.push((format!("evidence/{}.har", run.name), run.har()));
        files.push((format!("evidence/marks/{}.jsonl", run.name), run.marks()));
    }
    files.sort();
    let manifest = manifest(&files);
    files.push(("manifest-sha256.txt".to_owned(), manifest.into_bytes()));
    files.push(("subject.yaml".to_owned(), subject(&story).into_bytes()));
    Some(files)
}

/// Writes the files of a story into a case folder; the parts that people write are left alone.
///
/// # Errors
/// There is no such story, or a file could not be written.
pub fn write(story: &str, folder: &Path) -> io::Result<()> {
    let unknown = || io::Error::other(format!("the stories are {}", STORIES.map(|(story, _)| story).join(", ")));
    for (path, bytes) in files(story).ok_or_else(unknown)? {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, bytes)?;
    }
    Ok(())
}

/// As `sha256sum` writes it (RFC 8493 section 2.1.3).
fn manifest(files: &[(String, Vec<u8>)]) -> String {
    files.iter().fold(String::new(), |mut text, (path, bytes)| {
        let digest = dyetrace_case::hex(&Sha256::digest(bytes));
        let _ = writeln!(text, "{digest}  {path}");
        text
    })
}

fn subject(story: &Story) -> String {
    let mut yaml = format!("subject: {} (made up)\ndata:\n", story.person);
    for Planted { kind, text, how, bits } in &story.data {
        let value = serde_json::json!(text);
        let _ = writeln!(yaml, "  - kind: {kind}\n    value: {value}\n    planted: {how}");
        let _ = writeln!(yaml, "    bits: {bits}\n    made_up: true");
    }
    yaml
}
