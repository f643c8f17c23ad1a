//! `dyetrace verify`: is it as it was, and does it still say what it said?

mod rerun;

use crate::custody::{self, Checked};
use crate::exit::{Exit, Fault};
use crate::mint::{Dice, System};
use crate::output;
use clap::Args;
use dyetrace_case::{Case, hex};
use dyetrace_custody::bag::{self, Content};
use dyetrace_custody::log;
use std::fmt::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Fixity of every file, then the chain of custody.log and its time stamps, then the judgement anew: it must be the
stored one byte for byte. A public edition cannot be judged anew; it says so. See docs/custody.md.

Exit codes:
  0  all that could be verified is as it was
  1  something is not
  2  something could not be read or done, or a time stamp's signature could not be checked

Examples:
  dyetrace verify my-case-sealed.zip
  dyetrace verify my-case"
)]
pub(crate) struct VerifyArguments {
    /// A bundle (zip archive or folder) or a case folder
    #[arg(value_name = "BUNDLE|CASE")]
    path: PathBuf,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it was.
    Holds,
    /// Not as it was.
    Differs,
    /// It fits, but what would prove it was not checked.
    NotChecked,
    /// There is nothing to verify, or a public edition leaves it out.
    NotPossible,
    /// It could not be read or done.
    Failed,
}

/// A step and what it found.
pub(crate) struct Step {
    name: &'static str,
    outcome: Outcome,
    lines: Vec<String>,
}

impl Step {
    fn new(name: &'static str, outcome: Outcome, line: impl Into<String>) -> Self {
        Self { name, outcome, lines: vec![line.into()] }
    }

    /// A step that holds unless something is wrong.
    fn of(name: &'static str, wrong: Vec<String>, right: String) -> Self {
        if wrong.is_empty() {
            return Self::new(name, Outcome::Holds, right);
        }
        Self { name, outcome: Outcome::Differs, lines: wrong }
    }
}

/// Most lines of one step.
const MOST_LINES: usize = 100;

/// Runs every step that is possible and says each.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<Exit, Fault> {
    let path = &arguments.path;
    let unpacked;
    let steps = if path.is_dir() {
        if Case::is_case(path) { of_case(path) } else { of_bundle(path) }
    } else {
        unpacked = Unpacked::new(path)?;
        of_bundle(&unpacked.bag)
    };
    output::print(text(&steps).as_bytes())?;
    let any = |outcome| steps.iter().any(|step| step.outcome == outcome);
    Ok(match () {
        () if any(Outcome::Differs) => Exit::Found,
        () if any(Outcome::Failed) || any(Outcome::NotChecked) => Exit::PartlyRead,
        () => Exit::Fine,
    })
}

fn text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        let mark = match step.outcome {
            Outcome::Holds => "holds",
            Outcome::Differs => "DIFFERS",
            Outcome::NotChecked => "not checked",
            Outcome::NotPossible => "not possible",
            Outcome::Failed => "FAILED",
        };
        let _ = writeln!(text, "{:<10} {mark}", step.name);
        for line in step.lines.iter().take(MOST_LINES) {
            let clean: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(text, "           {clean}");
        }
        if step.lines.len() > MOST_LINES {
            let _ = writeln!(text, "           and {} more", step.lines.len() - MOST_LINES);
        }
    }
    text
}

/// A bundle in a folder.
fn of_bundle(root: &Path) -> Vec<Step> {
    let mut steps = vec![fixity_of_bag(root)];
    let case = root.join("data");
    if Case::is_case(&case) {
        steps.extend(custody_and_verdicts(&case));
    } else if case.join("cuts.json").is_file() {
        let left_out = "this is a public edition: ask whoever made it for the sealed one";
        steps.push(Step::new("custody", Outcome::NotPossible, head_of_public(&case)));
        steps.push(Step::new(
            "re-run",
            Outcome::NotPossible,
            format!("exhibits and planted values are cut; {left_out}"),
        ));
    } else {
        steps.push(Step::new("contents", Outcome::Failed, "there is neither a case nor a public edition in data/"));
    }
    steps
}

/// A case in a folder.
fn of_case(root: &Path) -> Vec<Step> {
    let mut steps = vec![fixity_of_case(root)];
    steps.extend(custody_and_verdicts(root));
    steps
}

fn custody_and_verdicts(case: &Path) -> Vec<Step> {
    let failed = |name, fault: &Fault| Step::new(name, Outcome::Failed, fault.to_string());
    let custody = chain(case).unwrap_or_else(|fault| failed("custody", &fault));
    let stamps = stamps(case).unwrap_or_else(|fault| failed("stamps", &fault));
    let mut steps = vec![custody, stamps];
    steps.extend(rerun::steps(case));
    steps
}

