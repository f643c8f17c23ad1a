//! `dyetrace snapshot`: a product's files as an exhibit, and what became of them from one snapshot to the next.

mod changes;
mod pack;
pub(crate) mod watch;

use crate::audit::subject_of;
use crate::exit::{Exit, Fault, say};
use crate::{custody, mark};
use clap::Args;
use dyetrace_case::{Case, Event, Mark, Time, append_mark};
use dyetrace_evidence::HEAD;
use dyetrace_search::{Options, Scanner};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Arguments of `snapshot`.
#[derive(Debug, Args)]
#[command(
    after_help = "A folder becomes a tar archive with the files as they are: bytes, times, owners, permissions. An archive becomes an
exhibit as it is. The time goes into the run's marks, so that two snapshots say what was created between them.
Without SOURCE, what became of the files from snapshot to snapshot is shown, among the run's other marks.

How to get a product's files, see docs/snapshots.md.

Examples:
  dyetrace snapshot my-case pulled/com.example.finance --run first
  dyetrace snapshot my-case backup.ab --run first --taken 2026-01-31T12:00:00Z
  dyetrace snapshot my-case"
)]
pub(crate) struct SnapshotArguments {
    /// The case folder
    case: PathBuf,
    /// A folder, or an archive: tar (also gzip or zstd), ZIP, an Android backup (.ab)
    source: Option<PathBuf>,
    /// The run that the files belong to; only where the case has several
    #[arg(long)]
    run: Option<String>,
    /// When an archive's files were collected (default: when the archive was written)
    #[arg(long, value_name = "TIME", requires = "source")]
    taken: Option<Time>,
    /// Show every line of long lists
    #[arg(long)]
    all: bool,
}

/// Takes a snapshot, or shows what the snapshots say.
pub(crate) fn run(arguments: &SnapshotArguments) -> Result<Exit, Fault> {
    let Some(source) = &arguments.source else { return changes::run(arguments) };
    let run = run_of(&arguments.case, arguments.run.as_deref())?;
    let is_folder = fs::metadata(source).map_err(|error| Fault::file(source, &error))?.is_dir();
    if is_folder && arguments.taken.is_some() {
        return Err(Fault::new("a folder is collected now").hint("leave out --taken, or name an archive"));
    }
    let taken = if is_folder { folder(arguments, source, &run)? } else { archive(arguments, source, &run)? };
    let what = taken.files.map_or_else(|| "an archive".to_owned(), |files| format!("{files} files"));
    say(&format!("Collected {what}, {} bytes, into {}", taken.bytes, taken.exhibit));
    mark_taken(&arguments.case, &run, &taken.exhibit, taken.at, taken.error)?;
    note_custody(&arguments.case, &run, &taken.exhibit)?;
    match changes::run(arguments)? {
        Exit::Fine if taken.is_incomplete => Ok(Exit::PartlyRead),
        exit => Ok(exit),
    }
}

/// An exhibit that was made.
struct Taken {
    exhibit: String,
    /// How many; `None` of an archive that was not made here.
    files: Option<u64>,
    bytes: u64,
    is_incomplete: bool,
    at: Time,
    /// Nanoseconds before and after `at` within which the files were read.
    error: Option<u64>,
}

fn folder(arguments: &SnapshotArguments, source: &Path, run: &str) -> Result<Taken, Fault> {
    pack::refuse_own_exhibits(source, &arguments.case)?;
    let began = mark::now()?;
    let (path, exhibit) = next_exhibit(&arguments.case, run, "files", "tar")?;
    let packed = pack::folder(source, &path, began)?;
    if !packed.warnings.is_empty() {
        let case = Case::open(&arguments.case).map_err(Fault::new)?;
        let scanner = Scanner::new(&subject_of(Some(&case)), Options::default());
        packed.warnings.iter().for_each(|warning| say(&scanner.redact(&format!("dyetrace: {warning}"))));
    }
    let ended = mark::now()?;
    let half = ended.0.saturating_sub(began.0).max(0) / 2;
    let (at, error) = (Time(began.0 + half), Some(half.unsigned_abs() + 1_000_000));
    Ok(Taken {
        exhibit,
        files: Some(packed.files),
        bytes: packed.bytes,
        is_incomplete: packed.is_incomplete,
        at,
        error,
    })
}

fn archive(arguments: &SnapshotArguments, source: &Path, run: &str) -> Result<Taken, Fault> {
    let (ending, modified) = looked_at(source)?;
    let at = match (arguments.taken, modified) {
        (Some(taken), _) => taken,
        (None, Some(modified)) => {
            say(&format!("dyetrace: {} was written at {modified}; --taken TIME says otherwise", source.display()));
            modified
        }
        (None, None) => {
            let fault = Fault::new(format!("{}: nothing tells when it was written", source.display()));
            return Err(fault.hint("say when its files were collected: --taken 2026-01-31T12:00:00Z"));
        }
    };
    refuse_twice(&arguments.case, source)?;
    let (path, exhibit) = next_exhibit(&arguments.case, run, "files", ending)?;
    let bytes = pack::copy(source, &path)?;
    Ok(Taken { exhibit, files: None, bytes, is_incomplete: false, at, error: None })
}

