//! Marks files: one JSON object a line, written while the recording goes on and never changed.

use crate::contradictions::contradictions;
use crate::folder::{Runs, stays_inside};
use crate::mark::{Mark, marks_of_lines};
use crate::upcoming::is_file_name;
use crate::{CaseError, ExhibitId, Run, Subject};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// More than the most marks of the longest names take.
const MOST_BYTES: u64 = 16 << 20;

/// Where the marks of runs lie that name no file.
pub(crate) const DEFAULT_FOLDER: &str = "evidence/marks/";

/// A mark that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The file it was added to.
    pub path: PathBuf,
    /// The line.
    pub line: String,
    /// What does not fit to the marks before it.
    pub remarks: Vec<String>,
}

/// Adds a mark to a run's marks file, which is made where it is not there, and waits until the
/// disk has it. The run's exhibits need not be there yet.
///
/// # Errors
/// The case has no such run, the mark has words that marks do not have or names no datum of the
/// subject, or the file cannot be written.
pub fn append_mark(root: &Path, run: &str, mark: &Mark) -> Result<Marked, CaseError> {
    let runs = Runs::open(root)?;
    let (run, subject) = runs.find(run).ok_or_else(|| no_such_run(root, run, &runs.file.runs))?;
    let path = root.join(path_of(run).map_err(|reason| CaseError::Invalid(root.join("case.yaml"), reason))?);
    let line = mark.line();
    let refused = |reason: String| CaseError::Invalid(path.clone(), format!("the mark was not added: {reason}"));
    let checked = marks_of_lines(&line, subject).map_err(|refusal| refused(refusal.reason))?;
    only_folders_lead_to(root, &path).map_err(&refused)?;
    must_stay_readable(run, &path, subject, &checked, &line).map_err(&refused)?;
    append(&path, &line).map_err(|error| CaseError::Io(path.clone(), error))?;
    let remarks = new_remarks(run, &path, subject, &checked);
    Ok(Marked { path, line, remarks })
}

fn no_such_run(root: &Path, run: &str, runs: &[Run]) -> CaseError {
    let known: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
    let reason = match known.as_slice() {
        [] => format!("there are no runs yet: add `runs: [{{ id: {run} }}]`"),
        known => format!("there is no run called {run}; the runs are {}", known.join(", ")),
    };
    CaseError::Invalid(root.join("case.yaml"), reason)
}

/// The file that a run names, or the one that is meant where it names none.
fn path_of(run: &Run) -> Result<String, String> {
    if let Some(path) = &run.marks {
        let inside = stays_inside(path).then(|| path.clone());
        return inside.ok_or_else(|| format!("the marks file {path} lies outside the case folder"));
    }
    let fits = is_file_name(&run.id);
    let reason = || format!("the run {} is no name for a file: say `marks: evidence/marks/NAME.jsonl`", run.id);
    fits.then(|| format!("{DEFAULT_FOLDER}{}.jsonl", run.id)).ok_or_else(reason)
}

/// One write, so that another process that adds a mark at the same time does not cut the line. A line that a crash
/// left unfinished is ended first.
fn append(path: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let unfinished = if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        last != *b"\n"
    } else {
        false
    };
    let start = if unfinished { "\n" } else { "" };
    file.write_all(format!("{start}{line}\n").as_bytes())?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// A case that somebody else made may have links in it that lead out of it.
fn only_folders_lead_to(root: &Path, path: &Path) -> Result<(), String> {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let mut step = root.to_path_buf();
    for part in inside.components() {
        step.push(part);
        let is_link = std::fs::symlink_metadata(&step).is_ok_and(|metadata| metadata.file_type().is_symlink());
        if is_link {
            return Err(format!("{} is a link and may lead out of the case", inside.display()));
        }
    }
    Ok(())
}

/// One mark too many would make the whole case unreadable for ever, because marks are never taken away. A file that
/// cannot be read already is not made worse: what happens is written down all the same.
fn must_stay_readable(
    run: &Run,
    path: &Path,
    subject: Option<&Subject>,
    added: &[Mark],
    line: &str,
) -> Result<(), String> {
    let before = match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.len().saturating_add(line.len() as u64 + 2) > MOST_BYTES => {
            return Err("the file of marks is full".to_owned());
        }
        Ok(_) => read_text(path).ok().and_then(|(text, _)| marks_of_lines(&text, subject).ok()),
        Err(_) => Some(Vec::new()),
    };
    let mut whole = run.clone();
    let Some(()) = before.and_then(|before| whole.add(before).ok()) else { return Ok(()) };
    whole.add(added.to_vec())
}

/// Remarks that were not there before this mark.
fn new_remarks(run: &Run, path: &Path, subject: Option<&Subject>, added: &[Mark]) -> Vec<String> {
    let read = || -> Option<Run> {
        let mut whole = run.clone();
        let (text, _) = read_text(path).ok()?;
        whole.add(marks_of_lines(&text, subject).ok()?).ok()?;
        Some(whole)
    };
    let Some(mut after) = read() else {
        return vec!["the file has marks before this one that cannot be read: see dyetrace audit".to_owned()];
    };
    let now = contradictions(&after.milestones);
    after.milestones.truncate(after.milestones.len().saturating_sub(added.len()));
    let before = contradictions(&after.milestones);
    // That an action goes on is no contradiction while the recording does.
    now.into_iter()
        .filter(|remark| !before.contains(remark) && !remark.contains("no mark says that it ended"))
        .collect()
}

