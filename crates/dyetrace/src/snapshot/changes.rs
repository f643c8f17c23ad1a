//! What became of collected files, on the timeline of a run.

use super::SnapshotArguments;
use crate::audit::subject_of;
use crate::exit::{Exit, Fault, say};
use crate::history::{self, History};
use crate::intake::backup_password;
use crate::output;
use crate::progress::Progress;
use dyetrace_case::{Case, Event, FileChange, Item, Protocol, Record, Run, Stop, StoredFile, Time, grouped};
use dyetrace_evidence::HEAD;
use dyetrace_report::clean;
use dyetrace_search::{Options, Scanner};
use dyetrace_tls::Decryptor;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Files listed under one heading.
const LISTED: usize = 20;

/// What one snapshot says, by what became of the files.
#[derive(Default)]
struct Changes {
    files: u64,
    bytes: u64,
    lines: BTreeMap<FileChange, Vec<String>>,
    counts: BTreeMap<FileChange, u64>,
    copies: Vec<String>,
}

/// Reads the snapshots of a case and shows them.
pub(super) fn run(arguments: &SnapshotArguments) -> Result<Exit, Fault> {
    let case = Case::open(&arguments.case).map_err(Fault::new)?;
    let scanner = Scanner::new(&subject_of(Some(&case)), Options::default());
    let (mut snapshots, mut exit) = (BTreeMap::new(), Exit::Fine);
    // Nothing is asked of values here, only what of a store could not be read.
    let (mut history, mut tls) = (History::knowing(Some(&case), &|_, _| true), Decryptor::default());
    for path in &history::in_order(&case) {
        let place = case.root.join(path);
        if !is_snapshot(&place)? {
            continue;
        }
        let progress = Progress::new(std::fs::metadata(&place).map_or(0, |data| data.len() * 2));
        progress.begin("reading", path);
        let opened = dyetrace_evidence::open(&place, &mut |bytes| progress.at(bytes)).map_err(Fault::new)?;
        let mut changes = Changes::default();
        let mut sink = |item| {
            match item {
                Item::Record(record) => changes.add(&record),
                Item::Damage(damage) => {
                    let said = format!("dyetrace: {path}: {}: {}", clean(&damage.place), clean(&damage.reason));
                    say(&scanner.redact(&said));
                    exit = Exit::PartlyRead;
                }
                Item::Opaque(_) => {}
            }
            Ok::<(), Stop>(())
        };
        let opened = opened.named(path.clone()).unlocked(backup_password(&case)?);
        history.read(&opened, &mut tls, &mut sink, &mut |bytes| progress.at(bytes));
        progress.done();
        snapshots.insert(path.clone(), changes);
    }
    if snapshots.is_empty() {
        let fault = Fault::new("the case has no snapshot yet");
        return Err(fault.hint(format!("take one: dyetrace snapshot {} FOLDER", arguments.case.display())));
    }
    let text = shown(&case, arguments, &snapshots);
    let redacted: Vec<String> = text.lines().map(|line| scanner.redact(line)).collect();
    output::print(format!("{}\n", redacted.join("\n")).as_bytes())?;
    Ok(exit)
}

fn is_snapshot(path: &Path) -> Result<bool, Fault> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(|error| Fault::file(path, &error))?;
    file.take(HEAD as u64).read_to_end(&mut head).map_err(|error| Fault::file(path, &error))?;
    Ok(dyetrace_evidence::recognise(&head).is_ok_and(|kind| kind.format.is_snapshot()))
}

impl Changes {
    fn add(&mut self, record: &Record) {
        let Some(request) = record.request.as_ref().filter(|_| record.protocol == Protocol::File) else { return };
        let (Some(file), Some(path)) = (&request.file, &request.target) else { return };
        // Further values of the same file.
        if record.id.0.matches('/').count() > 0 {
            return;
        }
        let path = clean(&String::from_utf8_lossy(path));
        *self.counts.entry(file.change).or_default() += 1;
        if file.change != FileChange::Deleted {
            self.files += 1;
            self.bytes = self.bytes.saturating_add(file.size);
        }
        let is_new = !matches!(file.change, FileChange::Unchanged | FileChange::Present);
        if is_new {
            self.lines.entry(file.change).or_default().push(line(&path, file));
        }
        if let Some(original) = file.same_as.as_ref().filter(|_| is_new) {
            self.copies.push(format!("{path} = {}", clean(original)));
        }
    }

    fn write(&self, all: bool, text: &mut String) {
        let _ = writeln!(text, "      {} files, {} bytes", grouped(self.files), grouped(self.bytes));
        for (change, lines) in &self.lines {
            list(&change.name().to_lowercase(), lines, all, text);
        }
        list("same bytes as another file", &self.copies, all, text);
        if let Some(unchanged) = self.counts.get(&FileChange::Unchanged) {
            let _ = writeln!(text, "      unchanged: {}", grouped(*unchanged));
        }
    }
}

fn line(path: &str, file: &StoredFile) -> String {
    let modified = file.modified.map(|time| format!("  written {time}")).unwrap_or_default();
    format!("{path}  {} bytes{modified}", grouped(file.size))
}

fn list(title: &str, lines: &[String], all: bool, text: &mut String) {
    if lines.is_empty() {
        return;
    }
    let shown = if all { lines.len() } else { LISTED.min(lines.len()) };
    let _ = writeln!(text, "      {title}: {}", grouped(lines.len() as u64));
    for line in lines.iter().take(shown) {
        let _ = writeln!(text, "        {line}");
    }
    if shown < lines.len() {
        let _ = writeln!(text, "        … {} more; --all lists them", lines.len() - shown);
    }
}

/// The snapshots among the other marks of their runs; those that no mark dates come last.
fn shown(case: &Case, arguments: &SnapshotArguments, snapshots: &BTreeMap<String, Changes>) -> String {
    let (mut text, mut dated) = (String::new(), Vec::new());
    let wanted = |run: &&Run| arguments.run.as_ref().is_none_or(|wanted| *wanted == run.id);
    for run in case.file.runs.iter().filter(wanted) {
        let _ = writeln!(text, "Run {}", clean(&run.id));
        let mut milestones: Vec<_> = run.milestones.iter().collect();
        milestones.sort_by_key(|milestone| milestone.at);
        for milestone in milestones {
            let _ = writeln!(text, "  {}  {}", milestone.at, words(&milestone.event));
            if let Event::Snapshot { exhibit } = &milestone.event
                && let Some(changes) = snapshots.get(exhibit)
            {
                dated.push(exhibit.clone());
                changes.write(arguments.all, &mut text);
            }
        }
    }
    for (exhibit, changes) in snapshots.iter().filter(|(exhibit, _)| !dated.contains(exhibit)) {
        if arguments.run.is_none() {
            let _ = writeln!(text, "{} (no mark says when it was collected)", clean(exhibit));
            changes.write(arguments.all, &mut text);
        }
    }
    text
}

fn words(event: &Event) -> String {
    let text = match event {
        Event::Snapshot { exhibit } => format!("files collected: {exhibit}"),
        other => {
            // As a line of a marks file, without its time.
            let line = dyetrace_case::Mark { at: Time(0), error: None, event: other.clone() }.line();
            line.split_once(',').map(|(_, rest)| rest.trim_end_matches('}').replace('"', "")).unwrap_or_default()
        }
    };
    clean(&text)
}
