//! The case folder on disk: `case.yaml`, `subject.yaml`, `evidence/`, `keys/`.

use crate::contradictions::contradictions;
use crate::marks_file::{DEFAULT_FOLDER, read_marks};
use crate::refusal::Refusal;
use crate::runs::{Run, RunEntry};
use crate::{Event, ExhibitId, KeyMaterial, Manifest, Parties, Subject, Timeline};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The version of the case folder's form that this build writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// `case.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFile {
    /// Version of the folder's form.
    pub format: u32,
    /// What the case is called.
    pub title: String,
    /// What it is to answer.
    pub question: Option<String>,
    /// Who made it.
    pub investigator: Option<String>,
    /// The recorded uses of a product. Absent: one run with everything in `evidence/`.
    pub runs: Vec<Run>,
    /// Who is who to the maker.
    pub parties: Parties,
    /// Rule packs that the case is held against: `cn-app-2019`.
    pub law: Vec<String>,
    /// What a person answered to questions of rules and claims: by their id, by the question's name.
    pub answers: BTreeMap<String, BTreeMap<String, bool>>,
}

/// `case.yaml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    format: u32,
    title: String,
    question: Option<String>,
    investigator: Option<String>,
    #[serde(default)]
    runs: Vec<RunEntry>,
    #[serde(default)]
    parties: Parties,
    #[serde(default)]
    law: Vec<String>,
    #[serde(default)]
    answers: BTreeMap<String, BTreeMap<String, Spanned<String>>>,
    /// Read apart from the rest, because errors about it must not quote it.
    #[serde(default, rename = "key_material")]
    _key_material: Apart,
}

/// A section that is read elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Apart;

impl<'de> Deserialize<'de> for Apart {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A case folder that was opened.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder.
    pub root: PathBuf,
    /// `case.yaml`.
    pub file: CaseFile,
    /// `subject.yaml`; absent where the folder has none.
    pub subject: Option<Subject>,
    /// What is known of the app's own wrapping: `key_material:` of `case.yaml`.
    pub key_material: KeyMaterial,
    /// The subjects that runs name, by the path they name.
    pub run_subjects: BTreeMap<String, Subject>,
    /// The exhibits' paths relative to the folder: those the runs name, in their order; where
    /// there are no runs, everything in `evidence/`, by name.
    pub exhibits: Vec<String>,
    /// The runs' marks files, relative to the folder, and their digests. They are evidence, but not traffic.
    pub marks: BTreeMap<String, ExhibitId>,
    /// What lies in `evidence/` and is named by no run.
    pub unnamed: Vec<String>,
    /// Files in `keys/`, relative to the folder, by name.
    pub keys: Vec<String>,
    /// `manifest-sha256.txt`; absent where the folder has none.
    pub manifest: Option<Manifest>,
}

/// Why a case folder could not be opened: file, place, reason.
#[derive(Debug)]
pub enum CaseError {
    /// A file could not be read.
    Io(PathBuf, io::Error),
    /// A file is not of its form. The text names line and column.
    Invalid(PathBuf, String),
    /// The folder was written by a newer version.
    TooNew(PathBuf, u32),
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Invalid(path, reason) => write!(f, "{}: {reason}", path.display()),
            Self::TooNew(path, version) => write!(
                f,
                "{}: the case has format {version}; this dyetrace reads up to format {FORMAT_VERSION}: use a newer one",
                path.display()
            ),
        }
    }
}

impl std::error::Error for CaseError {}

impl Case {
    /// True where `path` is a folder with a `case.yaml`.
    pub fn is_case(path: &Path) -> bool {
        path.join("case.yaml").is_file()
    }