/// An archive that the case has already: an exhibit is known by its bytes, and the same bytes at two times are one.
fn refuse_twice(case: &Path, source: &Path) -> Result<(), Fault> {
    let opened = Case::open(case).map_err(Fault::new)?;
    let size = |path: &Path| fs::metadata(path).map(|data| data.len()).ok();
    let alike = opened.exhibits.iter().filter(|path| size(&case.join(path)) == size(source));
    let mut digest = None;
    for exhibit in alike {
        if digest.is_none() {
            digest = Some(pack::digest(source).map_err(|error| Fault::file(source, &error))?);
        }
        if pack::digest(&case.join(exhibit)).ok() == digest {
            let fault = Fault::new(format!("{} has the same bytes as {exhibit} of the case", source.display()));
            return Err(fault.hint(
                "if the files were collected anew, unpack the archive and take a snapshot of the folder: it says when",
            ));
        }
    }
    Ok(())
}

/// What the exhibit's name ends in, and when the archive was written.
fn looked_at(source: &Path) -> Result<(&'static str, Option<Time>), Fault> {
    use dyetrace_case::Format;
    use dyetrace_evidence::Wrapping;
    let mut head = Vec::new();
    let mut file = File::open(source).map_err(|error| Fault::file(source, &error))?;
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(|error| Fault::file(source, &error))?;
    let kind = dyetrace_evidence::recognise(&head).ok().filter(|kind| kind.format.is_snapshot());
    let ending = match kind.map(|kind| (kind.format, kind.wrapping)) {
        Some((Format::Tar, Wrapping::None)) => "tar",
        Some((Format::Tar, Wrapping::Gzip)) => "tar.gz",
        Some((Format::Tar, Wrapping::Zstd)) => "tar.zst",
        Some((Format::Zip, Wrapping::None)) => "zip",
        Some((Format::AndroidBackup, Wrapping::None)) => "ab",
        _ => {
            let fault = Fault::new(format!("{} is neither a folder nor an archive of files", source.display()));
            return Err(
                fault.hint("a folder, tar (also gzip or zstd), ZIP, or an Android backup (.ab) can be a snapshot")
            );
        }
    };
    let modified = file.metadata().and_then(|data| data.modified()).ok();
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok((ending, modified.and_then(|since| Time::from_parts(since.as_secs() as i64, since.subsec_nanos()))))
}

/// The run that is meant.
pub(crate) fn run_of(case: &Path, named: Option<&str>) -> Result<String, Fault> {
    let opened = Case::open(case).map_err(Fault::new)?;
    let ids: Vec<&str> = opened.file.runs.iter().map(|run| run.id.as_str()).collect();
    match (named, ids.as_slice()) {
        (Some(named), ids) if ids.contains(&named) => Ok(named.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(named), ids) if !ids.is_empty() => {
            Err(Fault::new(format!("there is no run called {named}; the runs are {}", ids.join(", "))))
        }
        (None, ids) if !ids.is_empty() => {
            Err(Fault::new("the case has several runs").hint(format!("add --run with one of {}", ids.join(", "))))
        }
        (named, _) => Err(Fault::new("the case has no runs yet")
            .hint(format!("add to case.yaml: runs: [{{ id: {} }}]", named.unwrap_or("first")))),
    }
}

/// A name that no exhibit has, and the path that reports show.
fn next_exhibit(case: &Path, run: &str, what: &str, ending: &str) -> Result<(PathBuf, String), Fault> {
    let folder = case.join("evidence");
    fs::create_dir_all(&folder).map_err(|error| Fault::file(&folder, &error))?;
    let name: String = run.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let taken = |start: &str| {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).any(|entry| entry.to_string_lossy().starts_with(start))
    };
    let number = (1..10_000).find(|number| !taken(&format!("{name}-{what}-{number:02}.")));
    let number = number.ok_or_else(|| Fault::new(format!("{} holds too many snapshots", folder.display())))?;
    let exhibit = format!("evidence/{name}-{what}-{number:02}.{ending}");
    Ok((case.join(&exhibit), exhibit))
}

/// The time goes into the run's marks.
fn mark_taken(case: &Path, run: &str, exhibit: &str, at: Time, error: Option<u64>) -> Result<(), Fault> {
    let event = Event::Snapshot { exhibit: exhibit.to_owned() };
    append_mark(case, run, &Mark { at, error, event }).map(drop).map_err(Fault::new)
}

/// The digest of an exhibit that is whole goes into the custody log of a case that has one.
fn note_custody(case: &Path, run: &str, exhibit: &str) -> Result<(), Fault> {
    if case.join(dyetrace_custody::log::FILE).is_file() {
        let digests = [(exhibit.to_owned(), custody::digest_of(case, exhibit)?)].into();
        custody::note(case, None, format!("collected files of run {run}"), digests)?;
    }
    Ok(())
}
