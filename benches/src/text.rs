//! `text`: how many numbers in pictures are found, and what reading costs, on cards and screens as they are, as bad
//! JPEGs, small, and seen at a slant.
//!
//! Asks the command itself, built with the feature `ocr`, with the models that are installed: a case for each kind and
//! state, with all of its numbers planted.

use crate::measure;
use crate::pictures::SCRIPTS;
use crate::print;
use crate::python;
use crate::say;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How to call it.
pub(crate) const USAGE: &str = "text DYETRACE [--count NUMBER] [--folder FOLDER]";

/// One picture, as `make/text.py` lists it.
#[derive(Debug, Deserialize)]
struct Picture {
    kind: String,
    state: String,
    file: String,
    numbers: Vec<String>,
}

/// What became of the numbers of one kind in one state.
#[derive(Debug, Default)]
struct Row {
    pictures: usize,
    numbers: usize,
    /// Read character by character.
    exact: usize,
    /// Read with a character or two different, with enough bits for a sighting.
    misread: usize,
    /// CPU seconds a picture.
    cpu: f64,
}

/// Draws the pictures, asks about all of them, prints the table.
pub(crate) fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let [program, words @ ..] = words else { return Err(USAGE.into()) };
    let (mut count, mut folder) = ("12".to_owned(), PathBuf::from("target/benches/text"));
    for pair in words.chunks(2) {
        match pair {
            [word, value] if word == "--count" => count.clone_from(value),
            [word, value] if word == "--folder" => folder = value.into(),
            _ => return Err(USAGE.into()),
        }
    }
    let set = folder.join(format!("set-{count}"));
    if !set.join("set.jsonl").exists() {
        say("drawing the pictures");
        python::script(&folder, SCRIPTS, "text.py", &[set.display().to_string(), "--count".to_owned(), count])?;
    }
    let listed = std::fs::read_to_string(set.join("set.jsonl"))?;
    let pictures: Vec<Picture> = listed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut groups: BTreeMap<(&str, &str), Vec<&Picture>> = BTreeMap::new();
    for picture in &pictures {
        groups.entry((&picture.kind, &picture.state)).or_default().push(picture);
    }
    let mut text = "| pictures | state | number exact | one or two characters differ | CPU s a picture |\n\
                    |---|---|--:|--:|--:|\n"
        .to_owned();
    for ((kind, state), group) in groups {
        let row = asked(program, &set, &folder.join("case"), &group)?;
        let Row { pictures, numbers, exact, misread, cpu } = row;
        writeln!(text, "| {pictures} {kind}s | {state} | {exact} of {numbers} | {misread} | {cpu:.2} |")?;
    }
    print(&text);
    Ok(())
}

/// Audits one folder of pictures.
fn asked(program: &str, set: &Path, case: &Path, pictures: &[&Picture]) -> Result<Row, Box<dyn Error>> {
    let first = pictures.first().ok_or("no pictures")?;
    let (folder, kind) = (set.join(&first.file), if first.kind == "card" { "id.cn" } else { "account" });
    let numbers: BTreeSet<String> =
        pictures.iter().flat_map(|picture| &picture.numbers).map(|number| number.replace(' ', "")).collect();
    let _ = std::fs::remove_dir_all(case);
    std::fs::create_dir_all(case)?;
    std::fs::write(case.join("case.yaml"), "format: 1\ntitle: Text in pictures\nruns: [{ id: first }]\n")?;
    let mut subject = String::from("data:\n");
    for number in &numbers {
        writeln!(subject, "  - {{ kind: {kind}, value: \"{number}\" }}")?;
    }
    std::fs::write(case.join("subject.yaml"), subject)?;
    let packed = Command::new(program).arg("snapshot").arg(case).arg(folder.parent().ok_or("no folder")?).output()?;
    if !packed.status.success() {
        return Err(String::from_utf8_lossy(&packed.stderr).into());
    }
    let answer = case.with_extension("json");
    let case = case.display().to_string();
    let cost = measure::run(&[program, "audit", &case, "--format", "json"], &answer)?;
    let audit: serde_json::Value = serde_json::from_slice(&std::fs::read(&answer)?)?;
    if audit["pictures"]["text_read"]["pictures"] != pictures.len() {
        return Err("not all pictures were read: --features ocr, and dyetrace models install".into());
    }
    let mut row = Row { pictures: pictures.len(), numbers: numbers.len(), ..Row::default() };
    row.cpu = cost.cpu / pictures.len() as f64;
    let sightings = audit["sightings"].as_array().ok_or("no sightings")?;
    let of = |strength: &str| -> BTreeSet<String> {
        let sure = sightings.iter().filter(|one| one["strength"] == strength && one["hint"] == false);
        sure.map(|one| one["datum"].to_string()).collect()
    };
    let exact = of("exact");
    (row.exact, row.misread) = (exact.len(), of("derived").difference(&exact).count());
    Ok(row)
}