    /// Opens a case folder: reads its YAML and marks files and lists exhibits and keys, without reading those.
    ///
    /// # Errors
    /// A file is missing, unreadable or not of its form, or an exhibit lies outside the folder.
    pub fn open(root: &Path) -> Result<Self, CaseError> {
        let Runs { mut file, subject, run_subjects, key_material } = Runs::open(root)?;
        let mut marks = BTreeMap::new();
        for run in &mut file.runs {
            let subject = run.subject.as_ref().map_or(subject.as_ref(), |path| run_subjects.get(path));
            marks.extend(read_marks(root, run, subject)?);
        }
        add_unlisted(root, &mut file.runs);
        let manifest =
            optional(&root.join("manifest-sha256.txt"), |text| Manifest::parse(text).map_err(|e| e.to_string()))?;
        let (exhibits, unnamed) = exhibit_paths(root, &file, &marks)?;
        let keys = files_below(root, "keys")?.into_iter().collect();
        let root = root.to_owned();
        Ok(Self { root, file, subject, key_material, run_subjects, exhibits, marks, unnamed, keys, manifest })
    }

    /// The run that names this exhibit. A run that is the only one and names none has them all.
    pub fn run_of(&self, exhibit: &str) -> Option<&Run> {
        match self.file.runs.as_slice() {
            [only] if only.exhibits.is_empty() => Some(only),
            runs => runs.iter().find(|run| run.exhibits.iter().any(|path| path == exhibit)),
        }
    }

    /// When what happened in a run.
    pub fn timeline(&self, run: &Run) -> Timeline {
        Timeline::new(run.milestones.clone())
    }

    /// Marks that do not fit together, in words, by run.
    pub fn remarks(&self) -> Vec<String> {
        let of_run = |run: &Run| {
            let remarks = contradictions(&run.milestones).into_iter();
            remarks.map(|remark| format!("run {}: {remark}", run.id)).collect::<Vec<_>>()
        };
        self.file.runs.iter().flat_map(of_run).collect()
    }

    /// Marks files that are no longer what the manifest lists.
    pub fn changed_marks(&self) -> impl Iterator<Item = &str> {
        let listed = |path: &String| self.manifest.as_ref()?.0.get(path);
        let changed = self.marks.iter().filter(move |(path, id)| listed(path).is_some_and(|listed| listed != *id));
        changed.map(|(path, _)| path.as_str())
    }

    /// The subject of a run: the one it names, or that of the case.
    pub fn subject_of(&self, run: &Run) -> Option<&Subject> {
        match &run.subject {
            Some(path) => self.run_subjects.get(path),
            None => self.subject.as_ref(),
        }
    }
}

/// The version alone, so that a newer case is refused for its version and not for a key it added.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// What `case.yaml` says, before any of the evidence is looked at.
pub(crate) struct Runs {
    pub(crate) file: CaseFile,
    subject: Option<Subject>,
    run_subjects: BTreeMap<String, Subject>,
    key_material: KeyMaterial,
}

impl Runs {
    pub(crate) fn open(root: &Path) -> Result<Self, CaseError> {
        let (entry, key_material) = read_case_file(root)?;
        let subject = optional(&root.join("subject.yaml"), |text| read_subject(root, text))?;
        let run_subjects = run_subjects(root, &entry.runs)?;
        let refused = |refusal: Refusal| CaseError::Invalid(root.join("case.yaml"), refusal.to_string());
        let mut runs: Vec<Run> = Vec::new();
        for run in entry.runs {
            if runs.iter().any(|other| other.id == run.id.value) {
                return Err(refused(Refusal::at(&run.id, "a run before this one has the same id")));
            }
            let of_run = run.subject.as_ref().map_or(subject.as_ref(), |path| run_subjects.get(path));
            runs.push(run.read(of_run).map_err(refused)?);
        }
        let answers = answers(entry.answers).map_err(refused)?;
        let CaseEntry { format, title, question, investigator, parties, law, .. } = entry;
        let file = CaseFile { format, title, question, investigator, runs, parties, law, answers };
        Ok(Self { file, subject, run_subjects, key_material })
    }

    /// Keys that the tester has.
    pub(crate) fn key_material(&self) -> &KeyMaterial {
        &self.key_material
    }

