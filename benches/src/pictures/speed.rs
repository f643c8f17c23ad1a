//! How fast photographs of twelve megapixels are looked at, and how fast others do it: equal results first.

use super::answers::{looked, said_same};
use super::set::{self, Class, Original, Set};
use crate::measure::{self, Cost};
use crate::{print, python, say};
use dyetrace_pictures::Gallery;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first argument that makes this program a searcher to be measured.
pub(crate) const WORD: &str = "find-pictures";
/// Originals in the gallery.
const GALLERY: usize = 500;
/// Photographs looked at, each so often: what reading the gallery takes is taken away from what all takes, and differs
/// from one time to the next by more than one look.
const LARGE: usize = 24;
const TIMES: usize = 10;
/// Re-encodings in which all have to find the same pairs.
const EQUAL: [&str; 2] = ["JPEG 70", "640 wide"];

/// A list of numbered files, or of pairs.
type List = Vec<(u32, PathBuf)>;
/// Names and commands.
type Searchers = Vec<(&'static str, Vec<String>)>;

/// Prints both tables. The small set fills the gallery with some five copies of each original, all of which have to be
/// compared with what shows it: only the whole set is a gallery as people have it.
pub(crate) fn run(set: &Set, folder: &Path) -> Result<(), Box<dyn Error>> {
    python::script(folder, set::SCRIPTS, "large.py", &[set.folder.display().to_string(), LARGE.to_string()])?;
    let searchers = searchers(folder)?;
    let mut text = String::from("| who | pairs wanted | found | extra | equal |\n|---|---:|---:|---:|---|\n");
    for (who, command) in &searchers {
        let (wanted, found) = pairs(set, command)?;
        let (common, extra) = (wanted.intersection(&found).count(), found.difference(&wanted).count());
        let equal = if common == wanted.len() && extra == 0 { "yes" } else { "**NO**" };
        writeln!(text, "| {who} | {} | {common} | {extra} | {equal} |", wanted.len())?;
    }
    text += "\n| who | gallery, CPU s | a picture, CPU ms | pictures per CPU second | peak MiB |\n";
    text += "|---|---:|---:|---:|---:|\n";
    for (who, command) in &searchers {
        let (gallery, all, count) = costs(set, command)?;
        let each = (all.cpu - gallery.cpu) / count as f64;
        let peak = all.peak_kib as f64 / 1024.0;
        writeln!(text, "| {who} | {:.1} | {:.1} | {:.1} | {peak:.0} |", gallery.cpu, each * 1000.0, 1.0 / each)?;
    }
    print(&text);
    Ok(())
}

/// The searcher's side: `GALLERY QUERIES`, two lists of `number<TAB>path`; prints `query<TAB>original`.
pub(crate) fn find(words: &[String]) -> Result<(), Box<dyn Error>> {
    let [gallery, queries] = words else { return Err("say: find-pictures GALLERY QUERIES".into()) };
    let mut originals = Gallery::new();
    for (number, path) in read(gallery)? {
        originals.add(number, &std::fs::read(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for (number, path) in read(queries)? {
        let named = looked(&originals, &std::fs::read(&path)?);
        let named = named.map_err(|error| format!("{}: {error}", path.display()))?;
        for original in said_same(&named) {
            print(&format!("{number}\t{original}\n"));
        }
    }
    Ok(())
}

/// Name and command of each.
fn searchers(folder: &Path) -> Result<Searchers, Box<dyn Error>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pictures/peer/Cargo.toml");
    let target = folder.join("peer");
    say("building the peers");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
    if !cargo.status()?.success() {
        return Err("the peers do not build".into());
    }
    let peer = target.join("release/dyetrace-picture-peers").display().to_string();
    let own = std::env::current_exe()?.display().to_string();
    Ok(vec![
        ("dyetrace", vec![own, WORD.to_owned()]),
        ("image_hasher 3.1, 8 × 8, plain loop", vec![peer.clone(), "plain".to_owned()]),
        ("czkawka's way: image_hasher 16 × 16, BK-tree", vec![peer, "czkawka".to_owned()]),
    ])
}

/// Pairs of re-encoded photographs and their originals: those there are, and those found.
fn pairs(set: &Set, command: &[String]) -> Result<(BTreeSet<String>, BTreeSet<String>), Box<dyn Error>> {
    let photo = |original: &&Original| original.class == Class::Photo && !original.withheld;
    let gallery = set.originals.iter().filter(photo).map(|original| (original.number, set.folder.join(&original.file)));
    let (mut queries, mut wanted) = (List::new(), BTreeSet::new());
    for (number, query) in set.queries.iter().enumerate() {
        let own = set.original(query.original)?;
        if own.class != Class::Photo || !EQUAL.contains(&query.transformation.as_str()) {
            continue;
        }
        queries.push((number as u32, set.folder.join(&query.file)));
        if !own.withheld {
            wanted.insert(format!("{number}\t{}", own.number));
        }
    }
    let output = set.folder.join("pairs.txt");
    let cost = searched(set, command, &gallery.collect(), &queries, &output)?;
    if cost.code != 0 {
        return Err(format!("{} ended with {}", command.join(" "), cost.code).into());
    }
    Ok((wanted, std::fs::read_to_string(output)?.lines().map(str::to_owned).collect()))
}

/// What the gallery costs, what the gallery and all queries cost, and how many queries there are.
fn costs(set: &Set, command: &[String]) -> Result<(Cost, Cost, usize), Box<dyn Error>> {
    let originals = set.originals.iter().map(|original| original.file.clone());
    // The set has fewer originals than are asked for: other pictures of it fill up, as few of one original as can be.
    let more = set.queries.iter().map(|query| query.file.clone());
    let more = more.filter(|file| Path::new(file).extension().is_some_and(|extension| extension == "jpg"));
    let step = more.clone().count() / GALLERY.saturating_sub(set.originals.len()).max(1);
    let gallery = originals.chain(more.step_by(step.max(1))).take(GALLERY).enumerate();
    let gallery: List = gallery.map(|(number, file)| (number as u32, set.folder.join(file))).collect();
    let mut large: Vec<PathBuf> =
        std::fs::read_dir(set.folder.join("large"))?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    large.sort();
    let large: List = (0..).zip(std::iter::repeat_n(large, TIMES).flatten()).collect();
    let output = set.folder.join("costs.txt");
    let without = searched(set, command, &gallery, &List::new(), &output)?;
    let with = searched(set, command, &gallery, &large, &output)?;
    Ok((without, with, large.len()))
}

fn searched(
    set: &Set,
    command: &[String],
    gallery: &List,
    queries: &List,
    output: &Path,
) -> Result<Cost, Box<dyn Error>> {
    let [first, second] = ["gallery.list", "queries.list"].map(|name| set.folder.join(name));
    write(&first, gallery)?;
    write(&second, queries)?;
    let [first, second] = [first, second].map(|path| path.display().to_string());
    let words: Vec<&str> = command.iter().map(String::as_str).chain([first.as_str(), &second]).collect();
    measure::run(&words, output)
}

fn write(path: &Path, list: &List) -> Result<(), std::io::Error> {
    let lines =
        list.iter().fold(String::new(), |lines, (number, file)| lines + &format!("{number}\t{}\n", file.display()));
    std::fs::write(path, lines)
}

fn read(path: &str) -> Result<List, Box<dyn Error>> {
    let entry = |line: &str| {
        let (number, path) = line.split_once('\t').ok_or("a line without a tab")?;
        Ok((number.parse()?, PathBuf::from(path)))
    };
    std::fs::read_to_string(path)?.lines().map(entry).collect()
}
