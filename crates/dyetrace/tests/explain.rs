//! `dyetrace explain` of each kind of sighting in a shipped case: the commands that it prints are run, and what
//! they give is what was planted.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, root, stderr, stdout};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn case() -> PathBuf {
    root().join("cases/story1-wifi-password")
}

fn sightings() -> Vec<Value> {
    let output = dyetrace(&["audit".as_ref(), case().as_os_str(), "--format=json".as_ref(), "--reveal".as_ref()]);
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(audit["notes"].as_array().unwrap().iter().all(|note| !note.as_str().unwrap().contains("unproved")));
    audit["sightings"].as_array().unwrap().clone()
}

fn explained(id: &str, more: &[&str]) -> String {
    let case = case();
    let arguments = [&["explain", id, case.to_str().unwrap()], more].concat();
    let output = dyetrace(&arguments);
    assert_eq!(output.status.code(), Some(0), "{id}: {}", stderr(&output));
    stdout(&output)
}

/// The commands of the page, run one after the other in the folder; what each printed.
fn run(page: &str, folder: &Path) -> Vec<String> {
    let programs = Path::new(env!("CARGO_BIN_EXE_dyetrace")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let commands = page.lines().filter_map(|line| line.strip_prefix("  $ "));
    commands
        .map(|command| {
            let output =
                Command::new("bash").args(["-c", command]).current_dir(folder).env("PATH", &path).output().unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        })
        .collect()
}

fn has_tools() -> bool {
    let has = |tool: &&str| Command::new(tool).arg("--version").output().is_ok();
    let missing: Vec<_> =
        ["bash", "jq", "base64", "gzip", "python3", "tail", "head"].into_iter().filter(|tool| !has(tool)).collect();
    if !missing.is_empty() {
        println!("skipped: no {} here", missing.join(", "));
    }
    missing.is_empty() && Command::new("xxd").arg("-v").output().is_ok()
}

#[test]
fn the_commands_that_are_printed_give_what_was_planted() {
    if !has_tools() {
        return;
    }
    let all = sightings();
    let kind = |sighting: &Value| format!("{} {} {}", sighting["datum"], sighting["direction"], sighting["trail"]);
    let one_of_each: BTreeMap<String, &Value> = all.iter().map(|sighting| (kind(sighting), sighting)).collect();
    assert!(one_of_each.len() >= 15, "{} kinds of sighting", one_of_each.len());
    for sighting in one_of_each.into_values() {
        let id = sighting["id"].as_str().unwrap();
        let page = explained(id, &["--reveal"]);
        assert!(page.contains("Proved: "), "{page}");
        // openssl's command undoes no AES-GCM; the page says so, and what follows cannot be redone by command.
        if page.contains("no ordinary tool does this") {
            continue;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("explain-{id}"));
        std::fs::create_dir_all(&folder).unwrap();
        let printed = run(&page, &folder);
        std::fs::remove_dir_all(&folder).unwrap();
        let planted = sighting["shown"].as_str().unwrap();
        if sighting["strength"] == "digest" {
            let [.., found, made] = &printed[..] else { panic!("{page}") };
            assert!(!found.trim().is_empty() && made.contains(found.trim()), "{page}\n{printed:?}");
        } else {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
            let found = letters(printed.last().unwrap());
            assert!(
                !found.is_empty() && (found.contains(&letters(planted)) || letters(planted).contains(&found)),
                "{page}\n{printed:?}"
            );
        }
    }
}

#[test]
fn the_beginning_of_an_id_is_enough_and_other_ids_are_told_what_to_type() {
    let sightings = sightings();
    let id = sightings[0]["id"].as_str().unwrap();
    assert_eq!(explained(id, &[]), explained(&id[..8], &[]));
    for wrong in ["ffffffffffffffff", "1398", "hello world", "12"] {
        let output = dyetrace(&["explain", wrong, case().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        let said = stderr(&output);
        assert!(said.contains("Type: dyetrace explain") && !said.contains(wrong), "{said}");
    }
}

#[test]
fn the_bytes_of_the_part_can_be_had() {
    let sightings = sightings();
    let id = sightings[0]["id"].as_str().unwrap();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("part.bin");
    explained(id, &["--part", file.to_str().unwrap()]);
    assert!(!std::fs::read(&file).unwrap().is_empty());
}