/// Reads a run's marks into it. Gives the file's path and digest; `None` where it has no file.
pub(crate) fn read_marks(
    root: &Path,
    run: &mut Run,
    subject: Option<&Subject>,
) -> Result<Option<(String, ExhibitId)>, CaseError> {
    let in_case = |reason: String| CaseError::Invalid(root.join("case.yaml"), reason);
    let path = match (path_of(run), run.marks.is_some()) {
        (Ok(path), named) if named || root.join(&path).is_file() => path,
        (Err(reason), true) => return Err(in_case(reason)),
        _ => return Ok(None),
    };
    let file = root.join(&path);
    let (text, id) = read_text(&file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => in_case(format!("the marks file {path} is not there")),
        _ => CaseError::Io(file.clone(), error),
    })?;
    let invalid = |reason: String| CaseError::Invalid(file.clone(), reason);
    let marks = marks_of_lines(&text, subject).map_err(|refusal| invalid(refusal.to_string()))?;
    run.add(marks).map_err(invalid)?;
    run.marks = Some(path.clone());
    Ok(Some((path, id)))
}

fn read_text(path: &Path) -> io::Result<(String, ExhibitId)> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
    if bytes.len() as u64 > MOST_BYTES {
        return Err(invalid("too long for a marks file"));
    }
    let id = ExhibitId(Sha256::digest(&bytes).into());
    let text = String::from_utf8(bytes).map_err(|_| invalid("not text in UTF-8, as a marks file is"))?;
    Ok((text, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActionOutcome, Case, ConsentChange, Event, Time};

    fn mark(second: i64, event: Event) -> Mark {
        Mark { at: Time(second * 1_000_000_000), error: None, event }
    }

    #[test]
    fn marks_are_added_line_by_line_before_the_exhibits_are_there() {
        let folder = std::env::temp_dir().join(format!("dyetrace-append-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let case = "format: 1\ntitle: x\nruns: [{id: a, exhibits: [evidence/later.pcapng]}]\n";
        std::fs::write(folder.join("case.yaml"), case).unwrap();
        let consent = mark(1, Event::Consent { change: ConsentChange::Given, purpose: None });
        let marked = append_mark(&folder, "a", &consent).unwrap();
        assert_eq!(marked.line, r#"{"at":"1970-01-01T00:00:01Z","consent":"given"}"#);
        assert!(marked.path.ends_with("evidence/marks/a.jsonl") && marked.remarks.is_empty(), "{marked:?}");
        let ended = Event::ActionEnded { action: "log-in".to_owned(), outcome: ActionOutcome::Failed };
        let marked = append_mark(&folder, "a", &mark(2, ended)).unwrap();
        assert!(marked.remarks[0].contains("no mark says that it began"), "{marked:?}");
        let unfinished = OpenOptions::new().append(true).open(&marked.path).unwrap();
        (&unfinished).write_all(b"{\"at\":").unwrap();
        append_mark(&folder, "a", &mark(3, consent.event.clone())).unwrap();
        let text = std::fs::read_to_string(&marked.path).unwrap();
        assert_eq!(text.lines().count(), 4, "the unfinished line stands alone:\n{text}");
        assert!(append_mark(&folder, "b", &consent).unwrap_err().to_string().contains("the runs are a"));
        let planted = mark(4, Event::Planted { data: vec!["Tr0ub4dor".to_owned()] });
        let refused = append_mark(&folder, "a", &planted).unwrap_err().to_string();
        assert!(refused.contains("not added: not the name of a datum") && !refused.contains("Tr0ub"), "{refused}");
        assert_eq!(std::fs::read_to_string(&marked.path).unwrap(), text);
        assert!(Case::open(&folder).is_err(), "the exhibit is not there yet");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// A case folder with one run, and its marks file.
    fn folder_of(name: &str, marks: &str) -> (PathBuf, PathBuf) {
        let folder = std::env::temp_dir().join(format!("dyetrace-{name}-{}", std::process::id()));
        let file = folder.join("evidence/marks/a.jsonl");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(folder.join("case.yaml"), "format: 1\ntitle: x\nruns: [{id: a, exhibits: []}]\n").unwrap();
        std::fs::write(&file, marks).unwrap();
        (folder, file)
    }

    #[test]
    fn one_mark_too_many_is_refused_and_not_written() {
        let consent = |second| mark(second, Event::Consent { change: ConsentChange::Given, purpose: None });
        let full: String = (0..4000).map(|second| consent(second).line() + "\n").collect();
        let (folder, file) = folder_of("full", &full);
        let refused = append_mark(&folder, "a", &consent(5000)).unwrap_err().to_string();
        assert!(refused.contains("not added: a run has at most 4000 marks"), "{refused}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), full);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_marks_file_that_is_a_link_is_not_followed() {
        let (folder, file) = folder_of("link", "");
        let outside = folder.with_extension("outside");
        std::fs::write(&outside, "").unwrap();
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&outside, &file).unwrap();
        let given = mark(1, Event::Consent { change: ConsentChange::Given, purpose: None });
        let refused = append_mark(&folder, "a", &given).unwrap_err().to_string();
        assert!(refused.contains("is a link"), "{refused}");
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "");
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::remove_file(&outside).unwrap();
    }
}