fn fixity_of_bag(root: &Path) -> Step {
    let fixity = match bag::check(root) {
        Ok(fixity) => fixity,
        Err(error) => return Step::new("fixity", Outcome::Failed, Fault::file(root, &error).to_string()),
    };
    let digest = fixity.digest.map(|digest| digest.to_string()).unwrap_or_default();
    let right = format!("{} files of {} bytes; SHA-256 of the tag manifest {digest}", fixity.files, fixity.bytes);
    Step::of("fixity", fixity.faults.iter().map(ToString::to_string).collect(), right)
}

fn fixity_of_case(root: &Path) -> Step {
    let case = match Case::open(root) {
        Ok(case) => case,
        Err(error) => return Step::new("fixity", Outcome::Failed, error.to_string()),
    };
    let Some(manifest) = case.manifest else {
        return Step::new("fixity", Outcome::NotPossible, "there is no manifest-sha256.txt");
    };
    let mut wrong = Vec::new();
    for (path, listed) in &manifest.0 {
        wrong.extend(differs(root, path, *listed));
    }
    let listed = |path: &&String| !manifest.0.contains_key(*path);
    let unlisted: Vec<&str> = case.exhibits.iter().filter(listed).map(String::as_str).collect();
    wrong.extend(unlisted.iter().map(|path| format!("{path} is an exhibit and not in the manifest")));
    Step::of("fixity", wrong, format!("{} files are as manifest-sha256.txt says", manifest.0.len()))
}

/// Says where a file is not what was listed.
fn differs(root: &Path, path: &str, listed: dyetrace_case::ExhibitId) -> Option<String> {
    let shown = dyetrace_custody::name::shown(path);
    if dyetrace_custody::name::check(path).is_err() {
        return Some(format!("{shown} is no name of a file in the case"));
    }
    let regular = root.join(path).symlink_metadata().is_ok_and(|data| data.is_file());
    if !regular {
        return Some(format!("{shown} is missing"));
    }
    match Content::File(root.join(path)).measure() {
        Ok(measured) if measured.sha256 == listed => None,
        Ok(_) => Some(format!("{shown} was changed")),
        Err(error) => Some(format!("{shown}: {error}")),
    }
}

fn chain(case: &Path) -> Result<Step, Fault> {
    let Some(log) = custody::log_of(case)? else {
        return Ok(Step::new("custody", Outcome::NotPossible, format!("there is no {}", log::FILE)));
    };
    let mut wrong = log.said_faults();
    for (path, (entry, digest)) in log.last_digests() {
        wrong.extend(differs(case, path, digest).map(|said| format!("{said} since entry {entry} was written")));
    }
    let head = log.head.map_or_else(|| "none".to_owned(), |head| head.to_string());
    Ok(Step::of("custody", wrong, format!("{} entries; head {head}", log.entries.len())))
}

fn stamps(case: &Path) -> Result<Step, Fault> {
    let checked = custody::check_stamps(case)?;
    if checked.is_empty() {
        return Ok(Step::new("stamps", Outcome::NotPossible, "there is no time stamp"));
    }
    let any = |is: fn(&Checked) -> bool| checked.iter().any(is);
    let outcome = match () {
        () if any(|one| matches!(one, Checked::Wrong(_))) => Outcome::Differs,
        () if any(|one| matches!(one, Checked::Unproven(_))) => Outcome::NotChecked,
        () => Outcome::Holds,
    };
    let mut sorted = checked;
    sorted.sort();
    let lines = sorted.into_iter().map(|(Checked::Wrong(line) | Checked::Unproven(line) | Checked::Proven(line))| line);
    Ok(Step { name: "stamps", outcome, lines: lines.collect() })
}

fn head_of_public(data: &Path) -> String {
    let head = || {
        let text = std::fs::read(data.join("custody.json")).ok().filter(|text| text.len() < 1 << 20)?;
        let document: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(format!("{} entries with the head {}", document["entries"].as_u64()?, document["head"].as_str()?))
    };
    let said = head().unwrap_or_else(|| "no entries".to_owned());
    format!("the log is left out, because it names people: it had {said}")
}

/// A bundle that was unpacked to a folder for its owner alone, which is taken away afterwards.
struct Unpacked {
    folder: PathBuf,
    bag: PathBuf,
}

impl Unpacked {
    fn new(archive: &Path) -> Result<Self, Fault> {
        let mut random = [0; 8];
        System.fill(&mut random)?;
        let folder = std::env::temp_dir().join(format!("dyetrace-verify-{}", hex(&random)));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|error| Fault::file(&folder, &error))?;
        let mut unpacked = Self { bag: folder.clone(), folder };
        unpacked.bag = bag::unpack(archive, &unpacked.folder)
            .map_err(|error| Fault::new(format!("{}: {error}", archive.display())))?;
        Ok(unpacked)
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
