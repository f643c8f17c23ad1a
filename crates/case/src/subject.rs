//! The made-up person whose data is planted, as `subject.yaml`.

use crate::folder::stays_inside;
use crate::{Datum, DatumId, Kind, PlantedFile, Secret};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// The made-up person and the values planted for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// A name for the subject as a whole, not itself planted.
    pub title: Option<String>,
    /// The planted values, in the order of the file.
    pub data: Vec<Datum>,
}

/// Why a subject could not be read: a position and a reason, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectError {
    /// Line, from 1, where known.
    pub line: Option<u64>,
    /// Column, from 1, where known.
    pub column: Option<u64>,
    /// What is wrong and what to write instead.
    pub reason: String,
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for SubjectError {}

/// The file as it is written. `deny_unknown_fields`: a misspelt key must not silently mean "not planted".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectFile {
    subject: Option<String>,
    data: Vec<DatumEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatumEntry {
    kind: serde_saphyr::Spanned<String>,
    value: Option<String>,
    file: Option<String>,
    #[serde(default)]
    stored_as: Vec<String>,
    planted: Option<String>,
    bits: Option<u32>,
    #[serde(default = "yes")]
    made_up: bool,
}

/// Bytes of one planted file, and of all.
const LARGEST_FILE: usize = 64 << 20;
const MOST_OF_FILES: usize = 2 << 30;

fn planted_file(entry: &DatumEntry) -> Result<Option<PlantedFile>, String> {
    let stored_as = entry.stored_as.clone();
    match &entry.file {
        Some(path) if !stays_inside(path) => Err(format!("the file {path} lies outside the case folder: copy it in")),
        Some(path) => Ok(Some(PlantedFile { path: path.clone(), stored_as, content: None })),
        None if stored_as.is_empty() => Ok(None),
        None => Err("`stored_as` does not belong here without `file`".to_owned()),
    }
}

fn yes() -> bool {
    true
}

impl Subject {
    /// Reads `subject.yaml`.
    ///
    /// # Errors
    /// The text is not YAML of that form. The error names line and column and shows no value.
    pub fn from_yaml(text: &str) -> Result<Self, SubjectError> {
        let options = serde_saphyr::options! { with_snippet: false };
        let file: SubjectFile =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| SubjectError::from_yaml(&error))?;
        let mut subject = Self { title: file.subject, data: Vec::new() };
        for entry in file.data {
            let at = |reason: String| SubjectError {
                line: Some(entry.kind.referenced.line()),
                column: Some(entry.kind.referenced.column()),
                reason,
            };
            let kind: Kind = entry.kind.value.parse().map_err(|error| at(format!("{error}")))?;
            let file = planted_file(&entry).map_err(at)?;
            if entry.value.is_none() && file.is_none() {
                return Err(at("`value` or `file` is missing here".to_owned()));
            }
            if entry.value.as_ref().is_some_and(String::is_empty) {
                return Err(at(format!("the value of this {kind} is empty: there is nothing to look for")));
            }
            let datum = subject.add(kind, Secret::new(entry.value.unwrap_or_default()));
            datum.file = file;
            datum.planted = entry.planted;
            datum.bits = entry.bits;
            datum.made_up = entry.made_up;
        }
        Ok(subject)
    }

    /// The subject as `subject.yaml`, values in clear: this is the one file that must hold them.
    pub fn to_yaml(&self) -> String {
        use fmt::Write as _;
        let mut text = String::new();
        if let Some(title) = &self.title {
            let _ = writeln!(text, "subject: {}", quoted(title));
        }
        text.push_str(if self.data.is_empty() { "data: []\n" } else { "data:\n" });
        for datum in &self.data {
            let value = String::from_utf8_lossy(datum.value.reveal());
            let _ = writeln!(text, "  - kind: {}", datum.kind);
            if !value.is_empty() {
                let _ = writeln!(text, "    value: {}", quoted(&value));
            }
            if let Some(file) = &datum.file {
                let _ = writeln!(text, "    file: {}", quoted(&file.path));
                if !file.stored_as.is_empty() {
                    let names: Vec<String> = file.stored_as.iter().map(|name| quoted(name)).collect();
                    let _ = writeln!(text, "    stored_as: [{}]", names.join(", "));
                }
            }
            if let Some(planted) = &datum.planted {
                let _ = writeln!(text, "    planted: {}", quoted(planted));
            }
            if let Some(bits) = datum.bits {
                let _ = writeln!(text, "    bits: {bits}");
            }
            let _ = writeln!(text, "    made_up: {}", datum.made_up);
        }
        text
    }

    /// Adds a value and gives it its name: the kind, then `kind#2`, `kind#3` …
    pub fn add(&mut self, kind: Kind, value: Secret) -> &mut Datum {
        let earlier = self.data.iter().filter(|datum| datum.kind == kind).count();
        let id = DatumId(if earlier == 0 { kind.to_string() } else { format!("{kind}#{}", earlier + 1) });
        self.data.push(Datum { id, kind, value, file: None, planted: None, bits: None, made_up: true });
        self.data.last_mut().unwrap_or_else(|| unreachable!("a datum was just pushed"))
    }

    /// Reads the planted files; `read` gets their paths as they are written.
    ///
    /// # Errors
    /// Which file could not be read, is empty or too large, and why.
    pub fn load_files(&mut self, mut read: impl FnMut(&str) -> Result<Vec<u8>, String>) -> Result<(), String> {
        let mut room = MOST_OF_FILES;
        for file in self.data.iter_mut().filter_map(|datum| datum.file.as_mut()) {
            let bytes = read(&file.path).map_err(|reason| format!("the planted file {}: {reason}", file.path))?;
            if bytes.is_empty() || bytes.len() > LARGEST_FILE {
                let most = LARGEST_FILE >> 20;
                return Err(format!(
                    "the planted file {} has {} bytes, not 1 byte to {most} MiB",
                    file.path,
                    bytes.len()
                ));
            }
            room = room
                .checked_sub(bytes.len())
                .ok_or_else(|| format!("the planted files have more than {} MiB together", MOST_OF_FILES >> 20))?;
            file.content = Some(Arc::new(Secret::new(bytes)));
        }
        Ok(())
    }

    /// The datum of that name.
    pub fn get(&self, id: &DatumId) -> Option<&Datum> {
        self.data.iter().find(|datum| datum.id == *id)
    }
}

