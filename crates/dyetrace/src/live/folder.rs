//! The case folder on disk: `case.yaml`, `subject.yaml`, `evidence/`, `keys/`, the manifest.

use crate::{ExhibitId, KeyMaterial, Subject};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The version of the case folder's form that this build writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// `case.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default)]
    pub runs: Vec<Run>,
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

/// One recorded use of a product by the subject.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its name within the case.
    pub id: String,
    /// What was tested.
    pub product: Option<Product>,
    /// Paths of its exhibits, relative to the case folder.
    #[serde(default)]
    pub exhibits: Vec<String>,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Maker.
    pub vendor: Option<String>,
    /// Name.
    pub name: String,
    /// Version as the maker writes it.
    pub version: Option<String>,
    /// When the thing was made (a year, month or day), where that matters.
    pub made: Option<String>,
    /// `android`, `ios` …
    pub platform: Option<String>,
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
    /// The exhibits' paths relative to the folder: those the runs name, in their order; where
    /// there are no runs, everything in `evidence/`, by name.
    pub exhibits: Vec<String>,
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

    /// Opens a case folder: reads its YAML files and lists exhibits and keys, without reading those.
    ///
    /// # Errors
    /// A file is missing, unreadable or not of its form, or an exhibit lies outside the folder.
    pub fn open(root: &Path) -> Result<Self, CaseError> {
        let (file, key_material) = read_case_file(root)?;
        let subject = optional(&root.join("subject.yaml"), |text| Subject::from_yaml(text).map_err(|e| e.to_string()))?;
        let manifest =
            optional(&root.join("manifest-sha256.txt"), |text| Manifest::parse(text).map_err(|e| e.to_string()))?;
        let (exhibits, unnamed) = exhibit_paths(root, &file)?;
        let keys = files_below(root, "keys")?.into_iter().collect();
        Ok(Self { root: root.to_owned(), file, subject, key_material, exhibits, unnamed, keys, manifest })
    }

    /// The run that names this exhibit.
    pub fn run_of(&self, exhibit: &str) -> Option<&Run> {
        self.file.runs.iter().find(|run| run.exhibits.iter().any(|path| path == exhibit))
    }
}

/// The version alone, so that a newer case is refused for its version and not for a key it added.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn read_case_file(root: &Path) -> Result<(CaseFile, KeyMaterial), CaseError> {
    let path = root.join("case.yaml");
    let text = std::fs::read_to_string(&path).map_err(|error| CaseError::Io(path.clone(), error))?;
    if let Ok(Version { format }) = serde_saphyr::from_str(&text)
        && format > FORMAT_VERSION
    {
        return Err(CaseError::TooNew(path, format));
    }
    // A snippet of the file could show a key, and so could what a parser expected in its place.
    let options = serde_saphyr::options! { with_snippet: !text.contains("key_material") };
    let file = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| CaseError::Invalid(path.clone(), error.to_string()))?;
    let key_material = KeyMaterial::from_yaml(&text, |name| key_file(root, name))
        .map_err(|error| CaseError::Invalid(path.clone(), error.to_string()))?;
    Ok((file, key_material.unwrap_or_default()))
}

/// A file that key material names.
fn key_file(root: &Path, name: &str) -> Result<Vec<u8>, String> {
    if !stays_inside(name) {
        return Err(format!("the key file {name} lies outside the case folder: copy it into keys/"));
    }
    std::fs::read(root.join(name)).map_err(|error| format!("the key file {name} cannot be read: {error}"))
}

/// True for relative paths that do not go up.
fn stays_inside(path: &str) -> bool {
    !Path::new(path).is_absolute() && !Path::new(path).components().any(|part| part.as_os_str() == "..")
}

fn optional<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, CaseError> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map(Some).map_err(|reason| CaseError::Invalid(path.to_owned(), reason)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CaseError::Io(path.to_owned(), error)),
    }
}

/// The exhibits to read, and the files in `evidence/` that no run names.
fn exhibit_paths(root: &Path, file: &CaseFile) -> Result<(Vec<String>, Vec<String>), CaseError> {
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
    let (unnamed, all) = (files_below(root, "evidence")?.into_iter(), paths.is_empty());
    if all {
        return Ok((unnamed.collect(), Vec::new()));
    }
    let unnamed = unnamed.filter(|path| !paths.contains(path)).collect();
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

/// `manifest-sha256.txt` (RFC 8493 section 2.1.3; `sha256sum -c` reads it).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(pub BTreeMap<String, ExhibitId>);

/// A line of a manifest that is not of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: not a SHA-256 in hexadecimal, two spaces and a path", self.line)
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A line is not of the form.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut entries = BTreeMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (digest, path) = parse_line(line).ok_or(ManifestError { line: index + 1 })?;
            entries.insert(path, digest);
        }
        Ok(Self(entries))
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(path, digest)| writeln!(f, "{digest}  {path}"))
    }
}

fn parse_line(line: &str) -> Option<(ExhibitId, String)> {
    let (digest, path) = line.split_once([' ', '\t'])?;
    let path = path.trim_start_matches([' ', '\t', '*']).trim_start_matches("./");
    let digest = digest.as_bytes();
    if digest.len() != 64 || path.is_empty() {
        return None;
    }
    let mut id = [0; 32];
    for (byte, pair) in id.iter_mut().zip(digest.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some((ExhibitId(id), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_what_sha256sum_writes() {
        let digest = "ab".repeat(32);
        let text = format!("{digest}  evidence/app.pcapng\n{digest} *./evidence/b c.har\n");
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.0.keys().collect::<Vec<_>>(), ["evidence/app.pcapng", "evidence/b c.har"]);
        assert_eq!(Manifest::parse(&manifest.to_string()).unwrap(), manifest);
        assert_eq!(Manifest::parse("xyz  a\n"), Err(ManifestError { line: 1 }));
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
}