    /// A run by its id, and its subject.
    pub(crate) fn find(&self, id: &str) -> Option<(&Run, Option<&Subject>)> {
        let run = self.file.runs.iter().find(|run| run.id == id)?;
        let subject = run.subject.as_ref().map_or(self.subject.as_ref(), |path| self.run_subjects.get(path));
        Some((run, subject))
    }
}

fn answers(
    written: BTreeMap<String, BTreeMap<String, Spanned<String>>>,
) -> Result<BTreeMap<String, BTreeMap<String, bool>>, Refusal> {
    let answer = |(question, answer): (String, Spanned<String>)| match answer.value.as_str() {
        "yes" | "true" => Ok((question, true)),
        "no" | "false" => Ok((question, false)),
        _ => Err(Refusal::at(&answer, "an answer is yes or no")),
    };
    let of_rule = |(rule, given): (String, BTreeMap<String, Spanned<String>>)| {
        Ok((rule, given.into_iter().map(answer).collect::<Result<_, Refusal>>()?))
    };
    written.into_iter().map(of_rule).collect()
}

/// Sections in which a value could stand by mistake.
const GUARDED: [&str; 4] = ["key_material", "planted", "held", "milestones"];

fn read_case_file(root: &Path) -> Result<(CaseEntry, KeyMaterial), CaseError> {
    let path = root.join("case.yaml");
    let text = std::fs::read_to_string(&path).map_err(|error| CaseError::Io(path.clone(), error))?;
    if let Ok(Version { format }) = serde_saphyr::from_str(&text)
        && format > FORMAT_VERSION
    {
        return Err(CaseError::TooNew(path, format));
    }
    // A snippet of the file could show a key or a value, and so could what a parser expected in its place.
    let guarded = GUARDED.iter().any(|section| text.contains(section));
    let options = serde_saphyr::options! { with_snippet: !guarded };
    let entry = serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let reason = if guarded { Refusal::of_yaml(&error).to_string() } else { error.to_string() };
        CaseError::Invalid(path.clone(), reason)
    })?;
    let key_material = KeyMaterial::from_yaml(&text, |name| key_file(root, name))
        .map_err(|error| CaseError::Invalid(path.clone(), error.to_string()))?;
    Ok((entry, key_material.unwrap_or_default()))
}

/// A file that key material names.
fn key_file(root: &Path, name: &str) -> Result<Vec<u8>, String> {
    if !stays_inside(name) {
        return Err(format!("the key file {name} lies outside the case folder: copy it into keys/"));
    }
    std::fs::read(root.join(name)).map_err(|error| format!("the key file {name} cannot be read: {error}"))
}

/// True for relative paths that do not go up.
pub(crate) fn stays_inside(path: &str) -> bool {
    !Path::new(path).is_absolute() && !Path::new(path).components().any(|part| part.as_os_str() == "..")
}

fn optional<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, CaseError> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map(Some).map_err(|reason| CaseError::Invalid(path.to_owned(), reason)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CaseError::Io(path.to_owned(), error)),
    }
}

/// A subject with the files that were planted, which lie in the case folder.
fn read_subject(root: &Path, text: &str) -> Result<Subject, String> {
    let mut subject = Subject::from_yaml(text).map_err(|error| error.to_string())?;
    subject.load_files(|path| std::fs::read(root.join(path)).map_err(|error| error.to_string()))?;
    Ok(subject)
}

/// The subjects that runs name. No error repeats a value.
fn run_subjects(root: &Path, runs: &[RunEntry]) -> Result<BTreeMap<String, Subject>, CaseError> {
    let invalid = |reason: String| CaseError::Invalid(root.join("case.yaml"), reason);
    let mut subjects = BTreeMap::new();
    for path in runs.iter().filter_map(|run| run.subject.as_ref()) {
        if !stays_inside(path) {
            return Err(invalid(format!("the subject {path} lies outside the case folder: copy it into the folder")));
        }
        let subject = optional(&root.join(path), |text| read_subject(root, text))?;
        subjects.insert(path.clone(), subject.ok_or_else(|| invalid(format!("the subject {path} is not there")))?);
    }
    Ok(subjects)
}