impl SubjectError {
    /// Keeps the position and those reasons that name a key; other reasons may quote the value.
    fn from_yaml(error: &serde_saphyr::Error) -> Self {
        let location = error.location();
        let text = error.to_string();
        let named = ["missing field", "unknown field", "duplicate"].iter().any(|start| text.contains(start));
        let reason = match named.then(|| KEYS.iter().find(|key| text.contains(&format!("missing field `{key}`")))) {
            Some(Some(key)) => format!("`{key}` is missing here"),
            Some(None) => format!("a key that is unknown or stands twice; the keys are {}", KEYS.join(", ")),
            None => "not of the form `data:` with entries of `kind:` and `value:`; put quotes around values".to_owned(),
        };
        Self { line: location.map(|at| at.line()), column: location.map(|at| at.column()), reason }
    }
}

const KEYS: [&str; 9] = ["subject", "data", "kind", "value", "file", "stored_as", "planted", "bits", "made_up"];

/// A double-quoted YAML scalar (YAML 1.2 section 7.3.1).
fn quoted(text: &str) -> String {
    use fmt::Write as _;
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // What YAML does not print (YAML 1.2 section 5.1) or takes for a line's end or a mark at the start.
            c if c.is_control()
                || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_that_occur_again_are_numbered() {
        let text = "data:\n  - {kind: phone, value: 13800000427}\n  - {kind: phone, value: '007'}\n";
        let subject = Subject::from_yaml(text).unwrap();
        let ids: Vec<_> = subject.data.iter().map(|datum| datum.id.to_string()).collect();
        assert_eq!(ids, ["phone", "phone#2"]);
        assert_eq!(subject.data[1].value.reveal(), b"007", "digits keep their zeros");
    }

    #[test]
    fn errors_show_the_position_and_never_the_value() {
        let texts = [
            "data:\n  - kind: wifi.password\n    vaule: tr0ub4dor&3\n",
            "data:\n  - kind: wifi.password\n    value: [tr0ub4dor&3]\n",
            "data:\n  - kind: tr0ub4dor&3 x\n    value: y\n",
            "data: tr0ub4dor&3",
            "tr0ub4dor&3: [",
            "data:\n  - kind: pin\n    value: \"\"\n",
            "data:\n  - kind: pin\n    value: x\n    bits: tr0ub4dor&3\n",
            "data:\n  - kind: pin\n    value: \"tr0ub4dor&3\n",
        ];
        for text in texts {
            let error = Subject::from_yaml(text).unwrap_err().to_string();
            assert!(error.contains("line "), "{error}");
            assert!(!error.contains("tr0ub4"), "{error}");
        }
    }

    #[test]
    fn characters_that_yaml_does_not_print_are_read_back() {
        let mut subject = Subject::default();
        subject.add("x.y".parse().unwrap(), Secret::new("a\u{fffe}b\u{ffff}c\u{feff}\u{7f}\u{1ffff}"));
        assert_eq!(Subject::from_yaml(&subject.to_yaml()).unwrap(), subject);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(title in proptest::option::of(".*"), values in proptest::collection::vec(".+", 0..4)) {
            let mut subject = Subject { title, data: Vec::new() };
            for value in values {
                subject.add("x.y".parse().unwrap(), Secret::new(value)).bits = Some(7);
            }
            prop_assert_eq!(Subject::from_yaml(&subject.to_yaml()).unwrap(), subject);
        }
    }
}
