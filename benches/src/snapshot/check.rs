//! What the command and others said, against what was made.

use super::set::{Changes, Expected, PHOTO};
use crate::peers::Check;
use crate::peers::dyetrace::names_of;
use crate::say;
use serde_json::Value;
use std::collections::BTreeSet;
use std::error::Error;

/// What became of the files, as `dyetrace snapshot --all` lists it under the last snapshot.
pub(super) fn changes(said: &str, changes: &Changes) -> Vec<Check> {
    let last = said.rsplit("files collected: ").next().unwrap_or_default();
    let lists = [
        ("created", "files created", &changes.created),
        ("changed", "files changed", &changes.changed),
        ("deleted", "files deleted", &changes.deleted),
        ("same bytes as another file", "files copied", &changes.copied),
    ];
    lists.into_iter().map(|(title, what, wanted)| compared(what, &set(wanted), &listed(last, title))).collect()
}

/// Says where the two differ, which the table does not.
fn compared(what: &'static str, wanted: &BTreeSet<String>, found: &BTreeSet<String>) -> Check {
    let (missed, extra) = (wanted.difference(found), found.difference(wanted));
    missed.take(TOLD).for_each(|one| say(&format!("{what}: missed {one}")));
    extra.take(TOLD).for_each(|one| say(&format!("{what}: too many {one}")));
    Check::new(what, wanted, found)
}

/// Differences of one check that are said.
const TOLD: usize = 20;

fn set(paths: &[String]) -> BTreeSet<String> {
    paths.iter().cloned().collect()
}

/// The paths under one heading: what stands before two spaces, or before the other file's name.
fn listed(said: &str, title: &str) -> BTreeSet<String> {
    const LINE: &str = "        ";
    let is_title = |line: &&str| line.trim_start().strip_prefix(title).is_some_and(|rest| rest.starts_with(": "));
    let lines = said.lines().skip_while(|line| !is_title(line)).skip(1).take_while(|line| line.starts_with(LINE));
    let path =
        |line: &str| line.trim_start().split("  ").next().and_then(|line| line.split(" = ").next()).map(str::to_owned);
    lines.filter_map(path).collect()
}

/// Which value was seen in which file of which snapshot.
pub(super) fn sightings(
    what: &'static str,
    report: &Value,
    expected: &Expected,
    snapshots: &[usize],
    gallery: bool,
) -> Result<Check, Box<dyn Error>> {
    let names = names_of(&expected.subject);
    let mut wanted = BTreeSet::new();
    for &number in snapshots {
        let planted = expected.snapshots.get(number).ok_or("no such snapshot")?;
        let values = planted.values.iter().filter(|one| one.how != IN_THE_LOG);
        wanted.extend(values.map(|one| format!("{number} {} {}", names[one.value], one.path)));
        let pictures = planted.pictures.iter().filter(|_| gallery);
        wanted.extend(pictures.map(|one| format!("{number} {} {}", photo(one.original), one.path)));
    }
    let seen = report["sightings"].as_array().ok_or("an audit without sightings")?;
    let mut found = BTreeSet::new();
    for sighting in seen {
        let exhibit = sighting["place"]["path"].as_str().unwrap_or_default();
        let (number, datum) =
            (usize::from(exhibit.ends_with("-02.tar")), sighting["datum"].as_str().unwrap_or_default());
        let path = sighting["record"]["url"].as_str().unwrap_or_default();
        let line = format!("{number} {datum} {}", in_folder(path));
        // What chance could explain counts where it is wanted, and is not held against anyone elsewhere.
        if sighting["hint"] == false || wanted.contains(&line) {
            found.insert(line);
        }
    }
    Ok(compared(what, &wanted, &found))
}

/// A log's values are told as values of its database.
const IN_THE_LOG: &str = "in the log";

fn photo(number: usize) -> String {
    if number == 0 { PHOTO.to_owned() } else { format!("{PHOTO}#{}", number + 1) }
}

/// Which of its files a LevelDB puts a value into is its own affair.
fn in_folder(path: &str) -> &str {
    path.find("/leveldb/").map_or(path, |at| &path[..at + "/leveldb/".len()])
}

/// The files that hold the bytes of a value as they are. What is wrapped may be seen or not.
pub(super) fn plain(listed: &str, expected: &Expected, folders: &[String; 2]) -> Check {
    let (mut wanted, mut wrapped) = (BTreeSet::new(), BTreeSet::new());
    for (planted, folder) in expected.snapshots.iter().zip(folders) {
        for one in &planted.values {
            let path = format!("{folder}/{}", one.path);
            if one.raw {
                wanted.insert(path)
            } else {
                wrapped.insert(path)
            };
        }
    }
    let found = listed.lines().map(in_folder).filter(|path| wanted.contains(*path) || !wrapped.contains(*path));
    compared("ripgrep: files with a value as it is", &wanted, &found.map(str::to_owned).collect())
}

/// One line for each file.
pub(super) fn hashed(listed: &str, expected: &Expected) -> Check {
    let count = |number: u64| (0..number).map(|number| number.to_string()).collect();
    compared("sha256sum: files", &count(expected.files[0]), &count(listed.lines().count() as u64))
}
