//! A run that is about to be recorded: its exhibits are not there yet.

use crate::folder::{Runs, stays_inside};
use crate::{CaseError, KeyMaterial, Run, Subject};
use std::path::{Path, PathBuf};

/// What a recorder needs to know of a run.
#[derive(Debug, Clone)]
pub struct Upcoming {
    /// The run as `case.yaml` says.
    pub run: Run,
    /// Whose data is planted.
    pub subject: Option<Subject>,
    /// Keys of the product that the tester has.
    pub key_material: KeyMaterial,
    /// Where its recording goes: the first exhibit of the run that is not there yet.
    pub exhibit: PathBuf,
}

impl Upcoming {
    /// Reads a case for a run to come.
    ///
    /// # Errors
    /// The case cannot be read or has no such run, the run's name is no name for a file, or all its exhibits are
    /// there already: nothing recorded is ever written over.
    pub fn open(root: &Path, run: Option<&str>) -> Result<Self, CaseError> {
        let runs = Runs::open(root)?;
        let invalid = |reason: String| CaseError::Invalid(root.join("case.yaml"), reason);
        let ids: Vec<&str> = runs.file.runs.iter().map(|run| run.id.as_str()).collect();
        let id = match (run, ids.as_slice()) {
            (Some(run), _) => run,
            (None, [only]) => only,
            (None, []) => return Err(invalid("there are no runs yet: add `runs: [{ id: first }]`".to_owned())),
            (None, ids) => return Err(invalid(format!("say which run is recorded: {}", ids.join(", ")))),
        };
        let known = || invalid(format!("there is no run called {id}; the runs are {}", ids.join(", ")));
        let (run, subject) = runs.find(id).ok_or_else(known)?;
        let is_recorded = |path: &&String| !SNAPSHOTS.iter().any(|ending| path.ends_with(ending));
        let mut recorded = run.exhibits.iter().filter(is_recorded);
        let named = recorded.find(|path| !root.join(path).exists());
        let exhibit = match named {
            Some(path) if stays_inside(path) && path.ends_with(".pcapng") => path.clone(),
            Some(path) if stays_inside(path) => {
                return Err(invalid(format!("what is recorded is a pcapng file, which {path} is not named as")));
            }
            Some(path) => return Err(invalid(format!("the exhibit {path} lies outside the case folder"))),
            None if run.exhibits.is_empty() && is_file_name(id) => format!("evidence/{id}.pcapng"),
            None if run.exhibits.is_empty() => return Err(invalid(format!("the run {id} is no name for a file"))),
            None => return Err(invalid(recorded_already(id))),
        };
        let exhibit = root.join(exhibit);
        if exhibit.exists() {
            return Err(invalid(recorded_already(id)));
        }
        let (run, subject) = (run.clone(), subject.cloned());
        Ok(Self { run, subject, key_material: runs.key_material().clone(), exhibit })
    }
}

/// What exhibits are called that hold collected files and no traffic.
const SNAPSHOTS: [&str; 4] = [".tar", ".zip", ".ab", ".tar.gz"];

fn recorded_already(id: &str) -> String {
    format!("the run {id} has been recorded already; add another run, or another file to its exhibits")
}

/// True for a run's id that can name a file.
pub(crate) fn is_file_name(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !id.is_empty() && !id.starts_with('.') && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_goes_where_the_run_says_and_never_over_another() {
        let folder = std::env::temp_dir().join(format!("dyetrace-upcoming-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("evidence")).unwrap();
        let write = |text: &str| std::fs::write(folder.join("case.yaml"), text).unwrap();
        let open = |run| Upcoming::open(&folder, run).map_err(|error| error.to_string());
        write("format: 1\ntitle: x\nruns: [{id: first}]\n");
        assert_eq!(open(None).unwrap().exhibit, folder.join("evidence/first.pcapng"));
        std::fs::write(folder.join("evidence/first.pcapng"), b"recorded").unwrap();
        assert!(open(None).unwrap_err().contains("recorded already"));
        write("format: 1\ntitle: x\nruns: [{id: a, exhibits: [evidence/first.pcapng, evidence/b.pcapng]}, {id: b}]\n");
        assert_eq!(open(Some("a")).unwrap().exhibit, folder.join("evidence/b.pcapng"));
        write("format: 1\ntitle: x\nruns: [{id: a, exhibits: [evidence/b.pcapng.gz]}]\n");
        assert!(open(Some("a")).unwrap_err().contains("evidence/b.pcapng.gz is not named as"));
        write("format: 1\ntitle: x\nruns: [{id: a}, {id: b}]\n");
        assert!(open(None).unwrap_err().contains("say which run is recorded: a, b"));
        assert!(open(Some("c")).unwrap_err().contains("no run called c"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