/// Gives runs what was made for them without being listed: the recording named after a run that lists nothing, and
/// collected files that its marks name. A run that is the only one and lists nothing has everything already.
fn add_unlisted(root: &Path, runs: &mut [Run]) {
    if let [only] = runs
        && only.exhibits.is_empty()
    {
        return;
    }
    for run in runs {
        let recording = format!("evidence/{}.pcapng", run.id);
        if run.exhibits.is_empty() && root.join(&recording).is_file() {
            run.exhibits.push(recording);
        }
        let collected = run.milestones.iter().filter_map(|milestone| match &milestone.event {
            Event::Snapshot { exhibit } => Some(exhibit.clone()),
            _ => None,
        });
        for exhibit in collected {
            if !run.exhibits.contains(&exhibit) {
                run.exhibits.push(exhibit);
            }
        }
    }
}

/// The exhibits to read, and the files in `evidence/` that no run names.
fn exhibit_paths(
    root: &Path,
    file: &CaseFile,
    marks: &BTreeMap<String, ExhibitId>,
) -> Result<(Vec<String>, Vec<String>), CaseError> {
    let mut paths: Vec<String> = Vec::new();
    for path in file.runs.iter().flat_map(|run| &run.exhibits) {
        if !stays_inside(path) {
            let reason = format!("the exhibit {path} lies outside the case folder: copy it into evidence/");
            return Err(CaseError::Invalid(root.join("case.yaml"), reason));
        }
        if !root.join(path).is_file() {
            let reason = format!("the exhibit {path} is not there");
            return Err(CaseError::Invalid(root.join("case.yaml"), reason));
        }
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    let others = files_below(root, "evidence")?.into_iter().filter(|path| !marks.contains_key(path));
    if paths.is_empty() {
        return Ok(others.partition(|path| !path.starts_with(DEFAULT_FOLDER)));
    }
    let unnamed = others.filter(|path| !paths.contains(path)).collect();
    Ok((paths, unnamed))
}

/// Files below a folder of the case, as relative paths with `/`, by name. Hidden files are left out.
fn files_below(root: &Path, folder: &str) -> Result<BTreeSet<String>, CaseError> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(CaseError::Io(root.join(&folder), error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| CaseError::Io(root.join(&folder), error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            let kind = entry.file_type().map_err(|error| CaseError::Io(root.join(&path), error))?;
            if name.starts_with('.') {
                continue;
            }
            // A link is not followed into: a loop would never end, and evidence lies in the folder.
            if kind.is_dir() {
                folders.push(path);
            } else {
                files.insert(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_may_name_subjects_of_their_own() {
        let folder = std::env::temp_dir().join(format!("dyetrace-case-subjects-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let subject = |value: &str| format!("data: [{{kind: phone, value: {value}}}]\n");
        std::fs::write(folder.join("subject.yaml"), subject("13800000427")).unwrap();
        std::fs::write(folder.join("other.yaml"), subject("13800000999")).unwrap();
        let runs = "format: 1\ntitle: x\nruns: [{id: a}, {id: b, subject: other.yaml, conditions: {device: 2}}]\n";
        std::fs::write(folder.join("case.yaml"), runs).unwrap();
        let case = Case::open(&folder).unwrap();
        let value = |run: &Run| case.subject_of(run).unwrap().data[0].value.reveal().to_vec();
        let values: Vec<Vec<u8>> = case.file.runs.iter().map(value).collect();
        assert_eq!(values, [b"13800000427", b"13800000999"]);
        assert_eq!(case.file.runs[1].conditions["device"], "2");
        std::fs::remove_file(folder.join("other.yaml")).unwrap();
        assert!(Case::open(&folder).unwrap_err().to_string().contains("other.yaml is not there"));
        std::fs::write(folder.join("case.yaml"), runs.replace("other.yaml", "../other.yaml")).unwrap();
        assert!(Case::open(&folder).unwrap_err().to_string().contains("outside"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_case_chooses_laws_and_answers_their_questions_with_yes_or_no() {
        let folder = std::env::temp_dir().join(format!("dyetrace-case-law-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |answer: &str| {
            let text =
                format!("format: 1\ntitle: x\nlaw: [cn-pipl]\nanswers:\n  cn-pipl/13: {{ other-basis: {answer} }}\n");
            std::fs::write(folder.join("case.yaml"), text).unwrap();
        };
        for (written, meant) in [("yes", true), ("no", false), ("true", true), ("\"no\"", false)] {
            write(written);
            let file = Case::open(&folder).unwrap().file;
            assert_eq!((file.law, file.answers["cn-pipl/13"]["other-basis"]), (vec!["cn-pipl".to_owned()], meant));
        }
        write("perhaps");
        let error = Case::open(&folder).unwrap_err().to_string();
        assert!(error.contains("line 5") && error.contains("an answer is yes or no"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_case_of_a_newer_format_is_refused_for_its_format() {
        let folder = std::env::temp_dir().join(format!("dyetrace-case-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("case.yaml"), "format: 99\ntitle: x\nnew_key: y\n").unwrap();
        let error = Case::open(&folder).unwrap_err();
        assert!(matches!(error, CaseError::TooNew(_, 99)), "{error}");
        std::fs::write(folder.join("case.yaml"), "format: 1\ntitle: x\ntitel: y\n").unwrap();
        let error = Case::open(&folder).unwrap_err().to_string();
        assert!(error.contains("titel") && error.contains("title"), "{error}");
        std::fs::write(folder.join("case.yaml"), "format: 1\ntitle: x\nruns: [{id: a, exhibits: [../b]}]\n").unwrap();
        assert!(Case::open(&folder).unwrap_err().to_string().contains("outside"));
        let salts = |entry: &str| format!("format: 1\ntitle: x\nkey_material: {{salts: [{{name: a, {entry}}}]}}\n");
        std::fs::write(folder.join("case.yaml"), salts("text: tr0ub4dor")).unwrap();
        assert_eq!(Case::open(&folder).unwrap().key_material.names(), ["salt a"]);
        for broken in [salts("txet: tr0ub4dor"), salts("text: tr0ub4dor") + "titel: y\n", salts("text: \"tr0ub4dor")] {
            std::fs::write(folder.join("case.yaml"), broken).unwrap();
            let error = Case::open(&folder).unwrap_err().to_string();
            assert!(error.contains("line ") && !error.contains("tr0ub4"), "{error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// A folder for one test; taken away at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, case: &str) -> Self {
            let path = std::env::temp_dir().join(format!("dyetrace-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("evidence")).unwrap();
            std::fs::write(path.join("case.yaml"), format!("format: 1\ntitle: x\n{case}")).unwrap();
            std::fs::write(path.join("subject.yaml"), "data: [{kind: wifi.password, value: tr0ub4dor}]").unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    const MARK: &str = r#"{"at":"2026-11-22T01:30:54Z","consent":"given"}"#;

    #[test]
    fn milestones_come_from_the_case_and_from_the_marks_file_by_the_clock_of_the_evidence() {
        let runs = "runs:
  - id: a
    marks: evidence/a.jsonl
    clock: { offset_s: 1.5, error_s: 0.25 }
    milestones: [{ at: 2026-11-22T01:30:50Z, error_s: 2, consent: shown }]
    channels: [phone-wifi]
    interventions: [ca-installed]
    held: [wifi.password]
    region: CN
    exhibits: [evidence/app.har]
    product: { name: Example, app_type: smart-home, region: CN }
";
        let folder = Folder::new("marks", runs);
        std::fs::write(folder.0.join("evidence/app.har"), "{}").unwrap();
        std::fs::write(folder.0.join("evidence/a.jsonl"), format!("{MARK}\n")).unwrap();
        let case = Case::open(&folder.0).unwrap();
        let run = &case.file.runs[0];
        let times: Vec<(String, u64)> =
            run.milestones.iter().map(|milestone| (milestone.at.to_string(), milestone.error)).collect();
        let expected = [("2026-11-22T01:30:48.500Z", 2_000_000_000), ("2026-11-22T01:30:52.500Z", 250_000_000)];
        assert_eq!(times, expected.map(|(at, error)| (at.to_owned(), error)));
        assert_eq!(case.timeline(run).milestones.len(), 2);
        assert_eq!(case.exhibits, ["evidence/app.har"]);
        assert!(case.unnamed.is_empty(), "a marks file is not traffic that nobody named: {:?}", case.unnamed);
        assert_eq!(case.marks.keys().collect::<Vec<_>>(), ["evidence/a.jsonl"]);
        let digest = case.marks["evidence/a.jsonl"];
        let manifest = |digest: &str| format!("{digest}  evidence/a.jsonl\n");
        std::fs::write(folder.0.join("manifest-sha256.txt"), manifest(&digest.to_string())).unwrap();
        assert_eq!(Case::open(&folder.0).unwrap().changed_marks().count(), 0);
        std::fs::write(folder.0.join("manifest-sha256.txt"), manifest(&"ab".repeat(32))).unwrap();
        assert_eq!(Case::open(&folder.0).unwrap().changed_marks().collect::<Vec<_>>(), ["evidence/a.jsonl"]);
    }

    #[test]
    fn a_run_that_names_no_marks_file_has_the_one_of_its_name() {
        let folder = Folder::new("marks-default", "runs: [{ id: first }]\n");
        std::fs::create_dir_all(folder.0.join("evidence/marks")).unwrap();
        std::fs::write(folder.0.join("evidence/app.har"), "{}").unwrap();
        std::fs::write(folder.0.join("evidence/marks/first.jsonl"), MARK).unwrap();
        std::fs::write(folder.0.join("evidence/marks/frist.jsonl"), MARK).unwrap();
        let case = Case::open(&folder.0).unwrap();
        assert_eq!(case.exhibits, ["evidence/app.har"]);
        assert_eq!(case.file.runs[0].milestones.len(), 1);
        assert_eq!(case.unnamed, ["evidence/marks/frist.jsonl"], "a misspelt name is said");
        assert_eq!(case.run_of("evidence/app.har").unwrap().id, "first");
    }

    #[test]
    fn what_is_misspelt_in_a_run_is_refused_with_its_place_and_without_a_value() {
        for (run, reason) in [
            ("held: [wifi.passwort]", "line 3, column 23: names no datum of the subject: wifi.password"),
            ("held: tr0ub4dor", "line 3, column"),
            (
                "hold: [wifi.password], held: [wifi.password]",
                "line 3, column 16: a key that is not known here; the keys are id,",
            ),
            ("milestones: [{at: 2026-11-22T01:30:54Z, consent: tr0ub4dor}]", "shown, given, refused, withdrawn"),
            ("clock: {offset: 1, error_s: 2}, held: []", "the keys are offset_s, error_s"),
            ("region: China", "two capital letters"),
            ("channels: [Phone Wifi]", "lower-case letters"),
            ("marks: ../a.jsonl", "outside"),
            ("marks: evidence/b.jsonl", "the marks file evidence/b.jsonl is not there"),
            ("held: []}, {id: a", "a run before this one has the same id"),
        ] {
            let folder = Folder::new("misspelt", &format!("runs: [{{id: a, {run}}}]\n"));
            let error = Case::open(&folder.0).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("case.yaml: "), "{run}: {error}");
            assert!(!error.contains("ub4dor"), "{error}");
        }
        let folder = Folder::new("misspelt-mark", "runs: [{id: a, marks: evidence/a.jsonl}]\n");
        std::fs::write(folder.0.join("evidence/a.jsonl"), format!("{MARK}\n{}", MARK.replace("given", "tr0ub4dor")))
            .unwrap();
        let error = Case::open(&folder.0).unwrap_err().to_string();
        assert!(error.contains("a.jsonl: line 2, column 40: ") && !error.contains("ub4dor"), "{error}");
    }
}
